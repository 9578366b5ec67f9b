import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { isLoopbackHost } from '../../engine/mail/loopback.ts';
import { checkRedis, describeRedis, parseRedisUrl, type QueueLocation } from '../../engine/queue/queue.ts';
import { redisArguments } from '../../engine/queue/redis-place.ts';
import { testSentinels, type TestSentinels } from '../support/sentinels.ts';
import { closeAll, hintWhenBack, inbox, open } from './support.ts';

const NOBODY = { user: null, password: null, sentinelUser: null, sentinelPassword: null, database: 0, tls: false };
const SERVER = {
  kind: 'server',
  hostname: 'q.example',
  user: null,
  password: null,
  database: 0,
  family: 0,
  tls: false,
};

describe('REDIS_URL', () => {
  it.each([
    ['redis://q.example', { ...SERVER, host: 'q.example' }],
    ['rediss://:pw@q.example:6380/2', { ...SERVER, host: 'q.example:6380', password: 'pw', database: 2, tls: true }],
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
    // What the driver would make of them is plain text, another server, or a connection at once.
    ['rediss://:hunter2@q.example?tls=', 'no option "tls"; there are username, password, db, family'],
    ['rediss://:hunter2@q.example?t%6cs=', 'TLS is the scheme rediss://'],
    ['redis://h@127.0.0.1?sentinels=x', 'no option "sentinels"'],
    ['redis://127.0.0.1?path=/tmp/else', 'no option "path"'],
    ['redis://127.0.0.1?lazyConnect=', 'no option "lazyConnect"'],
    ['redis://127.0.0.1/queue', 'a database is a number'],
    ['redis://127.0.0.1?family=5', 'family is 4 or 6'],
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

describe('what the driver is opened with', () => {
  const settings = (url: string): Redis['options'] => {
    const [server, options] = redisArguments(parseRedisUrl(url), { lazyConnect: true }, () => false);
    return new Redis(server, options).options;
  };
  it.each([
    ['redis://q.example', { host: 'q.example', port: 6379, db: 0, password: null }],
    [
      'rediss://app:p%40ss@q.example:6380/3',
      { host: 'q.example', port: 6380, db: 3, username: 'app', password: 'p@ss', tls: {} },
    ],
    ['REDISS://:pw@q.example', { host: 'q.example', password: 'pw', tls: {} }],
    ['rediss://app@q.example?password=pw&password=', { username: 'app', password: 'pw', tls: {} }],
    [
      'rediss://[::1]:6380?username=app&password=pw&db=2&family=6',
      { host: '::1', username: 'app', db: 2, family: 6, tls: {} },
    ],
  ])('%s', (url, expected) => {
    expect(settings(url)).toMatchObject(expected);
  });

  it('a server whose scheme is rediss:// gets no byte in clear', async () => {
    let first: Buffer | null = null;
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', (bytes: Buffer) => {
        first ??= bytes;
        socket.destroy();
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await expect(checkRedis(`REDISS://:hunter2@127.0.0.1:${port}`, isLoopbackHost)).rejects.toMatchObject({
      code: 'queue_unavailable',
    });
    // The first byte of a TLS handshake (RFC 8446 section 5.1).
    expect((first as Buffer | null)?.[0]).toBe(22);
    server.close();
  });
});

const sentinels: TestSentinels | null = await testSentinels();
const withSentinels = sentinels === null ? describe.skip : describe;

withSentinels('a primary that Sentinels look after', () => {
  const backend: QueueLocation = { kind: 'redis', url: sentinels?.url ?? '', isTrusted: isLoopbackHost };
  beforeAll(async () => checkRedis(backend.url, isLoopbackHost));
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
    const queue = await open({ ...backend, url: backend.url.replace(/[^/]+$/, 'nothing') });
    queue.work('bulk', async () => undefined, { concurrency: 1 });
    const failure = { code: 'queue_unavailable' };
    // It waits for an answer until the Sentinels have said that they know of none.
    for (let said = ''; !said.includes('takes no hints');) {
      const refused = await queue.hint('bulk', [1]).catch((error: unknown) => error);
      expect(refused).toMatchObject(failure);
      said = (refused as Error).message;
    }
    await expect(checkRedis(backend.url.replace(/[^/]+$/, 'nothing'), isLoopbackHost)).rejects.toMatchObject(failure);
  });
});

const SECOND_HOST = '127.0.0.2';
const two: TestSentinels | null = await testSentinels(SECOND_HOST);

(two === null ? describe.skip : describe)('a primary on another machine, to be spoken to in clear', () => {
  const url = two?.url ?? '';
  // To this rule the second address is another machine.
  const isTrusted = (host: string): boolean => host === '127.0.0.1';
  afterEach(closeAll);
  afterAll(async () => {
    await two?.stop();
    await sleep(2_500);
  });

  it('is refused at the start, and not connected to after a failover, until it is named as trusted', async () => {
    await checkRedis(url, isTrusted);
    await expect(checkRedis(url, () => false)).rejects.toMatchObject({
      code: 'in_clear',
      message: expect.stringMatching(
        /is now 127\.0\.0\.1, .* no password and no TLS\. Use rediss\+sentinel.*HOSTS=127\.0\.0\.1$/,
      ),
    });
    const hosts: string[] = [];
    const judged = (host: string): boolean => {
      hosts.push(host);
      return isTrusted(host);
    };
    const queue = await open({ kind: 'redis', url, isTrusted: judged });
    const came = inbox();
    queue.work('bulk', came.handler, { concurrency: 1 });
    await queue.hint('bulk', [1]);
    await came.whenCame(1);
    const old = await two?.primary();
    await old?.kill();
    const now = old === undefined ? undefined : await two?.whenReplaced(old);
    const asked = new Redis(now?.port ?? 0, SECOND_HOST);
    // Each of its connections has been told of the new primary more than once, and would have connected to it.
    while (hosts.filter((host) => host === SECOND_HOST).length < 20) await sleep(50);
    await expect(queue.hint('bulk', [2])).rejects.toMatchObject({ code: 'queue_unavailable' });
    const clients = String(await asked.call('CLIENT', 'LIST', 'TYPE', 'normal'))
      .trim()
      .split('\n');
    const own = String(await asked.call('CLIENT', 'ID'));
    const others = clients.filter((line) => line.includes('lib-name=ioredis') && !line.startsWith(`id=${own} `));
    expect(others).toEqual([]);
    await expect(checkRedis(url, isTrusted)).rejects.toMatchObject({ code: 'in_clear' });
    const trusting = await open({ kind: 'redis', url, isTrusted: (host) => isTrusted(host) || host === SECOND_HOST });
    await hintWhenBack(trusting, 'bulk', [3]);
    asked.disconnect();
  }, 60_000);
});
