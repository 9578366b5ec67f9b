/**
 * Every IANA zone against a Temporal polyfill, 2024-2030. Temporal's `compatible` is the language's rule: the first of
 * a doubled hour, and in a gap the offset before it.
 */
import { describe, expect, it } from '@jest/globals';
import { Temporal } from 'temporal-polyfill';
import { addDuration, parseDuration } from '../../engine/time/duration.ts';
import { fromLocal, startOfDay, toLocal } from '../../engine/time/local.ts';
import { formatInstant, parseInstant } from '../../engine/time/text.ts';
import type { Duration, Instant, LocalDateTime, Zone } from '../../engine/time/types.ts';
import { zone } from '../../engine/time/zone.ts';

const FROM = parseInstant('2024-01-01T00:00Z');
const UNTIL = parseInstant('2031-01-01T00:00Z');
const HOUR = 3_600_000;
const AROUND = [-25 * HOUR, -HOUR / 2, -1, 0, HOUR / 2, HOUR, 23.5 * HOUR];
const DURATIONS = ['1 day', '-1 day', '90 minutes', 'P1M1DT1H', '-1 month', '52 weeks'].map(parseDuration);
const names = Intl.supportedValuesOf('timeZone');

/** Numbers in [0, 1) that are the same in every run. Source: Tommy Ettinger, mulberry32. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function zonedAt(at: Instant, name: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(name);
}

function changesOf(name: string, from: Instant, until: Instant): Instant[] {
  const changes: Instant[] = [];
  let next = zonedAt(from, name).getTimeZoneTransition('next');
  while (next !== null && next.epochMilliseconds < until) {
    changes.push(next.epochMilliseconds);
    next = next.getTimeZoneTransition('next');
  }
  return changes;
}

function plain(local: LocalDateTime): Temporal.PlainDateTime {
  return new Temporal.PlainDateTime(local.year, local.month, local.day).add({ milliseconds: local.ms });
}

/** Temporal adds the calendar part on the wall clock and then the exact part, as the language does. */
function added(at: Temporal.ZonedDateTime, d: Duration): Instant {
  return at.add({ months: d.months, days: d.days }).add({ milliseconds: d.ms }).epochMilliseconds;
}

/** Readings that Temporal takes differently, as lines that name the case; empty when all agree. */
function disagreements(name: string, here: Zone, instants: readonly Instant[]): string[] {
  const found: string[] = [];
  const compare = (what: string, at: Instant, ours: number | string, theirs: number | string): void => {
    if (ours !== theirs) found.push(`${name} ${formatInstant(at)} ${what}: ${ours}, Temporal ${theirs}`);
  };
  for (const at of instants) {
    const theirs = zonedAt(at, name);
    const local = toLocal(at, here);
    compare('toLocal', at, plain(local).toString(), theirs.toPlainDateTime().toString());
    compare('startOfDay', at, startOfDay(local, here), theirs.startOfDay().epochMilliseconds);
    for (const d of DURATIONS) {
      compare(d.text, at, addDuration(at, d, here), added(theirs, d));
    }
    // Read with UTC's clock, so that around a change it falls into gaps and doubled hours too.
    for (const offset of [here.offsetAt(at - 1), here.offsetAt(at)]) {
      const reading = toLocal(at + offset, UTC);
      compare('fromLocal', at, fromLocal(reading, here), plain(reading).toZonedDateTime(name).epochMilliseconds);
    }
  }
  return found;
}

const UTC: Zone = { name: 'UTC', offsetAt: () => 0 };

describe('against Temporal', () => {
  it('reads and adds alike around every change of offset in every zone, 2024-2030', () => {
    const found: string[] = [];
    let changes = 0;
    for (const name of names) {
      const here = zone(name);
      expect(here).not.toBeNull();
      const around = changesOf(name, FROM, UNTIL).flatMap((change) => AROUND.map((delta) => change + delta));
      changes += around.length / AROUND.length;
      found.push(...disagreements(name, here!, around));
    }
    expect(found).toEqual([]);
    expect(changes).toBeGreaterThan(1000);
  });

  it('reads and adds alike at random instants in every zone, 2024-2030', () => {
    const random = seeded(20260301);
    const found: string[] = [];
    for (const name of names) {
      const instants = Array.from({ length: 4 }, () => FROM + Math.floor(random() * (UNTIL - FROM)));
      found.push(...disagreements(name, zone(name)!, instants));
    }
    expect(found).toEqual([]);
  });

  it('knows the same changes since 1970 where the clocks changed often', () => {
    const since = parseInstant('1970-01-02T00:00Z');
    for (const name of [
      'Africa/Casablanca',
      'Africa/Cairo',
      'Asia/Gaza',
      'America/Boa_Vista',
      'America/Argentina/Tucuman',
    ]) {
      const here = zone(name)!;
      const wrong = changesOf(name, since, UNTIL).filter(
        (at) =>
          here.offsetAt(at) !== zonedAt(at, name).offsetNanoseconds / 1e6 ||
          here.offsetAt(at - 1) !== zonedAt(at - 1, name).offsetNanoseconds / 1e6,
      );
      expect(wrong).toEqual([]);
    }
  });
});
