/**
 * Group commit for the outcomes of mails: while one transaction runs, the next outcomes gather; and as long as more
 * mails are on their way, a transaction waits a moment for theirs, since its cost hardly grows with their number.
 *
 * An outcome must not be lost with its process still alive: as long as the database is away it is tried again. What is
 * still not recorded when the process dies, or some seconds after it was told to end, is found by the scheduler as an
 * expired `handed` row (docs/architecture.md section 3).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ReleaseCache } from '../engine/store/context.ts';
import type { Database } from '../engine/store/database.ts';
import { settleSends, type SettleResult } from '../engine/store/settle.ts';
import type { Hints } from './hints.ts';
import { errorFields, type Logger } from './log.ts';

const MAX_PER_TRANSACTION = 256;
const RETRY_AFTER_MS = 250;
/** With so many gathered, nothing is gained by waiting for more. */
const ENOUGH = 128;
/** How long a first outcome waits for others at most, and how long for the next of them: what is on its way may be slow. */
const GATHER_MS = 100;
const NEXT_WITHIN_MS = 20;
/** A process that is to end has 30 s for all of it. */
const GRACE_MS = 3_000;

/** Records outcomes; `settle` resolves once they are committed, or given up after `hurry`. */
export interface Settling {
  /** Takes an outcome, or a mail that is on its way. @throws what `result` rejects with: then there is no outcome. */
  settle(result: SettleResult | Promise<SettleResult>): Promise<void>;
  /** The process is to end: from `graceMs` (default 3,000) on, what the database does not take is given up. */
  hurry(): void;
  /** Waits until everything given so far is recorded or given up. */
  close(): Promise<void>;
}

interface Waiting {
  readonly result: SettleResult;
  readonly done: () => void;
}

/**
 * Opens the recorder of one process. `onSettling` is told before outcomes are recorded, `onSettled` how many were
 * committed.
 */
export function openSettling(parts: {
  readonly db: Database;
  readonly cache: ReleaseCache;
  readonly hints: Hints;
  readonly log: Logger;
  readonly onSettling?: () => void;
  readonly onSettled: (count: number) => void;
  readonly graceMs?: number;
}): Settling {
  const { db, cache, hints, log, graceMs = GRACE_MS } = parts;
  let triesUntilMs = Number.POSITIVE_INFINITY;
  let waiting: Waiting[] = [];
  let running: Promise<void> | null = null;
  let onItsWay = 0;
  let endGathering: (() => void) | null = null;
  const isGathered = (): boolean => waiting.length >= ENOUGH || onItsWay === 0;

  const gather = async (): Promise<void> => {
    if (isGathered()) return;
    const untilMs = performance.now() + GATHER_MS;
    let seen = waiting.length;
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        if (waiting.length === seen || performance.now() >= untilMs) endGathering?.();
        seen = waiting.length;
      }, NEXT_WITHIN_MS);
      endGathering = () => {
        clearInterval(timer);
        resolve();
      };
    });
    endGathering = null;
  };

  const recordBatch = async (batch: readonly Waiting[]): Promise<boolean> => {
    for (;;) {
      try {
        const { planned } = await settleSends(
          db,
          cache,
          batch.map((one) => one.result),
        );
        void hints.send(planned);
        return true;
      } catch (error) {
        const fields = { outcomes: batch.length, ...errorFields(error) };
        if (performance.now() >= triesUntilMs) {
          log.error(
            fields,
            'outcomes are not recorded, for this process ends: they are found when their leases expire',
          );
          return false;
        }
        log.error(fields, 'outcomes could not be recorded yet');
        await sleep(RETRY_AFTER_MS);
      }
    }
  };

  const drain = async (): Promise<void> => {
    while (waiting.length > 0) {
      await gather();
      const batch = waiting.slice(0, MAX_PER_TRANSACTION);
      waiting = waiting.slice(MAX_PER_TRANSACTION);
      parts.onSettling?.();
      const recorded = await recordBatch(batch);
      for (const one of batch) one.done();
      if (recorded) parts.onSettled(batch.length);
    }
    running = null;
  };

  return {
    settle: async (coming) => {
      let done: () => void = () => undefined;
      const recorded = new Promise<void>((resolve) => {
        done = resolve;
      });
      onItsWay += 1;
      try {
        // First the outcome, then the list: by the time it is there, a transaction has begun and the list is another.
        const result = await coming;
        waiting.push({ result, done });
      } finally {
        onItsWay -= 1;
        if (isGathered()) endGathering?.();
      }
      // Outcomes that arrive in the same turn of the event loop go into one transaction.
      running ??= Promise.resolve().then(drain);
      return recorded;
    },
    hurry: () => {
      triesUntilMs = performance.now() + graceMs;
    },
    close: async () => {
      await running;
    },
  };
}
