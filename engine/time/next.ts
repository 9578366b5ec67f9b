import { addDays, atTime, localDate, weekday as weekdayOf } from './local.ts';
import type { Instant, TimeOfDay, Weekday, Zone } from './types.ts';

/**
 * The first instant at or after `from` among the instants of a time of day on all days, or on all such weekdays.
 * A time that a gap moved counts where it fell, even on another day. docs/playbooks.md.
 */
export function nextTimeOfDay(from: Instant, at: TimeOfDay, zone: Zone, weekday: Weekday | null = null): Instant {
  // The day before as well: a gap may have moved its time past its midnight, in Apia by a whole day.
  for (let date = addDays(localDate(from, zone), -1); ; date = addDays(date, 1)) {
    if (weekday !== null && weekdayOf(date) !== weekday) continue;
    const candidate = atTime(date, at, zone);
    if (candidate >= from) return candidate;
  }
}
