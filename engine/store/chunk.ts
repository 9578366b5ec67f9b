/**
 * The unit of work: some hundred customers, locked, loaded, decided on and recorded in one transaction.
 *
 * A chunk that fails for a reason of its data, or takes too long, is bisected down to one reader; the culprit is *held* with its error, and
 * the rest goes on (docs/architecture.md section 3). Failures of the database itself are no poison and are thrown.
 */
import type { Draft } from '../journey/draft.ts';
import { JourneyError } from '../journey/errors.ts';
import type { ReleaseCache, StoreContext } from './context.ts';
import { reserveCodes } from './coupon-codes.ts';
import type { Database, Queryable, Tx } from './database.ts';
import { heldMessage, isOfCustomers } from './failures.ts';
import { holdCustomer, holdEnrolment, type Held } from './hold.ts';
import { loadStates, lockCustomers, openDrafts, type LoadNeeds } from './load.ts';
import { patientTransaction } from './patience.ts';
import { recordAll } from './record.ts';

/** Decides on loaded drafts. `asked` are the customer ids asked for; held ones among them have no draft. */
export type Work<T> = (tx: Tx, drafts: Draft[], ctx: StoreContext, asked: readonly number[]) => Promise<T>;

/** How a chunk is run. */
export interface ChunkOptions extends LoadNeeds {
  /** True when `work` calls `recordAll` itself, to go on with the ids of new rows. Default false. */
  readonly recordsItself?: boolean;
  /** See `TransactionOptions`. Default true. */
  readonly durable?: boolean;
  /** Told of every culprit that was held. */
  readonly onHeld?: (held: Held) => void;
}

/** What became of a chunk: one result for each transaction that committed. */
export interface ChunkResult<T> {
  readonly results: readonly T[];
  readonly held: readonly Held[];
}

/**
 * Locks, loads, works and records within a transaction of the caller. For single acts of staff, where a failure is the
 * caller's to report; everything else uses `withCustomers`.
 */
export async function onCustomers<T>(
  tx: Tx,
  cache: ReleaseCache,
  ids: readonly number[],
  work: Work<T>,
  options: ChunkOptions & { readonly only?: number } = {},
): Promise<T> {
  // The context is read by a statement after the lock: they only share the round trip.
  const [locked, ctx] = await Promise.all([lockCustomers(tx, ids), cache.context(tx)]);
  const chosen = options.only === undefined ? locked : locked.filter((id) => id === options.only);
  const drafts = openDrafts(await loadStates(tx, chosen, ctx, options));
  await reserveCodes(tx, drafts, ctx);
  const result = await work(tx, drafts, ctx, options.only === undefined ? ids : [options.only]);
  if (options.recordsItself !== true) await recordAll(tx, drafts, ctx);
  return result;
}

/**
 * Runs `work` over these customers (and those who share their addresses), in one transaction unless something fails.
 * `work` is called anew for each attempt and each part, ascending by customer id, so it must not keep anything outside
 * its result. @throws the failure of the database, or of the release, when it is none of a customer's data.
 */
export async function withCustomers<T>(
  db: Database,
  cache: ReleaseCache,
  ids: readonly number[],
  work: Work<T>,
  options: ChunkOptions = {},
): Promise<ChunkResult<T>> {
  const results: T[] = [];
  const held: Held[] = [];
  const run = async (part: readonly number[], only?: number): Promise<unknown> => {
    const chosen = only === undefined ? options : { ...options, only };
    try {
      const durable = options.durable ?? true;
      results.push(await patientTransaction(db, async (tx) => onCustomers(tx, cache, part, work, chosen), { durable }));
      return null;
    } catch (error) {
      if (isOfCustomers(error)) return error;
      throw error;
    }
  };
  const hold = async (customerId: number, error: unknown): Promise<Held> => {
    const record = await holdCulprit(db, customerId, error);
    held.push(record);
    options.onHeld?.(record);
    return record;
  };
  const sorted = [...new Set(ids)].sort((a, b) => a - b);
  await bisect(db, sorted, run, hold);
  return { results, held };
}

type Run = (part: readonly number[], only?: number) => Promise<unknown>;
type Hold = (customerId: number, error: unknown) => Promise<Held>;

async function bisect(db: Queryable, ids: readonly number[], run: Run, hold: Hold): Promise<void> {
  if ((await run(ids)) === null) return;
  const readers = await readersOf(db, ids);
  if (readers.length > 1) {
    const half = Math.ceil(readers.length / 2);
    await bisect(db, readers.slice(0, half).flat(), run, hold);
    await bisect(db, readers.slice(half).flat(), run, hold);
    return;
  }
  await isolate(db, ids, run, hold);
}

/** One reader, perhaps with several records: each is tried alone, and the one that fails is the culprit. */
async function isolate(db: Queryable, ids: readonly number[], run: Run, hold: Hold): Promise<void> {
  const members = await sharersOf(db, ids);
  for (const customerId of members) {
    // Each round holds one more enrolment, or at last the customer, and what is held is left out of the next.
    let customerHeld = false;
    for (;;) {
      const error = await run(members, customerId);
      if (error === null) break;
      if (customerHeld) throw error;
      customerHeld = (await hold(customerId, error)).enrolment === null;
    }
  }
}

/** The asked ids by reader, in ascending order of each reader's lowest id. */
async function readersOf(db: Queryable, ids: readonly number[]): Promise<number[][]> {
  const { rows } = await db.query<{ id: number; reader: string }>(
    `select id, coalesce(address, id::text) as reader from customers where id = any($1::bigint[]) order by id`,
    [ids],
  );
  const readers = new Map<string, number[]>();
  for (const { id, reader } of rows) {
    const of = readers.get(reader);
    if (of === undefined) readers.set(reader, [id]);
    else of.push(id);
  }
  return [...readers.values()];
}

async function sharersOf(db: Queryable, ids: readonly number[]): Promise<number[]> {
  const { rows } = await db.query<{ id: number }>(
    `select id from customers where id = any($1::bigint[])
       or address = any(array(select address from customers where id = any($1::bigint[]) and address is not null))
     order by id`,
    [ids],
  );
  return rows.map((row) => row.id);
}

async function holdCulprit(db: Database, customerId: number, error: unknown): Promise<Held> {
  const enrolment = error instanceof JourneyError ? error.enrolment : null;
  return patientTransaction(db, async (tx) => {
    const message = heldMessage(error);
    const held = enrolment === null ? null : await holdEnrolment(tx, customerId, enrolment, message);
    // An enrolment that the failed transaction was about to make is in no row: then the customer is held.
    return held ?? (await holdCustomer(tx, customerId, message));
  });
}
