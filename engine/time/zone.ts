/**
 * IANA zones, fast. luxon is asked once for the offset changes of some 380 days; after that an offset is a look-up.
 * luxon decides nothing else in this room: its local times depend on the present date where a clock reads twice.
 */
import { IANAZone } from 'luxon';
import { DAY_MS } from './calendar.ts';
import type { Instant, Zone } from './types.ts';

const BLOCK_MS = 384 * DAY_MS;
/**
 * Offset changes are seen when they last at least as long. In the zone database of 2025 the shortest since 1900 that was
 * undone is northern Brazil's summer time of October 2000, an hour less than 7 days.
 */
const PROBE_MS = 6 * DAY_MS;
/** The zone database keeps changes to the second. */
const RESOLUTION_MS = 1000;
/** What a `Date` can hold (ECMA-262, "Time Values and Time Range"). */
const MAX_INSTANT = 8.64e15;
/** Names come from customers: there are some 600 zones, but any number of spellings and mistakes. */
const MAX_NAMES = 5_000;
/** A zone that was asked for dates of many centuries starts anew; 1,000 blocks are some 1,050 years. */
const MAX_BLOCKS = 1_000;

/** The offsets within one stretch of `BLOCK_MS`: `offsets[i]` holds from `starts[i]`, ascending. */
interface Block {
  readonly starts: Instant[];
  readonly offsets: number[];
}

type OffsetAt = (at: Instant) => number;

/** Collects the changes in (low, high], by halving wherever the ends differ. */
function collectChanges(probe: OffsetAt, low: Instant, high: Instant, block: Block): void {
  if (probe(low) === probe(high)) return;
  if (high - low <= RESOLUTION_MS) {
    block.starts.push(high);
    block.offsets.push(probe(high));
    return;
  }
  const middle = low + Math.floor((high - low) / 2 / RESOLUTION_MS) * RESOLUTION_MS;
  collectChanges(probe, low, middle, block);
  collectChanges(probe, middle, high, block);
}

function buildBlock(probe: OffsetAt, index: number): Block {
  const start = index * BLOCK_MS;
  if (!(start - DAY_MS >= -MAX_INSTANT && start + BLOCK_MS + DAY_MS <= MAX_INSTANT)) {
    throw new RangeError(`no such instant: expected milliseconds since 1970 within ±${MAX_INSTANT}`);
  }
  const block: Block = { starts: [start], offsets: [probe(start)] };
  for (let at = start; at < start + BLOCK_MS; at += PROBE_MS) collectChanges(probe, at, at + PROBE_MS, block);
  return block;
}

function cachedOffsets(probe: OffsetAt): OffsetAt {
  const blocks = new Map<number, Block>();
  return (at) => {
    const index = Math.floor(at / BLOCK_MS);
    let block = blocks.get(index);
    if (block === undefined) {
      block = buildBlock(probe, index);
      if (blocks.size >= MAX_BLOCKS) blocks.clear();
      blocks.set(index, block);
    }
    let last = block.starts.length - 1;
    while (last > 0 && at < block.starts[last]!) last -= 1;
    return block.offsets[last]!;
  };
}

const named = new Map<string, Zone | null>();
/** By the name that the zone database links an alias to, so that aliases share their offsets. */
const offsetsByCanonicalName = new Map<string, OffsetAt>();

function make(name: string): Zone | null {
  // Node 22 takes "+02:00" for a zone and Node 20 does not; it is no IANA name, so neither may we.
  if (!/^[A-Za-z]/.test(name) || !IANAZone.isValidZone(name)) return null;
  const canonical = new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions().timeZone;
  let offsetAt = offsetsByCanonicalName.get(canonical);
  if (offsetAt === undefined) {
    const source = IANAZone.create(canonical);
    offsetAt = cachedOffsets((at) => Math.round(source.offset(at) * 60_000));
    offsetsByCanonicalName.set(canonical, offsetAt);
  }
  return Object.freeze({ name, offsetAt });
}

/**
 * The zone of an IANA name such as `Europe/London`, in any letter case; null when there is none.
 * The name is kept as given. Its `offsetAt` throws a RangeError for what is no instant (NaN, beyond the year 275760).
 */
export function zone(name: string): Zone | null {
  let found = named.get(name);
  if (found === undefined) {
    found = make(name);
    if (named.size >= MAX_NAMES) named.clear();
    named.set(name, found);
  }
  return found;
}

/** Coordinated Universal Time. */
export const utc: Zone = Object.freeze({ name: 'UTC', offsetAt: () => 0 });
