/** Watches how long mails stay with a process: what one that is gone held is in other hands again after so long. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../../engine/store/database.ts';

const LOOK_EVERY_MS = 250;

/** A watch that runs. */
export interface Hands {
  /** Ends it; gives the longest that a mail was claimed or handed over without any sign of its process, in ms. */
  stop(): Promise<number>;
}

/** Starts to watch the mails of a site. */
export function watchHands(db: Database): Hands {
  const sinceMs = new Map<string, number>();
  let longestMs = 0;
  const stopping = new AbortController();
  const look = async (): Promise<void> => {
    const { rows } = await db.query<{ hand: string }>(
      // A process that lives prolongs what it holds.
      `select id || ' ' || fence || ' ' || lease_until as hand from sends where status in ('claimed', 'handed')`,
    );
    const nowMs = performance.now();
    const open = new Set(rows.map((row) => row.hand));
    for (const hand of open) if (!sinceMs.has(hand)) sinceMs.set(hand, nowMs);
    for (const [hand, fromMs] of sinceMs) {
      longestMs = Math.max(longestMs, nowMs - fromMs);
      if (!open.has(hand)) sinceMs.delete(hand);
    }
  };
  const running = (async () => {
    while (!stopping.signal.aborted) {
      await look();
      await sleep(LOOK_EVERY_MS);
    }
    await look();
  })();
  // Whoever stops the watch hears of it.
  running.catch(() => undefined);
  return {
    stop: async () => {
      stopping.abort();
      await running;
      return longestMs;
    },
  };
}
