/** What comes in about customers, and which of it is refused before anything is looked up. */
import type { CustomerEvent, Profile } from '../journey/types.ts';
import type { Instant } from '../time/types.ts';

/** Something said about one customer. Keys are the company's own ids of customers. */
export type Incoming =
  | {
      readonly kind: 'identify';
      readonly customer: string;
      /** Validated by the caller: the declared fields and types. Creates the customer where there is none. */
      readonly traits: Partial<Profile>;
    }
  | {
      readonly kind: 'track';
      readonly customer: string;
      readonly event: CustomerEvent;
      /** False: an event of an unknown customer is rejected. */
      readonly createIfMissing: boolean;
      /** When it reached us, where that is not now: an event that was held is not late for having been held. */
      readonly receivedAt?: Instant;
    };

/** What was refused, by its place in the batch. */
export interface Rejected {
  /** From 0. */
  readonly index: number;
  readonly code:
    'future' | 'bad-time' | 'bad-text' | 'too-long' | 'unknown-customer' | 'erased-customer' | 'erased-address';
  /** What is wrong and what was expected. */
  readonly message: string;
}

/** One item with its place in the batch. */
export interface Placed {
  readonly index: number;
  readonly item: Incoming;
}

const MINUTE_MS = 60_000;
/** The rule is in docs/playbooks.md. */
const MAX_AHEAD_MS = 5 * MINUTE_MS;
/** Keys stand in indexes, which take no longer ones (a third of a page of 8 KB). */
const MAX_KEY = 500;
/** The years that every part can write with four digits. */
const EARLIEST = Date.UTC(1, 0, 1);

/** NUL and halves of surrogate pairs, as JSON.stringify writes them: PostgreSQL stores neither. */
const UNSTORABLE = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89ab][0-9a-f]{2}|d[c-f][0-9a-f]{2})/i;

/** Refuses what can never be stored, and events that are dated too far ahead of business now. */
export function refusalOf({ index, item }: Placed, now: Instant): Rejected | null {
  const keys = item.kind === 'identify' ? [item.customer] : [item.customer, item.event.id, item.event.event];
  const bad = keys.find((key) => key === '' || key.length > MAX_KEY);
  if (bad !== undefined) {
    const message = `ids and event names have 1 to ${MAX_KEY} characters, this one has ${bad.length}`;
    return { index, code: 'too-long', message };
  }
  if (UNSTORABLE.test(JSON.stringify(item))) {
    return { index, code: 'bad-text', message: 'text holds a NUL character or half a surrogate pair: remove it' };
  }
  return item.kind === 'track' ? badTime(index, item.event.at, now) : null;
}

function badTime(index: number, at: Instant, now: Instant): Rejected | null {
  if (!Number.isSafeInteger(at) || at < EARLIEST) {
    return { index, code: 'bad-time', message: `the event's time is no time: ${at}` };
  }
  if (at <= now + MAX_AHEAD_MS) return null;
  const ahead = Math.ceil((at - now) / MINUTE_MS);
  return {
    index,
    code: 'future',
    message: `the event is dated ${new Date(Math.min(at, 8.64e15)).toISOString()}, ${ahead} minutes ahead; at most 5 are allowed`,
  };
}
