/** Brings a database to the present shape: forward only, each migration in one transaction, one process at a time. */
import type { Database, Queryable } from './database.ts';
import { StoreError } from './errors.ts';
import { initial } from './migrations/0001-initial.ts';
import { identified } from './migrations/0002-identified.ts';
import { deployments } from './migrations/0003-deployments.ts';
import { effects } from './migrations/0004-effects.ts';
import { refusals } from './migrations/0005-refusals.ts';
import { feedback } from './migrations/0006-feedback.ts';
import { consents } from './migrations/0007-consents.ts';
import { erasures } from './migrations/0008-erasures.ts';
import { pace } from './migrations/0009-pace.ts';
import { providerFeedback } from './migrations/0010-provider-feedback.ts';
import { reactions } from './migrations/0010-reactions.ts';
import { ways } from './migrations/0011-ways.ts';
import { eventPartitions } from './migrations/0013-event-partitions.ts';
import { whereabouts } from './migrations/0014-whereabouts.ts';
import { accepted } from './migrations/0015-accepted.ts';

/** One step forward. Never changed once released. */
export interface Migration {
  readonly name: string;
  readonly sql: string;
}

/** All migrations, in order. */
export const migrations: readonly Migration[] = [
  initial,
  identified,
  deployments,
  effects,
  refusals,
  feedback,
  consents,
  erasures,
  pace,
  providerFeedback,
  reactions,
  ways,
  eventPartitions,
  whereabouts,
  accepted,
];

/** The database was migrated by a newer version of Perennial. The message says what to do. */
export class NewerDatabaseError extends Error {
  override readonly name = 'NewerDatabaseError';
  readonly code = 'newer-database';

  /** `migration` is the name of one that this version does not know. */
  constructor(migration: string) {
    super(
      `the database has the migration "${migration}", which this version of Perennial does not know: ` +
        'it was made by a newer version; run that version, or restore a backup from before the upgrade',
    );
  }
}

/** Any fixed number: names the lock that keeps two processes from migrating at once. */
const MIGRATION_LOCK = 7_318_204_551;

/** What PostgreSQL answers who may not do something. */
const INSUFFICIENT_PRIVILEGE = '42501';

/**
 * Applies what is missing and returns the names applied. Where nothing is, it only reads: the role that runs the fleet
 * need not be allowed to make tables (docs/operations.md, "Two roles").
 * @throws NewerDatabaseError when a newer version migrated it: going back is not possible, so nothing is touched.
 * @throws StoreError `not-migrated` when something is missing and this role may not add it.
 */
export async function migrate(db: Database): Promise<readonly string[]> {
  if (missingOf(await appliedIn(db)).length === 0) return [];
  try {
    return await applyMissing(db);
  } catch (error) {
    if (!isRefused(error)) throw error;
    const message =
      'the database is older than this version of Perennial, or empty, and this role may not change its tables: ' +
      'run "perennial migrate" as the role that owns them, then try again';
    throw new StoreError('not-migrated', message, { cause: error });
  }
}

async function applyMissing(db: Database): Promise<readonly string[]> {
  return db.transaction(async (tx) => {
    await tx.query(`set local lock_timeout = '60s'; set local statement_timeout = 0`);
    return applyMigrations(tx, migrations);
  });
}

/** The names of the migrations that a database has had; none in an empty one. */
async function appliedIn(db: Queryable): Promise<readonly string[]> {
  const { rows: tables } = await db.query<{ there: boolean }>(`select to_regclass('migrations') is not null as there`);
  if (tables[0]?.there !== true) return [];
  const { rows } = await db.query<{ name: string }>('select name from migrations order by name');
  return rows.map(({ name }) => name);
}

/** @throws NewerDatabaseError for one that is not known here. */
function missingOf(applied: readonly string[], wanted = migrations): readonly Migration[] {
  const known = new Set(migrations.map(({ name }) => name));
  const foreign = applied.find((name) => !known.has(name));
  if (foreign !== undefined) throw new NewerDatabaseError(foreign);
  return wanted.filter(({ name }) => !applied.includes(name));
}

function isRefused(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === INSUFFICIENT_PRIVILEGE;
}

/**
 * Applies what is missing of these migrations, within the caller's transaction, and returns the names applied.
 * @throws NewerDatabaseError when the database has one that this version does not know.
 */
export async function applyMigrations(tx: Queryable, wanted: readonly Migration[]): Promise<readonly string[]> {
  await tx.query('select pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
  await tx.query(
    'create table if not exists migrations (name text primary key, applied_at timestamptz not null default now())',
  );
  const missing = missingOf(await appliedIn(tx), wanted);
  for (const migration of missing) {
    await tx.query(migration.sql);
    await tx.query('insert into migrations (name) values ($1)', [migration.name]);
  }
  return missing.map((migration) => migration.name);
}

/**
 * Looks whether the database has the present shape, and changes nothing.
 * @throws StoreError `not-migrated`, or NewerDatabaseError.
 */
export async function requireMigrated(db: Queryable): Promise<void> {
  if (missingOf(await appliedIn(db)).length === 0) return;
  throw new StoreError(
    'not-migrated',
    'the database is older than this version of Perennial, or empty: run "perennial migrate", then try again',
  );
}
