import {
  assertSchemaCompatibility,
  createPostgresBackend,
  LATEST_SCHEMA_VERSION,
  Queue,
  runMigrations,
  SchemaMigrationRequiredError,
  Worker,
} from 'bullmq';
import pg from 'pg';
import type { Logger } from 'pino';
import {
  KEPT_EVENTS,
  LANES,
  reportErrors,
  workerSettings,
  type Lane,
  type LaneQueue,
  type LaneWorker,
  type QueueBackend,
} from './backend.ts';
import { QueueUnsuitable } from './error.ts';
import { tracing } from './telemetry.ts';

/** The schema that BullMQ's tables live in, apart from Perennial's own. */
export const QUEUE_SCHEMA = 'perennial_queue';

/** Connections of one queue or worker. A worker has one more, for LISTEN. */
const POOL_SIZE = 2;

/** The queue over PostgreSQL: `NOTIFY` wakes the workers, tables in a schema of their own hold the jobs. */
export function postgresBackend(url: string, log: Logger): QueueBackend {
  const description = `PostgreSQL at ${new URL(url).host}`;
  const report = reportErrors(log, `Queue over ${description}`);
  const connection = connectionOf(url);
  return {
    description: `the queue over ${description}`,
    whyDown: () => null,
    openQueue: (lane): LaneQueue => {
      const options = { skipVersionCheck: true, streams: { events: { maxLen: KEPT_EVENTS } }, ...tracing() };
      const queue = new Queue(lane, { ...options, connection }, createBackend);
      queue.on('error', report);
      return queue;
    },
    openWorker: (lane, options): LaneWorker => {
      const worker = new Worker(
        lane,
        (job: { data: { ids: readonly number[] } }) => options.handler(job.data),
        { ...workerSettings(options), ...tracing(), connection },
        createBackend,
      );
      worker.on('error', report);
      return {
        waitUntilReady: () => worker.waitUntilReady(),
        run: () => worker.run(),
        // BullMQ opens the connection for LISTEN once the others are ready, even if the worker was closed meanwhile. Nobody
        // would end that one again, and it keeps the process alive.
        close: () =>
          worker
            .waitUntilReady()
            .catch(() => undefined)
            .then(() => worker.close()),
        cut: () => void worker.disconnect().catch(report),
      };
    },
    close: () => Promise.resolve(),
  };
}

/**
 * Its errors end no process. BullMQ borrows connections without a listener, adds one to that for LISTEN a moment after it
 * is there, and takes it away a moment before it is gone; a session may be lost in each of these moments. Whoever asks it
 * something next is told.
 */
class HarmlessClient extends pg.Client {
  override emit(event: string | symbol, ...given: unknown[]): boolean {
    return event === 'error' && this.listenerCount('error') === 0 ? false : super.emit(event, ...given);
  }
}

/** BullMQ makes the connection for LISTEN itself, by what its module of pg has under that name. */
const createBackend: typeof createPostgresBackend = (...given) => {
  const backend = createPostgresBackend(...given);
  const inside = backend as unknown as { readonly connection: { pgModule: { readonly Client: typeof pg.Client } } };
  inside.connection.pgModule = { Client: HarmlessClient };
  return backend;
};

function connectionOf(url: string) {
  const { connectionString, options } = splitOptions(url);
  return {
    connectionString,
    // A hint that a crash of the database swallows is found again by the sweep: none is worth waiting for a disk.
    options: `${options} -c synchronous_commit=off`.trim(),
    schema: QUEUE_SCHEMA,
    max: POOL_SIZE,
    application_name: 'perennial queue',
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
    Client: HarmlessClient,
  };
}

/** Options within a URL would replace those beside it, and with them the search path that BullMQ sets there. */
function splitOptions(url: string): { readonly connectionString: string; readonly options: string } {
  const parsed = new URL(url);
  const options = parsed.searchParams.get('options') ?? '';
  parsed.searchParams.delete('options');
  return { connectionString: parsed.href, options };
}

/** What PostgreSQL answers who may not do something. */
const INSUFFICIENT_PRIVILEGE = '42501';

/**
 * Makes or brings up to date BullMQ's tables, in one transaction; many at once do no harm. That needs the right to create a
 * schema; where nothing is to be done, reading is enough.
 * @throws QueueUnsuitable `not_prepared` when something is to be done and this role may not.
 */
export async function preparePostgres(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    if (await isPrepared(client)) return;
    await runMigrations(client, QUEUE_SCHEMA);
    await makeSequences(client);
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code !== INSUFFICIENT_PRIVILEGE) throw error;
    const message =
      `The queue's tables in the schema ${QUEUE_SCHEMA} are missing or of an older version, and this role may not make or ` +
      'read them. Run "perennial migrate" as the role that owns the tables; what the role of the fleet needs is in docs/operations.md.';
    throw new QueueUnsuitable('not_prepared', message, error);
  } finally {
    await client.end();
  }
}

/** Any fixed number that no other lock of ours has. */
const SEQUENCES_LOCK = 7_318_204_555;

/** One after the other: `if not exists` looks before it makes, and two that look at once both make. */
async function makeSequences(client: pg.Client): Promise<void> {
  await client.query('begin');
  await client.query('select pg_advisory_xact_lock($1)', [SEQUENCES_LOCK]);
  for (const lane of LANES) await client.query(`create sequence if not exists ${await idsOf(client, lane)}`);
  await client.query('commit');
}

async function isPrepared(client: pg.Client): Promise<boolean> {
  try {
    if ((await assertSchemaCompatibility(client, QUEUE_SCHEMA)) < LATEST_SCHEMA_VERSION) return false;
  } catch (error) {
    if (error instanceof SchemaMigrationRequiredError) return false;
    throw error;
  }
  const sequences: string[] = [];
  for (const lane of LANES) sequences.push(await idsOf(client, lane));
  const { rows } = await client.query<{ there: boolean }>(
    'select bool_and(to_regclass(name) is not null) as there from unnest($1::text[]) as name',
    [sequences],
  );
  return rows[0]?.there === true;
}

/** BullMQ makes the sequence of a queue's job ids with its first job, which not every role may. */
async function idsOf(client: pg.Client, lane: Lane): Promise<string> {
  const { rows } = await client.query<{ name: string }>(
    `select format('%I.%I', $1::text, ${QUEUE_SCHEMA}.job_id_seq_name($2)) as name`,
    [QUEUE_SCHEMA, lane],
  );
  const name = rows[0]?.name;
  if (name === undefined) throw new Error(`BullMQ names no sequence for the queue "${lane}"`);
  return name;
}
