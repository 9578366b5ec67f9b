/** Fills an empty database with a whole one, in one transaction: it is there with every row, or it is not there. */
import { isNativeError } from 'node:util/types';
import type pg from 'pg';
import type { Queryable } from '../database.ts';
import { applyMigrations, migrations, NewerDatabaseError } from '../migrate.ts';
import { copyIn } from './copying.ts';
import { createPartition } from './partition.ts';
import {
  isPlainName,
  OWN_FUNCTIONS,
  OWN_TABLES,
  type Contents,
  type ContentsHead,
  type ContentsTail,
} from './contents.ts';

/** What was to be filled or what it was to be filled with cannot be used. The message says what to do. */
export class FillError extends Error {
  override readonly name = 'FillError';
  readonly code: 'not-empty' | 'damaged';

  constructor(code: 'not-empty' | 'damaged', message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Fills the database of a connection within the transaction that is under way, and brings it up to date. `onTable` is told of each
 * table with its rows. @throws FillError, NewerDatabaseError; then the caller rolls back.
 */
export async function fillDatabase(
  client: pg.Client,
  contents: Contents,
  onTable: (name: string, rows: number) => void = () => undefined,
): Promise<ContentsTail> {
  const db = asQueryable(client);
  await db.query(
    `set local lock_timeout = '60s'; set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0;
     set local client_encoding = 'UTF8'`,
  );
  await makeShape(db, contents.head);
  const filled: Record<string, number> = {};
  for await (const { shape, rows } of contents.tables()) {
    const columns = shape.columns.map((column) => `"${column}"`).join(', ');
    filled[shape.name] = await copyIn(client, `copy ${shape.name} (${columns}) from stdin`, rows).catch(
      (error: unknown) => {
        throw asDamage(error, shape.name);
      },
    );
    onTable(shape.name, filled[shape.name] ?? 0);
  }
  const tail = await contents.tail();
  for (const [name, count] of Object.entries(tail.rows)) {
    if (filled[name] !== count) {
      throw new FillError(
        'damaged',
        `of the table "${name}" ${filled[name] ?? 0} of ${count} rows are there: it is not whole`,
      );
    }
  }
  for (const { table, column, last, called } of tail.sequences) {
    await db.query('select setval(pg_get_serial_sequence($1, $2), $3::bigint, $4)', [table, column, last, called]);
  }
  await applyMigrations(db, migrations);
  await analyse(db, contents.head);
  return tail;
}

/** Values and references that were right where they were taken are wrong only when they were changed since. */
function asDamage(error: unknown, table: string): unknown {
  if (!isNativeError(error) || !('code' in error) || !/^2[23]/.test(String(error.code))) return error;
  return new FillError('damaged', `rows of the table "${table}" are not as they were written (${error.message})`);
}

/** Tables as they were when the rows were taken, empty. */
async function makeShape(db: Queryable, head: ContentsHead): Promise<void> {
  const known = new Map(migrations.map((migration) => [migration.name, migration]));
  const shape = head.migrations.map((name) => {
    const migration = known.get(name);
    if (migration === undefined) throw new NewerDatabaseError(name);
    return migration;
  });
  const wrong = head.tables.find(({ name, columns }) => !OWN_TABLES.has(name) || !columns.every(isPlainName));
  if (wrong !== undefined) throw new FillError('damaged', `there is no table "${wrong.name}" with such columns`);
  await removeEmpty(db);
  await applyMigrations(db, shape);
  for (const name of head.partitions) {
    if (!(await createPartition(db, name))) throw new FillError('damaged', `"${name}" is no partition of events`);
  }
  // Migrations put rows of their own into these.
  await db.query(`truncate ${head.tables.map(({ name }) => name).join(', ')}`);
}

/** A database that a command made on its way, and in which nothing is. */
async function removeEmpty(db: Queryable): Promise<void> {
  const { rows } = await db.query<{ name: string }>(
    `select relname::text as name from pg_class
     where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p') and not relispartition`,
  );
  const there = rows.map(({ name }) => name).filter((name) => OWN_TABLES.has(name) || name === 'migrations');
  if (there.length === 0) return;
  const asked = ['releases', 'customers', 'events', 'audit', 'imports', 'erasures', 'suppressions'];
  for (const name of asked.filter((table) => there.includes(table))) {
    const { rowCount } = await db.query(`select from ${name} limit 1`);
    if (rowCount !== 0) {
      throw new FillError(
        'not-empty',
        `the database has data of Perennial already (in the table "${name}"): only an empty one can be filled, nothing is ever overwritten`,
      );
    }
  }
  await db.query(`drop table ${there.join(', ')}`);
  const { rows: functions } = await db.query<{ signature: string }>(
    `select oid::regprocedure::text as signature from pg_proc
     where pronamespace = current_schema()::regnamespace and proname = any($1)`,
    [[...OWN_FUNCTIONS]],
  );
  for (const { signature } of functions) await db.query(`drop function ${signature}`);
}

/** Without statistics, the first plans would be made for empty tables. */
async function analyse(db: Queryable, head: ContentsHead): Promise<void> {
  await db.query(`analyze ${head.tables.map(({ name }) => name).join(', ')}`);
}

/** A connection as the rest of the store asks it. */
export function asQueryable(client: pg.Client): Queryable {
  return {
    query: async (text, values) => (values === undefined ? client.query(text) : client.query(text, [...values])),
  };
}
