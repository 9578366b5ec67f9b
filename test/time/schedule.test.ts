/** Recurrence rules: read, refused, and when they come. A corpus that fails when the library changes its mind. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { dateOfEpochDay, daysInMonth, epochDay } from '../../engine/time/calendar.ts';
import { weekdayOfEpochDay } from '../../engine/time/local.ts';
import { readRecurrence } from '../../engine/time/recurrence.ts';
import { daysOfYear } from '../../engine/time/rrule.ts';
import { everOccurs, nextScheduled } from '../../engine/time/schedule.ts';
import { formatInstant, formatLocalDate, parseInstant, parseTimeOfDay } from '../../engine/time/text.ts';
import type { Instant, Recurrence } from '../../engine/time/types.ts';
import { zoneOf } from './support.ts';

function ruleOf(text: string): Recurrence {
  const read = readRecurrence(text);
  if (!read.ok) throw new Error(read.mistake.message);
  return read.rule;
}

/** The first `count` occurrences from an instant on, as `INSTANT NUMBER-OF-ITS-YEAR`. */
function coming(text: string, at: string, from: string, zoneName: string, count: number): readonly string[] {
  const rule = { recurrence: ruleOf(text), at: parseTimeOfDay(at) };
  const zone = zoneOf(zoneName);
  const found: string[] = [];
  let last: Instant = parseInstant(from);
  for (let next = nextScheduled(rule, last, zone); next !== null; next = nextScheduled(rule, last, zone, true)) {
    if (found.length === count) return found;
    found.push(`${formatInstant(next.at).slice(0, 16)} ${next.count}`);
    last = next.at;
  }
  return [...found, 'no more'];
}

