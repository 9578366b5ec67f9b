import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { parseDuration } from '../../engine/time/duration.ts';
import { nextOccurrence } from '../../engine/time/occurrence.ts';
import {
  formatInstant,
  formatLocalDate,
  parseInstant,
  parseLocalDate,
  parseTimeOfDay,
} from '../../engine/time/text.ts';
import type { DateRule, Instant, LeapDay, LocalDate, Zone } from '../../engine/time/types.ts';
import { anyZone, zoneOf } from './support.ts';

const nine = parseTimeOfDay('09:00');
const yearly: DateRule = { every: { months: 12 }, birthday: false, offset: null, at: nine, leapDay: 'feb-28' };
const birthday: DateRule = { ...yearly, birthday: true };
const once: DateRule = { ...yearly, every: 'once' };
const quarterly: DateRule = { ...yearly, every: { months: 3 } };
const offset = (text: string): Pick<DateRule, 'offset'> => ({ offset: parseDuration(text) });
const leapDay = (policy: LeapDay): Pick<DateRule, 'leapDay'> => ({ leapDay: policy });

/** `COUNT DATE INSTANT`, so that a table's row says it all. */
function next(rule: DateRule, anchor: string, from: string, zone: string, strictlyAfter?: boolean): string | null {
  const found = nextOccurrence(rule, parseLocalDate(anchor), parseInstant(from), zoneOf(zone), strictlyAfter);
  return found && `${found.count} ${formatLocalDate(found.date)} ${formatInstant(found.at)}`;
}

