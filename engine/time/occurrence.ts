/** When a date trigger fires. docs/playbooks.md, `defaults.leap_day`. */
import { DAY_MS, isLeapYear } from './calendar.ts';
import { addDays, addMonths, atTime, localDate, monthIndex } from './local.ts';
import type { DateRule, Duration, Instant, LeapDay, LocalDate, Occurrence, Zone } from './types.ts';

/** The last year that `YYYY-MM-DD` can name. */
const LAST_YEAR = 9999;

/** Where 29 February falls in years that have none; null: nowhere. */
const LEAP_DAY_ELSEWHERE: Readonly<Record<LeapDay, Pick<LocalDate, 'month' | 'day'> | null>> = {
  'feb-28': { month: 2, day: 28 },
  'mar-1': { month: 3, day: 1 },
  skip: null,
};

/** The calendar part of an offset; its minutes and hours are added to the instant. */
function shift(date: LocalDate, offset: Duration | null): LocalDate {
  return offset === null ? date : addDays(addMonths(date, offset.months), offset.days);
}

function occurrenceOn(rule: DateRule, date: LocalDate, count: number, zone: Zone): Occurrence {
  return { at: atTime(shift(date, rule.offset), rule.at, zone) + (rule.offset?.ms ?? 0), count, date };
}

/** The anchor's own day so many months later by the rule's leap-day policy; null where that skips it. */
function nthDate(rule: DateRule, anchor: LocalDate, everyMonths: number, n: number): LocalDate | null {
  const date = addMonths(anchor, everyMonths * n);
  const isLeapDay = anchor.month === 2 && anchor.day === 29;
  if (!isLeapDay || everyMonths % 12 !== 0 || isLeapYear(date.year)) return date;
  const instead = LEAP_DAY_ELSEWHERE[rule.leapDay];
  return instead === null ? null : { year: date.year, ...instead };
}

/** An n from which to walk up: surely not after the one that is sought, and only a few before it. */
function estimateN(rule: DateRule, anchor: LocalDate, everyMonths: number, from: Instant, zone: Zone): number {
  const offset = rule.offset ?? { months: 0, days: 0, ms: 0 };
  // Clamped months and the leap day move a day by up to three, a zone by up to one, an hour's offset by one more.
  const slackDays = 6;
  const shifted = addMonths(localDate(from, zone), -offset.months);
  const date = addDays(shifted, -offset.days - Math.ceil(offset.ms / DAY_MS) - slackDays);
  return Math.floor((monthIndex(date) - monthIndex(anchor)) / everyMonths) - 1;
}

/**
 * The first occurrence of a date rule at or after `from` (after it with `strictlyAfter`); null when there is none.
 * `once` fires on the anchor's day with count 1. Otherwise n counts from the anchor, which itself is no occurrence, and
 * goes on counting over years that `skip` leaves out. A birthday fires on the anchor's day as well, and its count is the
 * years since birth. Each is the occurrence (clamped), then the offset (clamped; minutes and hours exact, after `at`),
 * then `at`. Nothing occurs after the year 9999. Throws a RangeError when `every.months` is not a positive whole number.
 */
export function nextOccurrence(
  rule: DateRule,
  anchor: LocalDate,
  from: Instant,
  zone: Zone,
  strictlyAfter = false,
): Occurrence | null {
  const isReached = (at: Instant): boolean => (strictlyAfter ? at > from : at >= from);
  if (rule.every === 'once') {
    const only = occurrenceOn(rule, anchor, 1, zone);
    return isReached(only.at) ? only : null;
  }
  const { months } = rule.every;
  if (!Number.isInteger(months) || months < 1) throw new RangeError(`every ${months} months: expected 1 or more`);
  const firstN = rule.birthday ? 0 : 1;
  const lastN = Math.floor((LAST_YEAR * 12 + 11 - monthIndex(anchor)) / months);
  for (let n = Math.max(firstN, estimateN(rule, anchor, months, from, zone)); n <= lastN; n += 1) {
    const date = nthDate(rule, anchor, months, n);
    if (date === null) continue;
    const occurrence = occurrenceOn(rule, date, rule.birthday ? Math.floor((n * months) / 12) : n, zone);
    if (isReached(occurrence.at)) return occurrence;
  }
  return null;
}
