/** Webhooks: recorded with their step, called with a signature, tried again, given up to a person; to public addresses only. */
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { listHeld, type HeldItem } from '../../engine/store/held.ts';
import { dropHeld } from '../../engine/store/held-drop.ts';
import { retryHeld } from '../../engine/store/held-retry.ts';
import { timelineOf } from '../../engine/store/timeline.ts';
import { claimCalls, settleCall } from '../../engine/store/webhook-calls.ts';
import { isPublicAddress } from '../../workers/webhooks/address.ts';
import { callOnce } from '../../workers/webhooks/call.ts';
import { startCalling, type Calling } from '../../workers/webhooks/calling.ts';
import { resultOf, RETRY_DELAYS_MS } from '../../workers/webhooks/outcome.ts';
import { readWebhookSecret, signatureOf } from '../../workers/webhooks/sign.ts';
import { clear, FILES, openFleet, type Fleet } from '../store/support.ts';

const KEY = readWebhookSecret('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw') ?? new Uint8Array();
const ACT = { by: 'Mia', reason: 'mended' };

/** What the other system got. */
interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Another system: answers with the statuses it is told, the last of them for ever; -1 hangs up without an answer. */
interface Receiver {
  readonly url: string;
  readonly got: Received[];
  answers: number[];
  /** Resolves when it has got so many calls. */
  calls(count: number): Promise<void>;
  close(): Promise<void>;
}

async function openReceiver(): Promise<Receiver> {
  const waiters: { readonly count: number; readonly resolve: () => void }[] = [];
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      receiver.got.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
      const status = (receiver.answers.length > 1 ? receiver.answers.shift() : receiver.answers[0]) ?? 204;
      if (status === -1) request.socket.destroy();
      else response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end('said\nso');
      for (const { count, resolve } of waiters) if (receiver.got.length >= count) resolve();
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    got: [],
    answers: [204],
    calls: async (count) =>
      new Promise((resolve) => {
        if (receiver.got.length >= count) resolve();
        else waiters.push({ count, resolve });
      }),
    close: async () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return receiver;
}

let receiver: Receiver;
let fleet: Fleet;
let calling: Calling | null = null;
beforeAll(async () => {
  receiver = await openReceiver();
  fleet = await openFleet({
    ...FILES,
    'playbooks/thanks.yaml': `title: Tell the others
topic: service
trigger: { event: order.placed }
entry: { again: always }
steps:
  - webhook: { url: "${receiver.url}/hook?from=us", body: { id: "{{customer.id}}", says: ["\\"{{event.total}}\\" & <more>", 7, null] } }
    if: event.total < 100
  - webhook: { url: "${receiver.url}/plain" }
    if: event.total >= 100
  - tag: told
`,
  });
});
afterAll(async () => {
  await fleet.close();
  await receiver.close();
});
function start(): Calling {
  const allow = new Set([new URL(receiver.url).host]);
  calling = startCalling({ db: fleet.db, keys: [KEY], allow, log: pino({ level: 'silent' }), timeoutMs: 2_000 });
  return calling;
}

async function rows(): Promise<unknown[]> {
  return fleet.rows('select status, attempts, answer, held_error from webhook_calls order by id');
}

