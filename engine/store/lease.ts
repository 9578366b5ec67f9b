/**
 * Leases on machine time of the database: one scheduler acts at a time, and a dead one is replaced when its lease
 * runs out. A row, not a session's advisory lock: a stopped process would keep that for as long as its connection.
 */
import type { Queryable } from './database.ts';

/**
 * Takes the lease `name` for `ttlMs` if it is free, has run out, or is `holder`'s own; tells whether `holder` has it.
 * `holder` names one process for its life time.
 */
export async function acquireLease(db: Queryable, name: string, holder: string, ttlMs: number): Promise<boolean> {
  const { rowCount } = await db.query(
    `insert into leases (name, holder, until) values ($1, $2, clock_timestamp() + $3::float8 * interval '1 ms')
     on conflict (name) do update set holder = excluded.holder, until = excluded.until
     where leases.holder = excluded.holder or leases.until <= clock_timestamp()`,
    [name, holder, ttlMs],
  );
  return rowCount === 1;
}

/** Gives a lease back, so that the next one need not wait for its end. Not having it is no error. */
export async function releaseLease(db: Queryable, name: string, holder: string): Promise<void> {
  await db.query('delete from leases where name = $1 and holder = $2', [name, holder]);
}
