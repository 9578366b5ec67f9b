/** The public server, as somebody meets it who means no good. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { openKeyCheck } from '../../engine/ingest/http/auth.ts';
import { signClick, signOpen } from '../../engine/message/track-token.ts';
import { signReaderLink, signSurveyLink } from '../../engine/message/link-token.ts';
import { signingKey } from '../../engine/store/signing-keys.ts';
import { startPublic, type PublicServer } from '../../workers/public.ts';
import { openStaffed, type Staffed } from '../support/staff.ts';
import { FILES } from '../ingest/support.ts';

const KEY = 'a-key-for-tests-only';
const SECRET = 'canary-of-a-secret';

let staffed: Staffed;
let server: PublicServer;
/** The same, with less patience. */
let hasty: PublicServer;
const failures: string[] = [];
beforeAll(async () => {
  staffed = await openStaffed('2026-03-01T12:00:00Z');
  await staffed.deploy(FILES);
  const parts: Parameters<typeof startPublic>[0] = {
    db: staffed.db,
    cache: staffed.cache,
    hints: { send: async () => true },
    config: {
      publicHost: '127.0.0.1',
      publicPort: 0,
      writeKey: KEY,
      database: { kind: 'external', url: 'postgres://unused.example/x' },
      feedback: { ses: null, sendgrid: null, mailgun: null, postmark: `post:${SECRET}`, brevo: null, resend: null },
    },
    log: pino({ level: 'error' }, { write: (line: string) => void failures.push(line) }),
  };
  server = await startPublic(parts);
  hasty = await startPublic({ ...parts, patience: { requestMs: 1_500, headersMs: 800, lookEveryMs: 50 } });
});
afterAll(async () => {
  await server.close();
  await hasty.close();
  await staffed.close();
});
afterEach(() => {
  expect(failures.splice(0)).toEqual([]);
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
});

async function post(where: string, body: string, headers: Record<string, string> = {}): Promise<Response> {
  const authorization = `Bearer ${KEY}`;
  const sent = { 'content-type': 'application/json', authorization, ...headers };
  return fetch(`${server.url}${where}`, { method: 'POST', headers: sent, body });
}

