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
import { tracing } from './telemetry.ts';
import { describeRedis, parseRedisUrl, redisArguments, type IsTrusted, type RedisPlace } from './redis-place.ts';

const COMMAND_TIMEOUT_MS = 1_000;
/**
 * A server that does not answer for so long is left, and connected to anew: it may hang, or its machine be gone, and with
 * Sentinels another one have taken its place. Of workers longer than they wait for a job, which is at most 10 s.
 */
const SILENT_PRODUCER_MS = 3_000;
const SILENT_WORKER_MS = 12_000;
const RETRY_AT_MOST_MS = 500;
/** ioredis waits this long for a socket to close, one that is closed already included, and keeps the process alive. */
const DISCONNECT_TIMEOUT_MS = 200;

/** Connections are tried again for good, at first after 50 ms and then twice a second. */
const retryStrategy = (times: number): number => Math.min(times * 50, RETRY_AT_MOST_MS);

/** The queue over Redis. Producers fail fast, workers wait for Redis to come back. `url`: see `parseRedisUrl`. */
export function redisBackend(
  { url, isTrusted }: { readonly url: string; readonly isTrusted: IsTrusted },
  prefix: string,
  log: Logger,
): QueueBackend {
  const place = parseRedisUrl(url);
  const description = describeRedis(place);
  const report = reportErrors(log, description);
  const producers = new Map<Lane, Producer>(LANES.map((lane) => [lane, openProducer({ place, isTrusted, report })]));
  const producer = (lane: Lane): Producer => {
    const client = producers.get(lane);
    if (client === undefined) throw new Error(`There is no lane ${lane}.`);
    return client;
  };
  return {
    description,
    whyDown: (lane) => {
      const { client, seeksTooLong } = producer(lane);
      const { status } = client;
      const mayBeTried = ['ready', 'connecting', 'connect', 'wait'].includes(status) && !seeksTooLong();
      return mayBeTried ? null : `${description} is ${status}`;
    },
    openQueue: (lane): LaneQueue => {
      const options = { prefix, skipVersionCheck: true, streams: { events: { maxLen: KEPT_EVENTS } }, ...tracing() };
      const queue = new Queue(lane, { ...options, connection: producer(lane).client }, createRedisBackend);
      queue.on('error', report);
      return queue;
    },
    openWorker: (lane, options): LaneWorker => openWorker(lane, options, { place, isTrusted, prefix, report }),
    close: async () => {
      for (const { client } of producers.values()) client.disconnect();
    },
  };
}

/** The sending side's connection. */
interface Producer {
  readonly client: Redis;
  /** Sentinels that know of no primary are asked again and again within one attempt to connect. */
  readonly seeksTooLong: () => boolean;
}

/** Where connections go, and who is told of their errors. */
interface Server {
  readonly place: RedisPlace;
  readonly isTrusted: IsTrusted;
  readonly report: (error: Error) => void;
}

/** A connection whose commands fail when they are not answered soon, rather than wait for Redis to come back. */
function openProducer({ place, isTrusted, report }: Server): Producer {
  const settings: RedisOptions = {
    retryStrategy,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    commandTimeout: COMMAND_TIMEOUT_MS,
    socketTimeout: SILENT_PRODUCER_MS,
    connectTimeout: COMMAND_TIMEOUT_MS,
    disconnectTimeout: DISCONNECT_TIMEOUT_MS,
  };
  const [url, options] = redisArguments(place, settings, isTrusted);
  const client = new Redis(url, options);
  client.on('error', report);
  let seeksSinceMs = performance.now();
  client.on('connecting', () => (seeksSinceMs = performance.now()));
  const seeksTooLong = (): boolean =>
    client.status === 'connecting' && performance.now() - seeksSinceMs > COMMAND_TIMEOUT_MS;
  return { client, seeksTooLong };
}

function openWorker(lane: Lane, options: LaneWorkerOptions, redis: Server & { readonly prefix: string }): LaneWorker {
  const waiting = {
    retryStrategy,
    maxRetriesPerRequest: null,
    socketTimeout: SILENT_WORKER_MS,
    keepAlive: 10_000,
    disconnectTimeout: DISCONNECT_TIMEOUT_MS,
  };
  const [url, settings] = redisArguments(redis.place, waiting, redis.isTrusted);
  const connection = new TrackedRedis(url, settings);
  connection.on('error', redis.report);
  const worker = new Worker(
    lane,
    (job: { data: { ids: readonly number[] } }) => options.handler(job.data),
    { ...workerSettings(options), ...tracing(), prefix: redis.prefix, connection },
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