describe('a webhook step', () => {
  beforeEach(async () => {
    await clear(fleet);
    await fleet.db.query('truncate webhook_calls');
    await fleet.customers(['ada']);
    receiver.got.length = 0;
    receiver.answers = [204];
  });
  afterEach(async () => {
    await calling?.close();
    calling = null;
  });

  it('is done when its call is on record; the call is signed and carries the texts of its body', async () => {
    await fleet.event('order.placed', ['ada'], { total: 42 });
    const lines = await timelineOf(fleet.db);
    expect(lines.map((line) => `${line.do} ${line.step ?? ''}`.trim())).toEqual([
      'enrol',
      'tag tag-1',
      'webhook webhook-1',
      'skip webhook-2',
      'complete',
    ]);
    expect(receiver.got).toEqual([]);
    start();
    await receiver.calls(1);
    await calling?.close();
    const [got] = receiver.got;
    const body = '{"id":"ada","says":["\\"42\\" & <more>",7,null]}';
    expect(got?.body).toBe(body);
    const id = String(got?.headers['webhook-id']);
    expect(id).toMatch(/^msg_[0-9a-f-]{36}$/);
    expect(got?.headers).toMatchObject({ 'content-type': 'application/json', 'idempotency-key': id });
    const timestampS = Number(got?.headers['webhook-timestamp']);
    expect(got?.headers['webhook-signature']).toBe(signatureOf({ id, timestampS, body }, [KEY]));
    expect(await rows()).toEqual([{ status: 'done', attempts: 1, answer: 'HTTP 204', held_error: null }]);
  });

  it('without a body says who reached which step, and when', async () => {
    await fleet.event('order.placed', ['ada'], { total: 100 });
    start();
    await receiver.calls(1);
    expect(JSON.parse(receiver.got[0]?.body ?? '')).toEqual({
      customer: 'ada',
      playbook: 'thanks',
      step: 'webhook-2',
      at: '2026-03-02T09:00:00.000Z',
    });
  });

  it('is called again under the same key after an outage, and after a process that died in the call', async () => {
    await fleet.event('order.placed', ['ada'], { total: 42 });
    // A process that claimed it and was killed: its lease runs out, and what it would still say changes nothing.
    const [dead] = await claimCalls(fleet.db, { max: 5, leaseMs: 60_000 });
    expect(await claimCalls(fleet.db, { max: 5, leaseMs: 60_000 })).toEqual([]);
    await fleet.db.query(`update webhook_calls set lease_until = clock_timestamp() - interval '1 second'`);
    receiver.answers = [503, -1, 204];
    start();
    for (const count of [1, 2]) {
      await receiver.calls(count);
      await waitUntil(async () => (await rows()).some((row) => (row as { attempts: number }).attempts === count + 1));
      await waitUntil(
        async () => (await fleet.rows('select 1 from webhook_calls where lease_until is null')).length === 1,
      );
      const [waiting] = await fleet.rows<{ seconds: number }>(
        'select extract(epoch from due_at - clock_timestamp())::float8 as seconds from webhook_calls',
      );
      expect(waiting?.seconds).toBeGreaterThan(count === 1 ? 40 : 200);
      await fleet.db.query('update webhook_calls set due_at = clock_timestamp()');
    }
    await receiver.calls(3);
    await calling?.close();
    expect(new Set(receiver.got.map(({ headers }) => headers['webhook-id']))).toEqual(new Set([`msg_${dead?.key}`]));
    expect(await rows()).toMatchObject([{ status: 'done', attempts: 4 }]);
    expect(dead && (await settleCall(fleet.db, dead, { kind: 'failed', answer: 'late' }))).toBe(false);
  });

  it('is given up to a person where trying again is of no use, who retries or drops it', async () => {
    await fleet.event('order.placed', ['ada'], { total: 42 });
    await fleet.event('order.placed', ['ada'], { total: 43 });
    receiver.answers = [422, 302, 204];
    start();
    await receiver.calls(2);
    await waitUntil(async () => (await listHeld(fleet.db)).length === 2);
    const held = await listHeld(fleet.db);
    expect(held.map(({ kind, customer, step, error }) => [kind, customer, step, error])).toEqual([
      ['webhook', 'ada', 'webhook-1', 'HTTP 422: said so'],
      ['webhook', 'ada', 'webhook-1', 'HTTP 302: said so (redirects are not followed)'],
    ]);
    const [first, second] = held as readonly [HeldItem, HeldItem];
    expect(await dropHeld(fleet.db, fleet.cache, first, ACT)).toEqual({ outcome: 'dropped' });
    expect(await dropHeld(fleet.db, fleet.cache, first, ACT)).toEqual({ outcome: 'not held' });
    expect(await retryHeld(fleet.db, fleet.cache, [second], ACT)).toMatchObject([{ outcome: 'released' }]);
    await receiver.calls(3);
    await calling?.close();
    expect(await rows()).toMatchObject([
      { status: 'dropped', held_error: null },
      { status: 'done', held_error: null },
    ]);
    expect(await listHeld(fleet.db)).toEqual([]);
  });

  it('waits while its playbook is paused', async () => {
    await fleet.event('order.placed', ['ada'], { total: 42 });
    await fleet.db.query(`insert into pauses values ('thanks', now(), 'Mia', 'why')`);
    expect(await claimCalls(fleet.db, { max: 5, leaseMs: 60_000 })).toEqual([]);
    await fleet.db.query('delete from pauses');
    expect(await claimCalls(fleet.db, { max: 5, leaseMs: 60_000 })).toHaveLength(1);
  });
});