async function open(): Promise<Socket> {
  const { hostname, port } = new URL(hasty.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** What comes back until the server has had enough. */
async function untilClosed(socket: Socket): Promise<string> {
  let got = '';
  socket.on('data', (chunk) => (got += chunk.toString('latin1')));
  if (!socket.closed) await once(socket, 'close');
  return got;
}

describe('names of prototypes', () => {
  const bad = ['__proto__', 'constructor', 'prototype'];
  it.each([
    ...bad.map((name) => ['/v1/identify', `{"userId":"ada","traits":{"${name}":{"polluted":1}}}`]),
    ...bad.map((name) => ['/v1/identify', `{"userId":"ada","traits":{"plan":"x","likes":[{"${name}":1}]}}`]),
    ...bad.map((name) => ['/v1/track', `{"userId":"ada","event":"e","properties":{"${name}":{"polluted":1}}}`]),
    ...bad.map((name) => ['/v1/track', `{"userId":"ada","event":"e","${name}":{"polluted":1}}`]),
    ...bad.map((name) => [
      '/v1/batch',
      `{"batch":[{"type":"track","userId":"ada","event":"e","context":{"${name}":1}}]}`,
    ]),
  ])('%s refuses %s', async (where, body) => {
    const response = await post(where, body);
    expect([response.status, await response.text()]).toEqual([400, expect.stringContaining('forbidden-key')]);
  });

  it.each(['toString', 'valueOf', 'hasOwnProperty', '__defineGetter__', 'isPrototypeOf'])(
    'a trait called %s is one that is not declared, and an event of that name an event',
    async (name) => {
      const known = await post('/v1/identify', `{"userId":"ada","traits":{"${name}":"x","plan":"y"}}`);
      expect(await known.json()).toMatchObject({
        ok: true,
        ignored: [{ name, because: 'not declared in perennial.yaml' }],
      });
      const event = await post('/v1/track', `{"userId":"ada","event":"${name}","properties":{"${name}":1}}`);
      expect(await event.json()).toMatchObject({ ok: true, undeclared: { event: name } });
      expect((await post('/v1/batch', `{"batch":[{"type":"${name}","userId":"ada"}]}`)).status).toBe(400);
    },
  );

  it.each(['Type', 'RecordType'])('webhooks with %s of such a name are answered like any other', async (field) => {
    const authorization = `Basic ${Buffer.from(`post:${SECRET}`).toString('base64')}`;
    for (const name of ['constructor', 'toString', '__proto__']) {
      const event = { RecordType: 'Bounce', Type: 'HardBounce', ID: 1, Email: 'ada@example.com', [field]: name };
      const response = await post('/feedback/postmark', JSON.stringify(event), { authorization });
      expect(response.status).toBe(200);
    }
  });
});

it.each(['//', '//x', '//:80', '///', '/\\', 'http://[', '*', '/u//', '/%', '/%00', '//v1/track?%'])(
  'a request for %s is answered as one that nothing is known of, and logs nothing',
  async (target) => {
    const socket = await open();
    // Neither half closed nor put in order before it is sent.
    socket.write(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(await untilClosed(socket)).toMatch(/^HTTP\/1\.1 4\d\d /);
  },
);

describe('slow senders', () => {
  it.each([
    ['no byte at all', ''],
    ['a request line and no more', 'POST /v1/track HTTP/1.1\r\n'],
    ['headers that do not end', `GET /link/x HTTP/1.1\r\nhost: x\r\nx-a: b\r\n`],
  ])('%s: they are cut off', async (_what, bytes) => {
    const socket = await open();
    socket.write(bytes);
    const dripping = setInterval(() => socket.write(bytes === '' ? '' : 'x'), 100);
    expect(await untilClosed(socket)).toMatch(/^(?:HTTP\/1\.1 408|$)/);
    clearInterval(dripping);
  });

  it('a body that comes byte by byte is cut off, wherever it goes, and others are served meanwhile', async () => {
    const key = await signingKey(staffed.db);
    await post('/v1/identify', '{"userId":"eve","traits":{"email":"eve@example.com"}}');
    await post('/v1/track', '{"userId":"eve","event":"order.placed","properties":{"total":1}}');
    const [{ send } = { send: 0 }] = await staffed.rows<{ send: number }>(
      `update sends set status = 'sent', ask = 'nps', handed_at = now(), settled_at = now() returning id as send`,
    );
    const paths = [
      '/v1/track',
      `/unsubscribe/${signReaderLink(send, key)}`,
      `/preferences/${signReaderLink(send, key)}`,
      `/answer/${signSurveyLink({ sendId: send, score: 1 }, key)}`,
      '/feedback/postmark',
    ];
    const ended = paths.map(async (path) => {
      const socket = await open();
      const type = path === '/v1/track' ? 'application/json' : 'application/x-www-form-urlencoded';
      socket.write(
        `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: ${type}\r\nauthorization: Bearer ${KEY}\r\ncontent-length: 30000\r\n\r\n`,
      );
      const dripping = setInterval(() => socket.write('a'), 100);
      await untilClosed(socket);
      clearInterval(dripping);
      return path;
    });
    expect((await fetch(`${hasty.url}/v1/track`)).status).toBe(405);
    expect(await Promise.all(ended)).toEqual(paths);
  });

  it('headers without end, and bodies larger than said, are refused', async () => {
    const socket = await open();
    socket.write(`GET / HTTP/1.1\r\nhost: x\r\nx-a: ${'b'.repeat(40_000)}`);
    expect(await untilClosed(socket)).toContain('431');
    for (const path of ['/answer/x', '/preferences/x', '/feedback/postmark']) {
      let left = 6;
      const large = new ReadableStream({
        pull: (controller) => (left-- > 0 ? controller.enqueue(new Uint8Array(1024 * 1024)) : controller.close()),
      });
      const init = { method: 'POST', body: large, duplex: 'half' } as RequestInit;
      // A connection that such a body came over is closed; the other server's are used again.
      const answer = await fetch(`${hasty.url}${path}`, init).catch(() => null);
      expect([404, 413, null]).toContain(answer?.status ?? null);
    }
  });
});

it('every answer says what it is, is kept by nobody, shown in no frame, and names no address to others', async () => {
  const key = await signingKey(staffed.db);
  const paths = [
    '/',
    '/v1/track',
    `/unsubscribe/${signReaderLink(1, key)}`,
    '/unsubscribe/forged',
    `/preferences/${signReaderLink(1, key)}`,
    `/answer/${signSurveyLink({ sendId: 1, score: 1 }, key)}`,
    '/answer/forged',
    `/link/${signClick(1, 'https://hearth.example/', key)}`,
    '/link/forged',
    `/open/${signOpen(1, key)}`,
    '/open/forged',
    '/feedback/postmark',
    '/feedback/unknown',
  ];
  for (const path of paths) {
    const { headers } = await fetch(`${server.url}${path}`, { redirect: 'manual' });
    expect([path, Object.fromEntries(headers)]).toEqual([
      path,
      expect.objectContaining({
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
        'content-security-policy': expect.stringMatching(/^default-src 'none';.*frame-ancestors 'none'/),
      }),
    ]);
    expect([...headers.keys()].filter((name) => /^(?:set-cookie|access-control|server|x-powered)/.test(name))).toEqual(
      [],
    );
  }
});

it('a key is compared whole, whatever its length, and a close one is none', () => {
  const knows = openKeyCheck(KEY);
  expect(knows(`Bearer ${KEY}`)).toBe(true);
  const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
  for (let length = 0; length < KEY.length; length += 1) {
    const near = `${KEY.slice(0, length)}${KEY[length] === 'x' ? 'y' : 'x'}${KEY.slice(length + 1)}`;
    for (const wrong of [KEY.slice(0, length), near]) {
      expect(knows(`Bearer ${wrong}`)).toBe(false);
      expect(knows(basic(`${wrong}:`))).toBe(false);
    }
  }
  for (const wrong of [undefined, '', 'Bearer', KEY, `Bearer  ${KEY}x`, `Digest ${KEY}`, basic(`:${KEY}`)]) {
    expect(knows(wrong)).toBe(false);
  }
});
