/**
 * Step *ingest* of the protocol: a batch of profiles and events, answered after the commit.
 *
 * 1. The order within the batch is kept for each customer.
 * 2. An event id counts once, ever. It is noted in the transaction that acts on it.
 * 3. What of the customer was due before an event runs before it, at its own due times.
 * 4. Nothing is lost: what concerns a held customer, or makes one be held, is kept in `held_events` in its order, and
 *    the others of the batch go on. Kept events are not noted as seen, so that a retry takes them.
 * 5. Nothing comes back of whom was erased, neither by id nor by address: asked under the lock (see forget.ts).
 */
import type { Draft } from '../journey/draft.ts';
import { withCustomers, type ChunkOptions } from './chunk.ts';
import type { ReleaseCache, StoreContext } from './context.ts';
import { createCustomers, findByKeys } from './customer-keys.ts';
import { businessNow, type Database, type Queryable, type Tx } from './database.ts';
import { erasedCustomer, partErased, refuseReturning, type Placement } from './ingest-erased.ts';
import { joinMailDue, mailDue, waitsDue, type MailDue } from './due-now.ts';
import { refusalOf, type Incoming, type Placed, type Rejected } from './incoming.ts';
import { addressesOf, keepForLater, noteEvents, storeEvents, takeItem, type Addressed } from './ingest-items.ts';
import { ensurePartitions } from './partitions.ts';
import { customerIdOf } from './stored.ts';

export type { Incoming, Rejected } from './incoming.ts';

/** How to take a batch. */
export interface IngestOptions extends Pick<ChunkOptions, 'onHeld'> {
  /** True: facts only, nothing starts, ends or goes on. */
  readonly history: boolean;
}

/** What became of a batch. Every item is accepted, a duplicate or rejected. */
export interface Ingested {
  readonly accepted: number;
  /** Events whose id was seen before. */
  readonly duplicates: number;
  /** Which items of the batch those were, ascending. */
  readonly duplicateIndexes: readonly number[];
  readonly rejected: readonly Rejected[];
  /** Of the accepted: kept until their customers are retried. */
  readonly kept: number;
  /** Customers with mail that can be claimed now. */
  readonly planned: MailDue;
  /** Customers with waits that are due now: events come before them, so they are left to an advance. */
  readonly due: readonly number[];
}

type Done = Pick<Ingested, 'accepted' | 'kept' | 'planned' | 'due' | 'rejected'>;

/** Takes a batch of up to some thousand items. @throws what `withCustomers` throws; then nothing was answered for. */
export async function ingest(
  db: Database,
  cache: ReleaseCache,
  batch: readonly Incoming[],
  options: IngestOptions,
): Promise<Ingested> {
  const now = await businessNow(db);
  const rejected: Rejected[] = [];
  const wanted: Placed[] = [];
  for (const [index, item] of batch.entries()) {
    const refusal = refusalOf({ index, item }, now);
    if (refusal === null) wanted.push({ index, item });
    else rejected.push(refusal);
  }
  const once = dropRepeats(wanted);
  const addressed = await addressAll(db, once, rejected);
  await ensurePartitions(
    db,
    addressed.flatMap(({ item }) => (item.kind === 'track' ? item.event.at : [])),
  );
  const { seen, rejected: refused, ...done } = await takeAll(db, cache, addressed, options);
  const first = new Set(once);
  const duplicateIndexes = wanted
    .filter((placed) => !first.has(placed) || (placed.item.kind === 'track' && seen.has(placed.item.event.id)))
    .map(({ index }) => index);
  return {
    ...done,
    duplicates: duplicateIndexes.length,
    duplicateIndexes,
    rejected: [...rejected, ...refused].sort((a, b) => a.index - b.index),
  };
}

