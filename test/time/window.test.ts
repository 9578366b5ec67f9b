import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { addDays, localDate } from '../../engine/time/local.ts';
import { formatInstant, parseInstant, parseLocalDate, parseTimeOfDay } from '../../engine/time/text.ts';
import type { Blackout, SendWindow, Weekday, WeeklyWindow } from '../../engine/time/types.ts';
import { isOpen, nextOpening } from '../../engine/time/window.ts';
import { zoneAndInstant, zoneOf } from './support.ts';

const everyDay: readonly Weekday[] = [1, 2, 3, 4, 5, 6, 7];
const weekdays: readonly Weekday[] = [1, 2, 3, 4, 5];

function windowOf(days: readonly Weekday[], hours: string): WeeklyWindow {
  const [from, until] = hours.split('-') as [string, string];
  return { days, from: parseTimeOfDay(from), until: parseTimeOfDay(until, { endOfDay: true }) };
}

function blackout(from: string, until: string): Blackout {
  return { from: parseLocalDate(from), until: parseLocalDate(until) };
}

const office = windowOf(weekdays, '09:00-18:00');
const fridayNight = windowOf([5], '22:00-06:00');
const nights = windowOf(everyDay, '22:00-06:00');
const christmas = [blackout('2026-12-24', '2026-12-26')];

describe('isOpen', () => {
  it.each<[string, SendWindow, readonly Blackout[], string, string, boolean]>([
    ['any', 'any', [], 'Europe/Berlin', '2026-01-01T03:00Z', true],
    ['the start', office, [], 'Europe/Berlin', '2026-06-01T07:00Z', true],
    ['before the start', office, [], 'Europe/Berlin', '2026-06-01T06:59:59.999Z', false],
    ['before the end', office, [], 'Europe/Berlin', '2026-06-01T15:59:59.999Z', true],
    ['the end', office, [], 'Europe/Berlin', '2026-06-01T16:00Z', false],
    ['a saturday', office, [], 'Europe/Berlin', '2026-06-06T10:00Z', false],
    ['until 24:00', windowOf(weekdays, '20:00-24:00'), [], 'UTC', '2026-06-05T23:59:59.999Z', true],
    ['midnight after 24:00', windowOf(weekdays, '20:00-24:00'), [], 'UTC', '2026-06-02T00:00Z', false],
    ['a night, in the evening', fridayNight, [], 'UTC', '2026-06-05T22:00Z', true],
    ['a night, next morning', fridayNight, [], 'UTC', '2026-06-06T05:59Z', true],
    ['a night, over', fridayNight, [], 'UTC', '2026-06-06T06:00Z', false],
    ['the morning of its own day', fridayNight, [], 'UTC', '2026-06-05T05:00Z', false],
    ['equal ends: all of the day', windowOf([5], '09:00-09:00'), [], 'UTC', '2026-06-05T00:00Z', true],
    ['equal ends: not the day after', windowOf([5], '09:00-09:00'), [], 'UTC', '2026-06-06T08:00Z', false],
    ['equal ends at midnight', windowOf([5], '00:00-00:00'), [], 'UTC', '2026-06-05T12:00Z', true],
    ['a blackout', 'any', christmas, 'Europe/Berlin', '2026-12-23T23:00Z', false],
    ['before a blackout', 'any', christmas, 'Europe/Berlin', '2026-12-23T22:59Z', true],
    ['the last of a blackout', 'any', christmas, 'Europe/Berlin', '2026-12-25T22:59Z', false],
    ['the first day with mail again', 'any', christmas, 'Europe/Berlin', '2026-12-25T23:00Z', true],
    ['the small hours of a blackout', nights, christmas, 'UTC', '2026-12-24T01:00Z', false],
    ['the small hours after a blackout', nights, christmas, 'UTC', '2026-12-26T01:00Z', true],
    ['the second of a doubled hour', windowOf(everyDay, '02:30-04:00'), [], 'Europe/Berlin', '2026-10-25T01:30Z', true],
  ])('%s', (_, window, blackouts, zone, at, open) =>
    expect(isOpen(parseInstant(at), window, blackouts, zoneOf(zone))).toBe(open),
  );
});

