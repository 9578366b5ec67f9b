/**
 * Suppressions: addresses to which nothing may go, and topics that a reader does not want (docs/playbooks.md).
 * Kept by normalised address, so that two records with one address are one reader. Claims on mail that is now forbidden
 * are taken back in the same transaction (docs/architecture.md P3); what is planned, the next attempt skips with its reason.
 */
import { ALL_TOPICS } from '../journey/attempt.ts';
import { normaliseAddress } from '../message/address.ts';
import type { Instant } from '../time/types.ts';
import { writeAudit } from './audit.ts';
import { businessNow, type Database, type Queryable } from './database.ts';
import { erasedAmong } from './erasures.ts';
import { lockCustomers } from './lock.ts';
import { patientTransaction } from './patience.ts';
import { revokeFromAddress, revokeFromCustomers } from './revoke.ts';

/** Everything, transactional mail included. */
export const EVERYTHING = '*';

/** Whom not to write to any more, and why. */
export interface Suppression {
  /** Any spelling of one address. */
  readonly address: string;
  /** `EVERYTHING`, `ALL_TOPICS` or a topic's name. */
  readonly scope: string;
  /** Where it comes from: `staff`, `unsubscribe`, `bounce`, `complaint`, … */
  readonly source: string;
  readonly reason: string | null;
  readonly by: string;
  /** The mail that it came from. */
  readonly sendId?: number;
}

/** What a change of suppressions came to. */
export type SuppressionOutcome = 'changed' | 'unchanged' | 'no address';

/** Suppresses an address or one topic of it. The first source and reason stay. */
export async function suppress(db: Database, suppression: Suppression): Promise<SuppressionOutcome> {
  return patientTransaction(db, async (tx) => suppressIn(tx, suppression));
}

/**
 * The same as a part of a transaction, which holds the locks of the address's customers from here on. Nothing goes to an
 * address that was erased, and nothing is written about it.
 */
export async function suppressIn(tx: Queryable, suppression: Suppression): Promise<SuppressionOutcome> {
  return change(tx, suppression, async (locked) => suppressLocked(tx, suppression, locked));
}

/** Customers who have an address, locked, at a business time. */
export interface LockedReaders {
  /** Normalised; it was not erased. */
  readonly address: string;
  readonly ids: readonly number[];
  readonly now: Instant;
}

/** The same for whoever holds the locks already. */
export async function suppressLocked(
  tx: Queryable,
  suppression: Suppression,
  { address, ids, now }: LockedReaders,
): Promise<SuppressionOutcome> {
  const { scope, source, reason, sendId = null } = suppression;
  const topic = scope === EVERYTHING ? null : scope;
  const [{ rowCount }] = await Promise.all([
    tx.query(
      `insert into suppressions (address, scope, at, source, reason, send_id)
       values ($1, $2, to_timestamp($3::float8 / 1000), $4, $5, $6) on conflict (address, scope) do nothing`,
      [address, scope, now, source, reason, sendId],
    ),
    revokeFromCustomers(tx, ids, topic),
    revokeFromAddress(tx, address, topic),
    withdraw(tx, address, suppression, now),
  ]);
  if (rowCount !== 1) return 'unchanged';
  await note(tx, 'suppress', suppression, address, now);
  return 'changed';
}

/** What had been agreed to is agreed to no longer, and when it ended is on record with how it began. */
async function withdraw(
  tx: Queryable,
  address: string,
  { scope, source, sendId }: Suppression,
  now: number,
): Promise<void> {
  await tx.query(
    `with gone as (
       delete from opt_ins where address = $1 and (topic = $2 or $2 = '${ALL_TOPICS}') returning address, topic)
     insert into consents (address, topic, given, at, source, send_id)
       select address, topic, false, to_timestamp($3::float8 / 1000), $4, $5::bigint from gone`,
    [address, scope, now, source, sendId ?? null],
  );
}

/** Takes a suppression back: mail to the address, or of that topic, may go out again. */
export async function unsuppress(db: Database, suppression: Suppression): Promise<SuppressionOutcome> {
  return patientTransaction(db, async (tx) => unsuppressIn(tx, suppression));
}

/** The same as a part of a transaction. */
export async function unsuppressIn(tx: Queryable, suppression: Suppression): Promise<SuppressionOutcome> {
  return change(tx, suppression, async ({ address, now }) => {
    const { rowCount } = await tx.query('delete from suppressions where address = $1 and scope = $2', [
      address,
      suppression.scope,
    ]);
    if (rowCount !== 1) return 'unchanged';
    await note(tx, 'unsuppress', suppression, address, now);
    return 'changed';
  });
}

async function change(
  tx: Queryable,
  suppression: Suppression,
  apply: (locked: LockedReaders) => Promise<SuppressionOutcome>,
): Promise<SuppressionOutcome> {
  const address = normaliseAddress(suppression.address);
  if (address === null) return 'no address';
  const ids = await lockReaders(tx, address);
  const [erased, now] = await Promise.all([erasedAmong(tx, 'address', [address]), businessNow(tx)]);
  return erased.size > 0 ? 'unchanged' : apply({ address, ids, now });
}

async function note(
  tx: Queryable,
  action: 'suppress' | 'unsuppress',
  { by, reason, scope, source }: Suppression,
  address: string,
  now: Instant,
): Promise<void> {
  await writeAudit(tx, { businessAt: now, by, action, reason, detail: { address, scope, source } });
}

/**
 * Locks the customers of these addresses, and returns who they are; those who take one while we wait for the others are
 * locked as well.
 */
export async function lockReaders(tx: Queryable, ...addresses: readonly string[]): Promise<readonly number[]> {
  let ids = await customersOf(tx, ...addresses);
  for (
    let locked: readonly number[] = [];
    ids.some((id) => !locked.includes(id));
    ids = await customersOf(tx, ...addresses)
  ) {
    await lockCustomers(tx, ids);
    locked = ids;
  }
  return ids;
}

async function customersOf(tx: Queryable, ...addresses: readonly string[]): Promise<number[]> {
  const { rows } = await tx.query<{ id: number }>('select id from customers where address = any($1::text[])', [
    addresses,
  ]);
  return rows.map((row) => row.id);
}
