import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { openIntake } from '../../engine/ingest/http/intake.ts';
import { openReleaseCache } from '../../engine/store/context.ts';
import { openDatabase } from '../../engine/store/database.ts';
import type { Due } from '../../workers/hints.ts';
import { startPublic, type PublicServer } from '../../workers/public.ts';
import { writeKeyOf } from '../../workers/write-key.ts';
import { compileSources, openStaffed, type Staffed } from '../support/staff.ts';
import { FILES } from './support.ts';

const KEY = 'a-key-for-tests-only';
const NOW = '2026-03-01T12:00:00.000Z';
const CONFIG = {
  publicHost: '127.0.0.1',
  publicPort: 0,
  writeKey: KEY,
  database: { kind: 'external', url: 'postgres://unused.example/x' },
} as const;

interface Reply {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Headers;
}

let staffed: Staffed;
let server: PublicServer;
let hinted: Due[] = [];

beforeAll(async () => {
  staffed = await openStaffed('2026-02-01T00:00:00Z');
  await staffed.deploy(FILES);
  const hints = {
    send: async (due: Due) => {
      hinted.push(due);
      return Promise.resolve(true);
    },
  };
  server = await startPublic({
    db: staffed.db,
    cache: staffed.cache,
    hints,
    config: CONFIG,
    log: pino({ level: 'silent' }),
  });
});
afterAll(async () => {
  await server.close();
  await staffed.close();
});
beforeEach(async () => {
  await staffed.db.query('truncate customers, event_keys, events, sends, enrolments, timers cascade');
  await staffed.at(NOW);
  hinted = [];
});

async function post(where: string, body: unknown, headers: Record<string, string> = {}): Promise<Reply> {
  const response = await fetch(`${server.url}${where}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Basic ${Buffer.from(`${KEY}:`).toString('base64')}`,
      ...headers,
    },
    body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
  });
  return { status: response.status, body: await response.json(), headers: response.headers };
}

const order = (customer: string, id: string, fields: object = {}): object => ({
  type: 'track',
  userId: customer,
  event: 'order.placed',
  messageId: id,
  properties: { total: 42 },
  ...fields,
});

