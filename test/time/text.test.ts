import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  formatInstant,
  formatLocalDate,
  formatTimeOfDay,
  parseInstant,
  parseLocalDate,
  parseLocalDateTime,
  parseTimeOfDay,
  TimeSyntaxError,
} from '../../engine/time/text.ts';
import { anyDate, anyInstant } from './support.ts';

describe('times of day', () => {
  it.each([
    ['00:00', 0],
    ['09:00', 540],
    ['23:59', 1439],
  ])('reads %s', (text, minutes) => {
    expect(parseTimeOfDay(text)).toBe(minutes);
    expect(formatTimeOfDay(minutes)).toBe(text);
  });

  it('reads 24:00 as the end of a window only', () => {
    expect(parseTimeOfDay('24:00', { endOfDay: true })).toBe(1440);
    expect(parseTimeOfDay('18:00', { endOfDay: true })).toBe(1080);
    expect(formatTimeOfDay(1440)).toBe('24:00');
    expect(() => parseTimeOfDay('24:00')).toThrow(
      '"24:00" names a time that does not exist: expected a time of day from "00:00" to "23:59", such as "09:00"',
    );
    expect(() => parseTimeOfDay('24:01', { endOfDay: true })).toThrow(TimeSyntaxError);
  });

  it.each(['', '9:00', '0900', '09:60', '25:00', '09:00:00', '9am', '-1:00', ' 09:00', '09:00\n', '٠٩:٠٠'])(
    'refuses %j',
    (text) => expect(() => parseTimeOfDay(text)).toThrow(TimeSyntaxError),
  );
});

describe('dates', () => {
  it('reads what it writes', () => {
    fc.assert(fc.property(anyDate, (date) => expect(parseLocalDate(formatLocalDate(date))).toEqual(date)));
  });

  it.each([
    ['2024-02-29', { year: 2024, month: 2, day: 29 }],
    ['0001-01-01', { year: 1, month: 1, day: 1 }],
    ['9999-12-31', { year: 9999, month: 12, day: 31 }],
  ])('reads %s', (text, date) => expect(parseLocalDate(text)).toEqual(date));

  it.each([
    '2026-02-29',
    '2026-02-31',
    '2100-02-29',
    '2026-04-31',
    '2026-13-01',
    '2026-00-10',
    '2026-01-00',
    '0000-01-01',
  ])('refuses %s, which does not exist', (text) =>
    expect(() => parseLocalDate(text)).toThrow('names a day that does not exist: expected a day of the calendar'),
  );

  it.each(['', '2026-1-1', '24.12.2026', '20261224', '2026-12-24T00:00', '12026-01-01', '-2026-01-01', '2026-12-24 '])(
    'refuses %j',
    (text) => expect(() => parseLocalDate(text)).toThrow(TimeSyntaxError),
  );
});

describe('local dates and times', () => {
  it.each([
    ['2026-12-24 09:00', 32_400_000],
    ['2026-12-24T09:00', 32_400_000],
    ['2026-12-24T09:00:30', 32_430_000],
    ['2026-12-24 09:00:30.25', 32_430_250],
    ['2026-12-24T23:59:59.999', 86_399_999],
  ])('reads %s', (text, ms) => expect(parseLocalDateTime(text)).toEqual({ year: 2026, month: 12, day: 24, ms }));

  it.each(['2026-12-24', '2026-12-24 24:00', '2026-02-30 09:00', '2026-12-24T09:00Z', '2026-12-24T09:00+01:00'])(
    'refuses %j',
    (text) => expect(() => parseLocalDateTime(text)).toThrow(TimeSyntaxError),
  );
});

describe('instants', () => {
  it('reads what it writes, and what the platform reads alike', () => {
    fc.assert(
      fc.property(anyInstant, (at) => {
        expect(parseInstant(formatInstant(at))).toBe(at);
        expect(formatInstant(at)).toBe(new Date(at).toISOString());
      }),
    );
  });

  it.each([
    ['2026-03-02T09:15:00.000Z', '2026-03-02T09:15:00.000Z'],
    ['2026-03-02T10:15:00+01:00', '2026-03-02T09:15:00.000Z'],
    ['2026-03-02T10:15+0100', '2026-03-02T09:15:00.000Z'],
    ['2026-03-02T10:15+01', '2026-03-02T09:15:00.000Z'],
    ['2026-03-01 23:30:00-09:45', '2026-03-02T09:15:00.000Z'],
    ['2026-03-02t09:15z', '2026-03-02T09:15:00.000Z'],
    ['2026-03-02T09:15:00.1239999Z', '2026-03-02T09:15:00.123Z'],
    ['2026-03-02T09:15:00-00:00', '2026-03-02T09:15:00.000Z'],
    ['1969-12-31T23:59:59.999Z', '1969-12-31T23:59:59.999Z'],
  ])('reads %s', (text, expected) => expect(formatInstant(parseInstant(text))).toBe(expected));

  it.each([
    '',
    '2026-03-02',
    '2026-03-02T09:15',
    '2026-03-02T09:15:00',
    '2026-02-30T09:15:00Z',
    '2026-03-02T24:00:00Z',
    '2026-03-02T09:15:60Z',
    '2026-03-02T09:15:00+24:00',
    '2026-03-02T09:15:00 Z',
    '1772442900000',
    'now',
  ])('refuses %j', (text) => expect(() => parseInstant(text)).toThrow(TimeSyntaxError));

  it('says that the offset is missing', () =>
    expect(() => parseInstant('2026-03-02T09:15:00')).toThrow(
      '"2026-03-02T09:15:00" is not an instant: expected ISO 8601 with an offset or Z, such as "2026-03-02T09:15:00Z" or "2026-03-02T10:15:00+01:00"',
    ));
});