describe('a schedule', () => {
  it.each<[string, string, string, string, string, readonly string[]]>([
    [
      'every Monday, across the change to summer time',
      'FREQ=WEEKLY;BYDAY=MO',
      '09:00',
      '2026-03-20T00:00Z',
      'Europe/Berlin',
      ['2026-03-23T08:00 12', '2026-03-30T07:00 13'],
    ],
    [
      'a time that the change leaves out comes an hour later, once',
      'FREQ=DAILY',
      '02:30',
      '2026-03-28T12:00Z',
      'Europe/Berlin',
      ['2026-03-29T01:30 88', '2026-03-30T00:30 89'],
    ],
    [
      'a time that comes twice means the first',
      'FREQ=DAILY',
      '02:30',
      '2026-10-24T12:00Z',
      'Europe/Berlin',
      ['2026-10-25T00:30 298', '2026-10-26T01:30 299'],
    ],
    [
      'the instant itself is included',
      'FREQ=MONTHLY;BYMONTHDAY=1',
      '09:00',
      '2026-05-01T09:00Z',
      'UTC',
      ['2026-05-01T09:00 5', '2026-06-01T09:00 6'],
    ],
    [
      'months without the day are left out',
      'FREQ=MONTHLY;BYMONTHDAY=31',
      '09:00',
      '2026-01-31T10:00Z',
      'UTC',
      ['2026-03-31T09:00 2', '2026-05-31T09:00 3'],
    ],
    [
      'every second week counts from the week in which 1970 began',
      'FREQ=WEEKLY;INTERVAL=2;BYDAY=TU',
      '09:00',
      '2026-01-01T00:00Z',
      'UTC',
      ['2026-01-13T09:00 1', '2026-01-27T09:00 2'],
    ],
    [
      'every third month counts from January 1970',
      'FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=15',
      '09:00',
      '2026-02-01T00:00Z',
      'UTC',
      ['2026-04-15T09:00 2', '2026-07-15T09:00 3'],
    ],
    [
      'every fifth year',
      'FREQ=YEARLY;INTERVAL=5',
      '09:00',
      '2026-01-02T00:00Z',
      'UTC',
      ['2030-01-01T09:00 1', '2035-01-01T09:00 1'],
    ],
    [
      'the last working day of the month',
      'FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1',
      '17:00',
      '2026-01-01T00:00Z',
      'UTC',
      ['2026-01-30T17:00 1', '2026-02-27T17:00 2'],
    ],
    [
      'the fourth Thursday of November',
      'rrule:freq=yearly;bymonth=11;byday=4th',
      '09:00',
      '2026-01-01T00:00Z',
      'UTC',
      ['2026-11-26T09:00 1', '2027-11-25T09:00 1'],
    ],
    [
      'the last Friday of a month',
      'FREQ=MONTHLY;BYDAY=-1FR',
      '09:00',
      '2026-02-01T00:00Z',
      'UTC',
      ['2026-02-27T09:00 2', '2026-03-27T09:00 3'],
    ],
    [
      'a leap day comes in leap years',
      'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29',
      '09:00',
      '2026-01-01T00:00Z',
      'UTC',
      ['2028-02-29T09:00 1', '2032-02-29T09:00 1'],
    ],
    [
      'until its last day, included',
      'FREQ=DAILY;UNTIL=20260302',
      '09:00',
      '2026-03-01T00:00Z',
      'UTC',
      ['2026-03-01T09:00 60', '2026-03-02T09:00 61', 'no more'],
    ],
    [
      'a weekly one without a weekday comes on Thursdays',
      'FREQ=WEEKLY',
      '09:00',
      '2026-01-01T00:00Z',
      'UTC',
      ['2026-01-01T09:00 1', '2026-01-08T09:00 2'],
    ],
    [
      'the Monday of the first week of a year, in the year before',
      'FREQ=YEARLY;BYWEEKNO=1;BYDAY=MO',
      '09:00',
      '2024-06-01T00:00Z',
      'UTC',
      ['2024-12-30T09:00 2', '2025-12-29T09:00 1'],
    ],
  ])('%s', (_, text, at, from, zone, expected) => {
    const wanted = expected.filter((line) => line !== 'no more').length;
    expect(coming(text, at, from, zone, wanted)).toEqual(expected);
  });

  it.each(['FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30', 'FREQ=DAILY;UNTIL=19690101', 'FREQ=MONTHLY;BYMONTH=4;BYMONTHDAY=31'])(
    '%s never comes, and that is soon known',
    (text) => {
      expect(everOccurs(ruleOf(text))).toBe(false);
      expect(coming(text, '09:00', '2026-01-01T00:00Z', 'UTC', 1)).toEqual(['no more']);
    },
  );

  it.each<[string, number, string]>([
    ['FREQ=HOURLY', 5, 'at most once a day'],
    ['FREQ=WEEKLY;COUNT=3', 12, '1 January 1970'],
    ['FREQ=WEEKLY;BYHOUR=9', 12, '`at:`'],
    ['FREQ=WEEKLY;BYDAY=MO,XX', 21, 'no day XX'],
    ['FREQ=WEEKLY;BYDAY=2MO', 18, 'month or year'],
    ['FREQ=WEEKLY;BYMONTHDAY=3', 12, 'means nothing with FREQ=WEEKLY'],
    ['FREQ=WEEKLY;WKST=SU', 12, 'from Monday'],
    ['FREQ=MONTHLY;BYMONTH=13', 21, '1 to 12'],
    ['FREQ=MONTHLY;BYSETPOS=1', 13, 'there is none'],
    ['FREQ=YEARLY;BYWEEKNO=1', 12, 'whole weeks'],
    ['FREQ=DAILY;INTERVAL=0', 20, '1 to 36500'],
    ['FREQ=DAILY;UNTIL=20260230', 17, '2026-02-30'],
    ['FREQ=DAILY;UNTIL=20260228T090000Z', 17, 'without a time'],
    ['FREQ=DAILY;FREQ=DAILY', 11, 'stands twice'],
    ['FREQ=DAILY;BYEASTER=1', 11, 'no part BYEASTER'],
    ['every monday', 0, 'no part of a recurrence rule'],
    ['BYDAY=MO', 0, 'no frequency'],
  ])('refuses %s, at character %d', (text, start, part) => {
    const read = readRecurrence(text);
    expect(read.ok ? null : [read.mistake.start, read.mistake.message]).toEqual([start, expect.stringContaining(part)]);
  });

  it('comes on the days that RFC 5545 says, one by one', () => {
    fc.assert(
      fc.property(anyRule, fc.integer({ min: 1990, max: 2060 }), (text, year) => {
        const rule = ruleOf(text);
        const first = epochDay({ year, month: 1, day: 1 });
        const length = epochDay({ year: year + 1, month: 1, day: 1 }) - first;
        const expected = Array.from({ length }, (_, index) => first + index).filter((day) => occursOn(rule, day));
        expect([text, daysOfYear(rule, year).map(shown)]).toEqual([text, expected.map(shown)]);
      }),
      { numRuns: 300 },
    );
  });
});

