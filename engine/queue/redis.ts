import { createRedisBackend, Queue, Worker } from 'bullmq';
import { Redis, type RedisOptions } from 'ioredis';
import type { Logger } from 'pino';
import {
  KEPT_EVENTS,
  LANES,
  reportErrors,
  workerSettings,
  type Lane,
  type LaneQueue,
  type LaneWorker,
  type LaneWorkerOptions,
  type QueueBackend,
} from './backend.ts';

const COMMAND_TIMEOUT_MS = 1_000;
const RETRY_AT_MOST_MS = 500;
/** ioredis waits this long for a socket to close, one that is closed already included, and keeps the process alive. */
const DISCONNECT_TIMEOUT_MS = 200;

/** Connections are tried again for good, at first after 50 ms and then twice a second. */
const retryStrategy = (times: number): number => Math.min(times * 50, RETRY_AT_MOST_MS);

/** The queue over Redis. Producers fail fast, workers wait for Redis to come back. */
export function redisBackend(url: string, prefix: string, log: Logger): QueueBackend {
  const { host } = new URL(url);
  const description = `Redis at ${host}`;
  const report = reportErrors(log, description);
  const producers = new Map<Lane, Redis>(LANES.map((lane) => [lane, openProducer(url, report)]));
  const producer = (lane: Lane): Redis => {
    const client = producers.get(lane);
    if (client === undefined) throw new Error(`There is no lane ${lane}.`);
    return client;
  };
  return {
    description,
    whyDown: (lane) => {
      const { status } = producer(lane);
      return ['ready', 'connecting', 'connect', 'wait'].includes(status) ? null : `${description} is ${status}`;
    },
    openQueue: (lane): LaneQueue => {
      const options = { prefix, skipVersionCheck: true, streams: { events: { maxLen: KEPT_EVENTS } } };
      const queue = new Queue(lane, { ...options, connection: producer(lane) }, createRedisBackend);
      queue.on('error', report);
      return queue;
    },
    openWorker: (lane, options): LaneWorker => openWorker(lane, options, { url, prefix, report }),
    close: async () => {
      for (const client of producers.values()) client.disconnect();
    },
  };
}

/** A connection whose commands fail when they are not answered soon, rather than wait for Redis to come back. */
function openProducer(url: string, report: (error: Error) => void): Redis {
  const client = new Redis(url, {
    retryStrategy,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    commandTimeout: COMMAND_TIMEOUT_MS,
    connectTimeout: COMMAND_TIMEOUT_MS,
    disconnectTimeout: DISCONNECT_TIMEOUT_MS,
  });
  client.on('error', report);
  return client;
}

function openWorker(
  lane: Lane,
  options: LaneWorkerOptions,
  redis: { readonly url: string; readonly prefix: string; readonly report: (error: Error) => void },
): LaneWorker {
  const connection = new TrackedRedis(redis.url, {
    retryStrategy,
    maxRetriesPerRequest: null,
    keepAlive: 10_000,
    disconnectTimeout: DISCONNECT_TIMEOUT_MS,
  });
  connection.on('error', redis.report);
  const worker = new Worker(
    lane,
    (job: { data: { ids: readonly number[] } }) => options.handler(job.data),
    { ...workerSettings(options), prefix: redis.prefix, connection },
    createRedisBackend,
  );
  worker.on('error', redis.report);
  return {
    waitUntilReady: () => worker.waitUntilReady(),
    run: () => worker.run(),
    close: () => worker.close().finally(() => connection.disconnect()),
    cut: () => connection.cut(),
  };
}

/** A connection that knows its duplicates: BullMQ makes one to block on and gives it to nobody. */
class TrackedRedis extends Redis {
  readonly #duplicates: Redis[] = [];

  override duplicate(override?: Partial<RedisOptions>): Redis {
    const made = super.duplicate(override);
    this.#duplicates.push(made);
    return made;
  }

  /** Ends it and its duplicates; every command that waits fails. */
  cut(): void {
    for (const client of [this, ...this.#duplicates]) {
      // Ended between two attempts to connect, ioredis forgets those who wait for it. It does not while it connects.
      if (client.status === 'reconnecting') client.connect().catch(() => client.disconnect());
      client.disconnect();
    }
  }
}
