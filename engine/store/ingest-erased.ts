/** What of an ingest is about somebody who was erased: refused, whole, so that nothing of them is stored again. */
import type { Queryable } from './database.ts';
import { erasedAmong } from './erasures.ts';
import type { Placed, Rejected } from './incoming.ts';
import { normaliseAddress } from '../message/address.ts';
import { addressesOf, addressOf, type Addressed } from './ingest-items.ts';

/** An item with its place in the batch, and whose it is. */
export interface Placement extends Addressed {
  /** From 0. */
  readonly index: number;
}

/** The refusal of what is said about a customer who was erased. */
export function erasedCustomer(index: number, key: string): Rejected {
  const message = `customer ${JSON.stringify(key)} was erased: nothing more may be stored about them`;
  return { index, code: 'erased-customer', message };
}

/**
 * Refuses customers who are not known (any more) and were erased under this id, or under an address that is their id now
 * or is given here: before a row is made for them, since an id can name somebody, too.
 */
export async function refuseReturning(
  db: Queryable,
  all: readonly Placed[],
  isKnown: (key: string) => boolean,
): Promise<{ readonly items: readonly Placed[]; readonly rejected: readonly Rejected[] }> {
  const unknown = all.filter(({ item }) => !isKnown(item.customer));
  const keys = [...new Set(unknown.map(({ item }) => item.customer))];
  if (keys.length === 0) return { items: all, rejected: [] };
  const ids = await erasedAmong(db, 'id', keys);
  const addresses = await erasedAmong(db, 'address', [
    ...keys.flatMap((key) => normaliseAddress(key) ?? []),
    ...addressesOf(unknown),
  ]);
  if (ids.size + addresses.size === 0) return { items: all, rejected: [] };
  const rejected: Rejected[] = [];
  const items = all.filter(({ index, item }) => {
    const key = item.customer;
    if (isKnown(key)) return true;
    const given = [normaliseAddress(key), addressOf({ item })];
    if (ids.has(key)) rejected.push(erasedCustomer(index, key));
    else if (given.some((address) => addresses.has(address ?? ''))) rejected.push(erasedAddress(index, key));
    else return true;
    return false;
  });
  return { items, rejected };
}

/**
 * Parts a chunk's items under its locks: whoever erases holds the same ones, so that what is decided here stays true.
 * `workable`: customers that are loaded, and so are not erased.
 */
export async function partErased(
  tx: Queryable,
  all: readonly Placement[],
  workable: (customerId: number) => boolean,
): Promise<{ readonly items: readonly Placement[]; readonly rejected: readonly Rejected[] }> {
  const addresses = await erasedAmong(tx, 'address', addressesOf(all));
  const customers = await erasedCustomers(
    tx,
    all.flatMap(({ customerId }) => (workable(customerId) ? [] : customerId)),
  );
  if (addresses.size + customers.size === 0) return { items: all, rejected: [] };
  const rejected: Rejected[] = [];
  const items = all.filter((placement) => {
    const { index, item, customerId } = placement;
    if (customers.has(customerId)) rejected.push(erasedCustomer(index, item.customer));
    else if (addresses.has(addressOf(placement) ?? '')) rejected.push(erasedAddress(index, item.customer));
    else return true;
    return false;
  });
  return { items, rejected };
}

function erasedAddress(index: number, key: string): Rejected {
  const message =
    `the address of customer ${JSON.stringify(key)} belonged to somebody who was erased: nothing of this is stored; if the ` +
    'reader came back, "perennial unsuppress ADDRESS --despite erasure" lets it in';
  return { index, code: 'erased-address', message };
}

async function erasedCustomers(tx: Queryable, ids: readonly number[]): Promise<ReadonlySet<number>> {
  if (ids.length === 0) return new Set();
  const { rows } = await tx.query<{ id: number }>(
    'select id from customers where id = any($1::bigint[]) and erased_at is not null',
    [ids],
  );
  return new Set(rows.map((row) => row.id));
}
