import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { addDuration, formatDuration, negate, parseDuration, TimeSyntaxError } from '../../engine/time/duration.ts';
import { localDate, toLocal } from '../../engine/time/local.ts';
import { countIn, isWithin, leavesSpanAt } from '../../engine/time/span.ts';
import { formatInstant, parseInstant } from '../../engine/time/text.ts';
import { anyDuration, zoneAndInstant, zoneOf } from './support.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;

describe('parseDuration', () => {
  it.each([
    ['1 minute', 0, 0, MINUTE],
    ['90 minutes', 0, 0, 90 * MINUTE],
    ['24 hours', 0, 0, DAY],
    ['1 day', 0, 1, 0],
    ['-7 days', 0, -7, 0],
    ['2 weeks', 0, 14, 0],
    ['3 months', 3, 0, 0],
    ['1 year', 12, 0, 0],
    ['100 years', 1200, 0, 0],
    ['0 days', 0, 0, 0],
    ['-0 hours', 0, 0, 0],
    ['P1Y2M3W4DT5H6M', 14, 25, (5 * 60 + 6) * MINUTE],
    ['-P1M', -1, 0, 0],
    ['PT1M', 0, 0, MINUTE],
    ['P2W', 0, 14, 0],
    ['PT90S', 0, 0, 90_000],
    ['PT0.5S', 0, 0, 500],
  ])('reads %j', (text, months, days, ms) => expect(parseDuration(text)).toEqual({ months, days, ms, text }));

  it.each([
    '',
    'soon',
    '3',
    '3days',
    'days',
    '1.5 days',
    '3 fortnights',
    '3 Days',
    ' 3 days',
    '3 days ',
    '+3 days',
    '- 3 days',
    '1 day 2 hours',
    'P',
    'PT',
    'P1DT',
    'P1H',
    'P-1D',
    'P1D2M',
    'p1d',
    'P1.5D',
    '3 days\n',
  ])('refuses %j', (text) => expect(() => parseDuration(text)).toThrow(TimeSyntaxError));

  it.each(['101 years', '1201 months', '36526 days', '-101 years', 'P100Y1D', '999999999 hours'])(
    'refuses %j as too long',
    (text) => expect(() => parseDuration(text)).toThrow('is too long: expected at most 100 years'),
  );

  it('says what was written and what was expected', () => {
    expect(() => parseDuration('3 fortnights')).toThrow(
      '"3 fortnights" is not a duration: expected a whole number of minutes, hours, days, weeks, months or years such as "3 days", or ISO 8601 such as "P1M" or "PT90M"',
    );
  });
});

describe('formatDuration', () => {
  it.each([
    ['P7D', '1 week'],
    ['P10D', '10 days'],
    ['12 months', '1 year'],
    ['18 months', '18 months'],
    ['120 minutes', '2 hours'],
    ['-90 minutes', '-90 minutes'],
    ['-1 day', '-1 day'],
    ['P1M1D', 'P1M1D'],
    ['-P14M8DT90M', '-P1Y2M8DT1H30M'],
    ['PT90S', 'PT1M30S'],
    ['0 days', '0 minutes'],
  ])('says %j as %j', (text, expected) => expect(formatDuration(parseDuration(text))).toBe(expected));

  it('says what parseDuration reads back, in both directions', () => {
    fc.assert(
      fc.property(anyDuration, (d) => {
        for (const each of [d, negate(d)]) {
          expect(parseDuration(formatDuration(each))).toMatchObject({
            months: each.months,
            days: each.days,
            ms: each.ms,
          });
          expect(parseDuration(each.text)).toEqual(each);
        }
        expect(negate(negate(d))).toEqual(d);
      }),
    );
  });
});

describe('addDuration', () => {
  it.each([
    [
      'a day keeps the clock over a change',
      'Europe/Berlin',
      '2026-03-28T08:15Z',
      '1 day',
      1,
      '2026-03-29T07:15:00.000Z',
    ],
    ['24 hours do not', 'Europe/Berlin', '2026-03-28T08:15Z', '24 hours', 1, '2026-03-29T08:15:00.000Z'],
    ['into a gap', 'Europe/Berlin', '2026-03-28T01:30Z', '1 day', 1, '2026-03-29T01:30:00.000Z'],
    ['twice over a gap', 'Europe/Berlin', '2026-03-28T01:30Z', '1 day', 2, '2026-03-30T00:30:00.000Z'],
    ['into a doubled hour', 'Europe/Berlin', '2026-10-24T00:30Z', '1 day', 1, '2026-10-25T00:30:00.000Z'],
    ['minutes from the second hour', 'Europe/Berlin', '2026-10-25T01:30Z', '1 minute', 1, '2026-10-25T01:31:00.000Z'],
    ['no times at all', 'Europe/Berlin', '2026-10-25T01:30Z', '1 month', 0, '2026-10-25T01:30:00.000Z'],
    ['a month from the 31st', 'UTC', '2026-01-31T12:00Z', '1 month', 1, '2026-02-28T12:00:00.000Z'],
    ['two months from the 31st', 'UTC', '2026-01-31T12:00Z', '1 month', 2, '2026-03-31T12:00:00.000Z'],
    ['a year from a leap day', 'UTC', '2024-02-29T12:00Z', '1 year', 1, '2025-02-28T12:00:00.000Z'],
    ['months, then days, then hours', 'UTC', '2026-01-31T12:00Z', 'P1M1DT36H', 1, '2026-03-03T00:00:00.000Z'],
    ['backwards', 'UTC', '2026-03-31T12:00Z', '-1 month', 1, '2026-02-28T12:00:00.000Z'],
    ['half an hour of change', 'Australia/Lord_Howe', '2026-04-04T00:00Z', '1 day', 1, '2026-04-05T00:30:00.000Z'],
    ['onto a day left out', 'Pacific/Apia', '2011-12-29T19:00Z', '1 day', 1, '2011-12-30T19:00:00.000Z'],
  ])('%s: %s, %s and %s times %d', (_, name, at, d, times, expected) =>
    expect(formatInstant(addDuration(parseInstant(at), parseDuration(d), zoneOf(name), times))).toBe(expected),
  );

  it('counts months from the anchor: the n-th keeps its day wherever the month has it', () => {
    fc.assert(
      fc.property(zoneAndInstant, fc.integer({ min: 1, max: 40 }), ([zone, at], times) => {
        const anchor = toLocal(at, zone);
        const reached = localDate(addDuration(at, parseDuration('1 month'), zone, times), zone);
        const lastDay = new Date(Date.UTC(anchor.year, anchor.month + times, 0)).getUTCDate();
        expect(reached.day).toBe(Math.min(anchor.day, lastDay));
      }),
    );
  });

  it('is never before its anchor, nor after what a longer one reaches', () => {
    fc.assert(
      fc.property(zoneAndInstant, anyDuration, ([zone, at], d) => {
        const once = addDuration(at, d, zone);
        expect(addDuration(at, negate(d), zone)).toBeLessThanOrEqual(at);
        expect(once).toBeGreaterThanOrEqual(at);
        // A gap may hold the first back to where the second is, no further than a clock change.
        expect(addDuration(at, d, zone, 2)).toBeGreaterThanOrEqual(once - 2 * 60 * MINUTE);
      }),
      { numRuns: 300 },
    );
  });
});

