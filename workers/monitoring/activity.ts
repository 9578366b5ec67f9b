/** What a process is at, for its watchdog: counters that only grow, and the jobs that run. */
import type { Database } from '../../engine/store/database.ts';
import type { Lane } from '../../engine/queue/queue.ts';

/** What is watched: the lanes of work, and the rounds of the scheduler. */
export type Watched = Lane | 'scheduler';

/** A job that runs. `steps` counts the transactions that it has ended, well or not. */
export interface RunningJob {
  readonly watched: Watched;
  steps: number;
}

/** The activity of one process. */
export interface Activity {
  /** What this process has a part in. */
  readonly watched: ReadonlySet<Watched>;
  readonly running: ReadonlySet<RunningJob>;
  /** Something got further: a hand-over was answered, an outcome recorded, a job without mails ended. */
  progress(watched: Watched): void;
  /** How often that was. */
  progressOf(watched: Watched): number;
  /** Whether it waits for the word of a mail server at present, which comes in its time or is given up. */
  isServersTurn(watched: Watched): boolean;
  /** Jobs that ended, well or not. */
  endedOf(watched: Watched): number;
  /** Runs a job; it is given the database through which its steps are counted. */
  job<T>(watched: Watched, db: Database, work: (db: Database) => Promise<T>): Promise<T>;
}

/** Opens the record of a process that has these parts. `isServersTurn`: see there; default never. */
export function openActivity(
  watched: readonly Watched[],
  isServersTurn: (watched: Watched) => boolean = () => false,
): Activity {
  const progress = new Map<Watched, number>();
  const ended = new Map<Watched, number>();
  const running = new Set<RunningJob>();
  return {
    watched: new Set(watched),
    running,
    isServersTurn,
    progress: (of) => count(progress, of),
    progressOf: (of) => progress.get(of) ?? 0,
    endedOf: (of) => ended.get(of) ?? 0,
    job: async (of, db, work) => {
      const job: RunningJob = { watched: of, steps: 0 };
      running.add(job);
      try {
        return await work(counting(db, job));
      } finally {
        running.delete(job);
        count(ended, of);
      }
    },
  };
}

function count(counts: Map<Watched, number>, of: Watched): void {
  counts.set(of, (counts.get(of) ?? 0) + 1);
}

/** A chunk that is bisected for a culprit may take minutes, and is not stuck: each of its transactions is a step. */
function counting(db: Database, job: RunningJob): Database {
  return {
    ...db,
    transaction: async (work, options) => {
      try {
        return await db.transaction(work, options);
      } finally {
        job.steps += 1;
      }
    },
  };
}