describe('nextOccurrence', () => {
  it.each<[string, DateRule, string, string, string, string | null]>([
    [
      'once, on the day',
      once,
      '2026-03-01',
      '2026-01-01T00:00Z',
      'Europe/Berlin',
      '1 2026-03-01 2026-03-01T08:00:00.000Z',
    ],
    ['once, past', once, '2026-03-01', '2026-03-01T08:00:00.001Z', 'Europe/Berlin', null],
    [
      'once, with an offset',
      { ...once, ...offset('-7 days') },
      '2026-03-01',
      '2026-01-01T00:00Z',
      'UTC',
      '1 2026-03-01 2026-02-22T09:00:00.000Z',
    ],
    [
      'yearly, never on the day itself',
      yearly,
      '2026-03-01',
      '2026-01-01T00:00Z',
      'UTC',
      '1 2027-03-01 2027-03-01T09:00:00.000Z',
    ],
    ['yearly, exactly now', yearly, '2025-03-01', '2026-03-01T09:00Z', 'UTC', '1 2026-03-01 2026-03-01T09:00:00.000Z'],
    [
      'yearly, a moment late',
      yearly,
      '2025-03-01',
      '2026-03-01T09:00:00.001Z',
      'UTC',
      '2 2027-03-01 2027-03-01T09:00:00.000Z',
    ],
    [
      'a birthday',
      birthday,
      '1985-12-31',
      '2026-12-01T00:00Z',
      'America/Los_Angeles',
      '41 2026-12-31 2026-12-31T17:00:00.000Z',
    ],
    [
      'a birthday that is to come fires on its day',
      birthday,
      '2026-12-31',
      '2026-12-01T00:00Z',
      'UTC',
      '0 2026-12-31 2026-12-31T09:00:00.000Z',
    ],
    [
      'a birthday every ten years',
      { ...birthday, every: { months: 120 } },
      '1985-05-01',
      '2026-01-01T00:00Z',
      'UTC',
      '50 2035-05-01 2035-05-01T09:00:00.000Z',
    ],
    [
      'three months from the 30th',
      quarterly,
      '2025-11-30',
      '2025-12-01T00:00Z',
      'Australia/Sydney',
      '1 2026-02-28 2026-02-27T22:00:00.000Z',
    ],
    [
      'six months, from the anchor',
      quarterly,
      '2025-11-30',
      '2026-03-01T00:00Z',
      'Australia/Sydney',
      '2 2026-05-30 2026-05-29T23:00:00.000Z',
    ],
    [
      'two years',
      { ...yearly, every: { months: 24 } },
      '2020-06-01',
      '2026-01-01T00:00Z',
      'UTC',
      '3 2026-06-01 2026-06-01T09:00:00.000Z',
    ],
    ['far away', yearly, '1900-01-01', '2026-01-02T00:00Z', 'UTC', '127 2027-01-01 2027-01-01T09:00:00.000Z'],
    [
      'a leap day, 28 February',
      birthday,
      '1992-02-29',
      '2027-01-01T00:00Z',
      'Pacific/Auckland',
      '35 2027-02-28 2027-02-27T20:00:00.000Z',
    ],
    [
      'a leap day, in a leap year',
      birthday,
      '1992-02-29',
      '2028-01-01T00:00Z',
      'Pacific/Auckland',
      '36 2028-02-29 2028-02-28T20:00:00.000Z',
    ],
    [
      'a leap day, 1 March',
      { ...birthday, ...leapDay('mar-1') },
      '1992-02-29',
      '2027-01-01T00:00Z',
      'UTC',
      '35 2027-03-01 2027-03-01T09:00:00.000Z',
    ],
    [
      'a leap day, skipped',
      { ...birthday, ...leapDay('skip') },
      '1992-02-29',
      '2025-01-01T00:00Z',
      'UTC',
      '36 2028-02-29 2028-02-29T09:00:00.000Z',
    ],
    [
      'a leap day, skipped, counting on',
      { ...yearly, ...leapDay('skip') },
      '2024-02-29',
      '2024-03-01T00:00Z',
      'UTC',
      '4 2028-02-29 2028-02-29T09:00:00.000Z',
    ],
    [
      'a leap day, skipped over 2100',
      { ...yearly, ...leapDay('skip') },
      '2024-02-29',
      '2096-03-01T00:00Z',
      'UTC',
      '80 2104-02-29 2104-02-29T09:00:00.000Z',
    ],
    [
      'a leap day every three months is clamped',
      { ...quarterly, ...leapDay('mar-1') },
      '2024-02-29',
      '2024-12-01T00:00Z',
      'UTC',
      '4 2025-02-28 2025-02-28T09:00:00.000Z',
    ],
    [
      'the offset comes after the clamp',
      { ...yearly, ...offset('1 day') },
      '2024-02-29',
      '2025-01-01T00:00Z',
      'UTC',
      '1 2025-02-28 2025-03-01T09:00:00.000Z',
    ],
    [
      'an offset in months is clamped too',
      { ...quarterly, ...offset('1 month') },
      '2025-10-31',
      '2026-01-01T00:00Z',
      'UTC',
      '1 2026-01-31 2026-02-28T09:00:00.000Z',
    ],
    [
      'an offset of hours counts from the time',
      { ...yearly, ...offset('-2 hours') },
      '2025-05-01',
      '2026-01-01T00:00Z',
      'UTC',
      '1 2026-05-01 2026-05-01T07:00:00.000Z',
    ],
    [
      'an offset before the anchor',
      { ...yearly, ...offset('-7 days') },
      '2025-01-03',
      '2025-12-01T00:00Z',
      'UTC',
      '1 2026-01-03 2025-12-27T09:00:00.000Z',
    ],
    [
      'an offset of years',
      { ...yearly, ...offset('100 years') },
      '1926-06-01',
      '2026-07-01T00:00Z',
      'UTC',
      '1 1927-06-01 2027-06-01T09:00:00.000Z',
    ],
    [
      'a time in a gap',
      { ...yearly, at: 150 },
      '2025-03-29',
      '2026-01-01T00:00Z',
      'Europe/Berlin',
      '1 2026-03-29 2026-03-29T01:30:00.000Z',
    ],
    [
      'a doubled time',
      { ...yearly, at: 150 },
      '2025-10-25',
      '2026-01-01T00:00Z',
      'Europe/Berlin',
      '1 2026-10-25 2026-10-25T00:30:00.000Z',
    ],
    ['nothing after 9999', yearly, '2025-06-01', '9999-07-01T00:00Z', 'UTC', null],
  ])('%s', (_, rule, anchor, from, zone, expected) => expect(next(rule, anchor, from, zone)).toBe(expected));

  it('leaves out an occurrence at `from` itself when strictly after', () => {
    expect(next(yearly, '2025-03-01', '2026-03-01T09:00Z', 'UTC', true)).toBe('2 2027-03-01 2027-03-01T09:00:00.000Z');
    expect(next(once, '2026-03-01', '2026-03-01T09:00Z', 'UTC', true)).toBeNull();
    expect(next(once, '2026-03-01', '2026-03-01T08:59:59.999Z', 'UTC', true)).not.toBeNull();
  });

  it.each([0, -12, 1.5, NaN])('refuses every %d months', (months) =>
    expect(() => next({ ...yearly, every: { months } }, '2025-01-01', '2026-01-01T00:00Z', 'UTC')).toThrow(RangeError),
  );
});

