/** Releasing what is held, to be tried again. */
import { runDue } from '../journey/run.ts';
import { JourneyError } from '../journey/errors.ts';
import { writeAudit } from './audit.ts';
import { onCustomers } from './chunk.ts';
import type { ReleaseCache } from './context.ts';
import { businessNow, type Database, type Tx } from './database.ts';
import { erasedAmong } from './erasures.ts';
import { heldMessage, isOfCustomers } from './failures.ts';
import type { HeldRef } from './held.ts';
import { listHeld } from './held.ts';
import { holdEnrolment } from './hold.ts';
import type { Incoming } from './incoming.ts';
import { addressesOf, addressOf, noteEvents, storeEvents, takeItem } from './ingest-items.ts';
import { lockCustomers } from './lock.ts';
import { ensurePartitions } from './partitions.ts';
import { patientTransaction } from './patience.ts';
import { time } from './sql.ts';

/** Who acts, and why. */
export interface Act {
  readonly by: string;
  readonly reason: string;
}

/** What became of one held thing. */
export type Retried =
  | { readonly ref: HeldRef; readonly outcome: 'released' }
  /** It failed again and stays held. */
  | { readonly ref: HeldRef; readonly outcome: 'held again'; readonly error: string }
  /** No such thing is held (any more). */
  | { readonly ref: HeldRef; readonly outcome: 'not held' };

/**
 * Retries held things, each in its own transaction with its audit record. A mail is due at once, so that it is not
 * skipped for having been held; one that may have gone out already is sent again under the same Message-ID. A customer's
 * kept events are taken in their order. Events alone cannot be retried: their customer is.
 */
export async function retryHeld(
  db: Database,
  cache: ReleaseCache,
  which: readonly HeldRef[] | 'all',
  act: Act,
): Promise<readonly Retried[]> {
  const refs =
    which === 'all' ? (await listHeld(db, { limit: 100_000 })).filter(({ kind }) => kind !== 'event') : which;
  const results: Retried[] = [];
  for (const { kind, id } of refs) {
    const ref: HeldRef = { kind, id };
    results.push(kind === 'customer' ? await retryCustomer(db, cache, ref, act) : await retryOne(db, ref, act));
  }
  return results;
}

async function retryOne(db: Database, ref: HeldRef, act: Act): Promise<Retried> {
  return patientTransaction(db, async (tx) => {
    const customerId = await ownerOf(tx, ref);
    if (customerId === null || ref.kind === 'event') return { ref, outcome: 'not held' };
    await lockCustomers(tx, [customerId]);
    const now = await businessNow(tx);
    const { rowCount } =
      ref.kind === 'enrolment'
        ? await tx.query(
            `update enrolments set held_at = null, held_error = null where id = $1 and held_at is not null`,
            [ref.id],
          )
        : ref.kind === 'webhook'
          ? await tx.query(RETRY_CALL, [ref.id])
          : await tx.query(RETRY_SEND, [ref.id, time(now)]);
    if (rowCount !== 1) return { ref, outcome: 'not held' };
    await writeAudit(tx, { ...act, businessAt: now, action: 'held.retry', customerId, detail: { ...ref } });
    return { ref, outcome: 'released' };
  });
}

/** From the first attempt on, and under the same key. */
const RETRY_CALL = `
  update webhook_calls set status = 'planned', attempts = 0, due_at = clock_timestamp(), settled_at = null,
    held_at = null, held_error = null
  where id = $1 and held_at is not null and status = 'failed'`;

/** Only while its enrolment waits for it. Of an unknown one the reader may now get a second copy: that is counted. */
const RETRY_SEND = `
  update sends s set status = 'planned', due_at = $2, held_at = null, held_error = null, settled_at = null,
    claimed_at = null, lease_until = null, resends = s.resends + case when s.status = 'unknown' then 1 else 0 end
  from enrolments e
  where s.id = $1 and s.held_at is not null and s.status in ('planned', 'unknown')
    and e.id = s.enrolment_id and e.status = 'active'`;

