/** Hints to the fleet. A hint that is lost delays work until the next sweep, so none is worth an error. */
import type { HintQueue, Lane } from '../engine/queue/queue.ts';
import type { Metrics } from './monitoring/metrics.ts';
import { errorFields, type Logger } from './log.ts';

/** Customers in one job: enough that a job's round trips are shared, few enough that it runs well under 2 s. */
const CUSTOMERS_PER_JOB = 100;
/** While the queue is away, say so this often. */
const REPORT_EVERY_MS = 10_000;

/** Customers with something due, by lane. */
export type Due = Partial<Readonly<Record<Lane, readonly number[]>>>;

/** Sends hints; resolves to false when the queue could not be reached. */
export interface Hints {
  send(due: Due): Promise<boolean>;
}

/** Opens the sender of hints of one process; `metrics` counts them. */
export function openHints(queue: HintQueue, log: Logger, metrics: Pick<Metrics, 'hints'> | null = null): Hints {
  let reportedAt = 0;
  const report = (error: unknown): void => {
    if (Date.now() - reportedAt < REPORT_EVERY_MS) return;
    reportedAt = Date.now();
    log.warn(errorFields(error), 'the queue takes no hints; sweeping the database goes on');
  };
  const hint = async (lane: Lane, ids: readonly number[]): Promise<void> => {
    let result = 'failed';
    try {
      await queue.hint(lane, ids);
      result = 'taken';
    } finally {
      metrics?.hints.inc({ lane, result });
    }
  };
  return {
    send: async (due) => {
      const jobs: Promise<void>[] = [];
      for (const lane of ['transactional', 'advance', 'bulk'] as const) {
        const ids = due[lane] ?? [];
        for (let start = 0; start < ids.length; start += CUSTOMERS_PER_JOB) {
          jobs.push(hint(lane, ids.slice(start, start + CUSTOMERS_PER_JOB)));
        }
      }
      const results = await Promise.allSettled(jobs);
      const failed = results.find((result) => result.status === 'rejected');
      if (failed !== undefined) report(failed.reason);
      return failed === undefined;
    },
  };
}
