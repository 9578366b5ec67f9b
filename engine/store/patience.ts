/** Trying again what another transaction was in the way of. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database, TransactionOptions, Tx } from './database.ts';
import { classifyFailure } from './failures.ts';

const TRIES = 5;

/**
 * Runs `work` in a transaction of its own, and again, up to 5 times in all, when another one was in the way: a deadlock,
 * a lock that was not to be had in time, a serialisation failure. So `work` must keep nothing outside its result.
 * @throws the last failure.
 */
export async function patientTransaction<T>(
  db: Database,
  work: (tx: Tx) => Promise<T>,
  options: TransactionOptions = {},
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await db.transaction(work, options);
    } catch (error) {
      if (classifyFailure(error) !== 'contention' || tries >= TRIES) throw error;
      // Jitter parts those who collided; nothing is decided by it.
      await sleep(tries * (10 + Math.random() * 40));
    }
  }
}
