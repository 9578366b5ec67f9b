/** Redis is emptied, goes away, hangs, and comes back with a memory of two seconds ago. */
import { readdir, stat, truncate } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { queuePrefixOf } from '../../../workers/parts.ts';
import type { TestRedis } from '../../support/redis.ts';
import { endure, onGround, untilServed, type AtWork } from '../ground.ts';
import { COUNTER, openChaosSite, requiredRedis } from '../runner.ts';
import type { ChaosSite, Scenario } from '../scenario.ts';
import { until } from '../until.ts';

const FLUSHES = { full: 200, short: 10 } as const;
const BETWEEN_FLUSHES_MS = 100;

export const redisFlushed: Scenario = {
  name: 'redis-flush',
  title: 'FLUSHALL under load',
  backends: ['redis'],
  run: async (site, _seed, scale) =>
    onGround(site, async (work) => {
      const client = new Redis(redisOf(site).url);
      for (let flushes = 0; flushes < FLUSHES[scale]; flushes += 1) {
        await client.flushall();
        await sleep(BETWEEN_FLUSHES_MS);
      }
      client.disconnect();
      return { faults: FLUSHES[scale], recoveryMs: await untilHinted(work, redisOf(site)), wrong: [] };
    }),
};

/** How long Redis is away each time, in ms. */
const AWAY_MS = { full: [0, 3_000, 12_000, 25_000, 120_000], short: [0, 3_000, 12_000] } as const;
/** It accepts connections, and says nothing. */
const HANGS_MS = { full: 30_000, short: 10_000 } as const;

export const redisDown: Scenario = {
  name: 'redis-down',
  title: 'Redis away for 0, 3, 12, 25, 120 s, and hanging',
  backends: ['redis'],
  run: async (site, _seed, scale) =>
    onGround(site, async (work) => {
      const redis = redisOf(site);
      const wrong: string[] = [];
      let recoveryMs = 0;
      const lose = async (signal: 'SIGKILL' | 'SIGSTOP', forMs: number): Promise<void> => {
        await redis.kill(signal);
        wrong.push(...(await endure(work, `Redis away (${signal}) for ${forMs / 1_000} s`, forMs)));
        await redis.start();
        recoveryMs = Math.max(recoveryMs, await untilHinted(work, redis));
      };
      for (const forMs of AWAY_MS[scale]) await lose('SIGKILL', forMs);
      await lose('SIGSTOP', HANGS_MS[scale]);
      return { faults: AWAY_MS[scale].length + 1, recoveryMs, wrong };
    }),
};

const CUTS = { full: 5, short: 1 } as const;
/** So much of what was written is lost, and a little that was half written. */
const CUT_MS = 2_000;
const LOOK_EVERY_MS = 50;

export const redisCut: Scenario = {
  name: 'redis-aof',
  title: 'Redis killed, its AOF cut by the last 2 s',
  backends: ['redis'],
  open: async (backend) => {
    const redis = await requiredRedis(['--appendonly', 'yes', '--appendfsync', 'everysec']);
    return openChaosSite(backend, COUNTER, { redis });
  },
  run: async (site, _seed, scale) =>
    onGround(site, async (work) => {
      const redis = redisOf(site);
      let recoveryMs = 0;
      for (let cuts = 0; cuts < CUTS[scale]; cuts += 1) {
        const file = await appendOnlyFile(redis);
        const sizes: number[] = [];
        while (sizes.length * LOOK_EVERY_MS <= CUT_MS) {
          sizes.push((await stat(file)).size);
          await sleep(LOOK_EVERY_MS);
        }
        await redis.kill();
        await truncate(file, Math.max(0, (sizes[0] ?? 0) - 3));
        await redis.start();
        recoveryMs = Math.max(recoveryMs, await untilHinted(work, redis));
      }
      return { faults: CUTS[scale], recoveryMs, wrong: [] };
    }),
};

/** The file that grows: since Redis 7 one of several in a folder, before that one of its own. */
async function appendOnlyFile({ dir }: TestRedis): Promise<string> {
  const names = await readdir(dir, { recursive: true });
  const found = names.filter((name) => /\.incr\.aof$|^appendonly\.aof$/.test(name)).sort();
  const last = found.at(-1);
  if (last === undefined) throw new Error(`no append-only file in ${dir}`);
  return path.join(dir, last);
}

function redisOf({ redis }: ChaosSite): TestRedis {
  if (redis === null) throw new Error('this scenario is about Redis, and the queue is elsewhere');
  return redis;
}

const ENOUGH_JOBS = 3;

/**
 * Waits until jobs of a lane are added to this Redis and taken from it as before, and until an order that comes in then
 * has its first mails; gives how long that took, in ms.
 */
export async function untilHinted(work: AtWork, { url }: Pick<TestRedis, 'url'>): Promise<number> {
  const startedMs = performance.now();
  const client = new Redis(url);
  const counter = `${await queuePrefixOf(work.site.db)}:transactional:id`;
  const added = async (): Promise<number> => Number((await client.get(counter)) ?? 0);
  try {
    const before = await added();
    await until(work, 'jobs are added and taken', async () => {
      const taken = (await added()) - before - (await outstanding(work));
      return taken >= ENOUGH_JOBS;
    });
  } finally {
    client.disconnect();
  }
  await untilServed(work);
  return performance.now() - startedMs;
}

/** Those of which nobody can say count as many. */
async function outstanding({ site }: AtWork): Promise<number> {
  try {
    return await site.queue.outstanding('transactional');
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