/** The customer a held thing belongs to; null when nothing of the kind is held. */
export async function ownerOf(tx: Tx, ref: HeldRef): Promise<number | null> {
  const sql: Readonly<Record<HeldRef['kind'], string>> = {
    customer: 'select id as owner from customers where id = $1 and held_at is not null',
    enrolment: 'select customer_id as owner from enrolments where id = $1 and held_at is not null',
    send: 'select customer_id as owner from sends where id = $1 and held_at is not null',
    event: 'select customer_id as owner from held_events where id = $1',
    webhook: 'select customer_id as owner from webhook_calls where id = $1 and held_at is not null',
  };
  const { rows } = await tx.query<{ owner: number }>(sql[ref.kind], [ref.id]);
  return rows[0]?.owner ?? null;
}

/** A customer rarely has more enrolments under way than this; each may turn out to be a culprit of its own. */
const MAX_CULPRITS = 20;

async function retryCustomer(db: Database, cache: ReleaseCache, ref: HeldRef, act: Act): Promise<Retried> {
  await ensurePartitions(db, await timesOfKept(db, ref.id));
  for (let culprits = 0; ; culprits += 1) {
    try {
      const released = await patientTransaction(db, (tx) => releaseCustomer(tx, cache, ref.id, act));
      return { ref, outcome: released ? 'released' : 'not held' };
    } catch (error) {
      if (!isOfCustomers(error)) throw error;
      if (culprits < MAX_CULPRITS && (await holdCulprit(db, ref.id, error))) continue;
      return { ref, outcome: 'held again', error: heldMessage(error) };
    }
  }
}

/** An enrolment at fault is held in the customer's place. */
async function holdCulprit(db: Database, customerId: number, error: unknown): Promise<boolean> {
  const enrolment = error instanceof JourneyError ? error.enrolment : null;
  if (enrolment === null) return false;
  const { message } = error as JourneyError;
  return (await patientTransaction(db, (tx) => holdEnrolment(tx, customerId, enrolment, message))) !== null;
}

type Kept = { readonly id: number; readonly event: Incoming; readonly history: boolean };

async function timesOfKept(db: Database, customerId: number): Promise<readonly number[]> {
  const { rows } = await db.query<{ at: number | null }>(
    `select (event -> 'event' ->> 'at')::bigint as at from held_events where customer_id = $1`,
    [customerId],
  );
  return rows.flatMap(({ at }) => at ?? []);
}

async function releaseCustomer(tx: Tx, cache: ReleaseCache, customerId: number, act: Act): Promise<boolean> {
  await lockCustomers(tx, [customerId]);
  const { rowCount } = await tx.query(
    'update customers set held_at = null, held_error = null where id = $1 and held_at is not null',
    [customerId],
  );
  if (rowCount !== 1) return false;
  await onCustomers(
    tx,
    cache,
    [customerId],
    async (_tx, [draft], ctx) => {
      if (draft === undefined) return;
      const { rows } = await tx.query<Kept>(
        'delete from held_events where customer_id = $1 returning id, event, history',
        [customerId],
      );
      // What would bring an erased address back is refused as it would be at the intake.
      const erased = await erasedAmong(tx, 'address', addressesOf(rows.map(({ event }) => ({ item: event }))));
      const kept = rows
        .sort((a, b) => a.id - b.id)
        .map(({ event, history }) => ({ addressed: { customerId, item: event }, history }))
        .filter(({ addressed }) => !erased.has(addressOf(addressed) ?? ''));
      const isNew = new Set(
        await noteEvents(
          tx,
          kept.map(({ addressed }) => addressed),
        ),
      );
      // Each id counts once, also among the kept ones.
      const fresh = kept.filter(({ addressed: { item } }) => item.kind === 'identify' || isNew.delete(item.event.id));
      for (const { addressed, history } of fresh) takeItem(draft, addressed.item, history, ctx);
      for (const history of [false, true]) {
        const part = fresh.filter((one) => one.history === history).map(({ addressed }) => addressed);
        await storeEvents(tx, part, history, ctx);
      }
      runDue([draft], ctx.now, ctx);
      const detail = { kind: 'customer', id: customerId, events: fresh.length };
      await writeAudit(tx, { ...act, businessAt: ctx.now, action: 'held.retry', customerId, detail });
    },
    { only: customerId, mail: false },
  );
  return true;
}
