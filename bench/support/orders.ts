/** Customers who order, each with a mail that is due then (`MAIL_AT_ORDER`). */
import { ingest, type Incoming } from '../../engine/store/ingest.ts';
import type { Parts } from '../../workers/parts.ts';

const BATCH = 500;

/** Somebody who orders. */
export interface Customer {
  readonly id: string;
  readonly email: string;
  readonly first_name: string;
}

/** So many customers, numbered from `first`. */
export function customersFrom(first: number, count: number): readonly Customer[] {
  return Array.from({ length: count }, (_, index) => {
    const number = first + index;
    return { id: `c${number}`, email: `reader.${number}@example.com`, first_name: `Ada ${number}` };
  });
}

/** What their order says. */
export function orderOf(customer: Customer): {
  readonly total: number;
  readonly order_id: string;
  readonly room: string;
} {
  return { total: 42.5, order_id: `order-${customer.id}`, room: 'kitchen' };
}

/** Brings customers to the point where each has a mail that is due. */
export async function plan({ db, cache }: Parts, customers: readonly Customer[]): Promise<void> {
  const at = Date.now();
  const identities = customers.map(({ id, ...traits }): Incoming => ({ kind: 'identify', customer: id, traits }));
  const orders = customers.map((customer): Incoming => {
    const event = { id: `e-${customer.id}`, event: 'order.placed', at, data: orderOf(customer) };
    return { kind: 'track', customer: customer.id, event, createIfMissing: false };
  });
  for (const items of [identities, orders]) {
    for (let start = 0; start < items.length; start += BATCH) {
      const { rejected } = await ingest(db, cache, items.slice(start, start + BATCH), { history: false });
      if (rejected[0] !== undefined) throw new Error(rejected[0].message);
    }
  }
}