describe('what is taken', () => {
  it('stores a profile, then changes it', async () => {
    const traits = { email: 'ada@example.com', firstName: 'Ada', plan: 'gold', nickname: 'A' };
    const first = await post('/v1/identify', { userId: 'ada', traits });
    expect(first).toMatchObject({ status: 200, body: { ok: true, id: 'ada' } });
    expect(first.body).toHaveProperty('ignored', [
      { name: 'nickname', because: 'not declared in perennial.yaml', nearest: null },
    ]);
    await post('/v1/identify', { userId: 'ada', traits: { plan: null, score: 3 } });
    const rows = await staffed.rows('select key, email, address, first_name, attributes from customers');
    expect(rows).toEqual([
      {
        key: 'ada',
        email: 'ada@example.com',
        address: 'ada@example.com',
        first_name: 'Ada',
        attributes: { plan: null, score: 3 },
      },
    ]);
  });

  it('has committed when it answers, starts the playbook, and hints that mail is due', async () => {
    await post('/v1/identify', { userId: 'ada', traits: { email: 'ada@example.com' } });
    const reply = await post('/v1/track', order('ada', 'm1'));
    expect(reply).toMatchObject({ status: 200, body: { ok: true, id: 'm1' } });
    // Another connection sees it at once.
    const other = openDatabase(staffed.db.url, { max: 1 });
    const { rows } = await other.query(
      'select c.id, c.orders, s.status from customers c join sends s on s.customer_id = c.id',
    );
    await other.close();
    expect(rows).toEqual([{ id: expect.any(Number), orders: 1, status: 'planned' }]);
    expect(hinted.flatMap((due) => due.bulk ?? [])).toEqual([rows[0]?.['id']]);
  });

  it('counts an event once, says so, and makes an id where there is none', async () => {
    expect((await post('/v1/track', order('bob', 'm2'))).body).toEqual({ ok: true, id: 'm2' });
    expect((await post('/v1/track', order('bob', 'm2'))).body).toEqual({ ok: true, id: 'm2', duplicate: true });
    const made = (await post('/v1/track', { userId: 'bob', event: 'order.placed' })).body;
    expect(made).toEqual({ ok: true, id: expect.stringMatching(/^[0-9a-f-]{36}$/) });
    expect(await staffed.rows('select orders from customers')).toEqual([{ orders: 2 }]);
  });

  it('says when an event is not declared', async () => {
    const { body } = await post('/v1/track', order('ada', 'm3', { event: 'order.plased' }));
    expect(body).toEqual({ ok: true, id: 'm3', undeclared: { event: 'order.plased', nearest: 'order.placed' } });
  });

  it('takes the key as a bearer token', async () => {
    expect(await post('/v1/track', order('ada', 'm4'), { authorization: `Bearer ${KEY}` })).toMatchObject({
      status: 200,
    });
  });

  it('keeps the order of a batch, and takes its good calls when others are bad', async () => {
    const batch = [
      { type: 'identify', userId: 'cy', traits: { plan: 'silver' } },
      { type: 'identify', userId: 'cy', traits: { plan: 'gold' } },
      order('cy', 'b1'),
      order('cy', 'b1'),
      order('cy', 'b2', { properties: { total: 'many' } }),
      { type: 'page', userId: 'cy' },
      order('cy', 'b3', { timestamp: '2027-01-01T00:00:00Z' }),
      order('cy', 'b4', { properties: { text: 'x'.repeat(40_000) } }),
    ];
    const { status, body } = await post('/v1/batch', { batch });
    expect(status).toBe(400);
    expect(body).toMatchObject({
      error: {
        code: 'wrong-type',
        path: 'batch[4].properties.total',
        message: expect.stringContaining('4 of 8 calls'),
      },
      results: [
        { ok: true, id: 'cy' },
        { ok: true, id: 'cy' },
        { ok: true, id: 'b1' },
        { ok: true, id: 'b1', duplicate: true },
        { error: { code: 'wrong-type', path: 'batch[4].properties.total' } },
        { error: { code: 'invalid', path: 'batch[5].type' } },
        { error: { code: 'future', path: 'batch[6]' } },
        { error: { code: 'too-large', path: 'batch[7]' } },
      ],
    });
    expect(await staffed.rows('select orders, attributes from customers')).toEqual([
      { orders: 1, attributes: { plan: 'gold' } },
    ]);
  });

  it('takes 1,000 calls in one batch', async () => {
    const batch = Array.from({ length: 1_000 }, (_, index) => order(`c${index % 10}`, `k${index}`));
    expect(await post('/v1/batch', { batch })).toMatchObject({ status: 200, body: { ok: true } });
    expect(await staffed.rows('select sum(orders)::int as orders, count(*)::int as n from customers')).toEqual([
      { orders: 1_000, n: 10 },
    ]);
  });

  it('takes many senders at once, and each event once', async () => {
    const replies = await Promise.all(
      Array.from({ length: 200 }, async (_, index) => post('/v1/track', order(`c${index % 7}`, `e${index % 150}`))),
    );
    expect(replies.every(({ status }) => status === 200)).toBe(true);
    const duplicates = replies.filter(({ body }) => (body as { duplicate?: boolean }).duplicate === true);
    expect(duplicates).toHaveLength(50);
    expect(await staffed.rows('select count(*)::int as n, count(distinct key)::int as keys from events')).toEqual([
      { n: 150, keys: 150 },
    ]);
  });

  it('lets calls that wait for a transaction share the next one, a lone call wait for nobody', async () => {
    const intake = openIntake({ db: staffed.db, cache: staffed.cache, newId: () => 'new', onDue: () => undefined });
    const takes = Array.from({ length: 120 }, async (_, index) => {
      const [taken] = await intake.take([{ type: 'track', body: order('ada', `s${index}`) }]);
      return taken;
    });
    expect(await Promise.all(takes)).toHaveLength(120);
    await intake.idle();
    // The first alone, then 50, 50 and 19.
    const groups = await staffed.rows('select count(*)::int as n from events group by xmin::text order by min(id)');
    expect(groups.map(({ n }) => n)).toEqual([1, 50, 50, 19]);
  });
});

