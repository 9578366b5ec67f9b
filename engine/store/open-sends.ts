/** Mails that are claimed or beyond, as rows: read and resolved under their customers' locks. */
import { enrolmentKey, type Draft } from '../journey/draft.ts';
import { continueWaits, settle } from '../journey/run.ts';
import { armTimers } from '../journey/timers.ts';
import type { CustomerEvent, Send, Settlement } from '../journey/types.ts';
import type { Instant } from '../time/types.ts';
import { loadAnswers } from './answers.ts';
import type { StoreContext } from './context.ts';
import { commitCodes, hasCoupons } from './coupon-codes.ts';
import type { Queryable } from './database.ts';
import { SEND_COLUMNS, sendOf, type SendRow } from './load-rows.ts';
import { park } from './park.ts';
import { recordAll } from './record.ts';
import { execute, time, timeOrNull } from './sql.ts';
import { storedOf } from './stored.ts';

/** States of a send that is not planned, as far as an outcome may change them. */
export type OpenStatus = 'planned' | 'claimed' | 'handed' | 'unknown';

/** A send's row. */
export interface OpenSend {
  readonly customerId: number;
  readonly enrolmentId: number;
  readonly versionId: number;
  readonly fence: number;
  readonly status: string;
  readonly handedAt: Instant | null;
  readonly resends: number;
  /** The lease has run out, by the database's own time. */
  readonly expired: boolean;
  /** Handed over, and on record as accepted although its outcome is not. */
  readonly accepted: boolean;
  /** Why its enrolment has ended; null while that is active. */
  readonly ended: string | null;
  /** As the row of its enrolment calls the step. */
  readonly storedStep: string;
  readonly send: Send;
}

/** What becomes of a row. */
export interface Resolution {
  readonly of: OpenSend;
  /** States from which it may change; in any other, and under any other fence, the row stays as it is. */
  readonly from: readonly OpenStatus[];
  readonly status: 'planned' | 'sent' | 'failed' | 'unknown' | 'cancelled';
  /** How the enrolment goes on; null: it goes on waiting. */
  readonly settlement: Settlement | null;
  /** New due time of a planned one; null: as it was. */
  readonly dueAt: Instant | null;
  readonly attempt: boolean;
  readonly resend: boolean;
  readonly reason: string | null;
  /** Holds the mail for a person. */
  readonly heldError: string | null;
  /** When it may have been handed over, where the row does not know. */
  readonly handedAt?: Instant;
}

/**
 * The rows of these sends by id, their versions prepared, and locked: leases run out and hand-overs are refused without the
 * customers' locks, and what is decided here must meet the rows as they were read. Only under the customers' locks.
 */
export async function loadOpenSends(
  tx: Queryable,
  sendIds: readonly number[],
  ctx: StoreContext,
): Promise<ReadonlyMap<number, OpenSend>> {
  type Row = SendRow & {
    customer_id: number;
    enrolment_id: number;
    version_id: number;
    fence: number;
    status: string;
    handed_at: Instant | null;
    resends: number;
    expired: boolean;
    accepted: boolean;
    ended: string | null;
  };
  const { rows } = await tx.query<Row>(
    `select ${SEND_COLUMNS}, s.customer_id, s.enrolment_id, e.version_id, s.fence, s.status, s.handed_at, s.resends,
       coalesce(s.lease_until < clock_timestamp(), false) as expired,
       s.status = 'handed' and s.accepted_at is not null as accepted,
       case when e.status <> 'active' then coalesce(e.reason, e.status) end as ended
     from sends s join enrolments e on e.id = s.enrolment_id where s.id = any($1::bigint[])
     order by s.id for no key update of s`,
    [sendIds],
  );
  await ctx.prepareVersions(
    tx,
    rows.map((row) => row.version_id),
  );
  const open = rows.map((row): OpenSend => {
    const { fence, status, resends, expired, accepted, ended } = row;
    const ids = { customerId: row.customer_id, enrolmentId: row.enrolment_id, versionId: row.version_id };
    return {
      ...ids,
      fence,
      status,
      resends,
      expired,
      accepted,
      ended,
      handedAt: row.handed_at,
      storedStep: row.step,
      send: sendOf(row, ctx),
    };
  });
  return new Map(open.map((row) => [row.send.id ?? 0, row]));
}

/**
 * Carries the enrolments on, records the drafts, and resolves the rows. An enrolment that cannot go on now, since it or
 * its customer is held, is left past the mail, to go on from there when it is retried.
 */
