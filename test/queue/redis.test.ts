import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { isLoopbackHost } from '../../engine/mail/loopback.ts';
import { judgeRedis } from '../../engine/queue/check-redis.ts';
import { checkRedis, type QueueLocation } from '../../engine/queue/queue.ts';
import { testRedis } from '../support/redis.ts';
import { closeAll, gate, hintWhenBack, inbox, open, whenEmpty } from './support.ts';

const redis = await testRedis();
const withRedis = redis === null ? describe.skip : describe;
const unavailable = { code: 'queue_unavailable' };

withRedis('the queue while its Redis is lost', () => {
  const backend: QueueLocation = { kind: 'redis', url: redis?.url ?? '', isTrusted: isLoopbackHost };
  beforeEach(() => redis?.start());
  afterEach(closeAll);
  afterAll(() => redis?.stop());

  it.each(['kill', 'stop'] as const)(
    'refuses hints after a %s, and goes on by itself after the restart',
    async (end) => {
      const queue = await open(backend);
      const came = inbox();
      queue.work('advance', came.handler, { concurrency: 2 });
      await queue.hint('advance', [1]);
      await came.whenCame(1);
      await redis?.[end]();
      await expect(queue.hint('advance', [2])).rejects.toMatchObject(unavailable);
      await expect(queue.outstanding('advance')).rejects.toMatchObject(unavailable);
      await redis?.start();
      await hintWhenBack(queue, 'advance', [3]);
      await came.whenCame(2);
      expect(came.all).toEqual([[1], [3]]);
    },
  );

  it('refuses hints while Redis hangs, and goes on when it answers again', async () => {
    const queue = await open(backend);
    const came = inbox();
    queue.work('advance', came.handler, { concurrency: 1 });
    await queue.hint('advance', [1]);
    await came.whenCame(1);
    await redis?.kill('SIGSTOP');
    await expect(queue.hint('advance', [2])).rejects.toMatchObject(unavailable);
    await redis?.start();
    await hintWhenBack(queue, 'advance', [3]);
    while (came.all.at(-1)?.[0] !== 3) await came.whenCame(came.all.length + 1);
    // The hint that was refused may have got through all the same.
    expect(came.all.filter(([id]) => id !== 2)).toEqual([[1], [3]]);
  });

  it('can be opened and worked on before Redis is there', async () => {
    await redis?.stop();
    const queue = await open(backend);
    const came = inbox();
    queue.work('bulk', came.handler, { concurrency: 1 });
    await expect(queue.hint('bulk', [1])).rejects.toMatchObject(unavailable);
    await redis?.start();
    await hintWhenBack(queue, 'bulk', [2]);
    await came.whenCame(1);
    expect(came.all).toEqual([[2]]);
  });

  it('goes on after everything in Redis was deleted, a running job included', async () => {
    const queue = await open(backend);
    const began = gate();
    const release = gate();
    const came = inbox();
    queue.work(
      'advance',
      async (ids) => {
        began.open();
        await release.passed;
        await came.handler(ids);
      },
      { concurrency: 1 },
    );
    await queue.hint('advance', [1]);
    await queue.hint('advance', [2]);
    await began.passed;
    const client = new Redis(backend.url);
    await client.flushall();
    client.disconnect();
    release.open();
    await queue.hint('advance', [3]);
    await came.whenCame(2);
    await whenEmpty(queue, 'advance');
    expect(came.all).toEqual([[1], [3]]);
  });

  it('closes while Redis is gone, after the handlers that run', async () => {
    const queue = await open(backend);
    const began = gate();
    const release = gate();
    const order: string[] = [];
    queue.work(
      'bulk',
      async () => {
        began.open();
        await release.passed;
        order.push('handled');
      },
      { concurrency: 1 },
    );
    await queue.hint('bulk', [1]);
    await began.passed;
    await redis?.kill();
    const closed = queue.close().then(() => order.push('closed'));
    release.open();
    await closed;
    expect(order).toEqual(['handled', 'closed']);
  });

  it('is checked: one that evicts is refused with the command that mends it', async () => {
    await expect(checkRedis(backend.url, isLoopbackHost)).resolves.toBeUndefined();
    const client = new Redis(backend.url);
    await client.config('SET', 'maxmemory-policy', 'allkeys-lru');
    await expect(checkRedis(backend.url, isLoopbackHost)).rejects.toMatchObject({
      code: 'eviction',
      message: expect.stringMatching(/"allkeys-lru".*CONFIG SET maxmemory-policy noeviction/),
    });
    await client.config('SET', 'maxmemory-policy', 'noeviction');
    client.disconnect();
    await redis?.stop();
    await expect(checkRedis(backend.url, isLoopbackHost)).rejects.toMatchObject(unavailable);
  });
});

it.each([
  ['6.2.0', 'noeviction', null],
  ['7.2.4', 'noeviction', null],
  ['10.0.0', 'noeviction', null],
  ['6.0.16', 'noeviction', 'old_version'],
  ['5.0.14', 'allkeys-lru', 'old_version'],
  ['7.0.0', 'volatile-ttl', 'eviction'],
  [undefined, 'noeviction', 'old_version'],
  ['7.0.0', undefined, 'eviction'],
])('judges Redis %s with %s: %s', (version, policy, code) => {
  const info = new Map<string, string>();
  if (version !== undefined) info.set('redis_version', version);
  if (policy !== undefined) info.set('maxmemory_policy', policy);
  expect(judgeRedis(info, 'cache.example:6379')?.code ?? null).toBe(code);
});
