/** Between instants and the clock on a customer's wall. docs/playbooks.md is the rule for gaps and doubled hours. */
import { DAY_MS, MINUTE_MS, dateOfEpochDay, daysInMonth, epochDay } from './calendar.ts';
import { firstOffsetChange } from './change.ts';
import type { Instant, LocalDate, LocalDateTime, TimeOfDay, Weekday, Zone } from './types.ts';

/** What the wall clock shows at an instant. Throws a RangeError for what is no instant. */
export function toLocal(at: Instant, zone: Zone): LocalDateTime {
  const local = at + zone.offsetAt(at);
  const days = Math.floor(local / DAY_MS);
  const { year, month, day } = dateOfEpochDay(days);
  return { year, month, day, ms: local - days * DAY_MS };
}

/**
 * The instant at which the wall clock reads so. A reading that does not exist is taken with the offset before the gap,
 * one that comes twice means the first. Throws a RangeError beyond what instants can hold.
 */
export function fromLocal(local: LocalDateTime, zone: Zone): Instant {
  return fromLocalMs(epochDay(local) * DAY_MS + local.ms, zone);
}

/** As `fromLocal`, for a reading in milliseconds after 1970-01-01T00:00 on the wall clock. */
export function fromLocalMs(local: number, zone: Zone): Instant {
  // No zone is a day away from UTC, so a change of offset that matters lies between these two.
  const before = zone.offsetAt(local - DAY_MS);
  const after = zone.offsetAt(local + DAY_MS);
  if (before === after) return local - before;
  const first = local - before;
  if (zone.offsetAt(first) === before) return first;
  const second = local - after;
  return zone.offsetAt(second) === after ? second : first;
}

/** The calendar day at an instant. */
export function localDate(at: Instant, zone: Zone): LocalDate {
  return dateOfEpochDay(Math.floor((at + zone.offsetAt(at)) / DAY_MS));
}

/** The first instant of a day; of a day that a zone left out, the instant at which it was left out. */
export function startOfDay(date: LocalDate, zone: Zone): Instant {
  const midnight = epochDay(date) * DAY_MS;
  const at = fromLocalMs(midnight, zone);
  if (at + zone.offsetAt(at) === midnight) return at;
  return firstOffsetChange(zone, at - DAY_MS, at) ?? at;
}

/** The instant of a time of day; 1440 is the midnight that ends the day. Gaps and doubled hours as in `fromLocal`. */
export function atTime(date: LocalDate, at: TimeOfDay, zone: Zone): Instant {
  return fromLocalMs(epochDay(date) * DAY_MS + at * MINUTE_MS, zone);
}

/** The ISO weekday of a day. */
export function weekday(date: LocalDate): Weekday {
  return weekdayOfEpochDay(epochDay(date));
}

/** The ISO weekday of a day that is counted from 1970-01-01. */
export function weekdayOfEpochDay(days: number): Weekday {
  // 1970-01-01 was a Thursday.
  return (((((days + 3) % 7) + 7) % 7) + 1) as Weekday;
}

/** The day so many days later, or earlier when negative. */
export function addDays(date: LocalDate, days: number): LocalDate {
  return days === 0 ? date : dateOfEpochDay(epochDay(date) + days);
}

/** The same day of the month so many months later, or earlier when negative; the month's last day where there is none. */
export function addMonths(date: LocalDate, months: number): LocalDate {
  if (months === 0) return date;
  const index = monthIndex(date) + months;
  const year = Math.floor(index / 12);
  const month = index - year * 12 + 1;
  return { year, month, day: Math.min(date.day, daysInMonth(year, month)) };
}

/** Months since the beginning of year 0, of which differences make sense. */
export function monthIndex(date: LocalDate): number {
  return date.year * 12 + date.month - 1;
}

/** Negative when `a` is earlier, positive when it is later, 0 when both are the same day. */
export function compareDates(a: LocalDate, b: LocalDate): number {
  return a.year - b.year || a.month - b.month || a.day - b.day;
}

/** Days from `a` to `b`, negative when `b` is earlier. */
export function daysBetween(a: LocalDate, b: LocalDate): number {
  return epochDay(b) - epochDay(a);
}

/** Whole calendar days from the local day of `t` to that of `now`, negative when `t` is to come. docs/playbooks.md. */
export function daysSince(t: Instant, now: Instant, zone: Zone): number {
  return Math.floor((now + zone.offsetAt(now)) / DAY_MS) - Math.floor((t + zone.offsetAt(t)) / DAY_MS);
}
