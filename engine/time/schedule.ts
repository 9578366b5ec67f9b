/** When a schedule comes: a recurrence rule and a time of day, in a zone. docs/playbooks.md. */
import { dateOfEpochDay, epochDay } from './calendar.ts';
import { addDays, atTime, localDate } from './local.ts';
import { daysOfYear } from './rrule.ts';
import type { Instant, Occurrence, Recurrence, ScheduleRule, Zone } from './types.ts';

/** What does not come within so many years is taken never to come. */
const HORIZON_YEARS = 100;
/** The calendar repeats itself after so many years. */
const CYCLE_YEARS = 400;
const FIRST_YEAR = 1970;
/** More years than one search looks at. */
const KEPT_YEARS = HORIZON_YEARS + 20;

const known = new WeakMap<Recurrence, Map<number, readonly number[]>>();

/** The days of a year on which a rule occurs, `until` kept; counted from 1970-01-01, ascending. Remembered by rule. */
function occurrencesIn(rule: Recurrence, year: number): readonly number[] {
  let years = known.get(rule);
  if (years === undefined) known.set(rule, (years = new Map()));
  let days = years.get(year);
  if (days === undefined) {
    const last = rule.until === null ? Number.POSITIVE_INFINITY : epochDay(rule.until);
    days = daysOfYear(rule, year).filter((day) => day <= last);
    if (years.size >= KEPT_YEARS) years.clear();
    years.set(year, days);
  }
  return days;
}

/**
 * The first occurrence at or after `from` (after it with `strictlyAfter`); null when none comes within a hundred years.
 * `date` is its local day, and `count` says the how manieth of its calendar year it is, from 1.
 */
export function nextScheduled(rule: ScheduleRule, from: Instant, zone: Zone, strictlyAfter = false): Occurrence | null {
  // The day before as well: a gap may have moved its time past midnight.
  const start = addDays(localDate(from, zone), -1);
  const startDay = epochDay(start);
  const lastYear = Math.min(start.year + HORIZON_YEARS, rule.recurrence.until?.year ?? Number.POSITIVE_INFINITY);
  for (let year = Math.max(start.year, FIRST_YEAR); year <= lastYear; year += 1) {
    const days = occurrencesIn(rule.recurrence, year);
    for (let index = firstFrom(days, startDay); index < days.length; index += 1) {
      const date = dateOfEpochDay(days[index]!);
      const at = atTime(date, rule.at, zone);
      if (strictlyAfter ? at > from : at >= from) return { at, count: index + 1, date };
    }
  }
  return null;
}

/** Whether the rule has a day at all, in four hundred years from 1970. */
export function everOccurs(rule: Recurrence): boolean {
  for (let year = FIRST_YEAR; year < FIRST_YEAR + CYCLE_YEARS; year += 1) {
    const last = rule.until === null ? Number.POSITIVE_INFINITY : epochDay(rule.until);
    const [day] = daysOfYear(rule, year);
    if (day !== undefined) return day <= last;
  }
  return false;
}

/** The index of the first day that is not before `start`. */
function firstFrom(days: readonly number[], start: number): number {
  let low = 0;
  let high = days.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (days[middle]! < start) low = middle + 1;
    else high = middle;
  }
  return low;
}
