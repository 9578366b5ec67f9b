/** Opens what every process works with: the database (migrated), the queue, the cache of releases. */
import path from 'node:path';
import { checkSources } from '../engine/project/check.ts';
import { QueueUnavailable } from '../engine/queue/error.ts';
import type { HintQueue, QueueLocation } from '../engine/queue/queue.ts';
import { installationOf, openReleaseCache, type CompiledRelease, type ReleaseCache } from '../engine/store/context.ts';
import { openDatabase, type Database } from '../engine/store/database.ts';
import { requireHome, requireNotMoved, type Site } from '../engine/store/home.ts';
import { migrate, requireMigrated } from '../engine/store/migrate.ts';
import type { SigningKey } from '../engine/message/link-token.ts';
import type { AnswerLinks } from '../engine/message/survey.ts';
import type { SourceFile } from '../engine/playbook/problem.ts';
import { closeEach } from './closing.ts';
import type { Config } from './config.ts';
import { openIfEmbedded } from './embedded/existing.ts';
import { siteOf } from './embedded/site.ts';
import { isTrusted } from './in-clear.ts';
import { openMetrics, type Metrics } from './monitoring/metrics.ts';
import { errorFields, type Logger } from './log.ts';
import { openCurrentKey } from './signing-key.ts';

/** The parts of one process. */
export interface Parts {
  readonly config: Config;
  readonly db: Database;
  readonly cache: ReleaseCache;
  readonly queue: HintQueue;
  /** For links in mails; null without a public address. Changes with `key`. */
  readonly links: AnswerLinks | null;
  /** Signs links and return paths; another one a while after `perennial keys rotate`. */
  readonly key: SigningKey;
  /** What this process counts. */
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Closes all of it, last opened first. */
  readonly close: () => Promise<void>;
  /** For a process that ends in the middle of its work: stops what would outlive it, an embedded PostgreSQL. */
  readonly abandon: () => Promise<void>;
}

/** Where the local inbox keeps its mails. */
export function inboxDir(config: Config): string {
  return path.join(config.projectDir, '.perennial', 'inbox');
}

/** Compiles stored sources. @throws Error when they have mistakes: deploying checks, so this is a broken database. */
export function compileSources(sources: readonly SourceFile[]): CompiledRelease {
  const { release, templates, problems } = checkSources(sources, { isDeployed: true });
  if (release !== null) return { release, templates };
  const first = problems.find((problem) => problem.level === 'error');
  throw new Error(
    `the stored release does not compile: ${first === undefined ? 'no reason' : `${first.file}:${first.line}: ${first.message}`}`,
  );
}

/** An opened database, and how to leave it. */
export interface OpenDatabase {
  readonly db: Database;
  /** Of the embedded one; null for a server. */
  readonly site: Site | null;
  readonly close: () => Promise<void>;
  /** See `Parts`. */
  readonly abandon: () => Promise<void>;
}

/** How to open the database. */
export interface OpenOptions {
  readonly max?: number;
  readonly name?: string;
  readonly indexed?: boolean;
  /** True: nothing is written, so a database of another shape is refused instead of migrated. Default false. */
  readonly readOnly?: boolean;
}

/** Opens and migrates the database of the configuration; without one, the embedded PostgreSQL. @throws ProjectError where no company is. */
export async function openConfiguredDatabase(
  config: Config,
  log: Logger,
  options: OpenOptions = {},
): Promise<OpenDatabase> {
  const embedded = await openIfEmbedded(config, log);
  const url = config.database.kind === 'embedded' ? (embedded?.url ?? '') : config.database.url;
  const db = openDatabase(url, options);
  const close = async (): Promise<void> =>
    closeEach(
      [
        { what: 'the connections to the database', close: async () => db.close() },
        ...(embedded === null ? [] : [{ what: 'the embedded PostgreSQL', close: async () => embedded.close() }]),
      ],
      log,
    );
  const abandon = async (): Promise<void> => embedded?.abandon();
  try {
    const site = embedded === null ? null : await siteOf(embedded.dir);
    if (options.readOnly === true) {
      await requireMigrated(db);
      return { db, site, close, abandon };
    }
    const applied = await migrate(db);
    await requireNotMoved(db);
    if (applied.length > 0) log.info({ applied }, 'the database was brought up to date');
    return { db, site, close, abandon };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Opens all parts of a worker process. @throws DatabaseAway where no fleet may start. */
export async function openParts(config: Config, log: Logger): Promise<Parts> {
  const { advance, transactional, bulk } = config.concurrency;
  // Jobs of all lanes, hand-overs, outcomes, the scheduler, the intake and the sweep.
  const max = advance + transactional + bulk + 6;
  const { db, site, close, abandon } = await openConfiguredDatabase(config, log, {
    max,
    name: 'perennial worker',
    indexed: true,
  });
  try {
    await requireHome(db, site);
    const queue = await openConfiguredQueue(config, db, log);
    const key = await openCurrentKey(db, log);
    return {
      config,
      db,
      cache: openReleaseCache(compileSources),
      queue,
      get links() {
        return config.publicUrl === null ? null : { publicUrl: config.publicUrl, key: key.value };
      },
      get key() {
        return key.value;
      },
      metrics: openMetrics(),
      log,
      abandon,
      close: async () =>
        closeEach(
          [
            { what: 'the queue', close: async () => queue.close() },
            { what: 'the look for new signing keys', close: async () => key.stop() },
            { what: 'the database', close },
          ],
          log,
        ),
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openConfiguredQueue(config: Config, db: Database, log: Logger): Promise<HintQueue> {
  // Only here: most commands open the database alone, and BullMQ takes a while to load.
  const { checkRedis, openQueue, prepareQueue } = await import('../engine/queue/queue.ts');
  const backend: QueueLocation =
    config.redisUrl === null
      ? { kind: 'postgres', url: db.url }
      : { kind: 'redis', url: config.redisUrl, isTrusted: (host) => isTrusted(host, config.trustedHosts) };
  if (backend.kind === 'redis') await checkReachable(async () => checkRedis(backend.url, backend.isTrusted), log);
  await prepareQueue(backend);
  return openQueue({ backend, prefix: await queuePrefixOf(db), log });
}

/**
 * What begins the names of a database's queues in Redis: its own name, since a customer's number in one database is
 * somebody else's in another, and several may share a Redis.
 */
export async function queuePrefixOf(db: Database): Promise<string> {
  return `perennial-${await installationOf(db)}`;
}

/** A Redis that is away delays nothing but hints; one that would lose parts of the queue is refused. */
async function checkReachable(check: () => Promise<void>, log: Logger): Promise<void> {
  try {
    await check();
  } catch (error) {
    if (!(error instanceof QueueUnavailable)) throw error;
    log.warn(errorFields(error), 'starting without Redis: sweeps of the database do the work until it is there');
  }
}
