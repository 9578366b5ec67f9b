/** Frequency caps over the hand-overs of one reader. PLAYBOOKS section 5. */
import { countIn, leavesSpanAt } from '../time/span.ts';
import type { Instant, Zone } from '../time/types.ts';
import type { Cap } from '../playbook/types.ts';
import type { ReaderLog } from './reader.ts';

/**
 * The first instant from `at` on that is under every cap, if nothing else goes out before it; `at` itself when none
 * is reached. A cap of k is free as soon as the k-th latest hand-over has left its span.
 */
export function freeInstant(reader: ReaderLog, caps: readonly Cap[], at: Instant, zone: Zone): Instant {
  let free = at;
  for (const cap of caps) {
    if (countIn(reader.handedAt, at, cap.per, zone) < cap.atMost) continue;
    const blocking = reader.latest(cap.atMost);
    if (blocking !== null) free = Math.max(free, leavesSpanAt(blocking, cap.per, zone));
  }
  return free;
}
