/**
 * Locks: always customers first (ascending by id), then enrolments, then sends (docs/architecture.md section 3).
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

interface LockedRow extends Record<string, unknown> {
  readonly id: number;
  readonly workable: boolean;
  /** Its address is another one than when the statement began. */
  readonly moved: boolean;
}

/**
 * The fleet lock stands in a CTE that the row locks read from, so one round trip takes both. The ids go on as arrays: a
 * planner that guesses the number of other rows wrong would read all customers. `c` is read anew once it is locked.
 */
const LOCK = `
  with fleet as materialized (${SHARE_FLEET}),
  asked as materialized (select c.id, c.address from customers c, fleet where c.id = any($1::bigint[])),
  wanted as materialized (
    select id, address from asked
    union
    select id, address from customers where address = any(array(select address from asked where address is not null)))
  select c.id, c.held_at is null and c.erased_at is null and c.merged_into is null as workable,
    c.address is distinct from w.address as moved
  from unnest(array(select id from wanted), array(select address from wanted)) as w (id, address)
    join customers c on c.id = w.id
  order by c.id for no key update of c`;

/**
 * Locks these customers and all who share an address with one of them, in ascending order, and holds the fleet lock
 * shared. Returns the ids that may be worked on: customers that are held, erased or merged away are locked but left
 * out. What is read in later statements of the transaction cannot change any more.
 */
export async function lockCustomers(tx: Queryable, ids: readonly number[]): Promise<number[]> {
  for (let wanted = ids; ;) {
    const { rows } = await tx.query<LockedRow>(LOCK, [wanted]);
    // Whoever took another address while we waited shares that one now, and two who share one are never decided on side
    // by side. What is locked stays so; the others are locked out of order, so that two who do this may deadlock: one of
    // them is tried again.
    if (!rows.some((row) => row.moved)) return rows.filter((row) => row.workable).map((row) => row.id);
    wanted = [...new Set([...wanted, ...rows.map((row) => row.id)])];
  }
}