async function takeAll(
  db: Database,
  cache: ReleaseCache,
  items: readonly Placement[],
  options: IngestOptions,
): Promise<Done & { readonly seen: ReadonlySet<string> }> {
  const ids = [...items.map((item) => item.customerId), ...(await newSharers(db, items))];
  const { onHeld } = options;
  const { results } = await withCustomers(
    db,
    cache,
    ids,
    async (tx, drafts, ctx, asked) => takeChunk(tx, drafts, ctx, itemsOf(items, asked), options.history),
    { mail: false, ...(onHeld === undefined ? {} : { onHeld }) },
  );
  return {
    accepted: results.reduce((sum, result) => sum + result.accepted, 0),
    seen: new Set(results.flatMap((result) => result.seen)),
    kept: results.reduce((sum, result) => sum + result.kept, 0),
    planned: joinMailDue(results.map((result) => result.planned)),
    due: [...new Set(results.flatMap((result) => result.due))],
    rejected: results.flatMap((result) => result.rejected),
  };
}

function itemsOf(items: readonly Placement[], asked: readonly number[]): readonly Placement[] {
  const concerned = new Set(asked);
  return items.filter((item) => concerned.has(item.customerId));
}

async function takeChunk(
  tx: Tx,
  drafts: readonly Draft[],
  ctx: StoreContext,
  all: readonly Placement[],
  history: boolean,
): Promise<Done & { readonly seen: readonly string[] }> {
  const byCustomer = new Map(drafts.map((draft) => [customerIdOf(draft), draft]));
  const { items, rejected } = await partErased(tx, all, (id) => byCustomer.has(id));
  const workable = items.filter((item) => byCustomer.has(item.customerId));
  const kept = items.filter((item) => !byCustomer.has(item.customerId));
  const isNew = await noteEvents(tx, workable);
  const fresh = workable.filter(({ item }) => item.kind === 'identify' || isNew.has(item.event.id));
  for (const { customerId, item } of fresh) {
    const draft = byCustomer.get(customerId);
    if (draft !== undefined) takeItem(draft, item, history, ctx);
  }
  await storeEvents(tx, fresh, history, ctx);
  await keepForLater(tx, kept, history, ctx);
  return {
    accepted: fresh.length + kept.length,
    seen: workable.flatMap(({ item }) => (item.kind === 'track' && !isNew.has(item.event.id) ? item.event.id : [])),
    kept: kept.length,
    planned: mailDue(drafts, ctx),
    due: waitsDue(drafts, ctx),
    rejected,
  };
}

/** Of one event id the first in the batch counts. */
function dropRepeats(items: readonly Placed[]): readonly Placed[] {
  const seen = new Set<string>();
  return items.filter(({ item }) => {
    if (item.kind === 'identify') return true;
    if (seen.has(item.event.id)) return false;
    seen.add(item.event.id);
    return true;
  });
}

/** Finds or creates the customers. Creating is a transaction of its own: a customer of whom nothing is known harms nobody. */
async function addressAll(db: Queryable, all: readonly Placed[], rejected: Rejected[]): Promise<readonly Placement[]> {
  const keys = [...new Set(all.map(({ item }) => item.customer))];
  let found = await findByKeys(db, keys);
  const { items, rejected: erased } = await refuseReturning(db, all, (key) => found.has(key));
  rejected.push(...erased);
  const mayCreate = items.filter(({ item }) => item.kind === 'identify' || item.createIfMissing);
  const missing = new Set(mayCreate.map(({ item }) => item.customer).filter((key) => !found.has(key)));
  if (missing.size > 0) {
    await createCustomers(db, [...missing]);
    found = await findByKeys(db, keys);
  }
  return items.flatMap(({ index, item }): readonly Placement[] => {
    const customer = found.get(item.customer);
    if (customer !== undefined && !customer.erased) return [{ index, item, customerId: customer.id }];
    const message = `customer ${JSON.stringify(item.customer)} is not known: identify them first`;
    rejected.push(
      customer === undefined ? { index, code: 'unknown-customer', message } : erasedCustomer(index, item.customer),
    );
    return [];
  });
}

/** Whoever takes a new address joins its readers, so they are locked too: caps would else be decided side by side. */
async function newSharers(db: Queryable, items: readonly Addressed[]): Promise<readonly number[]> {
  const addresses = addressesOf(items);
  if (addresses.length === 0) return [];
  const { rows } = await db.query<{ id: number }>('select id from customers where address = any($1::text[])', [
    addresses,
  ]);
  return rows.map((row) => row.id);
}
