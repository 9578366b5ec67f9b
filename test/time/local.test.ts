import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { dateOfEpochDay, epochDay, isLeapYear } from '../../engine/time/calendar.ts';
import {
  addDays,
  addMonths,
  atTime,
  compareDates,
  daysBetween,
  daysSince,
  fromLocal,
  localDate,
  startOfDay,
  toLocal,
  weekday,
} from '../../engine/time/local.ts';
import { nextTimeOfDay } from '../../engine/time/next.ts';
import {
  formatInstant,
  formatLocalDate,
  parseInstant,
  parseLocalDate,
  parseLocalDateTime,
  parseTimeOfDay,
} from '../../engine/time/text.ts';
import type { Weekday } from '../../engine/time/types.ts';
import { anyDate, anyZone, zoneAndInstant, zoneOf } from './support.ts';

const day = parseLocalDate;

describe('the calendar', () => {
  it('counts days as the platform does, from year 1 to 9999', () => {
    fc.assert(
      fc.property(fc.integer({ min: -719_162, max: 2_932_896 }), (days) => {
        const platform = new Date(days * 86_400_000);
        const date = dateOfEpochDay(days);
        expect(formatLocalDate(date)).toBe(platform.toISOString().slice(0, 10));
        expect(epochDay(date)).toBe(days);
        expect(weekday(date) % 7).toBe(platform.getUTCDay());
      }),
    );
  });

  it.each([
    [1900, false],
    [2000, true],
    [2024, true],
    [2026, false],
    [2100, false],
  ])('%d is a leap year: %s', (year, leap) => expect(isLeapYear(year)).toBe(leap));

  it.each([
    ['2026-01-31', 1, '2026-02-28'],
    ['2026-01-31', 2, '2026-03-31'],
    ['2024-01-31', 1, '2024-02-29'],
    ['2024-02-29', 12, '2025-02-28'],
    ['2024-02-29', 48, '2028-02-29'],
    ['2026-03-31', -1, '2026-02-28'],
    ['2026-01-15', -1, '2025-12-15'],
    ['2026-12-31', 2, '2027-02-28'],
    ['2026-05-31', 0, '2026-05-31'],
    ['2026-05-31', -29, '2023-12-31'],
  ])('%s and %d months is %s', (date, months, expected) =>
    expect(formatLocalDate(addMonths(day(date), months))).toBe(expected),
  );

  it.each([
    ['2026-02-28', 1, '2026-03-01'],
    ['2024-02-28', 1, '2024-02-29'],
    ['2026-01-01', -1, '2025-12-31'],
    ['2026-01-01', 365, '2027-01-01'],
  ])('%s and %d days is %s', (date, days, expected) =>
    expect(formatLocalDate(addDays(day(date), days))).toBe(expected),
  );

  it('orders days, and counts from one to the other', () => {
    fc.assert(
      fc.property(anyDate, anyDate, (a, b) => {
        expect(Math.sign(compareDates(a, b))).toBe(Math.sign(formatLocalDate(a).localeCompare(formatLocalDate(b))));
        expect(addDays(a, daysBetween(a, b))).toEqual(b);
      }),
    );
  });
});

