/**
 * The connection to PostgreSQL: pools with the time-outs of the protocol, transactions, and the business clock.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import type { Instant } from '../time/types.ts';
import { GatheringClient } from './gathering-client.ts';
import { parameter } from './parameter.ts';
import { preparedName } from './prepared.ts';
import { sessionAt } from './session-options.ts';
import type { Tables } from './tables.ts';
import { parseTimestamp } from './timestamp.ts';

/** Something that runs SQL: a pool, or the client of one transaction. */
export interface Queryable {
  // The rows' shape is the statement's, which only its author knows.
  // oxlint-disable-next-line no-unnecessary-type-parameters
  query<R extends pg.QueryResultRow = pg.QueryResultRow>(
    text: string,
    values?: readonly unknown[],
  ): Promise<{ readonly rows: R[]; readonly rowCount: number | null }>;
}

/**
 * A transaction under way. `kysely` runs on the same connection. Statements that are asked without waiting for each
 * other run in that order and share a round trip: `await Promise.all([tx.query(a), tx.query(b)])`.
 */
export interface Tx extends Queryable {
  readonly kysely: Kysely<Tables>;
}

/** How a transaction commits. */
export interface TransactionOptions {
  /**
   * False: the commit does not wait for the disk. Only for work that a crash of the database may undo because it is
   * then simply done again: nothing outside may have been told of it. Whatever commits durably later takes it along.
   * Default true.
   */
  readonly durable?: boolean;
}

/** An open database. */
export interface Database extends Queryable {
  readonly url: string;
  readonly pool: pg.Pool;
  readonly kysely: Kysely<Tables>;
  /** Lends one connection: statements that are asked together share a round trip, each a transaction of its own. */
  together<T>(work: (db: Queryable) => Promise<T>): Promise<T>;
  /** Runs `work` in one transaction; rolls back when it throws. */
  transaction<T>(work: (tx: Tx) => Promise<T>, options?: TransactionOptions): Promise<T>;
  close(): Promise<void>;
}

/** What PostgreSQL answers to all that is asked of a transaction in which something has failed. */
const IN_FAILED_TRANSACTION = '25P02';

/** What it says as it ends a session that idles in a transaction. */
const IDLED_TOO_LONG = '25P03';

/** Ids are exact as numbers up to 2^53; times are Instants; dates stay 'YYYY-MM-DD'. */
const parsers = new Map<number, (text: string) => unknown>([
  [pg.types.builtins.INT8, Number],
  [pg.types.builtins.DATE, (text) => text],
  [pg.types.builtins.TIMESTAMPTZ, parseTimestamp],
]);
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) => parsers.get(oid) ?? pg.types.getTypeParser(oid, format),
};

/**
 * Opens a pool. A stopped process must not keep its locks, so sessions that idle in a transaction end after 5 s;
 * lock waits end after 5 s and statements after 30 s. `max` is the number of connections.
 *
 * `indexed` is for processes that run the protocol: a statement that was prepared while its table was empty would read
 * the whole table ever after, so such plans are ruled out from the start. Every statement of the protocol has its index.
 */
export function openDatabase(
  url: string,
  options: { readonly max?: number; readonly name?: string; readonly indexed?: boolean } = {},
): Database {
  const pool = new pg.Pool({
    ...sessionAt(url, options.indexed),
    max: options.max ?? 8,
    application_name: options.name ?? 'perennial',
    idle_in_transaction_session_timeout: 5_000,
    lock_timeout: 5_000,
    statement_timeout: 30_000,
    connectionTimeoutMillis: 10_000,
    Client: GatheringClient,
    pipeline: true,
    types,
  });
  // A server that goes away ends idle clients; the next query opens a new one and reports what it meets.
  pool.on('error', () => undefined);
  const kysely = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  return {
    url,
    pool,
    kysely,
    query: async (text, values) => pool.query(statement(text, values)),
    together: async (work) =>
      withClient(pool, async (client) =>
        work({ query: async (text, values) => gather(client).query(statement(text, values)) }),
      ),
    transaction: async (work, how) => inTransaction(pool, work, how?.durable ?? true),
    close: async () => {
      await pool.end();
    },
  };
}

