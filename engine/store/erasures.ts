/**
 * What is kept of customers who were erased: keyed hashes of their ids and addresses, so that no import and no event
 * brings them back. A hash says whether somebody who is named was erased; it names nobody.
 */
import { normaliseAddress } from '../message/address.ts';
import type { Instant } from '../time/types.ts';
import type { Queryable } from './database.ts';
import { time } from './sql.ts';

/** The company's id of a customer, or a normalised address. */
export type ErasedKind = 'id' | 'address';

/** Of the kind $1 and the column `v.value`: the keys never leave the database. */
const HASH = `sha256(k.outer_key || sha256(k.inner_key || convert_to($1::text || E'\\n' || v.value, 'UTF8')))`;

/** Which of these were erased. Costs nothing for none. */
export async function erasedAmong(
  db: Queryable,
  kind: ErasedKind,
  values: readonly string[],
): Promise<ReadonlySet<string>> {
  if (values.length === 0) return new Set();
  const { rows } = await db.query<{ value: string }>(
    `select v.value from erasure_key k cross join unnest($2::text[]) as v (value)
     where exists (select from erasures e where e.hash = ${HASH})`,
    [kind, values],
  );
  return new Set(rows.map((row) => row.value));
}

/** When it was erased; null when it was not. */
export async function erasedAt(db: Queryable, kind: ErasedKind, value: string): Promise<Instant | null> {
  const { rows } = await db.query<{ at: Instant }>(
    `select e.at from erasure_key k cross join (select $2::text) as v (value) join erasures e on e.hash = ${HASH}`,
    [kind, value],
  );
  return rows[0]?.at ?? null;
}

/** When somebody was erased who had this id or this address, as a person types it; null when nobody was. */
export async function erasedAs(db: Queryable, typed: string): Promise<Instant | null> {
  const address = normaliseAddress(typed);
  const asId = await erasedAt(db, 'id', typed.trim());
  return asId ?? (address === null ? null : erasedAt(db, 'address', address));
}

/** Keeps the hashes of these. Only in the transaction that erases them. */
export async function noteErased(
  tx: Queryable,
  kind: ErasedKind,
  values: readonly string[],
  at: Instant,
): Promise<void> {
  await tx.query(
    `insert into erasures (hash, kind, at)
     select distinct ${HASH}, $1::text, $3::timestamptz from erasure_key k cross join unnest($2::text[]) as v (value)
     on conflict (hash) do nothing`,
    [kind, values, time(at)],
  );
}

/** Forgets that it was erased: it may come in again. False when it was not. */
export async function liftErasure(tx: Queryable, kind: ErasedKind, value: string): Promise<boolean> {
  const { rowCount } = await tx.query(
    `delete from erasures e using erasure_key k, (select $2::text) as v (value) where e.hash = ${HASH}`,
    [kind, value],
  );
  return rowCount === 1;
}
