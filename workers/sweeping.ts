/**
 * Sweeps: every worker looks into the database by itself, so work goes on while no hint arrives (Redis is down, a hint
 * was lost). With hints arriving there is nothing left to find but what is in a job already, which harms nobody.
 */
import { newTickCursor, tick } from '../engine/store/tick.ts';
import type { ReleaseCache } from '../engine/store/context.ts';
import type { Database } from '../engine/store/database.ts';
import type { Lane } from '../engine/queue/queue.ts';
import { startLoop, type Loop } from './loop.ts';
import type { Logger } from './log.ts';

/** Between two sweeps that have nothing to do. */
const SWEEP_EVERY_MS = 5_000;
const CUSTOMERS_PER_SWEEP = 300;
const ROWS_PER_PLAYBOOK = 100;
/** What was swept and is still due (another worker has it) is left alone for so long. */
const AGAIN_AFTER_MS = 4_000;

/** What a sweep needs. `handle` is what a job of the lane would run. */
export interface SweepParts {
  readonly db: Database;
  readonly cache: ReleaseCache;
  readonly lanes: readonly Lane[];
  readonly handle: (lane: Lane, customerIds: readonly number[]) => Promise<void>;
  /** True while hints arrive by the queue: then a sweep waits its turn even when it finds work. */
  readonly hintsArrive: () => boolean;
  readonly log: Logger;
  /** Told of each round that failed. */
  readonly onError: () => void;
}

/** Starts sweeping, at a moment of its own within the first interval. */
export function startSweeping(parts: SweepParts): Loop {
  const cursor = newTickCursor();
  // Parts the sweeps of processes that were started together; nothing is decided by it.
  let firstPauseMs: number | null = Math.random() * SWEEP_EVERY_MS;
  const room = (lane: Lane): number => (parts.lanes.includes(lane) ? CUSTOMERS_PER_SWEEP : 0);

  return startLoop(
    'sweep',
    async () => {
      if (firstPauseMs !== null) {
        const pauseMs = firstPauseMs;
        firstPauseMs = null;
        return pauseMs;
      }
      const found = await tick(parts.db, {
        perPlaybook: ROWS_PER_PLAYBOOK,
        room: { advance: room('advance'), transactional: room('transactional'), bulk: room('bulk') },
        cursor,
        againAfterMs: AGAIN_AFTER_MS,
      });
      let count = 0;
      for (const lane of parts.lanes) {
        if (found[lane].length === 0) continue;
        count += found[lane].length;
        await parts.handle(lane, found[lane]);
      }
      if (count > 0) parts.log.debug({ customers: count }, 'swept');
      return count > 0 && !parts.hintsArrive() ? 0 : SWEEP_EVERY_MS;
    },
    parts.log,
    { onError: parts.onError },
  );
}
