/** What a customer's facts were after an event, reckoned from the events on record. */
import type { Release } from '../playbook/types.ts';
import type { EventOnRecord } from './further.ts';
import type { Inquiry } from './inquiry.ts';
import type { Facts } from './on-record.ts';

/**
 * The facts as the rules saw them at an event: made of all that had been taken up to it. Null where the events on record
 * do not add up to the present number of orders: then some are missing, or another event was a purchase at the time.
 */
export async function factsAfter(
  { db, record }: Inquiry,
  event: EventOnRecord,
  release: Release,
): Promise<Facts | null> {
  const { purchase } = release.company;
  if (purchase === null) return null;
  const { rows } = await db.query<Facts & { known: number; [column: string]: unknown }>(
    `select count(*) filter (where event = $3) as known,
       count(*) filter (where event = $3 and id <= $2) as orders,
       coalesce(sum((data->>$4)::float8) filter (where event = $3 and id <= $2 and jsonb_typeof(data->$4) = 'number'), 0)
         as spent,
       min(least(at, received_at)) filter (where event = $3 and id <= $2) as first_order_at,
       max(least(at, received_at)) filter (where event = $3 and id <= $2) as last_order_at,
       max(least(at, received_at)) filter (where id <= $2) as last_seen_at
     from events where customer_id = $1`,
    [record.customer.id, event.order, purchase.event, purchase.amount ?? ''],
  );
  const [found] = rows;
  if (found === undefined) return null;
  const { known, ...facts } = found;
  return known === record.customer.profile.orders ? facts : null;
}
