/** From the company's ids of customers to ours. */
import type { Queryable } from './database.ts';
import { SHARE_FLEET } from './lock.ts';

/** A customer as found by its key; one that was merged away is the one it went into. */
export interface FoundCustomer {
  readonly id: number;
  readonly erased: boolean;
}

/** The customers of these keys; those that are missing are missing from the result. */
export async function findByKeys(db: Queryable, keys: readonly string[]): Promise<ReadonlyMap<string, FoundCustomer>> {
  type Row = { key: string; id: number; erased: boolean; merged_into: number | null };
  const { rows } = await db.query<Row>(
    `select key, id, erased_at is not null as erased, merged_into from customers where key = any($1::text[])`,
    [keys],
  );
  return new Map(
    await Promise.all(rows.map(async (row): Promise<[string, FoundCustomer]> => [row.key, await survivor(db, row)])),
  );
}

interface Merging extends FoundCustomer {
  readonly merged_into: number | null;
}

async function survivor(db: Queryable, of: Merging): Promise<FoundCustomer> {
  let { id, erased, merged_into: into } = of;
  while (into !== null) {
    const { rows } = await db.query<{ id: number; erased: boolean; merged_into: number | null }>(
      'select id, erased_at is not null as erased, merged_into from customers where id = $1',
      [into],
    );
    const [next] = rows;
    if (next === undefined) break;
    ({ id, erased, merged_into: into } = next);
  }
  return { id, erased };
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
