/** Frequency caps over the hand-overs of one reader. docs/playbooks.md. */
import { countIn, leavesSpanAt } from '../time/span.ts';
import type { Instant, Zone } from '../time/types.ts';
import type { Cap } from '../playbook/types.ts';
import type { ReaderLog } from './reader.ts';

/**
 * The first instant from `at` on that is under every cap, if nothing else goes out before it; `at` itself when none
 * is reached. A cap of k is free as soon as the k-th latest hand-over has left its span.
 *
 * Goes round until all caps agree: with spans of months, a hand-over that has left a span can be in it again later
 * (handed on 28 February, "1 month" before 29 March begins on 28 February too).
 */
export function freeInstant(reader: ReaderLog, caps: readonly Cap[], at: Instant, zone: Zone): Instant {
  let free = at;
  for (;;) {
    const later = caps.reduce((from, cap) => underCap(reader, cap, from, zone), free);
    if (later === free) return free;
    free = later;
  }
}

function underCap(reader: ReaderLog, cap: Cap, from: Instant, zone: Zone): Instant {
  if (countIn(reader.handedAt, from, cap.per, zone) < cap.atMost) return from;
  const blocking = reader.latest(cap.atMost);
  return blocking === null ? from : leavesSpanAt(blocking, cap.per, zone, from);
}
