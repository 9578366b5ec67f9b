/** What the engine runs on: the database, the queue, and the address under which readers reach it. */
import { isNativeError } from 'node:util/types';
import {
  checkRedis,
  describeRedis,
  parseRedisUrl,
  QueueUnavailable,
  QueueUnsuitable,
} from '../../engine/queue/queue.ts';
import { openReleaseCache, type CompiledRelease } from '../../engine/store/context.ts';
import type { Database } from '../../engine/store/database.ts';
import { StoreError } from '../../engine/store/errors.ts';
import { NewerDatabaseError } from '../../engine/store/migrate.ts';
import { maskUrl, type Config } from '../../workers/config.ts';
import { isTrusted } from '../../workers/in-clear.ts';
import { EmbeddedPostgresError } from '../../workers/embedded/error.ts';
import { hasEmbeddedData } from '../../workers/embedded/existing.ts';
import { openLog } from '../../workers/log.ts';
import { compileSources, openConfiguredDatabase } from '../../workers/parts.ts';
import { databaseAway } from '../support/database-away.ts';
import { isLoopbackHost } from '../../engine/mail/loopback.ts';
import { judgeClock } from './check-clock.ts';
import { fail, ok, skip, warn, type Finding } from './report.ts';

/** What the database came to. */
export interface DatabaseChecked {
  readonly findings: readonly Finding[];
  /** What runs; null when nothing does, or nobody can tell. */
  readonly release: CompiledRelease | null;
}

const FETCH_MS = 5_000;
const MIGRATE = 'run "perennial migrate"';

/** Opens the database, changes nothing, and looks at its clock and at what is deployed. */
export async function checkDatabase(config: Config): Promise<DatabaseChecked> {
  const { database } = config;
  if (database.kind === 'embedded' && !hasEmbeddedData(database.dir)) {
    return {
      findings: [skip('database', 'no DATABASE_URL: an embedded one is made at the first start')],
      release: null,
    };
  }
  const log = openLog({ level: 'fatal', name: 'doctor' });
  try {
    const opened = await openConfiguredDatabase(config, log, { max: 1, name: 'perennial doctor', readOnly: true });
    try {
      return await lookAround(opened.db, config);
    } finally {
      await opened.close();
    }
  } catch (error) {
    return { findings: [databaseFailure(error)], release: null };
  }
}

async function lookAround(db: Database, config: Config): Promise<DatabaseChecked> {
  await db.query('select 1');
  const before = Date.now();
  const { rows } = await db.query<{ at: number; version: string; queue: boolean }>(
    `select (extract(epoch from clock_timestamp()) * 1000)::float8 as at, current_setting('server_version') as version,
            to_regnamespace('perennial_queue') is not null as queue`,
  );
  const after = Date.now();
  const [{ at, version, queue } = { at: before, version: 'unknown', queue: false }] = rows;
  const { release, finding } = await deployed(db);
  const findings = [
    ok('database', `PostgreSQL ${version}, up to date`),
    judgeClock('clock', "the database's", { at, before, after, exactMs: 0 }),
    finding,
  ];
  if (config.redisUrl !== null) return { findings, release };
  const onPostgres = queue
    ? ok('queue', 'on PostgreSQL')
    : warn('queue', 'the database has no tables for the queue yet', MIGRATE);
  return { findings: [...findings, onPostgres], release };
}

async function deployed(
  db: Database,
): Promise<{ readonly release: CompiledRelease | null; readonly finding: Finding }> {
  try {
    const { release, templates, releaseId } = await openReleaseCache(compileSources).context(db);
    return { release: { release, templates }, finding: ok('release', `${releaseId.slice(0, 12)} runs`) };
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    const judge = error.code === 'no-release' ? warn : fail;
    return {
      release: null,
      finding: judge('release', error.message, 'run "perennial check", then "perennial deploy"'),
    };
  }
}

function databaseFailure(error: unknown): Finding {
  if (error instanceof StoreError && error.code === 'not-migrated') return warn('database', error.message, MIGRATE);
  if (error instanceof NewerDatabaseError || error instanceof EmbeddedPostgresError || error instanceof StoreError) {
    return fail('database', error.message, 'do what is said there');
  }
  const away = databaseAway(error);
  if (away === null) throw error;
  return fail('database', away, 'mend DATABASE_URL, or start the server');
}

/** The Redis of the queue; null where the queue is on PostgreSQL. */
export async function checkQueue({ redisUrl, trustedHosts }: Config): Promise<Finding | null> {
  if (redisUrl === null) return null;
  try {
    await checkRedis(redisUrl, (host) => isTrusted(host, trustedHosts));
    return ok('queue', describeRedis(parseRedisUrl(redisUrl)));
  } catch (error) {
    if (error instanceof QueueUnsuitable) return fail('queue', error.message, 'do what is said there');
    if (!(error instanceof QueueUnavailable)) throw error;
    return warn('queue', error.message, 'start it: until then work goes on, some seconds later');
  }
}

/** Whether the public server answers at the address that stands in mails. */
export async function checkPublicUrl({ publicUrl, database }: Config): Promise<Finding> {
  const check = 'public url';
  if (publicUrl === null) {
    const todo = 'set it to the https address under which readers reach the role "public"';
    return warn(check, 'PERENNIAL_PUBLIC_URL is not set: mails can have no links to this engine', todo);
  }
  const { protocol, hostname } = new URL(publicUrl);
  const isLocal = isLoopbackHost(hostname);
  try {
    // There whatever else the server has: it takes POST only, and says so in its own words.
    const response = await fetch(`${publicUrl}/v1/track`, {
      redirect: 'manual',
      signal: AbortSignal.timeout(FETCH_MS),
    });
    const text = (await response.text()).slice(0, 1_000);
    if (!/"code":"(?:wrong-method|not-found)"/.test(text)) {
      const todo = 'let the address lead to the role "public", without a redirect';
      return fail(check, `${maskUrl(publicUrl)} answers ${response.status}, and not as this engine does`, todo);
    }
  } catch (error) {
    const cause = isNativeError(error) && isNativeError(error.cause) ? error.cause : error;
    const seen = `${maskUrl(publicUrl)} is not reached from here: ${isNativeError(cause) ? cause.message : String(cause)}`;
    if (isLocal && database.kind === 'embedded') return skip(check, seen, 'run "perennial start"');
    return fail(check, seen, 'start the role "public", and look at the load balancer and the certificate before it');
  }
  if (protocol === 'https:' || isLocal) return ok(check, `${maskUrl(publicUrl)} is reached from here`);
  return fail(
    check,
    `${maskUrl(publicUrl)} is not https`,
    'mail programs unsubscribe by https only: put TLS before it',
  );
}
