/** From the company's ids of customers to ours. */
import type { Queryable } from './database.ts';
import { SHARE_FLEET } from './lock.ts';

/** A customer as found by its key; one that was merged away is the one it went into. */
export type FoundCustomer = { readonly id: number; readonly erased: boolean };

/** The customers of these keys; those that are missing are missing from the result. */
export async function findByKeys(db: Queryable, keys: readonly string[]): Promise<ReadonlyMap<string, FoundCustomer>> {
  const { rows } = await db.query<{ key: string; id: number; erased: boolean }>(
    `with recursive chain as (
       select key, id, merged_into, erased_at from customers where key = any($1::text[])
       union
       select chain.key, c.id, c.merged_into, c.erased_at from chain join customers c on c.id = chain.merged_into)
     select key, id, erased_at is not null as erased from chain where merged_into is null`,
    [keys],
  );
  return new Map(rows.map((row) => [row.key, { id: row.id, erased: row.erased }]));
}

/**
 * Creates customers that are not there yet, arrived at business now. The fleet lock is shared meanwhile: a run that
 * fixes its last customer (see lock.ts) knows of every smaller id.
 */
export async function createCustomers(db: Queryable, keys: readonly string[]): Promise<void> {
  // In order of the keys: two that create the same ones wait for each other, never both.
  await db.query(
    `with fleet as materialized (${SHARE_FLEET})
     insert into customers (key, arrived_at)
     select k.key, date_trunc('milliseconds', coalesce(e.stepped_at, clock_timestamp()))
     from unnest($1::text[]) as k (key), engine e, fleet order by k.key
     on conflict (key) do nothing`,
    [keys],
  );
}
