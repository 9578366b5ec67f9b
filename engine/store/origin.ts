/** How an enrolment's origin is kept: every one that waits carries it, so nothing in it is said twice. */
import type { CustomerEvent, Enrolment, Origin } from '../journey/types.ts';
import type { Json } from '../playbook/types.ts';
import type { Instant } from '../time/types.ts';

/** An event whose id is in the entry key and whose time is the start. */
interface Short {
  readonly on: string;
  readonly data: CustomerEvent['data'];
}

/** What stands in the column `origin`; null for an origin without anything. */
export type StoredOrigin = (Origin & { readonly on?: undefined }) | Short;

const PREFIX = 'event:';

/** The origin as it is stored. */
export function packOrigin({ origin, entryKey, startedAt }: Enrolment): StoredOrigin | null {
  const { event } = origin;
  if (event !== undefined && entryKey === PREFIX + event.id && event.at === startedAt) {
    return { on: event.event, data: event.data };
  }
  return Object.keys(origin).length === 0 ? null : origin;
}

/** The origin as it was. */
export function unpackOrigin(stored: StoredOrigin | null, entryKey: string, startedAt: Instant): Origin {
  if (stored === null) return {};
  if (stored.on === undefined) return stored;
  const data: Readonly<Record<string, Json>> = stored.data;
  return { event: { id: entryKey.slice(PREFIX.length), event: stored.on, at: startedAt, data } };
}