export async function resolveSends(
  tx: Queryable,
  drafts: readonly Draft[],
  resolutions: readonly Resolution[],
  ctx: StoreContext,
): Promise<void> {
  const byCustomer = new Map(drafts.map((draft) => [storedOf(draft).customerId, draft]));
  const parked: Resolution[] = [];
  const final = resolutions.map(endedWithIt);
  const answers = await answersTo(tx, final);
  for (const resolution of [...final].sort(bySettlement)) {
    const { of, settlement } = resolution;
    if (settlement === null) continue;
    const draft = byCustomer.get(of.customerId);
    if (draft === undefined || isHeld(draft, of.send)) parked.push(resolution);
    else settleOne(draft, of, settlement, answers.get(of.send.id ?? 0), ctx);
  }
  await recordAll(tx, drafts, ctx);
  await updateRows(tx, final, ctx);
  await commitCodes(
    tx,
    final.flatMap((resolution) => carrier(resolution, ctx)),
  );
  await park(tx, parked, byCustomer, ctx);
}

/** Answers that came before the outcomes of the mails that ask: a crash may have kept those for a while. */
async function answersTo(
  tx: Queryable,
  resolutions: readonly Resolution[],
): Promise<ReadonlyMap<number, CustomerEvent>> {
  const asking = resolutions.filter(({ of, settlement }) => settlement !== null && of.send.ask !== null);
  return loadAnswers(
    tx,
    asking.map(({ of }) => ({ sendId: of.send.id ?? 0, customerId: of.customerId })),
  );
}

/** A mail that has gone out, of a playbook with coupons. */
function carrier({ of, settlement }: Resolution, ctx: StoreContext): Parameters<typeof commitCodes>[1] {
  if (settlement === null || settlement.outcome === 'failed') return [];
  const { playbook, version } = ctx.ids.version(of.versionId);
  if (!hasCoupons(ctx.playbookOf(playbook, version))) return [];
  return [{ enrolmentId: of.enrolmentId, sendId: of.send.id ?? 0, at: settlement.at }];
}

function settleOne(
  draft: Draft,
  { send }: OpenSend,
  settlement: Settlement,
  answer: CustomerEvent | undefined,
  ctx: StoreContext,
): void {
  settle(draft, send, settlement, ctx);
  if (answer === undefined) return;
  continueWaits(draft, answer, Math.max(answer.at, settlement.at), ctx);
  armTimers(draft, settlement.at, ctx);
}

/**
 * A mail whose enrolment ended while it was on its way is not tried again, and no person need decide on it: nothing
 * waits for it any more. What the reader may have stays `unknown`.
 */
function endedWithIt(resolution: Resolution): Resolution {
  const { of, status, resend, heldError } = resolution;
  if (of.ended === null || (status !== 'planned' && heldError === null)) return resolution;
  const over = { ...resolution, dueAt: null, resend: false, heldError: null };
  if (status === 'unknown' || resend || of.resends > 0) return { ...over, status: 'unknown' };
  return { ...over, status: 'cancelled', reason: of.ended };
}

function bySettlement(a: Resolution, b: Resolution): number {
  return (a.settlement?.at ?? 0) - (b.settlement?.at ?? 0) || (a.of.send.id ?? 0) - (b.of.send.id ?? 0);
}

function isHeld(draft: Draft, send: Send): boolean {
  return storedOf(draft).enrolments.get(enrolmentKey(send))?.held === true;
}

async function updateRows(tx: Queryable, resolutions: readonly Resolution[], ctx: StoreContext): Promise<void> {
  await execute(
    tx,
    resolutions.map((resolution) => ({
      id: resolution.of.send.id,
      fence: resolution.of.fence,
      from: resolution.from,
      status: resolution.status,
      due_at: timeOrNull(resolution.dueAt),
      attempts: resolution.attempt ? 1 : 0,
      resends: resolution.resend ? 1 : 0,
      reason: resolution.reason,
      held_error: resolution.heldError,
      handed_at: timeOrNull(resolution.handedAt ?? null),
    })),
    // A mail that is sent again keeps its hand-over: the reader may have it, and the server's answer may still come. One that
    // is cancelled was with no server.
    `update sends s set status = r.status, due_at = coalesce(r.due_at, s.due_at),
       attempts = s.attempts + r.attempts, resends = s.resends + r.resends, reason = r.reason, lease_until = null,
       claimed_at = case when r.status not in ('planned', 'cancelled') then s.claimed_at end,
       handed_at = case when r.status not in ('planned', 'cancelled') or s.resends + r.resends > 0 then coalesce(s.handed_at, r.handed_at) end,
       settled_at = case when r.status <> 'planned' then $2::timestamptz end,
       held_at = case when r.held_error is not null then $2::timestamptz end, held_error = r.held_error
     from rows r where s.id = r.id and s.fence = r.fence and s.status = any(r."from")`,
    `id bigint, fence int, "from" text[], status text, due_at timestamptz, attempts smallint, resends smallint,
     reason text, held_error text, handed_at timestamptz`,
    [time(ctx.now)],
  );
}
