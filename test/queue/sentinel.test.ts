import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkRedis, describeRedis, parseRedisUrl, type QueueLocation } from '../../engine/queue/queue.ts';
import { testSentinels, type TestSentinels } from '../support/sentinels.ts';
import { closeAll, hintWhenBack, inbox, open } from './support.ts';

const NOBODY = { user: null, password: null, sentinelUser: null, sentinelPassword: null, database: 0, tls: false };

describe('REDIS_URL', () => {
  it.each([
    ['redis://q.example', { kind: 'server', url: 'redis://q.example', host: 'q.example' }],
    ['rediss://:pw@q.example:6380/2', { kind: 'server', url: 'rediss://:pw@q.example:6380/2', host: 'q.example:6380' }],
    [
      'redis+sentinel://s1.example,s2.example:26380/queue',
      {
        ...NOBODY,
        kind: 'sentinels',
        name: 'queue',
        sentinels: [
          { host: 's1.example', port: 26_379 },
          { host: 's2.example', port: 26_380 },
        ],
      },
    ],
    [
      'rediss+sentinel://app:p%40ss@[::1]:26379/the%20queue/3?sentinel_user=look&sentinel_password=s%26t',
      {
        kind: 'sentinels',
        name: 'the queue',
        sentinels: [{ host: '::1', port: 26_379 }],
        user: 'app',
        password: 'p@ss',
        sentinelUser: 'look',
        sentinelPassword: 's&t',
        database: 3,
        tls: true,
      },
    ],
  ])('%s is read', (text, place) => {
    expect(parseRedisUrl(text)).toEqual(place);
  });

  it.each([
    ['http://q.example', 'expected redis://'],
    ['redis:pw', 'percent-encoded'],
    ['redis+sentinel://s1.example', "NAME is the primary's"],
    ['redis+sentinel://s1.example,/queue', '"" is no host'],
    ['redis+sentinel://s1.example:0/queue', '"s1.example:0" is no host with a port'],
    ['redis+sentinel://s1.example/queue/first', 'NAME is'],
    ['redis+sentinel://s1.example/queue?family=6', 'no option "family"; there are sentinel_user'],
    ['redis+sentinel://:p%ss@s1.example/queue', 'stray %'],
    ['redis+sentinel://:hunter2@s1.example:x/queue', 'is no host'],
  ])('%s is refused: %s', (text, message) => {
    const read = (): unknown => parseRedisUrl(text);
    expect(read).toThrow(expect.objectContaining({ code: 'bad_redis_url', message: expect.stringContaining(message) }));
    expect(read).not.toThrow(/hunter2/);
  });

  it('is shown without its secrets', () => {
    expect(describeRedis(parseRedisUrl('redis+sentinel://u:hunter2@a,b:1/q?sentinel_password=hunter3'))).toBe(
      'Redis "q" by Sentinels at a:26379, b:1',
    );
  });
});

const sentinels: TestSentinels | null = await testSentinels();
const withSentinels = sentinels === null ? describe.skip : describe;

withSentinels('a primary that Sentinels look after', () => {
  const backend: QueueLocation = { kind: 'redis', url: sentinels?.url ?? '' };
  beforeAll(async () => checkRedis(backend.url));
  afterEach(closeAll);
  afterAll(async () => {
    await sentinels?.stop();
    // ioredis keeps a process alive for 2 s for each Sentinel that it has asked and left.
    await sleep(2_500);
  });

  it.each(['SIGKILL', 'SIGSTOP'] as const)('is followed when it is replaced after %s', async (signal) => {
    const queue = await open(backend);
    const came = inbox();
    queue.work('bulk', came.handler, { concurrency: 1 });
    await queue.hint('bulk', [1]);
    await came.whenCame(1);
    const old = await sentinels?.primary();
    await old?.kill(signal);
    if (old !== undefined) await sentinels?.whenReplaced(old);
    await hintWhenBack(queue, 'bulk', [2]);
    while (!came.all.flat().includes(2)) await came.whenCame(came.all.length + 1);
    // The one that comes back is a replica, and nobody's primary.
    await old?.start();
    await hintWhenBack(queue, 'bulk', [3]);
    while (!came.all.flat().includes(3)) await came.whenCame(came.all.length + 1);
  });

  it('that nobody knows is no reason to wait: hints fail at once, workers end', async () => {
    const queue = await open({ kind: 'redis', url: backend.url.replace(/[^/]+$/, 'nothing') });
    queue.work('bulk', async () => undefined, { concurrency: 1 });
    const failure = { code: 'queue_unavailable' };
    // It waits for an answer until the Sentinels have said that they know of none.
    for (let said = ''; !said.includes('takes no hints');) {
      const refused = await queue.hint('bulk', [1]).catch((error: unknown) => error);
      expect(refused).toMatchObject(failure);
      said = (refused as Error).message;
    }
    await expect(checkRedis(backend.url.replace(/[^/]+$/, 'nothing'))).rejects.toMatchObject(failure);
  });
});
