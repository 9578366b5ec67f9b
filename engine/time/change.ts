import { DAY_MS } from './calendar.ts';
import type { Instant, Zone } from './types.ts';

/**
 * The first instant in (from, until] at which the zone's offset differs from the one before; null when there is none.
 * Changes that are undone within a day are not seen.
 */
export function firstOffsetChange(zone: Zone, from: Instant, until: Instant): Instant | null {
  const offset = zone.offsetAt(from);
  for (let low = from; low < until; low += DAY_MS) {
    const high = Math.min(low + DAY_MS, until);
    if (zone.offsetAt(high) !== offset) return firstInstant(low, high, (at) => zone.offsetAt(at) !== offset);
  }
  return null;
}

/** By halving, the first instant in (low, high] that passes; `low` must not pass, `high` and all after the first must. */
export function firstInstant(low: Instant, high: Instant, passes: (at: Instant) => boolean): Instant {
  let before = low;
  let after = high;
  while (after - before > 1) {
    const middle = before + Math.floor((after - before) / 2);
    if (passes(middle)) after = middle;
    else before = middle;
  }
  return after;
}
