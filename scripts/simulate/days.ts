/** Days, weeks and months as people write them. Days are counted from 1970-01-01. */
import { dateOfEpochDay, epochDay, DAY_MS, MINUTE_MS } from '../../engine/time/calendar.ts';
import { toLocal, weekdayOfEpochDay } from '../../engine/time/local.ts';
import { formatTimeOfDay } from '../../engine/time/text.ts';
import { mondayOf } from '../../engine/simulate/tally.ts';
import type { Instant, LocalDate, Zone } from '../../engine/time/types.ts';

const WEEKDAYS = ['', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] as const;
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
] as const;

/** How the calendar is divided. */
export type Period = 'day' | 'week' | 'month';

/** The local day of an instant. */
export function dayAt(at: Instant, zone: Zone): number {
  return Math.floor((at + zone.offsetAt(at)) / DAY_MS);
}

/** The first day of the period in which a day lies. */
export function periodStart(day: number, period: Period): number {
  if (period === 'day') return day;
  return period === 'week' ? mondayOf(day) : epochDay({ ...dateOfEpochDay(day), day: 1 });
}

/** The first day after the period that begins on `start`. */
export function periodEnd(start: number, period: Period): number {
  if (period === 'day') return start + 1;
  return period === 'week' ? start + 7 : periodStart(start + 31, 'month');
}

/** `Mon`. */
export function weekdayName(day: number): string {
  return WEEKDAYS[weekdayOfEpochDay(day)] ?? '';
}

/** `March 2026`. */
export function monthName({ year, month }: Pick<LocalDate, 'year' | 'month'>): string {
  return `${MONTHS[month - 1] ?? ''} ${year}`;
}

/** `2 Mar`, or `2 Mar 2026`. */
export function dayName(day: number, withYear = false): string {
  const date = dateOfEpochDay(day);
  const name = `${date.day} ${(MONTHS[date.month - 1] ?? '').slice(0, 3)}`;
  return withYear ? `${name} ${date.year}` : name;
}

/** `09:15`. */
export function clock(at: Instant, zone: Zone): string {
  return formatTimeOfDay(Math.floor(toLocal(at, zone).ms / MINUTE_MS));
}
