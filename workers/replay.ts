/**
 * Replays history through the real pipeline under the stepped clock: every event is taken in at its own time, and
 * between two of them the clock stops at each due instant until the fleet has done its work.
 */
import { ingest, type Incoming } from '../engine/store/ingest.ts';
import type { ReleaseCache } from '../engine/store/context.ts';
import type { Instant } from '../engine/time/types.ts';
import { setSteppedClock, stepUntil, untilIdle } from './clock.ts';
import type { Fleet } from './fleet.ts';
import type { Parts } from './parts.ts';

/** An event to replay. */
export type ReplayEvent = Incoming & { readonly kind: 'track' };

/** What to replay, on a database whose clock stands at or before `from`. */
export interface Replay {
  readonly parts: Parts;
  readonly fleet: Fleet;
  /** In the order in which they are received; none before `from`. */
  readonly events: readonly ReplayEvent[];
  readonly from: Instant;
  /** Exclusive: what is due at it stays undone. */
  readonly until: Instant;
  /** Called at each instant at which something happens. */
  readonly onStep?: (at: Instant) => void;
}

/** Refused events: a replay that leaves something out would show a history that never was. */
export class ReplayError extends Error {
  override readonly name = 'ReplayError';
}

/** Runs the replay; resolves when everything due before `until` is done. */
export async function replay(options: Replay): Promise<void> {
  const { parts, fleet, until, onStep } = options;
  const { db } = parts;
  await setSteppedClock(db, options.from);
  for (const [at, events] of byInstant(options.events)) {
    if (at >= until) break;
    await stepUntil(db, fleet, at - 1, onStep);
    // Events come before what else is due at their instant, so they are taken in as of it before the clock gets there.
    const [first = [], ...later] = inWaves(events);
    await takeIn(parts, fleet, first, asOf(parts.cache, at), async () => setSteppedClock(db, at));
    onStep?.(at);
    await untilIdle(db, fleet);
    for (const wave of later) {
      await takeIn(parts, fleet, wave, parts.cache);
      await untilIdle(db, fleet);
    }
  }
  await stepUntil(db, fleet, until - 1, onStep);
}

async function takeIn(
  parts: Parts,
  fleet: Fleet,
  events: readonly ReplayEvent[],
  cache: ReleaseCache,
  beforeHints: () => Promise<void> = async () => undefined,
): Promise<void> {
  const taken = await ingest(parts.db, cache, events, { history: false });
  const [refused] = taken.rejected;
  if (refused !== undefined) throw new ReplayError(`event ${events[refused.index]?.event.id}: ${refused.message}`);
  await beforeHints();
  await fleet.hints.send({ ...taken.planned, advance: taken.due });
}

/** The same cache at another business time. */
function asOf(cache: ReleaseCache, now: Instant): ReleaseCache {
  return { context: async (tx) => ({ ...(await cache.context(tx)), now }) };
}

function* byInstant(events: readonly ReplayEvent[]): Iterable<readonly [Instant, readonly ReplayEvent[]]> {
  let group: ReplayEvent[] = [];
  let at = Number.NaN;
  for (const event of events) {
    if (event.event.at !== at && group.length > 0) {
      yield [at, group];
      group = [];
    }
    at = event.event.at;
    group.push(event);
  }
  if (group.length > 0) yield [at, group];
}

/** A customer's second event of one instant sees what the first one brought, its mails included. */
function inWaves(events: readonly ReplayEvent[]): readonly (readonly ReplayEvent[])[] {
  const waves: ReplayEvent[][] = [];
  const counts = new Map<string, number>();
  for (const event of events) {
    const wave = counts.get(event.customer) ?? 0;
    counts.set(event.customer, wave + 1);
    (waves[wave] ??= []).push(event);
  }
  return waves;
}
