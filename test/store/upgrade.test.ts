/**
 * A database of an earlier version, with its data, under the present one: brought up to date, everything in it goes on.
 * `databases/NAME.jsonl` holds all rows of a database as the version left it whose last migration was NAME.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { openDatabase, type Database } from '../../engine/store/database.ts';
import { expireLeases } from '../../engine/store/expire.ts';
import { migrate, migrations } from '../../engine/store/migrate.ts';
import { resume } from '../../engine/store/pauses.ts';
import { openReleaseCache } from '../../engine/store/context.ts';
import type { Line } from '../../engine/journey/types.ts';
import { timelineOf } from '../../engine/store/timeline.ts';
import { setSteppedClock } from '../../workers/clock.ts';
import { readConfig } from '../../workers/config.ts';
import { startEngine } from '../../workers/engine.ts';
import { compileSources } from '../../workers/parts.ts';
import { replay } from '../../workers/replay.ts';
import { testDatabase, type TestDatabase } from '../support/postgres.ts';
import { startSink, type Sink } from '../support/smtp-sink.ts';

/** When it was left: a Monday morning, three letters waiting for nine o'clock and one playbook paused. */
const LEFT_AT = Date.parse('2026-11-23T01:47:00Z');
const UNTIL = Date.parse('2026-12-24T00:00:00Z');

let database: TestDatabase;
let db: Database;
let sink: Sink;
beforeEach(async () => {
  database = await testDatabase();
  db = openDatabase(database.url, { max: 2 });
  sink = await startSink();
});
afterEach(async () => {
  await sink.close();
  await db.close();
  await database.drop();
});

it('keeps all of it, and carries on with what was under way', async () => {
  const rows = await restore('0001-initial');
  // Killed for the upgrade: one letter was claimed, and one was with the mail server.
  await db.query(
    `update sends s set status = 'claimed', fence = 1, claimed_at = $1, lease_until = now()
     from customers c where c.id = s.customer_id and c.key = 'ben' and s.template = 'welcome/hello'`,
    [new Date(LEFT_AT).toISOString()],
  );
  await db.query(
    `update sends s set status = 'handed', fence = 1, handed_at = $1, lease_until = now()
     from customers c where c.id = s.customer_id and c.key = 'cleo' and s.template = 'welcome/hello'`,
    [new Date(LEFT_AT).toISOString()],
  );
  expect(await migrate(db)).toEqual(migrations.slice(1).map(({ name }) => name));
  for (const [table, count] of rows) {
    const { rows: found } = await db.query<{ n: number }>(`select count(*) as n from ${table}`);
    expect([table, found[0]?.n]).toEqual([table, count]);
  }
  const before = await timelineOf(db, undefined, 0, LEFT_AT);
  expect(before.map(said)).toEqual([
    '2026-11-23T01:45 ada welcome-series - enrol',
    '2026-11-23T01:45 ben welcome-series - enrol',
    '2026-11-23T01:45 cleo welcome-series - enrol',
    '2026-11-23T01:45 eve welcome-series - enrol',
    '2026-11-23T01:45 ada welcome-series hello email',
    '2026-11-23T01:45 eve welcome-series - exit',
    '2026-11-23T01:45 dan apology - enrol',
    '2026-11-23T01:45 dan apology sorry email',
    '2026-11-23T01:45 dan apology - complete',
    '2026-11-23T01:46 ben apology - enrol',
  ]);

  await setSteppedClock(db, LEFT_AT);
  const resumed = await resume(db, openReleaseCache(compileSources), 'apology', 'test', 'upgraded');
  expect(resumed.outcome).toBe('resumed');
  const config = readConfig(
    {
      DATABASE_URL: database.url,
      PERENNIAL_INBOX_URL: sink.url,
      SMTP_URL: sink.url,
      PERENNIAL_PUBLIC_URL: 'http://127.0.0.1:4500',
    },
    '/',
  );
  const log = pino({ level: 'silent' });
  const engine = await startEngine({ config, log, roles: ['scheduler', 'advance', 'deliver'], followFiles: false });
  try {
    const { parts, fleet } = engine;
    await replay({ parts, fleet, events: [], from: LEFT_AT, until: UNTIL });
  } finally {
    await engine.close();
  }
  expect((await timelineOf(db, undefined, LEFT_AT, UNTIL)).map(said)).toEqual([
    '2026-11-23T01:47 ben apology sorry email',
    '2026-11-23T01:47 ben apology - complete',
    '2026-11-23T01:47 cleo welcome-series hello email',
    '2026-11-23T09:00 ben welcome-series hello email',
    '2026-11-29T20:00 ada welcome-series checking-in email',
    '2026-11-29T20:00 ada welcome-series - complete',
    '2026-11-30T09:00 ben welcome-series checking-in email',
    '2026-11-30T09:00 ben welcome-series - complete',
    '2026-11-30T09:00 cleo welcome-series checking-in email',
    '2026-11-30T09:00 cleo welcome-series - complete',
  ]);
  expect(sink.taken.flatMap(({ to }) => to).sort()).toEqual([
    'ada@example.com',
    ...Array<string>(3).fill('ben@example.com'),
    'cleo@example.com',
  ]);
  // She may have had it before the upgrade, so she did not get it after it.
  const { rows: doubtful } = await db.query(
    `select c.key, s.template from sends s join customers c on c.id = s.customer_id where s.status = 'unknown'`,
  );
  expect(doubtful).toEqual([{ key: 'cleo', template: 'welcome/hello' }]);
});