/** One connection without a pool or time-outs, for what copies whole tables. The caller ends it. */
export async function openConnection(url: string, name: string): Promise<pg.Client> {
  const client = new pg.Client({
    ...sessionAt(url),
    application_name: name,
    connectionTimeoutMillis: 10_000,
    types,
  });
  // What is asked next reports what happened to the connection; without a listener it would end the process.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

function statement(text: string, values: readonly unknown[] | undefined): pg.QueryConfig {
  const name = preparedName(text);
  return {
    text,
    ...(values === undefined ? {} : { values: values.map(parameter) }),
    ...(name === undefined ? {} : { name }),
  };
}

/** What became of a connection while nobody waited for an answer on it. */
interface Health {
  broken: Error | undefined;
}

/** Lends a client; one that is broken is not used again. */
async function withClient<T>(pool: pg.Pool, work: (client: pg.PoolClient, health: Health) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  const health: Health = { broken: undefined };
  // Without a listener, a connection that dies between two statements would end the process.
  const onError = (error: Error): void => {
    health.broken ??= error;
  };
  client.on('error', onError);
  try {
    return await work(client, health);
  } finally {
    client.off('error', onError);
    client.release(health.broken);
  }
}

async function inTransaction<T>(pool: pg.Pool, work: (tx: Tx) => Promise<T>, durable: boolean): Promise<T> {
  return withClient(pool, async (client, health) => {
    const noteBroken = (failure: Error): void => {
      health.broken ??= failure;
    };
    try {
      const begun = gather(client).query(durable ? 'begin' : 'begin; set local synchronous_commit = off');
      begun.catch(noteBroken);
      const tx = asTx(client, begun);
      const result = await work(tx);
      await begun;
      if (tx.isUnheard()) await tx.hear();
      const { command } = await client.query('commit');
      // A statement that failed unseen would make this a rollback, which the server does not call an error.
      if (command !== 'COMMIT') throw new Error(`the transaction ended with ${command} instead of COMMIT`);
      return result;
    } catch (error) {
      // A session that idled too long is told so while nobody asks: what is asked next only hears that it is gone.
      const { broken } = health;
      const reason = broken !== undefined && hasCode(broken, IDLED_TOO_LONG) ? broken : error;
      await client.query('rollback').catch(noteBroken);
      throw reason;
    }
  });
}

interface Hearing {
  readonly isUnheard: () => boolean;
  readonly hear: () => Promise<void>;
}

/** After so many ms without a statement it is looked whether the server has ended the session. */
const UNHEARD_MS = 50;

/** The first statements share the round trip of `begin`; nobody learns their results before that of `begin`. */
function asTx(client: pg.PoolClient, begun: Promise<unknown>): Tx & Hearing {
  let lastMs = performance.now();
  const isUnheard = (): boolean => performance.now() - lastMs >= UNHEARD_MS;
  /**
   * Lets what the server said meanwhile come in. To write first would be too late: over a Unix socket that fails at once
   * when the session was ended, and why it was ended is lost with what was not yet read.
   */
  const hear = async (): Promise<void> => {
    // Two turns of the event loop have a whole look at the sockets between them.
    await nextTurn();
    await nextTurn();
  };
  let kysely: Kysely<Tables> | undefined;
  let isBegun = false;
  let failure: unknown = null;
  return {
    isUnheard,
    hear,
    query: async <R extends pg.QueryResultRow>(text: string, values?: readonly unknown[]) => {
      // Not awaited without need: what is asked together shares a round trip.
      if (isUnheard()) await hear();
      try {
        const answer = gather(client).query<R>(statement(text, values));
        if (isBegun) return await answer;
        const [, result] = await Promise.all([begun, answer]);
        isBegun = true;
        return result;
      } catch (error) {
        failure ??= error;
        // Statements that were asked together with one that failed fail as well, for that one's reason.
        throw hasCode(error, IN_FAILED_TRANSACTION) ? failure : error;
      } finally {
        lastMs = performance.now();
      }
    },
    get kysely() {
      kysely ??= new Kysely<Tables>({ dialect: new PostgresDialect({ pool: poolOfOne(client) }) });
      return kysely;
    },
  };
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

function gather(client: pg.PoolClient): pg.PoolClient {
  if (client instanceof GatheringClient) client.gather();
  return client;
}

/** Kysely asks a pool; inside a transaction there is one connection, and it stays ours. */
function poolOfOne(client: pg.PoolClient): {
  connect: () => Promise<Pick<pg.PoolClient, 'query' | 'release'>>;
  end: () => Promise<void>;
} {
  const held = { query: client.query.bind(client), release: () => undefined } as Pick<
    pg.PoolClient,
    'query' | 'release'
  >;
  return { connect: async () => held, end: async () => undefined };
}

/**
 * The business time, read once per chunk: the stepped clock where one is set, otherwise the database's own
 * (millisecond resolution, rounded down).
 */
export async function businessNow(db: Queryable): Promise<Instant> {
  const { rows } = await db.query<{ now: number }>(
    `select floor(extract(epoch from coalesce(stepped_at, clock_timestamp())) * 1000)::bigint as now from engine`,
  );
  const now = rows[0]?.now;
  if (now === undefined) throw new Error('the table "engine" has no row: run "perennial migrate"');
  return now;
}
