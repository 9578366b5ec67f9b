/** The zone in which a customer lives. */
import { zone } from '../../engine/time/zone.ts';
import type { Zone } from '../../engine/time/types.ts';
import type { CommandContext } from './database.ts';

/** The customer's own zone if it is valid, else the company's. @throws StoreError `no-release`. */
export async function zoneOfCustomer({ db, cache }: CommandContext, customerId: number): Promise<Zone> {
  const { rows } = await db.query<{ timezone: string | null }>('select timezone from customers where id = $1', [
    customerId,
  ]);
  const timezone = rows[0]?.timezone ?? null;
  return (timezone === null ? null : zone(timezone)) ?? (await cache.context(db)).release.company.zone;
}