describe('what is refused', () => {
  const whole = { userId: 'ada', event: 'order.placed' };
  it.each<[string, string, unknown, Record<string, string>, number, object]>([
    ['no key', '/v1/track', whole, { authorization: '' }, 401, { code: 'wrong-key' }],
    ['a wrong key', '/v1/track', whole, { authorization: 'Bearer wrong' }, 401, { code: 'wrong-key' }],
    [
      'the key as a password',
      '/v1/track',
      whole,
      { authorization: `Basic ${Buffer.from(`:${KEY}`).toString('base64')}` },
      401,
      { code: 'wrong-key' },
    ],
    ['a key with more behind it', '/v1/track', whole, { authorization: `Bearer ${KEY}x` }, 401, { code: 'wrong-key' }],
    ['text that is no JSON', '/v1/track', '{"userId": ', {}, 400, { code: 'not-json' }],
    ['an empty body', '/v1/track', '', {}, 400, { code: 'not-json' }],
    ['a body that is not UTF-8', '/v1/track', new Uint8Array([0x22, 0xe9, 0x22]), {}, 400, { code: 'not-json' }],
    ['a list', '/v1/track', [whole], {}, 400, { code: 'wrong-type' }],
    [
      'a form',
      '/v1/track',
      'userId=ada',
      { 'content-type': 'application/x-www-form-urlencoded' },
      415,
      { code: 'wrong-content-type' },
    ],
    ['a compressed body', '/v1/track', whole, { 'content-encoding': 'gzip' }, 415, { code: 'wrong-content-encoding' }],
    [
      'a call that is too large',
      '/v1/track',
      { ...whole, properties: { x: 'x'.repeat(33_000) } },
      {},
      413,
      { code: 'too-large' },
    ],
    [
      'a wrong type',
      '/v1/track',
      { ...whole, properties: { total: '4' } },
      {},
      400,
      { code: 'wrong-type', path: 'properties.total', expected: 'a number' },
    ],
    [
      'a bad address',
      '/v1/identify',
      { userId: 'ada', traits: { email: 'x' } },
      {},
      400,
      { code: 'invalid', path: 'traits.email' },
    ],
    ['__proto__', '/v1/identify', '{"userId":"ada","traits":{"__proto__":{}}}', {}, 400, { code: 'forbidden-key' }],
    ['an event of tomorrow', '/v1/track', { ...whole, timestamp: '2026-03-02T12:00:00Z' }, {}, 400, { code: 'future' }],
    ['a batch that is none', '/v1/batch', whole, {}, 400, { code: 'missing' }],
    ['an empty batch', '/v1/batch', { batch: [] }, {}, 400, { code: 'missing' }],
    ['1,001 calls', '/v1/batch', { batch: Array.from({ length: 1_001 }, () => 1) }, {}, 413, { code: 'too-large' }],
    ['a batch of more than 500 KB', '/v1/batch', { batch: ['x'.repeat(520_000)] }, {}, 413, { code: 'too-large' }],
    [
      'lists in lists without end',
      '/v1/batch',
      `{"batch":[${'['.repeat(200_000)}${']'.repeat(200_000)}]}`,
      {},
      400,
      { code: 'too-deep' },
    ],
    ['another address', '/v1/page', whole, {}, 404, { code: 'not-found' }],
  ])('refuses %s', async (_, where, body, headers, status, error) => {
    const reply = await post(where, body, headers);
    expect(reply).toMatchObject({ status, body: { error: { ...error, message: expect.any(String) } } });
    expect(reply.headers.get('set-cookie')).toBeNull();
    expect(reply.headers.get('access-control-allow-origin')).toBeNull();
    expect(await staffed.rows('select 1 as one from customers')).toEqual([]);
  });

  it('says which method an address takes, and has nothing else to show', async () => {
    const read = await fetch(`${server.url}/v1/track`);
    expect([read.status, read.headers.get('allow')]).toEqual([405, 'POST']);
    const root = await fetch(server.url);
    expect([root.status, await root.json()]).toEqual([
      404,
      { error: { code: 'not-found', message: 'there is nothing at /' } },
    ]);
  });

  it('asks for the key in the way of HTTP, before it reads the body', async () => {
    const reply = await post('/v1/track', 'no JSON', { authorization: 'Bearer wrong' });
    expect([reply.status, reply.headers.get('www-authenticate')]).toEqual([
      401,
      'Basic realm="perennial", charset="UTF-8"',
    ]);
  });

  it('says so when nothing can be stored: the database is away, or nothing is deployed', async () => {
    const away = openDatabase('postgres://nobody@127.0.0.1:1/none', { max: 1 });
    const empty = await openStaffed(NOW);
    for (const db of [away, empty.db]) {
      const cache = openReleaseCache(compileSources);
      const broken = await startPublic({
        db,
        cache,
        hints: { send: async () => true },
        config: CONFIG,
        log: pino({ level: 'silent' }),
      });
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${KEY}` };
      const response = await fetch(`${broken.url}/v1/track`, { method: 'POST', headers, body: JSON.stringify(whole) });
      expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5']);
      expect(await response.json()).toMatchObject({ error: { code: 'unavailable' } });
      await broken.close();
    }
    await away.close();
    await empty.close();
  });
});

describe('an intake that gets more than its database can take', () => {
  it('refuses at once what is more than so many calls, with a time to come back, and takes the rest', async () => {
    const db = openDatabase(staffed.db.url, { max: 1 });
    const own = await startPublic({
      db,
      cache: openReleaseCache(compileSources),
      hints: { send: async () => true },
      config: CONFIG,
      log: pino({ level: 'silent' }),
    });
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${KEY}` };
    const send = async (batch: number): Promise<Response> => {
      const calls = Array.from({ length: 100 }, (_, index) => order(`c${index}`, `b${batch}-${index}`));
      const body = JSON.stringify({ batch: calls });
      return fetch(`${own.url}/v1/batch`, { method: 'POST', headers, body });
    };
    // Its only connection is taken, so everything waits.
    const connection = await db.pool.connect();
    const answers: Response[] = [];
    const sent = Array.from({ length: 25 }, async (_, batch) => answers.push(await send(batch)));
    while (answers.length < 4) await Promise.race([Promise.all(sent), new Promise(setImmediate)]);
    expect(answers.map(({ status, headers: got }) => [status, got.get('retry-after')])).toEqual(
      Array.from({ length: 4 }, () => [503, '5']),
    );
    connection.release();
    await Promise.all(sent);
    expect(answers.filter(({ status }) => status !== 503)).toHaveLength(21);
    await own.close();
    await db.close();
  });
});

