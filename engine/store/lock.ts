/**
 * Locks: always customers first (ascending by id), then enrolments, then sends (DESIGN section 3).
 *
 * The *fleet lock* is an advisory lock of the database. Every chunk of customers holds it shared for its transaction;
 * what changes the rules for everyone (deploying, pausing) takes it alone. So no chunk that decided by the old rules
 * commits after the new ones have.
 */
import type { Queryable } from './database.ts';

/** Any fixed number of our own. */
const FLEET_LOCK = 7_318_204_552;

/** Takes the fleet lock shared, as a select for a CTE of the statement that makes customers. */
export const SHARE_FLEET = `select pg_advisory_xact_lock_shared(${FLEET_LOCK})`;

/**
 * Takes the fleet lock alone: waits until the chunks under way have ended, and keeps new ones out until the
 * transaction ends. Call it first in the transaction, and keep that short.
 */
export async function lockFleet(tx: Queryable): Promise<void> {
  await tx.query('select pg_advisory_xact_lock($1)', [FLEET_LOCK]);
}

/**
 * Locks these customers and all who share an address with one of them, in ascending order, and holds the fleet lock
 * shared. Returns the ids that may be worked on: customers that are held, erased or merged away are locked but left
 * out. What is read in later statements of the transaction cannot change any more.
 */
export async function lockCustomers(tx: Queryable, ids: readonly number[]): Promise<number[]> {
  // The fleet lock stands in a CTE that the row locks read from, so one round trip takes both.
  // The ids go on as arrays: a join would let a planner that guesses their number wrong read all customers.
  const { rows } = await tx.query<{ id: number; workable: boolean }>(
    `with fleet as materialized (${SHARE_FLEET}),
     asked as materialized (select c.id, c.address from customers c, fleet where c.id = any($1::bigint[])),
     wanted as materialized (
       select id from asked
       union
       select id from customers where address = any(array(select address from asked where address is not null)))
     select id, held_at is null and erased_at is null and merged_into is null as workable
     from customers where id = any(array(select id from wanted))
     order by id for no key update`,
    [ids],
  );
  return rows.filter((row) => row.workable).map((row) => row.id);
}
