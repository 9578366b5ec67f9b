/**
 * Hints to the fleet: "look at these customers". The database is the truth; a hint may be lost, doubled or late
 * without harm, so nothing here is retried, delayed or kept. BullMQ spreads the hints and wakes who is idle.
 */
import { SchemaMigrationRequiredError } from 'bullmq';
import type { Logger } from 'pino';
import { LANES, type Lane, type LaneQueue, type QueueBackend } from './backend.ts';
import { QueueUnavailable, QueueUnsuitable, withinLimit } from './error.ts';
import { postgresBackend, preparePostgres } from './postgres.ts';
import type { IsTrusted } from './redis-place.ts';
import { redisBackend } from './redis.ts';
import { startHintWorker, type HintWorker } from './worker.ts';

export { checkRedis } from './check-redis.ts';
export { BadRedisUrl, describeRedis, parseRedisUrl, type IsTrusted } from './redis-place.ts';
export { QueueUnavailable, QueueUnsuitable } from './error.ts';
export { LANES, type HintWorker, type Lane };

/** Where the queue lives. For the URL of Redis see `parseRedisUrl`; `isTrusted` is asked of primaries that Sentinels name. */
export type QueueLocation =
  | { readonly kind: 'redis'; readonly url: string; readonly isTrusted: IsTrusted }
  | { readonly kind: 'postgres'; readonly url: string };

/** The queue of hints, open. */
export interface HintQueue {
  /**
   * Asks the fleet to look at customers, as one job; no customers, no job.
   * @param customerIds at most `MAX_CUSTOMERS_PER_HINT`.
   * @throws QueueUnavailable within about a second when the queue cannot be reached. It comes back by itself.
   */
  hint(lane: Lane, customerIds: readonly number[]): Promise<void>;
  /** The number of jobs that wait or run. @throws QueueUnavailable like `hint`. */
  outstanding(lane: Lane): Promise<number>;
  /** Starts a worker, which goes on through restarts and losses of the queue's server. */
  work(
    lane: Lane,
    handler: (customerIds: readonly number[]) => Promise<void>,
    options: { readonly concurrency: number },
  ): HintWorker;
  /** Drains the workers that are still open and leaves the server. */
  close(): Promise<void>;
}

/** More make a job that runs for longer than the 2 s it may. */
export const MAX_CUSTOMERS_PER_HINT = 1_000;

const LIMIT_MS = 1_000;
/** At the start of a process there is nothing that could go on without it, and everything is slow. */
const START_LIMIT_MS = 15_000;
const DEFAULT_LOCK_MS = 5_000;
const JOB_NAME = 'look';
const JOB_OPTIONS = { attempts: 1, removeOnComplete: true, removeOnFail: true };

/**
 * Opens the queue. A Redis that is away does not matter: hints fail until it is there. PostgreSQL has to be there
 * and prepared.
 * @throws QueueUnsuitable `not_prepared` when `prepareQueue` has not been run; QueueUnavailable when PostgreSQL is away.
 */
export async function openQueue(options: {
  readonly backend: QueueLocation;
  /** Begins every key in Redis, for several projects in one. Default `perennial`. PostgreSQL has a schema instead. */
  readonly prefix?: string;
  readonly log: Logger;
  /** How long a job whose worker died counts as outstanding, in ms. Default 5000. */
  readonly lockMs?: number;
}): Promise<HintQueue> {
  const { backend: location, prefix = 'perennial', log, lockMs = DEFAULT_LOCK_MS } = options;
  const backend = location.kind === 'redis' ? redisBackend(location, prefix, log) : postgresBackend(location.url, log);
  const producers = new Map<Lane, Producer>(LANES.map((lane) => [lane, new Producer(backend, lane)]));
  const workers = new Set<HintWorker>();
  const close = async (): Promise<void> => {
    await Promise.all([...workers].map((worker) => worker.close()));
    await Promise.all([...producers.values()].map((producer) => producer.close()));
    await backend.close();
  };
  if (location.kind === 'postgres') await requirePrepared(producers, close);
  const producer = (lane: Lane): Producer => {
    const found = producers.get(lane);
    if (found === undefined) throw new RangeError(`There is no lane "${lane}"; there are ${LANES.join(', ')}.`);
    return found;
  };
  return {
    hint: (lane, customerIds) => addHint(producer(lane), customerIds),
    outstanding: (lane) => producer(lane).use((queue) => queue.getJobCountByTypes('waiting', 'active')),
    work: (lane, handler, { concurrency }) => {
      const worker = startHintWorker({ backend, lane, handler, concurrency, lockMs, log });
      workers.add(worker);
      return { close: () => worker.close().finally(() => workers.delete(worker)) };
    },
    close,
  };
}

/**
 * Makes what the queue needs in its server: tables in PostgreSQL (needs the right to create a schema), nothing in
 * Redis. May be called any number of times.
 */
export async function prepareQueue(location: QueueLocation): Promise<void> {
  if (location.kind === 'postgres') await preparePostgres(location.url);
}

async function addHint(producer: Producer, customerIds: readonly number[]): Promise<void> {
  if (customerIds.length === 0) return;
  if (customerIds.length > MAX_CUSTOMERS_PER_HINT) {
    throw new RangeError(`A hint holds at most ${MAX_CUSTOMERS_PER_HINT} customers, not ${customerIds.length}.`);
  }
  await producer.use((queue) => queue.add(JOB_NAME, { ids: customerIds }, JOB_OPTIONS));
}

async function requirePrepared(producers: ReadonlyMap<Lane, Producer>, close: () => Promise<void>): Promise<void> {
  try {
    await Promise.all([...producers.values()].map((producer) => producer.use(() => Promise.resolve(), START_LIMIT_MS)));
  } catch (error) {
    await close();
    if ((error as Error).cause instanceof SchemaMigrationRequiredError) {
      const message = 'The database has no tables for the queue yet. Make them with: perennial migrate';
      throw new QueueUnsuitable('not_prepared', message, error);
    }
    throw error;
  }
}

/** The sending side of a lane. It fails fast, and a queue that could not be set up is set up anew at the next call. */
class Producer {
  readonly #backend: QueueBackend;
  readonly #lane: Lane;
  #queue: LaneQueue | null = null;

  constructor(backend: QueueBackend, lane: Lane) {
    this.#backend = backend;
    this.#lane = lane;
  }

  async use<T>(body: (queue: LaneQueue) => Promise<T>, limitMs = LIMIT_MS): Promise<T> {
    const down = this.#backend.whyDown(this.#lane);
    if (down !== null) throw new QueueUnavailable(`The queue takes no hints: ${down}.`);
    const queue = (this.#queue ??= this.#backend.openQueue(this.#lane));
    return withinLimit(limitMs, async (expired) => {
      await this.#whenReady(queue);
      expired.throwIfAborted();
      return body(queue);
    });
  }

  async #whenReady(queue: LaneQueue): Promise<void> {
    try {
      await queue.waitUntilReady();
    } catch (error) {
      // BullMQ keeps a failed set-up for good.
      if (this.#queue === queue) this.#queue = null;
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#queue?.close();
  }
}
