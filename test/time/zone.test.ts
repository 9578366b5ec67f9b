import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { DateTime, Settings } from 'luxon';
import { fromLocal, toLocal } from '../../engine/time/local.ts';
import { parseInstant, parseLocalDateTime } from '../../engine/time/text.ts';
import { utc, zone } from '../../engine/time/zone.ts';
import { zoneOf } from './support.ts';

const HOUR = 3_600_000;

describe('zone', () => {
  it.each(['Europe/London', 'Asia/Kolkata', 'Asia/Calcutta', 'US/Eastern', 'Etc/GMT+5', 'UTC', 'europe/berlin'])(
    'knows %s and keeps its name',
    (name) => expect(zone(name)?.name).toBe(name),
  );

  it.each(['', 'Europe/Atlantis', 'UTC+2', '+02:00', '-05:00', 'local', 'system', ' Europe/Berlin', 'Europe/Berlin\n'])(
    'knows no zone %j',
    (name) => expect(zone(name)).toBeNull(),
  );

  it('gives the same zone for the same name', () => expect(zone('Europe/Oslo')).toBe(zone('Europe/Oslo')));

  it.each([
    ['Europe/Berlin', '2026-03-29T00:59:59.999Z', 1],
    ['Europe/Berlin', '2026-03-29T01:00:00.000Z', 2],
    ['America/New_York', '2026-11-01T05:59:59.999Z', -4],
    ['America/New_York', '2026-11-01T06:00:00.000Z', -5],
    ['Australia/Lord_Howe', '2026-04-04T14:59:59.999Z', 11],
    ['Australia/Lord_Howe', '2026-04-04T15:00:00.000Z', 10.5],
    ['Asia/Kathmandu', '2026-06-01T00:00:00.000Z', 5.75],
    ['Asia/Kathmandu', '1985-12-31T18:29:59.999Z', 5.5],
    ['Pacific/Apia', '2011-12-30T09:59:59.999Z', -10],
    ['Pacific/Apia', '2011-12-30T10:00:00.000Z', 14],
    // Not quite seven days of summer time, the shortest since 1900.
    ['America/Boa_Vista', '2000-10-08T03:59:59.999Z', -4],
    ['America/Boa_Vista', '2000-10-08T04:00:00.000Z', -3],
    ['America/Boa_Vista', '2000-10-15T03:00:00.000Z', -4],
    ['Europe/London', '1900-06-01T00:00:00.000Z', 0],
    ['Europe/London', '9999-12-31T23:59:59.999Z', 0],
  ])('%s at %s is %d hours from UTC', (name, at, hours) =>
    expect(zoneOf(name).offsetAt(parseInstant(at)) / HOUR).toBe(hours),
  );

  it('has an UTC that is never away from UTC', () => expect(utc.offsetAt(Date.UTC(2026, 6, 1))).toBe(0));

  it.each([NaN, Infinity, -Infinity, 8.64e15 + 1])('refuses the instant %d', (at) =>
    expect(() => zoneOf('Europe/Berlin').offsetAt(at)).toThrow(RangeError),
  );
});

describe('the present date', () => {
  const realNow = Settings.now;
  afterEach(() => {
    Settings.now = realNow;
    jest.useRealTimers();
  });

  function present(text: string): void {
    const now = parseInstant(text);
    jest.useFakeTimers({ now });
    Settings.now = () => now;
  }

  const doubled = '2026-10-25T02:30';
  const seasons = ['2026-01-15T12:00Z', '2026-07-15T12:00Z'];

  it('decides in luxon which of two hours is meant', () => {
    const readings = seasons.map((season) => {
      present(season);
      return DateTime.fromISO(doubled, { zone: 'Europe/Berlin' }).toMillis();
    });
    expect(readings[0]).not.toBe(readings[1]);
  });

  it.each(seasons)('decides nothing here, not on %s', async (season) => {
    present(season);
    // With a query the module is loaded anew, without the offsets that it knew under another present.
    const module = `../../engine/time/zone.ts?${season.slice(0, 7)}`;
    const fresh = (await import(module)) as typeof import('../../engine/time/zone.ts');
    const berlin = fresh.zone('Europe/Berlin')!;
    expect(berlin).not.toBe(zone('Europe/Berlin'));
    expect(fromLocal(parseLocalDateTime(doubled), berlin)).toBe(parseInstant('2026-10-25T00:30Z'));
    expect(fromLocal(parseLocalDateTime('2026-03-29T02:30'), berlin)).toBe(parseInstant('2026-03-29T01:30Z'));
    expect(toLocal(parseInstant('2026-10-25T01:30Z'), berlin)).toEqual(parseLocalDateTime(doubled));
  });
});
