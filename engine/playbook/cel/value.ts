/**
 * Values while a condition runs: null, boolean, number, string, moments and durations (both numbers, in milliseconds),
 * arrays, and for maps plain objects or `Map`. Nothing here throws: what cannot be said is null.
 */
import { parseInstant, parseLocalDate, parseLocalDateTime, TimeSyntaxError } from '../../time/text.ts';
import { fromLocal, startOfDay } from '../../time/local.ts';
import type { Instant, Zone } from '../../time/types.ts';
import type { ValueType } from './type.ts';

/** Bounds what one process remembers of the texts it has read; far above the number of days that customers have. */
const CACHE_SIZE = 20_000;

/** Moments are of the years 1 to 9999, as the texts of engine/time are; zones know nothing of what lies far beyond. */
const FIRST_INSTANT = -62_135_596_800_000;
const LAST_INSTANT = 253_402_300_799_999;

/** Runs `parse`, with null for a text that is no time; other exceptions are bugs and pass. */
function orNull<T>(parse: () => T): T | null {
  try {
    return parse();
  } catch (error) {
    if (error instanceof TimeSyntaxError) return null;
    throw error;
  }
}

function remember<T>(cache: Map<string, T>, text: string, make: () => T): T {
  const known = cache.get(text);
  if (known !== undefined) return known;
  if (cache.size >= CACHE_SIZE) cache.clear();
  const made = make();
  cache.set(text, made);
  return made;
}

const instants = new Map<string, Instant | null>();
const localByZone = new WeakMap<Zone, Map<string, Instant | null>>();

function localCache(zone: Zone): Map<string, Instant | null> {
  let cache = localByZone.get(zone);
  if (cache === undefined) {
    cache = new Map();
    localByZone.set(zone, cache);
  }
  return cache;
}

/** Local midnight of a 'YYYY-MM-DD' day, or null for anything else. */
export function dayStart(value: unknown, zone: Zone): Instant | null {
  if (typeof value !== 'string') return null;
  return remember(localCache(zone), value, () => orNull(() => startOfDay(parseLocalDate(value), zone)));
}

/** A stored datetime: an Instant as it is, or ISO 8601 text with an offset; null for anything else. */
export function moment(value: unknown): Instant | null {
  if (typeof value === 'number') return value >= FIRST_INSTANT && value <= LAST_INSTANT ? value : null;
  if (typeof value !== 'string') return null;
  return remember(instants, value, () => orNull(() => parseInstant(value)));
}

/** A moment as anybody may write it: with an offset, a local time, or a local day. */
export function anyMoment(value: unknown, zone: Zone): Instant | null {
  return moment(value) ?? dayStart(value, zone) ?? localMoment(value, zone);
}

function localMoment(value: unknown, zone: Zone): Instant | null {
  return typeof value === 'string' ? orNull(() => fromLocal(parseLocalDateTime(value), zone)) : null;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value whose type is not known when checking, taken for a type; null when it is none. */
export function asType(value: unknown, type: ValueType, zone: Zone): unknown {
  if (value === null || value === undefined) return null;
  switch (type.kind) {
    case 'any':
    case 'null':
      return value;
    case 'boolean':
    case 'string':
      return typeof value === type.kind ? value : null;
    case 'number':
    case 'span':
      return finite(value);
    case 'time':
      return anyMoment(value, zone);
    case 'list':
      return Array.isArray(value) ? value : null;
    case 'map':
      return isMap(value) ? value : null;
  }
}

/** The number, or null for what is none: NaN and infinities too, so that 1 / 0 is null rather than an error. */
export function finite(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** One entry of a list (by whole number from 0) or a map (by text), null when it is not there. */
export function entryOf(value: unknown, key: unknown): unknown {
  if (Array.isArray(value)) return typeof key === 'number' ? (value[key] ?? null) : null;
  if (value instanceof Map) return value.get(key) ?? null;
  // An own property only: a key such as `constructor` must not reach what every object inherits.
  return isMap(value) && typeof key === 'string' && Object.hasOwn(value, key) ? (value[key] ?? null) : null;
}

/** Equality without types: null equals only null, numbers by value, lists and maps by their entries. */
export function same(a: unknown, b: unknown): boolean {
  const left = a ?? null;
  const right = b ?? null;
  if (left === right) return true;
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((item, i) => same(item, right[i]));
  }
  if (!isMap(left) || !isMap(right)) return false;
  const keys = keysOf(left);
  return (
    keys.length === keysOf(right).length &&
    keys.every((key) => holds(right, key) && same(entryOf(left, key), entryOf(right, key)))
  );
}

/** The keys of a map. */
export function keysOf(value: object): readonly unknown[] {
  return value instanceof Map ? [...value.keys()] : Object.keys(value);
}

/** Whether a list holds a value, or a map a key. Null is in nothing. */
export function holds(collection: unknown, value: unknown): boolean {
  if (value === null || value === undefined) return false;
  if (Array.isArray(collection)) return collection.some((item) => same(item, value));
  if (collection instanceof Map) return collection.has(value);
  return isMap(collection) && typeof value === 'string' && Object.hasOwn(collection, value);
}

/** How many: characters of a text (code points, as in CEL), items of a list, keys of a map. */
export function sizeOf(value: unknown): number | null {
  if (typeof value === 'string') return Array.from(value).length;
  if (Array.isArray(value)) return value.length;
  return typeof value === 'object' && value !== null ? keysOf(value).length : null;
}
