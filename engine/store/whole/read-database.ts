/** A whole database, read in one snapshot while the fleet works on. */
import type pg from 'pg';
import { copyOut } from './copying.ts';
import {
  FLEETING,
  OWN_TABLES,
  type Contents,
  type ContentsHead,
  type ContentsTail,
  type Sequence,
  type TableShape,
} from './contents.ts';

/**
 * Opens what a connection sees; its transaction must be under way, with one snapshot for all statements, and
 * `prepareReading` must have been called in it. `version` is the program's.
 */
export async function readDatabase(client: pg.Client, version: string): Promise<Contents> {
  const head = await readHead(client, version);
  const rows: Record<string, number> = {};
  return {
    head,
    tables: async function* () {
      for (const shape of head.tables) {
        // A table in partitions is copied by way of a query only.
        const columns = shape.columns.map((column) => `"${column}"`).join(', ');
        const copy = copyOut(client, `copy (select ${columns} from ${shape.name}) to stdout`);
        yield { shape, rows: copy };
        rows[shape.name] = copy.rows;
      }
    },
    // Numbers are given outside of transactions: asked last, each is beyond those of the rows that were read.
    tail: async (): Promise<ContentsTail> => ({ rows, sequences: await readSequences(client) }),
  };
}

/** Whole-table reads take their time, and values are written as any version reads them. */
export async function prepareReading(client: pg.Client): Promise<void> {
  await client.query(
    `set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0;
     set local extra_float_digits = 1; set local client_encoding = 'UTF8'`,
  );
}

async function readHead(client: pg.Client, version: string): Promise<ContentsHead> {
  const { rows } = await client.query<{
    migrations: string[];
    partitions: string[];
    installation: string;
    takenAt: string;
  }>(
    `select array(select name from migrations order by name) as migrations,
       array(select c.relname::text from pg_inherits i join pg_class c on c.oid = i.inhrelid
         where i.inhparent = 'events'::regclass order by 1) as partitions,
       installation, floor(extract(epoch from coalesce(stepped_at, clock_timestamp())) * 1000)::text as "takenAt"
     from engine`,
  );
  const [row] = rows;
  if (row === undefined) throw new Error('the table "engine" has no row: run "perennial migrate"');
  const { migrations, partitions, installation, takenAt } = row;
  const tables = await readTables(client);
  return { version, migrations, installation, takenAt: Number(takenAt), partitions, tables };
}

async function readTables(client: pg.Client): Promise<readonly TableShape[]> {
  const { rows } = await client.query<TableShape & { needs: string[] } & Record<string, unknown>>(
    `select c.relname::text as name,
       array(select a.attname::text from pg_attribute a
         where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' order by a.attnum) as columns,
       array(select distinct k.confrelid::regclass::text from pg_constraint k
         where k.conrelid = c.oid and k.contype = 'f' and k.confrelid <> c.oid) as needs
     from pg_class c
     where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
     order by c.relname`,
  );
  return inOrder(rows.filter(({ name }) => OWN_TABLES.has(name) && !FLEETING.has(name)));
}

/** Those that others refer to first. */
function inOrder(tables: readonly (TableShape & { readonly needs: readonly string[] })[]): readonly TableShape[] {
  const ordered: TableShape[] = [];
  const done = new Set<string>();
  while (ordered.length < tables.length) {
    const next = tables.find(({ name, needs }) => !done.has(name) && needs.every((need) => done.has(need)));
    if (next === undefined) throw new Error('tables refer to each other in a circle: this is a bug');
    done.add(next.name);
    ordered.push({ name: next.name, columns: next.columns });
  }
  return ordered;
}

async function readSequences(client: pg.Client): Promise<readonly Sequence[]> {
  const { rows } = await client.query<{ table: string; column: string; sequence: string }>(
    `select c.relname::text as "table", a.attname::text as "column",
       pg_get_serial_sequence(quote_ident(c.relname), a.attname) as sequence
     from pg_class c join pg_attribute a on a.attrelid = c.oid
     where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
       and a.attidentity <> '' order by 1`,
  );
  const sequences: Sequence[] = [];
  for (const { table, column, sequence } of rows.filter((row) => OWN_TABLES.has(row.table))) {
    const { rows: state } = await client.query<{ last: string; called: boolean }>(
      `select last_value::text as last, is_called as called from ${sequence}`,
    );
    const { last = '1', called = false } = state[0] ?? {};
    sequences.push({ table, column, last, called });
  }
  return sequences;
}
