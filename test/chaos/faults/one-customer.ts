/** A customer's mail that kills whoever takes it. */
import type { Crash } from '../crash.ts';
import { addressOf } from '../load.ts';
import { until } from '../until.ts';
import { crashInTurn } from './crash-in-turn.ts';
import type { Field } from './field.ts';

/** Five workers die of the same customer, one after the other, none other being there. Gives their number. */
export async function crashOnOneCustomer(field: Field): Promise<number> {
  const { site, load } = field;
  await until(field, 'an order is taken in', async () => load.customers.length > 0);
  const [key = ''] = load.customers;
  const { rows } = await site.db.query<{ id: number }>('select id from customers where key = $1', [key]);
  const concern = { atPass: 1, address: addressOf(key), customer: rows[0]?.id ?? 0 };
  const crashes: readonly Crash[] = [
    { ...concern, point: 'before-claim' },
    { ...concern, point: 'after-claim' },
    { ...concern, point: 'after-last-byte' },
    { ...concern, point: 'after-250' },
    { ...concern, point: 'before-recording' },
  ];
  await crashInTurn(field, crashes, 1);
  return crashes.length;
}