function shown(day: number): string {
  return formatLocalDate(dateOfEpochDay(day));
}

const some = (from: number, to: number): fc.Arbitrary<string> =>
  fc
    .uniqueArray(
      fc.integer({ min: from, max: to }).filter((n) => n !== 0),
      { minLength: 1, maxLength: 3 },
    )
    .map(String);
const weekdays = fc
  .uniqueArray(fc.constantFrom('MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'), { minLength: 1, maxLength: 4 })
  .map(String);
const part = (name: string, values: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.option(values).map((value) => (value === null ? '' : `;${name}=${value}`));
const joined = (...parts: readonly fc.Arbitrary<string>[]): fc.Arbitrary<string> =>
  fc.tuple(...parts).map((found) => found.join(''));
const interval = (most: number): fc.Arbitrary<string> =>
  part('INTERVAL', fc.integer({ min: 1, max: most }).map(String));
const months = part('BYMONTH', some(1, 12));

const anyRule = fc.oneof(
  joined(fc.constant('FREQ=DAILY'), interval(40), months, part('BYMONTHDAY', some(-31, 31)), part('BYDAY', weekdays)),
  joined(fc.constant('FREQ=WEEKLY'), interval(9), months, part('BYDAY', weekdays)),
  joined(fc.constant('FREQ=MONTHLY'), interval(30), months, part('BYMONTHDAY', some(-31, 31)), part('BYDAY', weekdays)),
  joined(
    fc.constant('FREQ=MONTHLY'),
    interval(5),
    part('BYDAY', fc.constantFrom('2TU', '-1FR', '5WE,1MO')),
    part('BYMONTH', some(1, 12)),
  ),
  joined(fc.constant('FREQ=YEARLY'), interval(4), months, part('BYMONTHDAY', some(-31, 31)), part('BYDAY', weekdays)),
  joined(fc.constant('FREQ=YEARLY'), fc.constantFrom('', ';INTERVAL=3'), part('BYYEARDAY', some(-366, 366))),
);

/** The same, said the other way round: whether a day is one of the rule's. Without `bySetPos` and `byWeekNo`. */
function occursOn(rule: Recurrence, day: number): boolean {
  const { year, month, day: ofMonth } = dateOfEpochDay(day);
  const months = (year - 1970) * 12 + month - 1;
  const counted = { yearly: year - 1970, monthly: months, weekly: Math.floor((day + 3) / 7), daily: day };
  if (counted[rule.frequency] % rule.interval !== 0) return false;
  const longMonth = daysInMonth(year, month);
  const ofYear = day - epochDay({ year, month: 1, day: 1 }) + 1;
  const longYear = epochDay({ year: year + 1, month: 1, day: 1 }) - epochDay({ year, month: 1, day: 1 });
  const isNth = (nth: number | null): boolean =>
    nth === null || nth === Math.ceil(ofMonth / 7) || nth === -Math.ceil((longMonth - ofMonth + 1) / 7);
  const isListed = (list: readonly number[], one: number, length: number): boolean =>
    list.length === 0 || list.includes(one) || list.includes(one - length - 1);
  const names = rule.byDay.length + rule.byMonthDay.length + rule.byYearDay.length;
  // What a rule does not say is that of 1 January 1970, a Thursday.
  if (names === 0 && rule.frequency === 'weekly' && weekdayOfEpochDay(day) !== 4) return false;
  if (names === 0 && (rule.frequency === 'monthly' || rule.frequency === 'yearly') && ofMonth !== 1) return false;
  if (names === 0 && rule.frequency === 'yearly' && rule.byMonth.length === 0 && month !== 1) return false;
  return (
    (rule.byMonth.length === 0 || rule.byMonth.includes(month)) &&
    isListed(rule.byMonthDay, ofMonth, longMonth) &&
    isListed(rule.byYearDay, ofYear, longYear) &&
    (rule.byDay.length === 0 || rule.byDay.some(({ weekday, nth }) => weekday === weekdayOfEpochDay(day) && isNth(nth)))
  );
}
