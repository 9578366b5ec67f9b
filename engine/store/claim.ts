/**
 * Step *claim* of the protocol: decides anew, under the customers' locks, which of their due mails may go, and reserves
 * those for the caller for the length of a lease. A claim is no permission to send: that is the hand-over (hand.ts).
 *
 * 1. What is due of the customer runs first, so an exit or a goal that is due now wins over its mail.
 * 2. Claimed mail counts against caps at once; customers who share an address are decided on together.
 * 3. Every claim raises the fence, so whatever an earlier holder still reports changes nothing.
 */
import { enrolmentKey } from '../journey/draft.ts';
import { runDue } from '../journey/run.ts';
import type { Enrolment, Profile, Send } from '../journey/types.ts';
import { domainOf, parseMailbox } from '../message/address.ts';
import { messageIdFor } from '../message/compose.ts';
import type { TemplateSet } from '../message/templates.ts';
import type { Release } from '../playbook/types.ts';
import type { Instant } from '../time/types.ts';
import { attemptAll, type Due, type Granted } from './attempt-due.ts';
import { withCustomers, type ChunkOptions } from './chunk.ts';
import type { ReleaseCache, StoreContext } from './context.ts';
import type { Database, Tx } from './database.ts';
import { joinMailDue, mailDue, type MailDue } from './due-now.ts';
import { StoreError } from './errors.ts';
import type { MailLane } from './lane.ts';
import { openGate } from './pace/gate.ts';
import { recordAll, sendIdOf } from './record.ts';
import { insertPlanned } from './record-sends.ts';
import { execute, time } from './sql.ts';
import { storedOf } from './stored.ts';

export type { MailLane } from './lane.ts';

/** A mail that its holder may compose and offer for hand-over, with all that this takes. */
export interface ClaimedSend {
  readonly sendId: number;
  /** Names this claim among all of the send's. */
  readonly fence: number;
  readonly customerId: number;
  readonly lane: MailLane;
  /** The normalised address. */
  readonly address: string;
  /** The same for every attempt of this send. */
  readonly messageId: string;
  /** Earlier attempts that failed for the time being. */
  readonly attempts: number;
  readonly send: Send;
  readonly profile: Profile;
  /** The enrolment it belongs to: its origin, vars and version. */
  readonly enrolment: Enrolment;
  /** Business time of the claim. */
  readonly now: Instant;
  /** How long after that it may be handed over, in ms: at most a second. */
  readonly waitMs: number;
  /** The limits that it counts towards: to be given back if it comes to no server. */
  readonly limits: readonly string[];
  /** Not null: it may have gone out then, unknown to this database, and is not to be sent: settle it as `doubtful`. */
  readonly doubtAt: Instant | null;
  /** Under which it was claimed. */
  readonly release: Release;
  readonly templates: TemplateSet;
}

/** What a claim brought. */
export interface Claims {
  readonly claimed: readonly ClaimedSend[];
  readonly deferred: number;
  readonly skipped: number;
  /** Customers with mail that is due and not claimed: of the other lane, or beyond `max`. */
  readonly planned: MailDue;
  /** Culprits that were held. */
  readonly held: number;
}

/** How to claim. */
export interface ClaimOptions extends Pick<ChunkOptions, 'onHeld'> {
  /** How long the claim lasts, in milliseconds. Default 20,000. */
  readonly leaseMs?: number;
  /** At most so many mails. Default 500. */
  readonly max?: number;
  /** The mail server that takes them, for its limit. Default: none that has a name. */
  readonly server?: string;
}