describe('nextOpening', () => {
  it.each<[string, SendWindow, readonly Blackout[], string, string, string]>([
    ['now', office, [], 'Europe/Berlin', '2026-06-01T10:00Z', '2026-06-01T10:00:00.000Z'],
    ['this morning', office, [], 'Europe/Berlin', '2026-06-01T03:00Z', '2026-06-01T07:00:00.000Z'],
    ['tomorrow', office, [], 'Europe/Berlin', '2026-06-01T16:00Z', '2026-06-02T07:00:00.000Z'],
    ['after a weekend with a change', office, [], 'Europe/Berlin', '2026-03-28T12:00Z', '2026-03-30T07:00:00.000Z'],
    ['after a blackout', 'any', christmas, 'Europe/Berlin', '2026-12-24T10:00Z', '2026-12-25T23:00:00.000Z'],
    [
      'after a blackout and a weekend',
      office,
      christmas,
      'Europe/Berlin',
      '2026-12-24T10:00Z',
      '2026-12-28T08:00:00.000Z',
    ],
    [
      'after two blackouts',
      'any',
      [...christmas, blackout('2026-12-26', '2027-01-02')],
      'UTC',
      '2026-12-24T10:00Z',
      '2027-01-02T00:00:00.000Z',
    ],
    ['the night of friday', fridayNight, [], 'UTC', '2026-06-06T06:00Z', '2026-06-12T22:00:00.000Z'],
    ['the rest of a night after a blackout', nights, christmas, 'UTC', '2026-12-24T00:30Z', '2026-12-26T00:00:00.000Z'],
    [
      'an edge in a gap opens at the gap',
      windowOf(everyDay, '02:30-05:00'),
      [],
      'Europe/Berlin',
      '2026-03-29T00:30Z',
      '2026-03-29T01:00:00.000Z',
    ],
    [
      'a window in a gap is left out',
      windowOf(everyDay, '02:00-03:00'),
      [],
      'Europe/Berlin',
      '2026-03-29T00:30Z',
      '2026-03-30T00:00:00.000Z',
    ],
    [
      'a doubled edge opens twice',
      windowOf(everyDay, '02:30-04:00'),
      [],
      'Europe/Berlin',
      '2026-10-25T01:00Z',
      '2026-10-25T01:30:00.000Z',
    ],
    [
      'a midnight left out',
      windowOf([7], '00:00-24:00'),
      [],
      'America/Havana',
      '2026-03-08T04:00Z',
      '2026-03-08T05:00:00.000Z',
    ],
    [
      'a friday left out',
      windowOf([5], '00:00-24:00'),
      [],
      'Pacific/Apia',
      '2011-12-30T09:00Z',
      '2012-01-05T10:00:00.000Z',
    ],
  ])('%s', (_, window, blackouts, zone, at, expected) =>
    expect(formatInstant(nextOpening(parseInstant(at), window, blackouts, zoneOf(zone)))).toBe(expected),
  );

  it('refuses a window that never opens', () =>
    expect(() => nextOpening(0, { ...office, days: [] }, [], zoneOf('UTC'))).toThrow(RangeError));

  const anyTime = fc.integer({ min: 0, max: 1439 });
  const anyWindow: fc.Arbitrary<SendWindow> = fc.oneof(
    { weight: 1, arbitrary: fc.constant('any' as const) },
    {
      weight: 6,
      arbitrary: fc.record({
        days: fc.uniqueArray(fc.constantFrom(...everyDay), { minLength: 1, maxLength: 7 }),
        from: fc.oneof(anyTime, fc.integer({ min: 0, max: 240 })),
        until: fc.oneof(anyTime, fc.constantFrom(0, 150, 1440)),
      }),
    },
  );
  const anyBlackouts = fc.array(fc.tuple(fc.integer({ min: -2, max: 6 }), fc.integer({ min: 0, max: 4 })), {
    maxLength: 2,
  });

  it('is open, and no minute between is', () => {
    fc.assert(
      fc.property(zoneAndInstant, anyWindow, anyBlackouts, ([zone, at], window, spans) => {
        const today = localDate(at, zone);
        const blackouts = spans.map(([start, length]) => ({
          from: addDays(today, start),
          until: addDays(today, start + length),
        }));
        const opening = nextOpening(at, window, blackouts, zone);
        expect(opening).toBeGreaterThanOrEqual(at);
        expect(isOpen(opening, window, blackouts, zone)).toBe(true);
        // Edges and changes of offset lie on whole minutes in these years.
        const opened = [];
        if (opening > at && isOpen(at, window, blackouts, zone)) opened.push(at);
        for (let minute = Math.ceil(at / 60_000) * 60_000; minute < opening; minute += 60_000) {
          if (isOpen(minute, window, blackouts, zone)) opened.push(minute);
        }
        expect(opened).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});
