/** What the tests of time share: short ways to write instants, and fast-check's zones and durations. */
import fc from 'fast-check';
import { firstOffsetChange } from '../../engine/time/change.ts';
import { parseDuration } from '../../engine/time/duration.ts';
import { parseInstant } from '../../engine/time/text.ts';
import type { Duration, Instant, LocalDate, Zone } from '../../engine/time/types.ts';
import { zone } from '../../engine/time/zone.ts';

/** The zone, which must exist. */
export function zoneOf(name: string): Zone {
  const found = zone(name);
  if (found === null) throw new Error(`no zone ${name}`);
  return found;
}

/** Zones with gaps and doubled hours at midnight, of half an hour, of two hours, and with none. */
const awkwardZones = [
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
  'Pacific/Apia',
  'Pacific/Chatham',
  'Africa/Casablanca',
  'Africa/Cairo',
  'Asia/Beirut',
  'Asia/Gaza',
  'America/Havana',
  'America/Nuuk',
  'America/Scoresbysund',
  'America/Santiago',
  'Antarctica/Troll',
  'UTC',
];

export const anyZone: fc.Arbitrary<Zone> = fc.constantFrom(...awkwardZones).map(zoneOf);

const from = parseInstant('2024-01-01T00:00Z');
const until = parseInstant('2031-01-01T00:00Z');

/** Any millisecond of 2024-2030. */
export const anyInstant: fc.Arbitrary<Instant> = fc.integer({ min: from, max: until });

function changesOf(zone: Zone): readonly Instant[] {
  const changes: Instant[] = [];
  for (let at = firstOffsetChange(zone, from, until); at !== null; at = firstOffsetChange(zone, at, until)) {
    changes.push(at);
  }
  return changes;
}

/** Made once: finding the changes of seven years takes longer than most tests of an instant. */
const instantsByZone: ReadonlyMap<string, fc.Arbitrary<Instant>> = new Map(
  awkwardZones.map((name) => {
    const changes = changesOf(zoneOf(name));
    if (changes.length === 0) return [name, anyInstant];
    const near = fc
      .tuple(fc.constantFrom(...changes), fc.integer({ min: -30 * 60, max: 30 * 60 }))
      .map(([at, minutes]) => at + minutes * 60_000);
    return [name, fc.oneof(anyInstant, near)];
  }),
);

/** A zone and an instant in it, more often than by chance within some hours of a change of its offset. */
export const zoneAndInstant: fc.Arbitrary<readonly [Zone, Instant]> = anyZone.chain((zone) =>
  instantsByZone.get(zone.name)!.map((at) => [zone, at] as const),
);

export const anyDate: fc.Arbitrary<LocalDate> = fc
  .integer({ min: from, max: until })
  .map((at) => new Date(at))
  .map((date) => ({ year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() }));

/** Durations up to a few years in any unit, several units together included; never zero. */
export const anyDuration: fc.Arbitrary<Duration> = fc
  .oneof(
    fc.integer({ min: 1, max: 5000 }).map((n) => `${n} minutes`),
    fc.integer({ min: 1, max: 500 }).map((n) => `${n} hours`),
    fc.integer({ min: 1, max: 400 }).map((n) => `${n} days`),
    fc.integer({ min: 1, max: 60 }).map((n) => `${n} weeks`),
    fc.integer({ min: 1, max: 30 }).map((n) => `${n} months`),
    fc.integer({ min: 1, max: 3 }).map((n) => `${n} years`),
    fc
      .tuple(fc.integer({ min: 0, max: 13 }), fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 3000 }))
      .map(([months, days, minutes]) => `P${months}M${days}DT${minutes}M`),
  )
  .map(parseDuration);