/** Claims the due mail of these customers (and of those who share their addresses) in one lane. */
export async function claimSends(
  db: Database,
  cache: ReleaseCache,
  lane: MailLane,
  customerIds: readonly number[],
  options: ClaimOptions = {},
): Promise<Claims> {
  const { leaseMs = 20_000, max = 500, server = '', ...chunk } = options;
  // Bisected parts share the bound: each may use what is left, or a repeated part would count twice.
  const { results, held } = await withCustomers(
    db,
    cache,
    customerIds,
    async (tx, drafts, ctx) => {
      runDue(drafts, ctx.now, ctx);
      const gate = await openGate(tx, lane, server, drafts, ctx);
      const tally = attemptAll(drafts, lane, max, gate, ctx);
      await recordAll(tx, drafts, ctx);
      await insertPlanned(tx, tally.fresh, ctx);
      await holdUnaddressed(tx, tally.unaddressed, ctx);
      const claimed = await markClaimed(tx, tally.granted, leaseMs, ctx);
      await gate?.record(tx);
      return { claimed, deferred: tally.deferred, skipped: tally.skipped, planned: mailDue(drafts, ctx) };
    },
    // Durable: were a database that crashes to forget it, the next claim would have the same fence, and two workers would
    // hold the same mail (docs/decisions/0004).
    { ...chunk, recordsItself: true },
  );
  return {
    claimed: results.flatMap((result) => result.claimed),
    deferred: results.reduce((sum, result) => sum + result.deferred, 0),
    skipped: results.reduce((sum, result) => sum + result.skipped, 0),
    planned: joinMailDue(results.map((result) => result.planned)),
    held: held.length,
  };
}

async function markClaimed(
  tx: Tx,
  granted: readonly Granted[],
  leaseMs: number,
  ctx: StoreContext,
): Promise<readonly ClaimedSend[]> {
  const domain = senderDomain(ctx.release);
  const rows = granted.map(({ draft, send }) => {
    const id = sendIdOf(draft, send);
    return {
      id,
      was: 'planned',
      message_id: messageIdFor(id, domain, ctx.installation),
      address: storedOf(draft).address,
    };
  });
  const marked = await execute(
    tx,
    rows,
    `update sends s set status = 'claimed', fence = s.fence + 1, claimed_at = $2,
       lease_until = clock_timestamp() + $3 * interval '1 millisecond',
       message_id = coalesce(s.message_id, r.message_id), address = r.address, release_id = $4
     from rows r where s.id = r.id and s.status = r.was
     returning s.id, s.fence, s.message_id, s.attempts`,
    'id bigint, was text, message_id text, address text',
    [time(ctx.now), leaseMs, ctx.releaseId],
  );
  type Marked = { id: number; fence: number; message_id: string; attempts: number };
  const byId = new Map((marked.rows as Marked[]).map((row) => [row.id, row]));
  return granted.map((grant) => {
    const row = byId.get(sendIdOf(grant.draft, grant.send));
    if (row === undefined) throw new StoreError('lost-row', `the mail "${grant.send.step}" is planned no longer`);
    return claimedSend(grant, row, ctx);
  });
}

function claimedSend(
  { draft, send, enrolment, waitMs, limits, doubtAt }: Granted,
  row: { readonly id: number; readonly fence: number; readonly message_id: string; readonly attempts: number },
  ctx: StoreContext,
): ClaimedSend {
  const stored = storedOf(draft);
  return {
    sendId: row.id,
    fence: row.fence,
    customerId: stored.customerId,
    lane: send.transactional ? 'transactional' : 'bulk',
    address: stored.address ?? '',
    messageId: row.message_id,
    attempts: row.attempts,
    send: { ...send, id: row.id },
    profile: draft.profile,
    enrolment: { ...enrolment, id: stored.enrolments.get(enrolmentKey(enrolment))?.id ?? null },
    now: ctx.now,
    waitMs,
    limits,
    doubtAt,
    release: ctx.release,
    templates: ctx.templates,
  };
}

/** An e-mail that is no address would fail at every attempt: a person must mend it. */
async function holdUnaddressed(tx: Tx, unaddressed: readonly Due[], ctx: StoreContext): Promise<void> {
  await execute(
    tx,
    unaddressed.map(({ draft, send }) => ({
      id: sendIdOf(draft, send),
      was: 'planned',
      error: `${JSON.stringify(draft.profile.email)} is not an address that mail can be sent to`,
    })),
    `update sends s set held_at = $2, held_error = r.error from rows r where s.id = r.id and s.status = r.was`,
    'id bigint, was text, error text',
    [time(ctx.now)],
  );
}

function senderDomain(release: Release): string {
  const { from } = release.company.mail;
  const address = parseMailbox(from)?.address;
  if (address === undefined) throw new StoreError('broken-release', `mail.from is no address: ${JSON.stringify(from)}`);
  return domainOf(address);
}
