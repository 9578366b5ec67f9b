/** Processes that have work and do nothing are ended, and no others. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import type { Database } from '../../engine/store/database.ts';
import { openActivity, type Activity, type Watched } from '../../workers/monitoring/activity.ts';
import { openMetrics } from '../../workers/monitoring/metrics.ts';
import { startWatchdog, type Stuck } from '../../workers/monitoring/watchdog.ts';
import { outerEnv } from '../chaos/fleet.ts';
import { testFolder } from '../support/folder.ts';
import { startSink } from '../support/smtp-sink.ts';
import { openStaffed, type Staffed } from '../support/staff.ts';
import { prepareQueue } from '../../engine/queue/queue.ts';
import { MAILS, orders } from './engine.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const LOADER = path.join(ROOT, 'test/support/ts-loader.js');

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly log: readonly string[];
}

/** Runs a process until it ends by itself, or is told to. */
async function runToItsEnd(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  told: Promise<unknown> = new Promise(() => undefined),
): Promise<Ended> {
  const child = spawn(process.execPath, args, {
    env: { ...outerEnv(), ...env },
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  const log: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => log.push(line));
  void told.then(() => child.kill('SIGTERM'));
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { code, signal, log };
}

let staffed: Staffed;
beforeAll(async () => {
  staffed = await openStaffed('2026-03-02T09:00:00Z');
  // These processes work on real time.
  await staffed.db.query('update engine set stepped_at = null');
  await staffed.deploy(MAILS);
  await prepareQueue({ kind: 'postgres', url: staffed.db.url });
});
afterAll(async () => {
  await staffed.close();
});

describe('a real process', () => {
  const work = async (smtpUrl: string, told?: Promise<unknown>): Promise<Ended> =>
    runToItsEnd(
      [
        '--import',
        path.join(ROOT, 'test/chaos/die-with-parent.js'),
        path.join(ROOT, 'bin/perennial.js'),
        'work',
        '--roles',
        'scheduler,advance,deliver',
        '--project',
        await testFolder(),
      ],
      {
        DATABASE_URL: staffed.db.url,
        SMTP_URL: smtpUrl,
        PERENNIAL_PUBLIC_URL: 'https://mail.sample.example',
        PERENNIAL_METRICS_PORT: '0',
        PERENNIAL_WATCHDOG_SECONDS: '2',
        LOG_LEVEL: 'warn',
      },
      told,
    );

  it('that waits for a slow mail server is left alone', async () => {
    const sink = await startSink({ thinkMs: 6_000 });
    await orders(staffed, ['cleo']);
    const sent = async (): Promise<void> => {
      while ((await staffed.rows(`select from sends where status = 'sent'`)).length < 2) await sleep(100);
    };
    expect(await work(sink.url, sent())).toEqual({ code: 0, signal: null, log: [] });
    expect(sink.taken).toHaveLength(2);
    await sink.close();
  }, 60_000);

  it('that gets nowhere is ended, with a line that says why', async () => {
    const sink = await startSink({});
    await orders(staffed, ['ada', 'bob']);
    const ended = await staffed.db.transaction(async (tx) => {
      // What is claimed is asked whether it may go; what the watchdog itself reads does not wait for this.
      await tx.query('lock table suppressions in access exclusive mode');
      return work(sink.url);
    });
    await sink.close();
    expect(ended).toMatchObject({ code: 70, signal: null });
    expect(JSON.parse(ended.log.at(-1) ?? '')).toMatchObject({
      level: 60,
      lane: expect.stringMatching(/^(transactional|bulk)$/),
      how: 'in hand',
      limitMs: 2_000,
      msg: expect.stringContaining('ended by the watchdog'),
    });
    // Nothing was handed over, so nothing is in doubt.
    expect(await staffed.rows(`select status from sends where status in ('handed', 'unknown')`)).toEqual([]);
  }, 60_000);

  it('whose event loop is blocked is killed, with a line that says why', async () => {
    const file = path.join(ROOT, 'test/monitoring/blocked-process.ts');
    const ended = await runToItsEnd(['--import', LOADER, file, '600']);
    expect(ended).toMatchObject({ code: null, signal: 'SIGKILL' });
    expect(JSON.parse(ended.log.at(-1) ?? '')).toMatchObject({
      level: 60,
      process: 'blocked',
      limitMs: 600,
      msg: expect.stringContaining('the event loop has been blocked'),
    });
  }, 30_000);
});

/** So that twelve looks take a moment. */
const LIMIT_MS = 240;
const never = new Promise<never>(() => undefined);

/** A watchdog over an activity of one lane, on the real database. */
async function watch(
  db: Database,
  during: (activity: Activity) => Promise<void>,
  isServersTurn?: (of: Watched) => boolean,
): Promise<readonly Stuck[]> {
  const activity = openActivity(['bulk', 'advance'], isServersTurn);
  const stuck: Stuck[] = [];
  const dog = startWatchdog({
    activity,
    db,
    metrics: openMetrics(),
    log: pino({ level: 'silent' }),
    limitMs: LIMIT_MS,
    leastAsleepMs: 0,
    onStuck: (one) => stuck.push(one),
  });
  await during(activity);
  await dog.stop();
  return stuck;
}

/** Until so many limits have passed, by the watchdog's own way to count: its looks take some time as well. */
async function limits(count: number): Promise<void> {
  await sleep(count * LIMIT_MS * 2);
}

describe('the watchdog', () => {
  const inHand = { lane: 'bulk', how: 'in hand' };

  beforeAll(async () => {
    await staffed.db.query('truncate customers, enrolments, timers, sends restart identity cascade');
  });

  it('ends a job that gets nowhere, but not one whose lane or whose own transactions get further', async () => {
    const { db } = staffed;
    expect(
      await watch(db, async (activity) => {
        void activity.job('bulk', db, async () => never);
        await limits(2);
      }),
    ).toContainEqual(inHand);
    let ending = new AbortController();
    const untilOver = async (step: () => Promise<void> | void): Promise<void> => {
      const { signal } = ending;
      while (!signal.aborted) {
        await step();
        await sleep(LIMIT_MS / 24);
      }
    };
    const lane = await watch(db, async (activity) => {
      void activity.job('bulk', db, async () => never);
      const others = untilOver(() => activity.progress('bulk'));
      await limits(2);
      ending.abort();
      await others;
    });
    ending = new AbortController();
    const own = await watch(db, async (activity) => {
      const job = activity.job('bulk', db, async (counted) =>
        untilOver(async () => void (await counted.transaction(async (tx) => tx.query('select 1')))),
      );
      await limits(2);
      ending.abort();
      await job;
    });
    expect({ lane, own }).toEqual({ lane: [], own: [] });
  }, 30_000);

  it('waits with a lane for the word of a mail server, and with no other', async () => {
    const { db } = staffed;
    const stuck = await watch(
      db,
      async (activity) => {
        for (const lane of ['bulk', 'advance'] as const) void activity.job(lane, db, async () => never);
        await limits(2);
      },
      (of) => of === 'bulk',
    );
    expect(new Set(stuck.map(({ lane }) => lane))).toEqual(new Set(['advance']));
  }, 30_000);

  it('ends a process that leaves due work alone, but not what is paused, held or not due', async () => {
    const { db } = staffed;
    await orders(staffed, ['ada']);
    const age = async (sql: string): Promise<readonly Stuck[]> => {
      await db.query(sql);
      return watch(db, async () => limits(2));
    };
    expect(await age(`update sends set due_at = now() + interval '1 hour'`)).toEqual([]);
    expect(await age(`update sends set due_at = now() - interval '1 hour' where lane = 'bulk'`)).toContainEqual({
      lane: 'bulk',
      how: 'asleep',
    });
    expect(await age(`insert into pauses (scope, at, by, reason) values ('*', now(), 'test', 'test')`)).toEqual([]);
    expect(await age(`delete from pauses; update sends set held_at = now(), held_error = 'test'`)).toEqual([]);
  }, 30_000);

  it('waits while the database does not answer', async () => {
    const { db } = staffed;
    const away: Database = { ...db, query: async () => Promise.reject(new Error('away')) };
    const stuck = await watch(away, async (activity) => {
      void activity.job('bulk', db, async () => never);
      await limits(2);
    });
    expect(stuck).toEqual([]);
  });
});
