/**
 * Redis goes away under load, hangs, comes back empty, is emptied: mail goes on, and none is lost, doubled or doubted.
 *
 * PERENNIAL_CHAOS_FULL=1 makes the outage last a minute instead of 20 s.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { queuePrefixOf } from '../../workers/parts.ts';
import { testRedis } from '../support/redis.ts';
import { MAILS_PER_ORDER } from './company.ts';
import type { Fleet } from './fleet.ts';
import { judge } from './judge.ts';
import { openLoad, type Load } from './load.ts';
import { openSite, type Site } from './site.ts';

const FULL = process.env['PERENNIAL_CHAOS_FULL'] === '1';
const WINDOW_MS = 10_000;
const WINDOWS = FULL ? 6 : 2;
/** About 100 mails a second: a small part of what the fleet can do. */
const RATE = { orders: 5, pauseMs: 200, maxBacklog: Number.POSITIVE_INFINITY } as const;
const MAILS = MAILS_PER_ORDER.transactional + MAILS_PER_ORDER.bulk;
const LIMIT_MS = 240_000;
const FLUSHES = 20;

const redis = await testRedis();
const withRedis = redis === null ? describe.skip : describe;

withRedis('a fleet whose Redis fails under load', () => {
  let site: Site;
  let load: Load;
  let fleet: Fleet;

  beforeAll(async () => {
    site = await openSite(redis?.url ?? '');
    load = openLoad(site);
    fleet = site.startFleet(['scheduler', 'advance,deliver', 'advance,deliver']);
    await fleet.whenRunning();
    load.start(RATE);
    await mailsAfter(0);
  }, LIMIT_MS);
  afterAll(async () => {
    await site.close();
    await redis?.stop();
  });

  it(
    'goes on sending while Redis is gone',
    async () => {
      const before = load.customers.length;
      await redis?.kill();
      for (let window = 1; window <= WINDOWS; window += 1) await endureWindow(`gone, ${window} of ${WINDOWS}`);
      // What is due is what came lately, and not what came in all the time.
      expect(await load.backlog()).toBeLessThan(((load.customers.length - before) * MAILS) / 2);
    },
    LIMIT_MS,
  );

  it(
    'goes on sending while Redis hangs',
    async () => {
      await redis?.start();
      await redis?.kill('SIGSTOP');
      await endureWindow('hanging');
      await redis?.start();
    },
    LIMIT_MS,
  );

  it(
    'takes hints again when Redis is back, and loses nothing when it is emptied',
    async () => {
      const client = new Redis(redis?.url ?? '');
      // It came back empty: jobs are counted anew.
      while (Number(await client.get(`${await queuePrefixOf(site.db)}:transactional:id`)) < 10) await sleep(50);
      for (let flushes = 0; flushes < FLUSHES; flushes += 1) {
        await client.flushall();
        await sleep(100);
      }
      client.disconnect();
      await load.stop();
      await load.finish();
      const verdict = await judge(site, load.customers);
      expect(verdict).toMatchObject({
        lost: [],
        copies: [],
        strangers: [],
        stuck: [],
        early: [],
        unknown: 0,
        resent: 0,
      });
      for (const lane of ['advance', 'transactional', 'bulk'] as const) {
        while ((await site.queue.outstanding(lane)) > 0) await sleep(50);
      }
      expect(await fleet.drain()).toEqual([0, 0, 0]);
      expect(fleet.complaints).toEqual([]);
    },
    LIMIT_MS,
  );

  async function arrived(): Promise<number> {
    return (await site.sink.taken()).length;
  }

  async function mailsAfter(count: number): Promise<void> {
    while ((await arrived()) <= count) await sleep(50);
  }

  /** Mails arrive during a window without Redis. */
  async function endureWindow(name: string): Promise<void> {
    const before = { arrived: await arrived(), orders: load.customers.length };
    await sleep(WINDOW_MS);
    const mails = (await arrived()) - before.arrived;
    const orders = load.customers.length - before.orders;
    const due = await load.backlog();
    process.stderr.write(`Redis ${name}: ${orders} orders in ${WINDOW_MS / 1_000} s, ${mails} mails, ${due} due\n`);
    expect(mails).toBeGreaterThan(0);
  }
});
