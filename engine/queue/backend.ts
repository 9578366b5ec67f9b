import type { Logger } from 'pino';

/**
 * A lane of work, each with a queue, connections and concurrency of its own, so that none waits behind another
 * (measured on Redis, p99: 1.7 s behind mass work in one queue with priorities, 4 ms in a queue of its own).
 */
export type Lane = 'advance' | 'transactional' | 'bulk';

/** All lanes. */
export const LANES: readonly Lane[] = ['advance', 'transactional', 'bulk'];

/** What a job holds: the customers to look at, nothing else. */
export interface Hint {
  readonly ids: readonly number[];
}

/** The part of a BullMQ queue that is used, the same on every backend. */
export interface LaneQueue {
  add(name: string, data: Hint, options: object): Promise<unknown>;
  getJobCountByTypes(...types: ('waiting' | 'active')[]): Promise<number>;
  waitUntilReady(): Promise<unknown>;
  close(): Promise<void>;
}

/** The part of a BullMQ worker that is used, the same on every backend. */
export interface LaneWorker {
  waitUntilReady(): Promise<unknown>;
  /**
   * Begins to take jobs. Only once it is ready: a BullMQ worker whose set-up failed asks again and again in one turn of the event
   * loop, and its process does nothing else any more, not even end.
   */
  run(): Promise<void>;
  /** Takes no more jobs, ends those that run, and leaves the server. Waits for a server that does not answer. */
  close(): Promise<void>;
  /** Breaks the connections, so that nothing waits for the server any more, `close` neither. */
  cut(): void;
}

/** What a worker of a lane is made with. */
export interface LaneWorkerOptions {
  readonly concurrency: number;
  readonly handler: (hint: Hint) => Promise<void>;
  /** How long a job whose worker died counts as outstanding; also how often such jobs are looked for. */
  readonly lockMs: number;
}

/** Where BullMQ keeps the queues. */
export interface QueueBackend {
  /** For messages; holds no secret. */
  readonly description: string;
  /** Why a command sent now would fail or wait for a connection; null when one may be tried. */
  whyDown(lane: Lane): string | null;
  openQueue(lane: Lane): LaneQueue;
  openWorker(lane: Lane, options: LaneWorkerOptions): LaneWorker;
  close(): Promise<void>;
}

/** Settings of every BullMQ worker: BullMQ spreads hints and wakes, and recovers nothing (the tick does that from the rows). */
export function workerSettings(options: LaneWorkerOptions) {
  return {
    autorun: false,
    concurrency: options.concurrency,
    lockDuration: options.lockMs,
    stalledInterval: options.lockMs,
    maxStalledCount: 0,
    removeOnComplete: { count: 0 },
    removeOnFail: { count: 0 },
    // Tried again this soon when the backend is away; BullMQ's own 15 s would keep a finished job in its place.
    runRetryDelay: 500,
    // Seconds a worker sleeps at most; it is woken by a job (BZPOPMIN, NOTIFY), so this is no latency.
    drainDelay: 5,
    skipVersionCheck: true,
  };
}

/** Events of a queue that nobody reads are cut to about this many. */
export const KEPT_EVENTS = 100;

const REPORT_EVERY_MS = 10_000;

/**
 * A listener for the errors of connections, which come many times a second while a server is away: one is
 * reported every 10 s at most, with how many were not.
 */
export function reportErrors(log: Logger, source: string): (error: Error) => void {
  let reportedAt = -Infinity;
  let silent = 0;
  return (error) => {
    const now = performance.now();
    if (now - reportedAt < REPORT_EVERY_MS) {
      silent++;
      return;
    }
    log.warn({ err: error, silent }, `${source}: ${error.message || (error as NodeJS.ErrnoException).code}`);
    reportedAt = now;
    silent = 0;
  };
}
