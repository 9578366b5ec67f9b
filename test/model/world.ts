/** The system under test: a real database with the stepped clock, and four workers with connections of their own. */
import { openReleaseCache, type ReleaseCache } from '../../engine/store/context.ts';
import { openDatabase, type Database } from '../../engine/store/database.ts';
import { openHandOver, type HandOver } from '../../engine/store/hand.ts';
import { migrate } from '../../engine/store/migrate.ts';
import { deployRelease, type Deployed } from '../../engine/store/releases.ts';
import type { CompiledRelease } from '../../engine/store/context.ts';
import type { SourceFile } from '../../engine/playbook/problem.ts';
import type { Instant } from '../../engine/time/types.ts';
import { loadSources } from '../../engine/store/releases.ts';
import { rollbackTarget } from '../../engine/store/deployments.ts';
import { testDatabase } from '../support/postgres.ts';
import { compileSources, sourcesOf } from '../support/staff.ts';
import { WATCH } from './invariants.ts';

/** One process of the fleet, as far as the protocol sees it. */
export interface Worker {
  /** Names its sessions in PostgreSQL. */
  readonly name: string;
  readonly db: Database;
  readonly cache: ReleaseCache;
  readonly gate: HandOver;
}

/** The database as people and the scheduler use it, and the workers. */
export interface World {
  readonly db: Database;
  readonly cache: ReleaseCache;
  readonly workers: readonly Worker[];
  /** Empties the database, and deploys `files` at `at`. */
  begin(files: Readonly<Record<string, string>>, at: Instant): Promise<void>;
  deploy(files: Readonly<Record<string, string>>): Promise<Deployed>;
  /** Sets the business clock; `passedMs` of machine time go by, so leases run out as they would. */
  setClock(at: Instant, passedMs: number): Promise<void>;
  /** Makes the release run again that ran before; does nothing when there is none. */
  rollBack(): Promise<void>;
  /** Machine time that has gone by since the last call does not count: leases run out only where a run says so. */
  holdClock(): Promise<void>;
  /** The rows of a statement that belongs to the test. */
  look<T extends Record<string, unknown>>(sql: string, values?: readonly unknown[]): Promise<T[]>;
  /** The rows of a statement, as people ask. */
  rows<T extends Record<string, unknown>>(sql: string, values?: readonly unknown[]): Promise<T[]>;
  close(): Promise<void>;
}

const WORKERS = 4;

/** All that a run writes, the referring tables first. Deleting is quicker than `truncate` where there is little. */
const EMPTY = [
  'model_broken',
  'consents',
  'refusals',
  'tasks',
  'webhook_calls',
  'coupon_codes',
  'sends',
  'journal',
  'timers',
  'run_asked',
  'runs',
  'enrolments',
  'event_stats',
  'event_keys',
  'events',
  'held_events',
  'suppressions',
  'opt_ins',
  'pauses',
  'audit',
  'former_addresses',
  'customers',
  'playbook_versions',
  'playbooks',
  'deployments',
  'release_files',
  'releases',
]
  .map((table) => `delete from ${table}`)
  .join('; ');

/** Opens the world on a database of its own. */
export async function openWorld(): Promise<World> {
  const database = await testDatabase();
  const db = openDatabase(database.url, { max: 8, indexed: true });
  // It reads whole tables, which is right for it and never for the engine.
  const eyes = openDatabase(database.url, { max: 3 });
  await migrate(db);
  await eyes.pool.query(WATCH);
  const compile = compileOnce();
  const workers = Array.from({ length: WORKERS }, (_, number) => openWorker(database.url, number, compile));
  const deploy = async (files: Readonly<Record<string, string>>): Promise<Deployed> =>
    deployRelease(db, compile, sourcesOf(files), { author: 'test', note: null, gitCommit: null });
  const setClock = async (at: Instant, passedMs: number): Promise<void> => {
    await db.query(`update engine set stepped_at = to_timestamp($1::float8 / 1000)`, [at]);
    await db.query(
      `update sends set lease_until = lease_until - $1 * interval '1 millisecond' where lease_until is not null`,
      [passedMs],
    );
  };
  let countedMs = performance.now();
  const rowsOf =
    (from: Database): World['rows'] =>
    async <T extends Record<string, unknown>>(sql: string, values: readonly unknown[] = []) =>
      (await from.query<T>(sql, values)).rows;
  return {
    db,
    cache: openReleaseCache(compile),
    workers,
    deploy,
    setClock,
    begin: async (files, at) => {
      // Several statements in one cannot be prepared, so this goes past the store's own query.
      await db.pool.query(`${EMPTY}; update engine set release_id = null`);
      await setClock(at, 0);
      await deploy(files);
    },
    rollBack: async () => {
      const target = await rollbackTarget(db, null);
      if (target.outcome !== 'found') return;
      const note = { author: 'test', note: null, gitCommit: null, kind: 'rollback' } as const;
      const { outcome } = await deployRelease(db, compile, await loadSources(db, target.releaseId), note);
      if (outcome !== 'deployed') throw new Error(`the rollback was ${outcome}`);
    },
    holdClock: async () => {
      const passedMs = performance.now() - countedMs;
      countedMs += passedMs;
      await eyes.query(
        `update sends set lease_until = lease_until + $1::float8 * interval '1 ms'
         where status in ('claimed', 'handed') and lease_until > clock_timestamp() - interval '1 hour'`,
        [passedMs],
      );
    },
    rows: rowsOf(db),
    look: rowsOf(eyes),
    close: async () => {
      for (const worker of workers) {
        await worker.gate.close();
        await worker.db.close();
      }
      await eyes.close();
      await db.close();
      await database.drop();
    },
  };
}

type Compile = (sources: readonly SourceFile[]) => CompiledRelease;

function openWorker(url: string, number: number, compile: Compile): Worker {
  const name = `worker ${number}`;
  const db = openDatabase(url, { max: 3, name, indexed: true });
  return { name, db, cache: openReleaseCache(compile), gate: openHandOver(db) };
}

/** Compiling is no part of what is tested here, and the same two releases come again and again. */
function compileOnce(): Compile {
  const compiled = new Map<string, CompiledRelease>();
  return (sources) => {
    const key = JSON.stringify(
      [...sources].sort((a, b) => (a.path < b.path ? -1 : 1)).map((one) => [one.path, one.text]),
    );
    const known = compiled.get(key) ?? compileSources(sources);
    compiled.set(key, known);
    return known;
  };
}
