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

/**
 * Applies what is missing and returns the names applied.
 * @throws NewerDatabaseError when a newer version migrated it: going back is not possible, so nothing is touched.
 */
export async function migrate(db: Database): Promise<readonly string[]> {
  return db.transaction(async (tx) => {
    await tx.query(`set local lock_timeout = '60s'; set local statement_timeout = 0`);
    await tx.query('select pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
    await tx.query(
      'create table if not exists migrations (name text primary key, applied_at timestamptz not null default now())',
    );
    const { rows } = await tx.query<{ name: string }>('select name from migrations order by name');
    const known = new Set(migrations.map((migration) => migration.name));
    const foreign = rows.find((row) => !known.has(row.name));
    if (foreign !== undefined) throw new NewerDatabaseError(foreign.name);
    const applied = new Set(rows.map((row) => row.name));
    const missing = migrations.filter((migration) => !applied.has(migration.name));
    for (const migration of missing) {
      await tx.query(migration.sql);
      await tx.query('insert into migrations (name) values ($1)', [migration.name]);
    }
    return missing.map((migration) => migration.name);
  });
}

/**
 * Looks whether the database has the present shape, and changes nothing.
 * @throws StoreError `not-migrated`, or NewerDatabaseError.
 */
export async function requireMigrated(db: Queryable): Promise<void> {
  const { rows: tables } = await db.query<{ there: boolean }>(`select to_regclass('migrations') is not null as there`);
  const isThere = tables[0]?.there === true;
  const { rows } = isThere
    ? await db.query<{ name: string }>('select name from migrations order by name')
    : { rows: [] };
  const known = new Set(migrations.map((migration) => migration.name));
  const foreign = rows.find((row) => !known.has(row.name));
  if (foreign !== undefined) throw new NewerDatabaseError(foreign.name);
  if (rows.length === known.size) return;
  throw new StoreError(
    'not-migrated',
    'the database is older than this version of Perennial, or empty: run "perennial migrate", then try again',
  );
}