it('knows of a mail that was noted as accepted before the upgrade that it was sent', async () => {
  await restore('0001-initial');
  await db.query(
    `update sends s set status = 'handed', fence = 1, handed_at = $1, settled_at = $1, lease_until = now()
     from customers c where c.id = s.customer_id and c.key = 'cleo' and s.template = 'welcome/hello'`,
    [new Date(LEFT_AT).toISOString()],
  );
  await migrate(db);
  await setSteppedClock(db, LEFT_AT);
  expect(await expireLeases(db, openReleaseCache(compileSources), 10)).toMatchObject({ unknown: 0 });
  const { rows } = await db.query(`select status, resends from sends where handed_at = $1`, [
    new Date(LEFT_AT).toISOString(),
  ]);
  expect(rows).toEqual([{ status: 'sent', resends: 0 }]);
});

function said({ at, customer, playbook, step, do: what }: Line): string {
  return [new Date(at).toISOString().slice(0, 16), customer, playbook, step ?? '-', what].join(' ');
}

/** Brings the rows back into the shape that their version had. Returns how many rows each table has. */
async function restore(last: string): Promise<ReadonlyMap<string, number>> {
  const file = path.join(import.meta.dirname, 'databases', `${last.slice(0, 4)}.jsonl`);
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
  const rows = lines.map((line) => JSON.parse(line) as { readonly table: string; readonly row: object });
  const applied = migrations.slice(0, migrations.findIndex(({ name }) => name === last) + 1);
  await db.transaction(async (tx) => {
    await tx.query('create table migrations (name text primary key, applied_at timestamptz not null default now())');
    for (const { name, sql } of applied) {
      await tx.query(sql);
      await tx.query('insert into migrations (name) values ($1)', [name]);
    }
    await tx.query('truncate engine');
  });
  await db.query(`create table events_2026_q4 partition of events for values from ('2026-10-01Z') to ('2027-01-01Z')`);
  await db.transaction(async (tx) => {
    // In the order of the alphabet, not of who refers to whom.
    await tx.query('set local session_replication_role = replica');
    for (const { table, row } of rows) {
      const insert = `insert into ${table} overriding system value select * from json_populate_record(null::${table}, $1)`;
      await tx.query(insert, [JSON.stringify(row)]);
    }
    await tx.query(`do $$ declare c record; begin
      for c in select table_name as t, column_name as n from information_schema.columns
        where table_schema = 'public' and is_identity = 'YES' loop
        execute format('select setval(pg_get_serial_sequence(%L, %L), (select coalesce(max(%I), 1) from %I))', c.t, c.n, c.n, c.t);
      end loop; end $$`);
  });
  const counts = new Map<string, number>();
  for (const { table } of rows) counts.set(table, (counts.get(table) ?? 0) + 1);
  return counts;
}