describe('spans', () => {
  const berlin = zoneOf('Europe/Berlin');

  it.each([
    ['2026-03-01T09:00Z', true],
    ['2026-03-01T08:59:59.999Z', false],
    ['2026-03-31T07:59:59.999Z', true],
    ['2026-03-31T08:00Z', false],
  ])('%s is within 30 days from 1 March 10:00 in Berlin: %s', (at, within) =>
    expect(isWithin(parseInstant(at), parseInstant('2026-03-01T09:00Z'), parseDuration('30 days'), berlin)).toBe(
      within,
    ),
  );

  it.each([
    ['UTC', '2026-07-01T12:00Z', '7 days', '2026-07-08T12:00:00.000Z'],
    ['UTC', '2026-07-01T12:00Z', '36 hours', '2026-07-03T00:00:00.000Z'],
    ['Europe/Berlin', '2026-03-27T09:00Z', '7 days', '2026-04-03T08:00:00.000Z'],
    ['Europe/Berlin', '2026-10-24T08:00Z', '1 day', '2026-10-25T09:00:00.000Z'],
    // A month before 28 February is still 28 January, and before 1 March it is 1 February.
    ['UTC', '2026-01-31T12:00Z', '1 month', '2026-03-01T00:00:00.000Z'],
    ['UTC', '2026-02-28T12:00Z', '1 month', '2026-03-28T12:00:00.000Z'],
    ['UTC', '2024-02-29T12:00Z', '1 year', '2025-03-01T00:00:00.000Z'],
  ])('in %s what was handed at %s leaves %s at %s', (name, handed, per, expected) =>
    expect(formatInstant(leavesSpanAt(parseInstant(handed), parseDuration(per), zoneOf(name)))).toBe(expected),
  );

  it('counts the present, and not what is exactly one span old', () => {
    const at = parseInstant('2026-07-08T12:00Z');
    const handed = [at - 7 * DAY - 1, at - 7 * DAY, at - 7 * DAY + 1, at, at + 1];
    expect(countIn(handed, at, parseDuration('7 days'), zoneOf('UTC'))).toBe(2);
  });

  it('may count a hand-over once more where months are clamped, and finds the later leaving', () => {
    const [handed, per] = [parseInstant('2026-02-28T12:00Z'), parseDuration('1 month')];
    const early = parseInstant('2026-03-29T06:00Z');
    expect(countIn([handed], early, per, zoneOf('UTC'))).toBe(1);
    expect(formatInstant(leavesSpanAt(handed, per, zoneOf('UTC'), early))).toBe('2026-03-29T12:00:00.000Z');
  });

  it('leaves at the very first instant that countIn no longer counts', () => {
    const anyOffset = fc.integer({ min: 0, max: 40 * 24 * 60 });
    fc.assert(
      fc.property(zoneAndInstant, anyDuration, anyOffset, ([zone, handed], per, minutes) => {
        for (const from of [handed, handed + minutes * MINUTE]) {
          const left = leavesSpanAt(handed, per, zone, from);
          const counts = (at: number): number => countIn([handed], at, per, zone);
          expect(left).toBeGreaterThanOrEqual(from);
          expect(counts(left)).toBe(0);
          if (left > from) expect(counts(left - 1)).toBe(1);
          const step = Math.max(Math.floor((left - from) / 400), 1);
          const escaped = [];
          for (let at = from; at < left; at += step) if (counts(at) !== 1) escaped.push(at);
          for (let at = Math.max(from, left - 6 * DAY); at < left; at += 20 * MINUTE)
            if (counts(at) !== 1) escaped.push(at);
          expect(escaped).toEqual([]);
        }
      }),
      { numRuns: 300 },
    );
  });
});
