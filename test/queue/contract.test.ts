import path from 'node:path';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { isLoopbackHost } from '../../engine/mail/loopback.ts';
import { LANES, MAX_CUSTOMERS_PER_HINT, prepareQueue, type QueueLocation } from '../../engine/queue/queue.ts';
import { testDatabase } from '../support/postgres.ts';
import { startProcess } from '../support/process.ts';
import { testRedis } from '../support/redis.ts';
import { closeAll, gate, inbox, open, whenEmpty } from './support.ts';

const redis = await testRedis();
const database = await testDatabase();
const backends: (readonly [string, QueueLocation])[] = [['PostgreSQL', { kind: 'postgres', url: database.url }]];
if (redis !== null) backends.push(['Redis', { kind: 'redis', url: redis.url, isTrusted: isLoopbackHost }]);
for (const [, backend] of backends) await prepareQueue(backend);

afterEach(closeAll);
afterAll(async () => {
  await redis?.stop();
  await database.drop();
});

describe.each(backends)('the queue of hints on %s', (_, backend) => {
  it('brings each hint to one worker of its lane, and keeps nothing of it', async () => {
    const [sender, first, second] = await Promise.all([open(backend), open(backend), open(backend)]);
    const came = inbox();
    const other = inbox();
    for (const queue of [first, second]) queue.work('advance', came.handler, { concurrency: 4 });
    second.work('bulk', other.handler, { concurrency: 1 });
    const hints = Array.from({ length: 40 }, (_, index) => [index, index + 1_000_000_000_000]);
    await Promise.all(hints.map((ids) => sender.hint('advance', ids)));
    await sender.hint('bulk', [7]);
    await Promise.all([came.whenCame(40), other.whenCame(1)]);
    await Promise.all([whenEmpty(sender, 'advance'), whenEmpty(sender, 'bulk')]);
    expect(came.all.toSorted((a, b) => (a[0] ?? 0) - (b[0] ?? 0))).toEqual(hints);
    expect(other.all).toEqual([[7]]);
  });

  it('makes no job of no customers, takes as many as it says, and refuses more', async () => {
    const queue = await open(backend);
    const came = inbox();
    await queue.hint('bulk', []);
    expect(await queue.outstanding('bulk')).toBe(0);
    const most = Array.from({ length: MAX_CUSTOMERS_PER_HINT }, (_, id) => id);
    await expect(queue.hint('bulk', [...most, 1])).rejects.toThrow(RangeError);
    queue.work('bulk', came.handler, { concurrency: 1 });
    await queue.hint('bulk', most);
    await came.whenCame(1);
    expect(came.all).toEqual([most]);
  });

  it('counts what waits and what runs, by lane, and runs as many at a time as it was told', async () => {
    const queue = await open(backend);
    const release = gate();
    const two = gate();
    let running = 0;
    let most = 0;
    for (let id = 1; id <= 5; id++) await queue.hint('transactional', [id]);
    expect(await Promise.all(LANES.map((lane) => queue.outstanding(lane)))).toEqual([0, 5, 0]);
    queue.work(
      'transactional',
      async () => {
        most = Math.max(most, ++running);
        if (running === 2) two.open();
        await release.passed;
        running--;
      },
      { concurrency: 2 },
    );
    await two.passed;
    expect(await queue.outstanding('transactional')).toBe(5);
    release.open();
    await whenEmpty(queue, 'transactional');
    expect(most).toBe(2);
  });

  it('goes on after a handler that throws, tries it no second time, and keeps nothing of it', async () => {
    const queue = await open(backend);
    const came = inbox();
    queue.work(
      'advance',
      async (ids) => {
        await came.handler(ids);
        if (ids[0] === 1) throw new Error('this customer cannot be looked at');
      },
      { concurrency: 1 },
    );
    await queue.hint('advance', [1]);
    await queue.hint('advance', [2]);
    await whenEmpty(queue, 'advance');
    expect(came.all).toEqual([[1], [2]]);
  });

  it('waits for the handlers that run when a worker is closed, and leaves the rest to others', async () => {
    const queue = await open(backend);
    const began = gate();
    const release = gate();
    const order: string[] = [];
    const worker = queue.work(
      'bulk',
      async ([id]) => {
        began.open();
        await release.passed;
        order.push(`handled ${id}`);
      },
      { concurrency: 1 },
    );
    await queue.hint('bulk', [1]);
    await began.passed;
    const closed = worker.close().then(() => order.push('closed'));
    await queue.hint('bulk', [2]);
    release.open();
    await closed;
    expect(order).toEqual(['handled 1', 'closed']);
    expect(await queue.outstanding('bulk')).toBe(1);
    const other = inbox();
    queue.work('bulk', other.handler, { concurrency: 1 });
    await other.whenCame(1);
    expect(other.all).toEqual([[2]]);
  });

  it('forgets the job of a worker that was killed, and runs it no second time', async () => {
    const queue = await open(backend, 500);
    const victim = startProcess(path.join(import.meta.dirname, 'work-process.ts'), [JSON.stringify(backend)]);
    expect(await victim.nextLine()).toBe('working');
    await queue.hint('bulk', [1]);
    expect(await victim.nextLine()).toBe('1');
    expect(await victim.end('SIGKILL')).toBe('SIGKILL');
    const came = inbox();
    queue.work('bulk', came.handler, { concurrency: 1 });
    await whenEmpty(queue, 'bulk');
    await queue.hint('bulk', [2]);
    await came.whenCame(1);
    expect(came.all).toEqual([[2]]);
  });
});
