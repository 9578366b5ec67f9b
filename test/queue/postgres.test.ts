import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, expect, it } from '@jest/globals';
import pg from 'pg';
import { LANES } from '../../engine/queue/backend.ts';
import { openQueue, prepareQueue, type QueueLocation } from '../../engine/queue/queue.ts';
import { pino } from 'pino';
import { openDyingWay } from '../support/dying-way.ts';
import { testDatabase } from '../support/postgres.ts';
import { closeAll, hintWhenBack, inbox, open } from './support.ts';

const database = await testDatabase();
const backend: QueueLocation = { kind: 'postgres', url: database.url };
const client = new pg.Client({ connectionString: database.url });
await client.connect();

afterEach(closeAll);
afterAll(async () => {
  await client.end();
  await database.drop();
});

it('says what to do when its tables are missing, and can be prepared by many at once', async () => {
  await expect(openQueue({ backend, log: pino({ level: 'silent' }) })).rejects.toMatchObject({
    code: 'not_prepared',
    message: expect.stringContaining('perennial migrate'),
  });
  await Promise.all([prepareQueue(backend), prepareQueue(backend), prepareQueue(backend)]);
  await prepareQueue(backend);
  const queue = await open(backend);
  expect(await queue.outstanding('advance')).toBe(0);
  const { rows } = await client.query(`select count(*)::int as count from pg_tables where schemaname = 'public'`);
  expect(rows).toEqual([{ count: 0 }]);
});

it('goes on after every one of its sessions was ended, the listening ones included', async () => {
  await prepareQueue(backend);
  const queue = await open(backend);
  const came = inbox();
  queue.work('advance', came.handler, { concurrency: 1 });
  await queue.hint('advance', [1]);
  await came.whenCame(1);
  const ended = await client.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
  );
  expect(ended.rowCount).toBeGreaterThan(1);
  await hintWhenBack(queue, 'advance', [2]);
  await came.whenCame(2);
  expect(came.all).toEqual([[1], [2]]);
});

it('goes on after sessions that ended in the moment in which they began', async () => {
  await prepareQueue(backend);
  const way = await openDyingWay(database.url);
  const queue = await open({ kind: 'postgres', url: way.url });
  const came = inbox();
  queue.work('advance', came.handler, { concurrency: 1 });
  await queue.hint('advance', [1]);
  await came.whenCame(1);
  way.letDie(true);
  // Those that add and take jobs are there already; the one for LISTEN is made anew, and dies each time.
  await client.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'advance'`,
  );
  while (way.deaths() < 3) await sleep(20);
  way.letDie(false);
  await hintWhenBack(queue, 'advance', [3]);
  while (!came.all.flat().includes(3)) await came.whenCame(came.all.length + 1);
  await closeAll();
  way.close();
});

it('keeps the options of the URL beside its own', async () => {
  await prepareQueue(backend);
  const url = new URL(database.url);
  url.searchParams.set('options', '-c work_mem=5MB');
  const queue = await open({ kind: 'postgres', url: url.href });
  const came = inbox();
  queue.work('bulk', came.handler, { concurrency: 1 });
  await queue.hint('bulk', [1]);
  await came.whenCame(1);
  expect(came.all).toEqual([[1]]);
});

it('leaves no connection behind when workers are closed while they are being set up', async () => {
  await prepareQueue(backend);
  for (const afterMs of [0, 1, 2, 4, 8, 16, 32]) {
    const queue = await open(backend);
    const workers = LANES.map((lane) => queue.work(lane, () => Promise.resolve(), { concurrency: 1 }));
    await sleep(afterMs);
    await Promise.all(workers.map((worker) => worker.close()));
    await queue.close();
  }
  // One that was opened behind their backs would come a moment later.
  await sleep(200);
  const { rows } = await client.query(
    `select application_name from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
  );
  expect(rows).toEqual([]);
});