describe('the wall clock', () => {
  it.each([
    ['an ordinary time', 'Europe/Berlin', '2026-06-01 09:00', '2026-06-01T07:00:00.000Z'],
    ['a gap', 'Europe/Berlin', '2026-03-29 02:30', '2026-03-29T01:30:00.000Z'],
    ['the start of a gap', 'Europe/Berlin', '2026-03-29 02:00', '2026-03-29T01:00:00.000Z'],
    ['the end of a gap', 'Europe/Berlin', '2026-03-29 03:00', '2026-03-29T01:00:00.000Z'],
    ['a doubled hour', 'Europe/Berlin', '2026-10-25 02:30', '2026-10-25T00:30:00.000Z'],
    ['the end of a doubled hour', 'Europe/Berlin', '2026-10-25 03:00', '2026-10-25T02:00:00.000Z'],
    ['a gap', 'America/New_York', '2026-03-08 02:30', '2026-03-08T07:30:00.000Z'],
    ['a doubled hour', 'America/New_York', '2026-11-01 01:30', '2026-11-01T05:30:00.000Z'],
    ['a doubled half hour', 'Australia/Lord_Howe', '2026-04-05 01:45', '2026-04-04T14:45:00.000Z'],
    ['a gap of half an hour', 'Australia/Lord_Howe', '2026-10-04 02:15', '2026-10-03T15:45:00.000Z'],
    ['quarters of an hour', 'Asia/Kathmandu', '2026-06-01 09:00', '2026-06-01T03:15:00.000Z'],
    ['a day left out', 'Pacific/Apia', '2011-12-30 09:00', '2011-12-30T19:00:00.000Z'],
    ['the day after it', 'Pacific/Apia', '2011-12-31 09:00', '2011-12-30T19:00:00.000Z'],
    ['a midnight left out', 'America/Havana', '2026-03-08 00:30', '2026-03-08T05:30:00.000Z'],
  ])('reads %s in %s: %s', (_, name, local, expected) =>
    expect(formatInstant(fromLocal(parseLocalDateTime(local), zoneOf(name)))).toBe(expected),
  );

  it('shows a reading that leads back to the instant, or to the first of two', () => {
    fc.assert(
      fc.property(zoneAndInstant, ([zone, at]) => {
        const local = toLocal(at, zone);
        const back = fromLocal(local, zone);
        expect(back).toBeLessThanOrEqual(at);
        expect(toLocal(back, zone)).toEqual(local);
        expect(localDate(at, zone)).toEqual({ year: local.year, month: local.month, day: local.day });
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['Europe/Berlin', '2026-03-29', '2026-03-28T23:00:00.000Z'],
    ['America/Havana', '2026-03-08', '2026-03-08T05:00:00.000Z'],
    ['Pacific/Apia', '2011-12-30', '2011-12-30T10:00:00.000Z'],
    ['Pacific/Apia', '2011-12-31', '2011-12-30T10:00:00.000Z'],
    // From 23:30 to 00:30: the clock never showed midnight.
    ['America/Toronto', '1919-03-31', '1919-03-31T04:30:00.000Z'],
  ])('in %s %s starts at %s', (name, date, expected) =>
    expect(formatInstant(startOfDay(day(date), zoneOf(name)))).toBe(expected),
  );

  it('takes 24:00 for the midnight that ends the day', () =>
    expect(formatInstant(atTime(day('2026-12-31'), 1440, zoneOf('Europe/Berlin')))).toBe('2026-12-31T23:00:00.000Z'));

  it.each([
    ['2026-03-28T22:59Z', '2026-03-28T23:01Z', 1],
    ['2026-03-28T23:01Z', '2026-03-29T21:59Z', 0],
    ['2026-03-29T22:01Z', '2026-03-28T22:59Z', -2],
    ['2024-02-28T12:00Z', '2024-03-01T12:00Z', 2],
  ])('in Berlin, from %s to %s it is %d days', (t, now, days) =>
    expect(daysSince(parseInstant(t), parseInstant(now), zoneOf('Europe/Berlin'))).toBe(days),
  );
});

describe('nextTimeOfDay', () => {
  it.each([
    ['today', 'Europe/Berlin', '2026-06-01T06:00Z', '09:00', null, '2026-06-01T07:00:00.000Z'],
    ['exactly now', 'Europe/Berlin', '2026-06-01T07:00Z', '09:00', null, '2026-06-01T07:00:00.000Z'],
    ['tomorrow', 'Europe/Berlin', '2026-06-01T07:00:00.001Z', '09:00', null, '2026-06-02T07:00:00.000Z'],
    ['monday, which is today', 'Europe/Berlin', '2026-06-01T06:00Z', '09:00', 1, '2026-06-01T07:00:00.000Z'],
    ['monday in a week', 'Europe/Berlin', '2026-06-01T07:01Z', '09:00', 1, '2026-06-08T07:00:00.000Z'],
    ['sunday across a change', 'Europe/Berlin', '2026-10-24T22:00Z', '09:00', 7, '2026-10-25T08:00:00.000Z'],
    ['a time in a gap', 'Europe/Berlin', '2026-03-29T00:30Z', '02:30', null, '2026-03-29T01:30:00.000Z'],
    ['moved, and met where it fell', 'Europe/Berlin', '2026-03-29T01:15Z', '02:30', null, '2026-03-29T01:30:00.000Z'],
    ['the first of two', 'Europe/Berlin', '2026-10-25T00:00Z', '02:30', null, '2026-10-25T00:30:00.000Z'],
    ['never the second of two', 'Europe/Berlin', '2026-10-25T00:31Z', '02:30', null, '2026-10-26T01:30:00.000Z'],
    ['a friday that was left out', 'Pacific/Apia', '2011-12-30T09:59Z', '09:00', 5, '2011-12-30T19:00:00.000Z'],
    ['and met on its saturday', 'Pacific/Apia', '2011-12-30T11:00Z', '09:00', 5, '2011-12-30T19:00:00.000Z'],
    ['the friday after', 'Pacific/Apia', '2011-12-30T19:01Z', '09:00', 5, '2012-01-05T19:00:00.000Z'],
  ])('finds %s in %s', (_, name, from, at, on, expected) =>
    expect(
      formatInstant(nextTimeOfDay(parseInstant(from), parseTimeOfDay(at), zoneOf(name), on as Weekday | null)),
    ).toBe(expected),
  );

  it('is the least of the instants of all days that are not before', () => {
    const anyWeekday = fc.constantFrom<Weekday | null>(null, 1, 2, 3, 4, 5, 6, 7);
    fc.assert(
      fc.property(zoneAndInstant, fc.integer({ min: 0, max: 1439 }), anyWeekday, ([zone, from], at, on) => {
        const today = localDate(from, zone);
        const candidates = Array.from({ length: 15 }, (_, index) => addDays(today, index - 4))
          .filter((date) => on === null || weekday(date) === on)
          .map((date) => atTime(date, at, zone))
          .filter((instant) => instant >= from);
        expect(nextTimeOfDay(from, at, zone, on)).toBe(Math.min(...candidates));
      }),
      { numRuns: 500 },
    );
  });

  it('is a fixed point: from its own answer it answers the same', () => {
    fc.assert(
      fc.property(anyZone, anyDate, fc.integer({ min: 0, max: 1439 }), (zone, date, at) => {
        const instant = atTime(date, at, zone);
        expect(nextTimeOfDay(instant, at, zone)).toBe(instant);
      }),
    );
  });
});
