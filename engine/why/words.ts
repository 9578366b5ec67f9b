/** Times and values in the words of answers. */
import { CUSTOMER_FIELDS } from '../playbook/declarations.ts';
import type { Json } from '../playbook/types.ts';
import { toLocal } from '../time/local.ts';
import { formatLocalDate, formatTimeOfDay } from '../time/text.ts';
import type { Instant, Zone } from '../time/types.ts';

const MINUTE_MS = 60_000;

/** Says times in the customer's zone, and in the company's where that reads differently. */
export interface Words {
  readonly zone: Zone;
  readonly companyZone: Zone;
  /** `2026-03-02 09:15 (Europe/London)`, or with both zones. */
  when(at: Instant): string;
  /** A stored value of a field, such as `customer.last_order_at`. */
  value(name: string, value: Json): string;
  /** All of them: `event.total is 12.5, customer.plan is missing`. */
  values(values: Readonly<Record<string, Json>>): string;
}

/** Words for one customer. */
export function wordsFor(zone: Zone, companyZone: Zone): Words {
  const when = (at: Instant): string => {
    const [day, own] = localTime(at, zone);
    const [companyDay, company] = localTime(at, companyZone);
    if (own === company && day === companyDay) return `${day} ${own} (${zone.name})`;
    const there = day === companyDay ? company : `${companyDay} ${company}`;
    return `${day} ${own} (${zone.name}; ${there} in ${companyZone.name})`;
  };
  const value = (name: string, stored: Json): string => {
    if (stored === null) return 'missing';
    const isMoment = name.startsWith('customer.') && CUSTOMER_FIELDS.get(name.slice('customer.'.length)) === 'datetime';
    return isMoment && typeof stored === 'number' ? when(stored) : JSON.stringify(stored);
  };
  return {
    zone,
    companyZone,
    when,
    value,
    values: (values) =>
      Object.entries(values)
        .map(([name, stored]) => `${name} is ${value(name, stored)}`)
        .join(', '),
  };
}

/** Day and time of day. */
function localTime(at: Instant, zone: Zone): readonly [string, string] {
  const local = toLocal(at, zone);
  return [formatLocalDate(local), formatTimeOfDay(Math.floor(local.ms / MINUTE_MS))];
}