/** All of a rule's instants, one after the other, with Temporal's calendar; far enough for leap days every 36 months. */
function enumerate(rule: DateRule, everyMonths: number, anchor: LocalDate, zone: Zone): Instant[] {
  const instants: Instant[] = [];
  const lastYear = everyMonths < 12 ? 2045 : 2090;
  const start = new Temporal.PlainDate(anchor.year, anchor.month, anchor.day);
  for (let n = rule.birthday ? 0 : 1; ; n += 1) {
    let date = start.add({ months: n * everyMonths });
    if (date.year > lastYear) return instants;
    if (everyMonths % 12 === 0 && start.day !== date.day) {
      if (rule.leapDay === 'skip') continue;
      if (rule.leapDay === 'mar-1') date = date.add({ days: 1 });
    }
    const { months, days, ms } = rule.offset ?? { months: 0, days: 0, ms: 0 };
    const day = date.add({ months }).add({ days });
    const time = Temporal.PlainTime.from({ hour: Math.floor(rule.at / 60), minute: rule.at % 60 });
    instants.push(day.toZonedDateTime({ timeZone: zone.name, plainTime: time }).epochMilliseconds + ms);
  }
}

const anyAnchor: fc.Arbitrary<LocalDate> = fc.oneof(
  fc
    .record({
      year: fc.integer({ min: 1990, max: 2028 }),
      month: fc.integer({ min: 1, max: 12 }),
      day: fc.integer({ min: 1, max: 31 }),
    })
    .filter((date) => new Date(Date.UTC(date.year, date.month - 1, date.day)).getUTCMonth() === date.month - 1),
  fc.constantFrom(1992, 2000, 2024).map((year) => ({ year, month: 2, day: 29 })),
);

const anyRule: fc.Arbitrary<DateRule & { readonly every: { readonly months: number } }> = fc.record({
  every: fc.constantFrom(1, 2, 3, 5, 6, 12, 24, 36).map((months) => ({ months })),
  birthday: fc.boolean(),
  offset: fc.constantFrom(
    null,
    ...['-7 days', '10 days', '1 month', '-1 month', '-P1M3D', '5 years', '-30 hours', '-400 days'].map(parseDuration),
  ),
  at: fc.integer({ min: 0, max: 1439 }),
  leapDay: fc.constantFrom<LeapDay>('feb-28', 'mar-1', 'skip'),
});

describe('nextOccurrence against counting from the anchor', () => {
  it('finds the first that is not before, and the first that is after', () => {
    const anyFrom = fc.integer({ min: Date.UTC(1985, 0, 1), max: Date.UTC(2032, 0, 1) });
    fc.assert(
      fc.property(anyRule, anyAnchor, anyZone, anyFrom, fc.nat(), (rule, anchor, zone, moment, pick) => {
        const all = enumerate(rule, rule.every.months, anchor, zone);
        // Half of the moments are occurrences themselves, where "at or after" and "after" differ.
        const from = pick % 2 === 0 ? moment : all[pick % Math.ceil(all.length / 2)]!;
        expect(nextOccurrence(rule, anchor, from, zone)?.at).toBe(all.find((at) => at >= from));
        expect(nextOccurrence(rule, anchor, from, zone, true)?.at).toBe(all.find((at) => at > from));
      }),
      { numRuns: 300 },
    );
  });
});
