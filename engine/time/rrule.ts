/**
 * The one place where the library `rrule` is asked: on which days of one year a rule occurs.
 *
 * It walks from DTSTART and, where no day fits, on to the year 9999. So it is asked year by year, from a beginning moved
 * forward by whole intervals, and for a year's twin: one of the last before 9999 with the same calendar, so that it
 * soon comes to its end. It sees days in UTC only; zones are not its concern.
 */
// Node takes its CommonJS build, which is its default export; the linter looks at another one.
// oxlint-disable-next-line import/default
import rrule, { type Options } from 'rrule';
import { DAY_MS, epochDay, isLeapYear } from './calendar.ts';
import { weekdayOfEpochDay } from './local.ts';
import type { Recurrence, Weekday } from './types.ts';

const { RRule } = rrule;

const FREQUENCIES = {
  yearly: RRule.YEARLY,
  monthly: RRule.MONTHLY,
  weekly: RRule.WEEKLY,
  daily: RRule.DAILY,
} as const;

const WEEKDAYS = [RRule.MO, RRule.TU, RRule.WE, RRule.TH, RRule.FR, RRule.SA, RRule.SU] as const;

/** Monday of the week in which 1970 began, counted from 1970-01-01, a Thursday. docs/playbooks.md. */
const FIRST_MONDAY = -3;
const THURSDAY: Weekday = 4;

/** The days of that year on which the rule occurs, ascending, counted from 1970-01-01. `until` is the caller's. */
export function daysOfYear(rule: Recurrence, year: number): readonly number[] {
  const start = startIn(rule, year);
  const newYear = epochDay({ year, month: 1, day: 1 });
  const twin = twinOf(year, newYear);
  const toTwin = epochDay({ year: twin, month: 1, day: 1 }) - newYear;
  const twinEnd = epochDay({ year: twin, month: 12, day: 31 });
  if (start === null || start + toTwin > twinEnd) return [];
  return daysBetween(rule, start + toTwin, twinEnd)
    .map((day) => day - toTwin)
    .filter((day) => day >= newYear);
}

/** What was found for each beginning. Years that are alike share a twin, so there are not many. */
const found = new WeakMap<Recurrence, Map<number, readonly number[]>>();

function daysBetween(rule: Recurrence, start: number, end: number): readonly number[] {
  const byStart = found.get(rule) ?? new Map<number, readonly number[]>();
  found.set(rule, byStart);
  let days = byStart.get(start);
  if (days === undefined) {
    const dates = new RRule({ ...optionsOf(rule), dtstart: dateOf(start), until: dateOf(end) }).all();
    byStart.set(start, (days = dates.map((date) => Math.floor(date.getTime() / DAY_MS))));
  }
  return days;
}

/** The last year that the library looks at. */
const LAST_YEAR = 9999;

/** The latest year with the same days: its weeks too, which depend on the year before. Any 28 years have all kinds. */
function twinOf(year: number, newYear: number): number {
  const isTwin = (other: number): boolean =>
    isLeapYear(other) === isLeapYear(year) &&
    isLeapYear(other - 1) === isLeapYear(year - 1) &&
    weekdayOfEpochDay(epochDay({ year: other, month: 1, day: 1 })) === weekdayOfEpochDay(newYear);
  let twin = LAST_YEAR;
  while (!isTwin(twin)) twin -= 1;
  return twin;
}

function optionsOf(rule: Recurrence): Partial<Options> {
  const { byMonth, byMonthDay, byYearDay, byWeekNo, bySetPos } = rule;
  // A week that names no day has the weekday on which all rules begin.
  const byDay =
    rule.frequency === 'weekly' && rule.byDay.length === 0 ? [{ weekday: THURSDAY, nth: null }] : rule.byDay;
  return {
    freq: FREQUENCIES[rule.frequency],
    interval: rule.interval,
    wkst: RRule.MO,
    bymonth: listOf(byMonth),
    bymonthday: listOf(byMonthDay),
    byyearday: listOf(byYearDay),
    byweekno: listOf(byWeekNo),
    bysetpos: listOf(bySetPos),
    byweekday: listOf(byDay.map(({ weekday, nth }) => weekdayOf(weekday, nth))),
  };
}

function weekdayOf(weekday: Weekday, nth: number | null): InstanceType<typeof rrule.Weekday> {
  const day = WEEKDAYS[weekday - 1] ?? RRule.MO;
  return nth === null ? day : day.nth(nth);
}

/** The library takes an empty list for a rule that nothing fulfils. */
function listOf<T>(list: readonly T[]): T[] | null {
  return list.length === 0 ? null : [...list];
}

/** The first day of the first interval that begins in the year, or of the week that reaches into it; null: none does. */
function startIn({ frequency, interval }: Recurrence, year: number): number | null {
  const first = epochDay({ year, month: 1, day: 1 });
  switch (frequency) {
    case 'yearly':
      return (year - 1970) % interval === 0 ? first : null;
    case 'monthly': {
      const months = Math.ceil(((year - 1970) * 12) / interval) * interval;
      const startYear = 1970 + Math.floor(months / 12);
      return epochDay({ year: startYear, month: (months % 12) + 1, day: 1 });
    }
    case 'weekly': {
      const week = Math.floor((first - FIRST_MONDAY) / 7);
      return FIRST_MONDAY + Math.ceil(week / interval) * interval * 7;
    }
    case 'daily':
      return Math.ceil(first / interval) * interval;
  }
}

function dateOf(day: number): Date {
  return new Date(day * DAY_MS);
}
