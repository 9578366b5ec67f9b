/**
 * Patience with jobs whose mails wait for a slow server: after a while their place in the lane is another job's, and they end
 * by themselves. Otherwise four mails that the server takes long for would stop a lane of four jobs.
 */
import type { MailLane } from '../engine/store/claim.ts';
import { errorFields, type Logger } from './log.ts';

/** Longer than a job of many mails takes with a server that answers. */
const PATIENCE_MS = 30_000;

/** Jobs under way, of which some are left to themselves. */
export interface Patience {
  /** Resolves when the job has ended, or when it has taken too long to be waited for; rejects as the job does until then. */
  waitFor(lane: MailLane, job: Promise<void>): Promise<void>;
  /** Waits for those that were left to themselves. */
  close(): Promise<void>;
}

/** `limit`: so many jobs of a lane may be left to themselves at a time; further ones are waited for. */
export function openPatience(parts: {
  readonly limit: number;
  readonly log: Logger;
  readonly patienceMs?: number;
}): Patience {
  const { limit, log, patienceMs = PATIENCE_MS } = parts;
  const left = { transactional: new Set<Promise<void>>(), bulk: new Set<Promise<void>>() };
  const leave = (lane: MailLane, job: Promise<void>): void => {
    const ended = job
      .catch((error: unknown) =>
        log.error({ lane, ...errorFields(error) }, 'a job that took long failed: what it held comes back by itself'),
      )
      .finally(() => left[lane].delete(ended));
    left[lane].add(ended);
    log.info({ lane, jobs: left[lane].size }, 'the mail server takes long; other mails go on meanwhile');
  };
  return {
    waitFor: async (lane, job) =>
      new Promise((resolve, reject) => {
        const timer = setInterval(() => {
          if (left[lane].size >= limit) return;
          clearInterval(timer);
          leave(lane, job);
          resolve();
        }, patienceMs);
        void job.then(resolve, reject).finally(() => clearInterval(timer));
      }),
    close: async () => {
      await Promise.all([...left.transactional, ...left.bulk]);
    },
  };
}