describe('addresses', () => {
  it.each([
    ['8.8.8.8', true],
    ['2606:4700::1111', true],
    ['::ffff:8.8.8.8', true],
    ['127.0.0.1', false],
    ['10.1.2.3', false],
    ['172.31.255.255', false],
    ['192.168.0.1', false],
    ['169.254.169.254', false],
    ['100.64.0.1', false],
    ['0.0.0.0', false],
    ['224.0.0.1', false],
    ['255.255.255.255', false],
    ['::1', false],
    ['::', false],
    ['fe80::1', false],
    ['fd00:ec2::254', false],
    ['ff02::1', false],
    ['::ffff:127.0.0.1', false],
    ['::ffff:7f00:1', false],
    ['::127.0.0.1', false],
    ['64:ff9b::7f00:1', false],
    ['2002:7f00:1::', false],
    ['2001:db8::1', false],
    ['localhost', false],
    ['', false],
  ])('%s is public: %s', (address, is) => {
    expect(isPublicAddress(address)).toBe(is);
  });

  it.each(['127.0.0.1', 'localhost', '[::1]', '[::ffff:7f00:1]', '2130706433', '0x7f.1'])(
    'http://%s is not called unless it is allowed',
    async (host) => {
      const { port } = new URL(receiver.url);
      const call = { url: `http://${host}:${port}/`, headers: {}, body: '{}' };
      const outcome = await callOnce(call, { allow: new Set(), timeoutMs: 2_000 });
      expect(outcome).toMatchObject({ kind: 'forbidden', answer: expect.stringContaining('PERENNIAL_WEBHOOK_ALLOW') });
      expect(receiver.got).toEqual([]);
    },
  );

  it('a server that never answers is given up on in time', async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => {
      silent.listen(0, '127.0.0.1', resolve);
    });
    const { port } = silent.address() as AddressInfo;
    const call = { url: `http://127.0.0.1:${port}/`, headers: {}, body: '{}' };
    const outcome = await callOnce(call, { allow: new Set(['127.0.0.1']), timeoutMs: 100 });
    expect(outcome).toEqual({ kind: 'broken', answer: 'no answer within 0.1 s' });
    silent.closeAllConnections();
    silent.close();
  });
});

describe('signatures and patience', () => {
  it('are those of the specification', () => {
    const signed = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', timestampS: 1_614_265_330, body: '{"test": 2432232314}' };
    expect(signatureOf(signed, [KEY])).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
    expect(signatureOf(signed, [KEY, new Uint8Array(32)]).split(' ')).toHaveLength(2);
    expect(readWebhookSecret('whsec_c2hvcnQ=')).toBeNull();
    expect(readWebhookSecret('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')).toBeNull();
  });

  it.each([
    [200, 1, { kind: 'done' }],
    [400, 1, { kind: 'failed' }],
    [410, 1, { kind: 'failed' }],
    [301, 1, { kind: 'failed' }],
    [429, 1, { kind: 'retry', delayMs: 15_000 }],
    [500, 2, { kind: 'retry', delayMs: 60_000 }],
    [503, 6, { kind: 'retry', delayMs: 21_600_000 }],
    [503, 7, { kind: 'failed' }],
  ])('HTTP %d at attempt %d', (status, attempts, expected) => {
    const outcome = { kind: 'answered', status, retryAfterMs: null, answer: `HTTP ${status}` } as const;
    expect(resultOf(outcome, attempts, 0.5)).toMatchObject(expected);
  });

  it('wait as long as the server asks, within bounds', () => {
    const outcome = { kind: 'answered', status: 429, retryAfterMs: 120_000, answer: '' } as const;
    expect(resultOf(outcome, 1, 0.5)).toMatchObject({ delayMs: 120_000 });
    expect(resultOf({ ...outcome, retryAfterMs: 1e9 }, 1, 0.5)).toMatchObject({ delayMs: 21_600_000 });
    expect(resultOf({ kind: 'broken', answer: 'ECONNRESET' }, RETRY_DELAYS_MS.length + 1, 0)).toEqual({
      kind: 'failed',
      answer: 'ECONNRESET (tried 7 times)',
    });
  });
});

/** Asks again and again; the database raises no signal of its own. */
async function waitUntil(holds: () => Promise<boolean>): Promise<void> {
  const until = performance.now() + 10_000;
  while (!(await holds())) {
    if (performance.now() > until) throw new Error('it did not come to pass within 10 s');
  }
}
