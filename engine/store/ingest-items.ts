/** The parts of an ingest within its transaction: one item at a time to the rules, all of them to the tables. */
import type { Draft } from '../journey/draft.ts';
import { receive, runDue, updateProfile } from '../journey/run.ts';
import { armTimers } from '../journey/timers.ts';
import { normaliseAddress } from '../message/address.ts';
import type { StoreContext } from './context.ts';
import type { Queryable } from './database.ts';
import type { Incoming } from './incoming.ts';
import { execute, time } from './sql.ts';

/** An item, and whose it is. */
export interface Addressed {
  readonly item: Incoming;
  readonly customerId: number;
}

/** docs/playbooks.md: an event that arrives later than this after its date sets facts and starts nothing. */
const LATE_MS = 24 * 3_600_000;

/** The new address that an item gives its customer, normalised; null for none. */
export function addressOf({ item }: Pick<Addressed, 'item'>): string | null {
  return item.kind === 'identify' && typeof item.traits.email === 'string' ? normaliseAddress(item.traits.email) : null;
}

/** The same of many. */
export function addressesOf(items: readonly Pick<Addressed, 'item'>[]): readonly string[] {
  return items.flatMap((item) => addressOf(item) ?? []);
}

/** Notes the ids of events, and returns those that were never seen before. */
export async function noteEvents(tx: Queryable, items: readonly Addressed[]): Promise<ReadonlySet<string>> {
  const keys = items.flatMap(({ item }) => (item.kind === 'track' ? item.event.id : []));
  if (keys.length === 0) return new Set();
  // In order of the keys: two batches with the same events wait for each other, never both.
  const { rows } = await tx.query<{ key: string }>(
    `insert into event_keys (key) select k from unnest($1::text[]) k order by k on conflict do nothing returning key`,
    [keys],
  );
  return new Set(rows.map((row) => row.key));
}

/** Lets the rules take one item. */
export function takeItem(draft: Draft, item: Incoming, history: boolean, ctx: StoreContext): void {
  if (item.kind === 'identify') {
    if (!history) runDue([draft], ctx.now - 1, ctx);
    updateProfile(draft, item.traits, ctx.now, ctx, { starts: !history });
    return;
  }
  const { event } = item;
  const at = Math.min(event.at, ctx.now);
  if (history) {
    receive(draft, event, { at, starts: false }, ctx);
    // From now on, not from the event's time: what lies in the past when an import arrives starts nothing.
    armTimers(draft, ctx.now, ctx);
    return;
  }
  const isLate = (item.receivedAt ?? ctx.now) - event.at > LATE_MS;
  // Before anything else, so that looking back to a late event's day dates no timer from there.
  if (isLate) armTimers(draft, ctx.now, ctx);
  runDue([draft], at - 1, ctx);
  receive(draft, event, { at, starts: !isLate, ends: true }, ctx);
  if (isLate) armTimers(draft, ctx.now, ctx);
}

/** Stores the events themselves. */
export async function storeEvents(
  tx: Queryable,
  items: readonly Addressed[],
  history: boolean,
  ctx: StoreContext,
): Promise<void> {
  await execute(
    tx,
    items.flatMap(({ item, customerId }) =>
      item.kind === 'identify'
        ? []
        : {
            key: item.event.id,
            customer_id: customerId,
            event: item.event.event,
            at: time(item.event.at),
            received_at: time(item.receivedAt ?? ctx.now),
            data: item.event.data,
          },
    ),
    `insert into events (key, customer_id, event, at, received_at, data, history)
     select key, customer_id, event, at, received_at, data, $2 from rows order by place`,
    'key text, customer_id bigint, event text, at timestamptz, received_at timestamptz, data jsonb',
    [history],
  );
}

/** Keeps what concerns customers who cannot be worked on, whole and in order; `event` is the Incoming itself. */
export async function keepForLater(
  tx: Queryable,
  items: readonly Addressed[],
  history: boolean,
  ctx: StoreContext,
): Promise<void> {
  await execute(
    tx,
    items.map(({ item, customerId }) => ({
      customer_id: customerId,
      event: item.kind === 'track' ? { ...item, receivedAt: item.receivedAt ?? ctx.now } : item,
    })),
    `insert into held_events (customer_id, event, history, held_at, error)
     select r.customer_id, r.event, $3, $2, coalesce(c.held_error, 'the customer was merged or erased meanwhile')
     from rows r join customers c on c.id = r.customer_id order by r.place`,
    'customer_id bigint, event jsonb',
    [time(ctx.now), history],
  );
}
