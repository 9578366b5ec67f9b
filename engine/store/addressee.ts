/** The address that is meant by what a person types: an address, or a customer who has one. */
import { normaliseAddress } from '../message/address.ts';
import type { Queryable } from './database.ts';
import { findCustomer, type Found, type FoundCustomer } from './people.ts';

/** An address with those who have it. */
export interface Addressee {
  /** Normalised. */
  readonly address: string;
  readonly customers: readonly FoundCustomer[];
}

/** The address; a customer without one; or nobody. */
export type AddresseeFound =
  | ({ readonly outcome: 'found' } & Addressee)
  | { readonly outcome: 'no address'; readonly customer: FoundCustomer }
  | Extract<Found, { readonly outcome: 'unknown' }>;

/** A customer's id means the customer's address; an address is meant itself, whoever has it, or nobody. */
export async function findAddressee(db: Queryable, typed: string): Promise<AddresseeFound> {
  const found = await findCustomer(db, typed);
  if (found.outcome === 'found') {
    const address = normaliseAddress(found.customer.email ?? '');
    if (address === null) return { outcome: 'no address', customer: found.customer };
    return { outcome: 'found', address, customers: await customersAt(db, address) };
  }
  const address = normaliseAddress(typed);
  if (address !== null) return { outcome: 'found', address, customers: await customersAt(db, address) };
  return found.outcome === 'unknown' ? found : { outcome: 'unknown', nearest: [] };
}

async function customersAt(db: Queryable, address: string): Promise<readonly FoundCustomer[]> {
  const { rows } = await db.query<FoundCustomer & Record<string, unknown>>(
    'select id, key, email from customers where address = $1 order by id',
    [address],
  );
  return rows;
}
