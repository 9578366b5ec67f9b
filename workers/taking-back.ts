/** What dead workers held goes back to the living. */
import type { ReleaseCache } from '../engine/store/context.ts';
import type { Database } from '../engine/store/database.ts';
import { expireLeases } from '../engine/store/expire.ts';
import { startLoop, type Loop } from './loop.ts';
import type { Logger } from './log.ts';
import type { Metrics } from './monitoring/metrics.ts';

const MAX_AT_ONCE = 1_000;
/** After its own restart, the database hears from the living first. */
const GRACE_MS = 5_000;
/** Between two looks of a worker. The acting scheduler looks every second, but it may be among the dead. */
const LOOK_EVERY_MS = 2_500;

/** What taking back needs. */
export interface TakingBack {
  readonly db: Database;
  readonly cache: ReleaseCache;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** Takes back claims, and resolves hand-overs, that have run out. Anyone may, at any time. */
export async function takeBack(parts: TakingBack): Promise<void> {
  const { replanned, unknown, held } = await expireLeases(parts.db, parts.cache, MAX_AT_ONCE, { graceMs: GRACE_MS });
  parts.metrics.leftOpen.inc({ what: 'claim' }, replanned);
  parts.metrics.leftOpen.inc({ what: 'hand_over' }, unknown);
  if (unknown > 0) parts.log.warn({ replanned, unknown, held }, 'sends were left open by a crash');
}

/**
 * Does so again and again, beginning at a moment of its own within the first interval. In a loop that does nothing else: a sweep
 * takes as long as the mails that it finds. `onError` hears of each round that failed.
 */
export function startTakingBack(parts: TakingBack & { readonly onError: () => void }): Loop {
  let firstPauseMs: number | null = Math.random() * LOOK_EVERY_MS;
  const round = async (): Promise<number> => {
    if (firstPauseMs !== null) {
      const pauseMs = firstPauseMs;
      firstPauseMs = null;
      return pauseMs;
    }
    await takeBack(parts);
    return LOOK_EVERY_MS;
  };
  return startLoop('taking back', round, parts.log, { onError: parts.onError });
}