describe('starting and ending', () => {
  it('finishes a request that is under way, and takes no more', async () => {
    const own = await startPublic({
      db: staffed.db,
      cache: staffed.cache,
      hints: { send: async () => true },
      config: CONFIG,
      log: pino({ level: 'silent' }),
    });
    const { hostname, port } = new URL(own.url);
    const body = JSON.stringify(order('dee', 'last'));
    const socket = connect(Number(port), hostname);
    const answered = new Promise<string>((resolve) => {
      let text = '';
      socket.on('data', (chunk) => (text += chunk.toString()));
      socket.on('end', () => resolve(text));
    });
    socket.write(
      `POST /v1/track HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nauthorization: Bearer ${KEY}\r\n` +
        `content-length: ${body.length}\r\nexpect: 100-continue\r\n\r\n`,
    );
    // The server has the request once it asks for the body.
    await new Promise((resolve) => socket.once('data', resolve));
    const closed = own.close();
    socket.write(body);
    expect(await answered).toMatch(/HTTP\/1\.1 200 OK[\s\S]*"ok":true,"id":"last"/);
    await closed;
    await expect(fetch(own.url)).rejects.toThrow();
    expect(await staffed.rows(`select key from events where key = 'last'`)).toHaveLength(1);
  });

  it('names the setting when the port is taken', async () => {
    const config = { ...CONFIG, publicPort: Number(new URL(server.url).port) };
    const starting = startPublic({
      db: staffed.db,
      cache: staffed.cache,
      hints: { send: async () => true },
      config,
      log: pino({ level: 'silent' }),
    });
    await expect(starting).rejects.toThrow(/PERENNIAL_PUBLIC_PORT: another program listens on port \d+/);
  });

  it('makes its own key for an embedded project, once, for its owner only; a real database needs one', async () => {
    const dir = await mkdtemp(path.join(tmpdir(), 'perennial-key-'));
    const config = { writeKey: null, database: { kind: 'embedded', dir: path.join(dir, '.perennial') } } as const;
    const keys = await Promise.all(Array.from({ length: 8 }, async () => writeKeyOf(config)));
    expect(new Set(keys).size).toBe(1);
    expect(keys[0]).toMatch(/^[0-9a-f]{48}$/);
    expect(await writeKeyOf(config)).toBe(keys[0]);
    const file = path.join(dir, '.perennial', 'write-key');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(file, 'utf8')).toBe(`${keys[0]}\n`);
    await rm(dir, { recursive: true });
    await expect(writeKeyOf({ ...CONFIG, writeKey: null })).rejects.toThrow(/PERENNIAL_WRITE_KEY: is not set/);
  });
});
