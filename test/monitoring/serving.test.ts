/** What a process tells of itself over HTTP, and what it never tells. */
import { connect, createServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { openDatabase } from '../../engine/store/database.ts';
import type { Engine } from '../../workers/engine.ts';
import { openFleetGauges } from '../../workers/monitoring/fleet-gauges.ts';
import { testDatabase, type TestDatabase } from '../support/postgres.ts';
import { startSink, type Sink } from '../support/smtp-sink.ts';
import { order, samplesOf, scrape, startWatched, untilScrape } from './engine.ts';

let database: TestDatabase;
let sink: Sink;
let engine: Engine & { readonly monitorUrl: string };
/** What the engine logged as an error. */
const errors: string[] = [];

beforeAll(async () => {
  database = await testDatabase();
  // The first conversation breaks after the end of the message: nobody knows whether that mail was taken.
  let broken = false;
  const fault = (stage: string) => {
    if (stage !== 'taken' || broken) return null;
    broken = true;
    return { do: 'reset' } as const;
  };
  sink = await startSink({ fault });
  const log = pino({ level: 'error' }, { write: (line: string) => void errors.push(line) });
  engine = await startWatched({ DATABASE_URL: database.url, SMTP_URL: sink.url }, { log });
}, 60_000);
afterAll(async () => {
  await engine.close();
  await sink.close();
  await database.drop();
});

async function ask(path: string, url = engine.monitorUrl): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${url}${path}`);
  return { status: response.status, body: await response.json() };
}

describe('a process that works', () => {
  it('is alive and ready', async () => {
    expect(await ask('/healthz')).toEqual({ status: 200, body: { status: 'alive' } });
    expect(await ask('/readyz')).toEqual({ status: 200, body: { status: 'ready' } });
    expect((await ask('/')).status).toBe(404);
    expect((await fetch(`${engine.monitorUrl}/metrics`, { method: 'POST' })).status).toBe(405);
  });

  it.each([
    ['//', 404],
    ['//healthz', 404],
    ['//:80', 404],
    ['/\\', 404],
    ['http://[', 404],
    ['*', 404],
    ['http://monitor.internal/healthz?x', 200],
  ])('answers a request for %s with %i, and logs nothing', async (target, status) => {
    // By hand: clients put a target in order before they send it.
    const { hostname, port } = new URL(engine.monitorUrl);
    const socket = connect(Number(port), hostname);
    socket.end(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(await text(socket)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(errors).toEqual([]);
  });

  it('counts what it does, by lane, outcome and whose mailbox it is', async () => {
    await order(engine, 'xenia', 'xenia@gmail.com');
    const sumOf = (samples: ReadonlyMap<string, number>, name: string, part = ''): number =>
      [...samples].reduce(
        (total, [sample, value]) => (sample.startsWith(name) && sample.includes(part) ? total + value : total),
        0,
      );
    const sends = (samples: ReadonlyMap<string, number>, part: string): number =>
      sumOf(samples, 'perennial_sends_total', part);
    await untilScrape(engine.monitorUrl, (now) => sends(now, 'unknown') === 1 && sends(now, 'sent') >= 1);
    await order(engine, 'quentin', 'quentin@sample.example');
    const samples = await untilScrape(engine.monitorUrl, (now) => sends(now, 'mailbox="other"') >= 2);
    const of = (part: string): number => sends(samples, part);
    expect(of('outcome="unknown"')).toBe(1);
    // The one in doubt may be of the lane that sends it again.
    expect(of('mailbox="google"')).toBeGreaterThanOrEqual(2);
    expect(of('mailbox="other"')).toBeGreaterThanOrEqual(2);
    expect(of('provider="smtp"')).toBe(of(''));
    const sum = (name: string): number => sumOf(samples, name);
    expect(sum('perennial_claims_total')).toBeGreaterThanOrEqual(4);
    expect(sum('perennial_hand_overs_total{lane="bulk",result="handed"}')).toBeGreaterThanOrEqual(2);
    expect(sum('perennial_hand_over_seconds_count')).toBe(sum('perennial_hand_overs_total'));
    expect(sum('perennial_jobs_total')).toBeGreaterThanOrEqual(2);
    expect(samples.get('perennial_scheduling')).toBe(1);
    expect(samples.get('perennial_database_up')).toBe(1);
    expect(samples.get('perennial_queue_up')).toBe(1);
    expect(samples.get('process_resident_memory_bytes')).toBeGreaterThan(0);
  });

  it('has no more than a few hundred series, and none of them names anybody', async () => {
    const names = [...(await scrape(engine.monitorUrl)).keys()].filter((name) => name.startsWith('perennial_'));
    expect(names.filter((name) => /xenia|quentin|sample|gmail|news|receipt|@/.test(name))).toEqual([]);
    expect(names.length).toBeLessThan(500);
  });

  it('tells of the fleet what the database knows', async () => {
    const { db } = engine.parts;
    await db.query(`insert into pauses (scope, at, by, reason) values ('*', now(), 'test', 'test')`);
    await order(engine, 'third', 'third@sample.example');
    await db.query(`update customers set held_at = now(), held_error = 'test' where key = 'xenia'`);
    // What was read counts for some seconds: a reader of its own need not wait.
    const registry = new Registry();
    await openFleetGauges(registry, db, engine.parts.queue)();
    const samples = samplesOf(await registry.metrics());
    expect(samples.get('perennial_pauses')).toBe(1);
    expect(samples.get('perennial_held{kind="customer"}')).toBe(1);
    // A mail that waits because of the pause is due, and nothing is late.
    expect(samples.get('perennial_due_lag_seconds{lane="bulk"}')).toBe(0);
    expect(samples.get('perennial_scheduled')).toBe(1);
  });
});

describe('a process that cannot work', () => {
  it('says that it is not ready, and why', async () => {
    const { db } = engine.parts;
    await db.query(`insert into migrations (name) values ('9999-later')`);
    expect(await ask('/readyz')).toMatchObject({
      status: 503,
      body: { status: 'not ready', problems: [{ check: 'database', problem: expect.stringContaining('9999-later') }] },
    });
    expect((await ask('/readyz?exclude=database')).status).toBe(200);
    await db.query(`delete from migrations where name = '9999-later'`);
    expect((await ask('/readyz')).status).toBe(200);
  });

  it('says so when the database and its queue are gone, and forgets what it knew of the fleet', async () => {
    const other = await testDatabase();
    const alone = await startWatched({ DATABASE_URL: other.url, SMTP_URL: sink.url }, { roles: ['advance'] });
    try {
      expect((await ask('/readyz', alone.monitorUrl)).status).toBe(200);
      await other.drop();
      const { status, body } = await ask('/readyz', alone.monitorUrl);
      expect(status).toBe(503);
      const checks = (body as { problems: { check: string; problem: string }[] }).problems;
      expect(checks.map(({ check }) => check)).toEqual(['database', 'queue']);
      expect(JSON.stringify(checks)).not.toContain(new URL(other.url).pathname.slice(1));
      expect((await ask('/healthz', alone.monitorUrl)).status).toBe(200);
      const samples = await scrape(alone.monitorUrl);
      expect(samples.get('perennial_database_up')).toBe(0);
      expect(samples.get('perennial_queue_up')).toBe(0);
      expect([...samples.keys()].filter((name) => name.startsWith('perennial_due_lag'))).toEqual([]);
    } finally {
      await alone.close();
    }
  }, 60_000);

  it('is not ready while it drains', async () => {
    const other = await testDatabase();
    const slow = await startSink({ thinkMs: 700 });
    const draining = await startWatched({ DATABASE_URL: other.url, SMTP_URL: slow.url });
    await order(draining, 'slow', 'slow@sample.example');
    await slow.reached('dot');
    const closed = draining.close();
    expect(await ask('/readyz', draining.monitorUrl)).toMatchObject({
      status: 503,
      body: { problems: [{ check: 'process', problem: expect.stringContaining('draining') }] },
    });
    await closed;
    await expect(fetch(`${draining.monitorUrl}/healthz`)).rejects.toThrow('fetch failed');
    await slow.close();
    await other.drop();
  }, 60_000);
});

describe('its port', () => {
  it('is refused when it was named and is taken, with the setting to change', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const start = startWatched(
      { DATABASE_URL: database.url, PERENNIAL_METRICS_PORT: String(port) },
      { roles: ['advance'] },
    );
    await expect(start).rejects.toThrow(`PERENNIAL_METRICS_PORT: another program listens on port ${port}`);
    taken.close();
  });

  it('is any free one for further processes of a machine', async () => {
    const env = { DATABASE_URL: database.url, PERENNIAL_METRICS_PORT: '' };
    const both = [await startWatched(env, { roles: ['advance'] }), await startWatched(env, { roles: ['advance'] })];
    const statuses = await Promise.all(both.map(async ({ monitorUrl }) => (await ask('/healthz', monitorUrl)).status));
    expect(statuses).toEqual([200, 200]);
    expect(new Set(both.map(({ monitorUrl }) => monitorUrl)).size).toBe(2);
    await Promise.all(both.map(async (one) => one.close()));
  });
});

it('keeps a connection of its own, so that it answers while all others are busy', async () => {
  const { db } = engine.parts;
  const held = await Promise.all(Array.from({ length: db.pool.options.max }, async () => db.pool.connect()));
  try {
    expect((await ask('/readyz?exclude=queue')).status).toBe(200);
  } finally {
    for (const client of held) client.release();
  }
  const admin = openDatabase(database.url, { max: 1 });
  const { rows } = await admin.query<{ n: number }>(
    `select count(*) as n from pg_stat_activity where application_name = 'perennial monitor' and datname = current_database()`,
  );
  expect(rows[0]?.n).toBe(1);
  await admin.close();
});
