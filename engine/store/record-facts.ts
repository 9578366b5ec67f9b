/** Profiles, facts and timers. */
import { normaliseAddress } from '../message/address.ts';
import type { Profile } from '../journey/types.ts';
import type { StoreContext } from './context.ts';
import type { Queryable } from './database.ts';
import { StoreError } from './errors.ts';
import { revokeFromCustomers } from './revoke.ts';
import { execute, time, timeOrNull } from './sql.ts';
import type { Recording } from './stored.ts';

/** Whole new profiles of those that changed; whoever is identified now was so with a change of the profile. */
export async function recordCustomers(tx: Queryable, recordings: readonly Recording[]): Promise<void> {
  const rows = recordings.flatMap(({ draft, stored, changes }) =>
    changes.profile === null ? [] : [customerRow(stored.customerId, changes.profile, draft.identified)],
  );
  const { rowCount } = await execute(
    tx,
    rows,
    `update customers c set email = r.email, address = r.address, name = r.name, first_name = r.first_name,
       last_name = r.last_name, timezone = r.timezone, locale = r.locale, birthday = r.birthday,
       created_at = r.created_at, tags = r.tags, attributes = r.attributes, orders = r.orders, spent = r.spent,
       first_order_at = r.first_order_at, last_order_at = r.last_order_at, last_seen_at = r.last_seen_at,
       satisfaction = r.satisfaction, identified = r.identified
     from rows r where c.id = r.id`,
    `id bigint, email text, address text, name text, first_name text, last_name text, timezone text, locale text,
     birthday date, created_at timestamptz, tags text[], attributes jsonb, orders int, spent double precision,
     first_order_at timestamptz, last_order_at timestamptz, last_seen_at timestamptz, satisfaction double precision,
     identified boolean`,
  );
  if (rowCount !== rows.length) throw new StoreError('lost-row', 'a customer is gone that was loaded under its lock');
  await recordMoves(tx, recordings);
}

/**
 * Who had which address: an address counts what was sent there, whoever had it then. Claimed mail is on its way to the
 * old one, which may be forbidden what the new one is not and the other way round: it is claimed anew. Rarely anything
 * changes.
 */
async function recordMoves(tx: Queryable, recordings: readonly Recording[]): Promise<void> {
  const moved = recordings.flatMap(({ stored: { customerId, address: was }, changes: { profile } }) => {
    const address = profile === null ? was : addressOf(profile);
    return address === was ? [] : [{ customer_id: customerId, was, address }];
  });
  if (moved.length === 0) return;
  await revokeFromCustomers(
    tx,
    moved.map(({ customer_id: id }) => id),
  );
  await execute(
    tx,
    moved.filter(({ was }) => was !== null),
    'insert into former_addresses (address, customer_id) select was, customer_id from rows on conflict do nothing',
    'customer_id bigint, was text',
  );
  await execute(
    tx,
    moved.filter(({ address }) => address !== null),
    'delete from former_addresses f using rows r where f.address = r.address and f.customer_id = r.customer_id',
    'customer_id bigint, address text',
  );
}

function addressOf({ email }: Pick<Profile, 'email'>): string | null {
  return email === null ? null : normaliseAddress(email);
}

function customerRow(id: number, { id: _key, ...profile }: Profile, identified: boolean): Record<string, unknown> {
  return {
    ...profile,
    id,
    identified,
    address: addressOf(profile),
    created_at: timeOrNull(profile.created_at),
    first_order_at: timeOrNull(profile.first_order_at),
    last_order_at: timeOrNull(profile.last_order_at),
    last_seen_at: timeOrNull(profile.last_seen_at),
  };
}

/** Counts of events. */
export async function recordStats(tx: Queryable, recordings: readonly Recording[]): Promise<void> {
  const rows = recordings.flatMap(({ stored, changes }) =>
    [...changes.stats].map(([event, stat]) => ({
      customer_id: stored.customerId,
      event,
      first_at: time(stat.first),
      last_at: time(stat.last),
      count: stat.count,
    })),
  );
  await execute(
    tx,
    rows,
    `insert into event_stats (customer_id, event, first_at, last_at, count)
     select customer_id, event, first_at, last_at, count from rows
     on conflict (customer_id, event) do update
       set first_at = excluded.first_at, last_at = excluded.last_at, count = excluded.count`,
    'customer_id bigint, event text, first_at timestamptz, last_at timestamptz, count int',
  );
}

/** Timers, made or re-dated. */
export async function recordTimers(tx: Queryable, recordings: readonly Recording[], ctx: StoreContext): Promise<void> {
  const rows = recordings.flatMap(({ stored, changes }) =>
    changes.timers.map((timer) => ({
      customer_id: stored.customerId,
      playbook_id: ctx.ids.playbookId(timer.playbook),
      due_at: timeOrNull(timer.dueAt),
      basis: timer.basis,
    })),
  );
  await execute(
    tx,
    rows,
    `insert into timers (customer_id, playbook_id, due_at, basis) select customer_id, playbook_id, due_at, basis from rows
     on conflict (customer_id, playbook_id) do update set due_at = excluded.due_at, basis = excluded.basis`,
    'customer_id bigint, playbook_id int, due_at timestamptz, basis text',
  );
}
