import { afterEach, describe, expect, it } from '@jest/globals';
import { SMTPServer } from 'smtp-server';
import { type Outcome, openTransport } from '../../engine/mail/transport.ts';
import { type Fault, type Sink, type SinkOptions, type Stage, spawnSink, startSink } from '../support/smtp-sink.ts';

const MESSAGE = Buffer.from('Message-ID: <send-1@example.com>\r\nSubject: Hello\r\n\r\n.leading dot\r\nbye\r\n');
const MAIL = { envelope: { from: 'shop@example.com', to: 'ada@example.com' }, message: MESSAGE };
/** Its beginning is on its way before the hand-over is asked. */
const LARGE = { ...MAIL, message: Buffer.concat([MESSAGE, Buffer.from('a line of a long letter\r\n'.repeat(4_000))]) };
const SIZES = [
  ['small', MAIL],
  ['large', LARGE],
] as const;
/** Only what waits for a time-out has a short one: a busy machine must not be taken for a silent server. */
const SHORT = { connectMs: 500, replyMs: 500 };
const LONG = { connectMs: 30_000, replyMs: 30_000 };

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

async function sinkWith(options: SinkOptions): Promise<Sink> {
  const sink = await startSink(options);
  cleanUps.push(() => sink.close());
  return sink;
}

function transportTo(url: string, connections = 1, timeouts = LONG) {
  const transport = openTransport({ url, connections, timeouts });
  cleanUps.push(() => transport.close());
  return transport;
}

function at(stage: Stage, fault: Fault, when: (turn: number, connection: number) => boolean = () => true): SinkOptions {
  return { fault: (reached, turn, connection) => (reached === stage && when(turn, connection) ? fault : null) };
}

function deferred<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((given) => {
    resolve = given;
  });
  return { promise, resolve };
}

/** `kind scope code`, with `asked` when the hand-over was called. */
function told(outcome: Outcome, asked: number): string {
  const scope = outcome.kind === 'retry' ? ` ${outcome.scope}` : '';
  const code = 'code' in outcome && outcome.code !== null ? ` ${outcome.code}` : '';
  return `${outcome.kind}${scope}${code}${asked > 0 ? ' asked' : ''}`;
}

const reply = (line: string): Fault => ({ do: 'reply', line });
const RESET: Fault = { do: 'reset' };
const CLOSE: Fault = { do: 'close' };
const STALL: Fault = { do: 'stall' };

const CASES: readonly (readonly [Stage, Fault, string])[] = [
  ['connect', reply('554 5.3.2 go away'), 'retry connection 554'],
  ['connect', { do: 'reply-and-close', line: '421 4.3.2 closing' }, 'retry connection 421'],
  ['connect', RESET, 'retry connection'],
  ['connect', CLOSE, 'retry connection'],
  ['connect', STALL, 'retry connection'],
  ['ehlo', { do: 'reply-and-close', line: '421 4.3.2 closing' }, 'retry connection 421'],
  ['ehlo', RESET, 'retry connection'],
  ['ehlo', STALL, 'retry connection'],
  ['mail', reply('451 4.3.0 later'), 'retry connection 451'],
  ['mail', reply('550 5.7.1 not you'), 'permanent 550'],
  ['mail', reply('530 5.7.0 sign in first'), 'retry connection 530'],
  ['mail', { do: 'reply-and-close', line: '421 4.7.0 too many' }, 'retry connection 421'],
  ['mail', RESET, 'retry connection'],
  ['mail', CLOSE, 'retry connection'],
  ['mail', STALL, 'retry connection'],
  ['rcpt', reply('450 4.2.1 greylisted'), 'retry message 450'],
  ['rcpt', reply('450 4.4.1 cannot reach that host'), 'retry domain 450'],
  ['rcpt', reply('450 4.7.28 too fast'), 'retry domain 450'],
  ['rcpt', reply('550 5.1.1 nobody here'), 'permanent 550'],
  ['rcpt', RESET, 'retry connection'],
  ['rcpt', STALL, 'retry connection'],
  ['data', reply('451 4.3.0 later'), 'retry message 451'],
  ['data', reply('554 5.7.1 no'), 'permanent 554'],
  ['data', RESET, 'retry connection'],
  ['data', STALL, 'retry connection'],
  ['dot', reply('451 4.3.0 disk full'), 'retry message 451 asked'],
  ['dot', reply('554 5.7.1 spam'), 'permanent 554 asked'],
  ['dot', { do: 'reply-and-close', line: '421 4.3.2 closing' }, 'retry connection 421 asked'],
  ['dot', reply('299'), 'accepted asked'],
  ['dot', reply('354 what'), 'unknown asked'],
  ['dot', RESET, 'unknown asked'],
  ['dot', CLOSE, 'unknown asked'],
  ['dot', STALL, 'unknown asked'],
  ['taken', RESET, 'unknown asked'],
  ['taken', CLOSE, 'unknown asked'],
  ['taken', STALL, 'unknown asked'],
  ['replied', RESET, 'accepted asked'],
];

describe('the class of an attempt', () => {
  for (const [pipelining, size, mail] of [
    [true, ...SIZES[0]],
    [false, ...SIZES[0]],
    [true, ...SIZES[1]],
  ] as const) {
    const how = `, ${size}${pipelining ? '' : ', without pipelining'}`;
    it.each(CASES)(`at %s, %j gives %s${how}`, async (stage, fault, expected) => {
      const sink = await sinkWith({ ...at(stage, fault), pipelining });
      let asked = 0;
      const transport = transportTo(sink.url, 1, fault.do === 'stall' ? SHORT : LONG);
      const outcome = await transport.deliver(mail, async () => {
        asked += 1;
        return true;
      });
      expect(told(outcome, asked)).toBe(expected);
      // What may be tried again was not taken, and what was taken is accepted or unknown.
      const mayHaveBeenTaken = outcome.kind === 'accepted' || outcome.kind === 'unknown';
      expect(mayHaveBeenTaken || sink.taken.length === 0).toBe(true);
    });
  }

  it('is a retry where nobody listens, for all who wait', async () => {
    const sink = await startSink();
    await sink.close();
    const transport = transportTo(sink.url);
    const outcomes = await Promise.all([1, 2, 3].map(() => transport.deliver(MAIL, async () => true)));
    expect(outcomes.map((outcome) => told(outcome, 0))).toEqual(Array(3).fill('retry connection'));
    await expect(transport.verify()).rejects.toMatchObject({ code: 'unreachable' });
  });

  it('is permanent for an envelope that SMTP cannot carry, without a word to the server', async () => {
    const sink = await sinkWith({});
    const transport = transportTo(sink.url);
    for (const to of ['a@b.example\r\nRCPT TO:<c@d.example>', 'ä@b.example', 'a@b.example> <c@d.example', '']) {
      const outcome = await transport.deliver({ ...MAIL, envelope: { from: 'x@y.example', to } }, async () => true);
      expect(outcome.kind).toBe('permanent');
    }
    expect(sink.taken).toEqual([]);
  });

  it('has the words of the server as one line, without what steers terminals and what no database keeps', async () => {
    const sink = await sinkWith(at('rcpt', reply('550 5.1.1 no\0body\u001b[2J\u009b here\t!')));
    expect(await transportTo(sink.url).deliver(MAIL, async () => true)).toMatchObject({
      kind: 'permanent',
      reason: 'RCPT TO: 550 5.1.1 no body [2J here !',
    });
  });

  it('is permanent above the size that the server announces', async () => {
    const sink = await sinkWith({});
    const message = Buffer.alloc(1_000_001, 'x\r\n');
    expect((await transportTo(sink.url).deliver({ ...MAIL, message }, async () => true)).kind).toBe('permanent');
  });
});

describe('the hand-over', () => {
  it.each(SIZES)(
    'is asked once the server waits for a %s mail, and none counts as sent before it says yes',
    async (_, mail) => {
      const sink = await sinkWith({ keep: true });
      const decision = deferred<boolean>();
      const asked = deferred<void>();
      const delivery = transportTo(sink.url).deliver(mail, () => {
        asked.resolve();
        return decision.promise;
      });
      await asked.promise;
      expect(sink.taken).toEqual([]);
      decision.resolve(true);
      expect(await delivery).toEqual({ kind: 'accepted', response: '250 2.0.0 taken' });
      expect(sink.sources[0]?.toString()).toBe(mail.message.toString());
      expect(sink.taken).toMatchObject([
        { messageId: '<send-1@example.com>', from: 'shop@example.com', to: ['ada@example.com'] },
      ]);
    },
  );

  it.each([
    ['says no', async () => false],
    ['throws', () => Promise.reject(new Error('lease lost'))],
  ])('keeps the mail back when it %s', async (_, handOver) => {
    const sink = await sinkWith({});
    const transport = transportTo(sink.url);
    expect(await transport.deliver(MAIL, handOver)).toEqual({ kind: 'withheld' });
    // The next mail goes over a new connection, and only that one is taken.
    expect((await transport.deliver(MAIL, async () => true)).kind).toBe('accepted');
    expect(sink.taken).toHaveLength(1);
    expect(sink.connections).toBe(2);
  });

  it.each(SIZES)(
    'is waited for when the connection dies meanwhile (%s): yes is then a retry, no is withheld',
    async (_, mail) => {
      for (const [granted, kind] of [
        [true, 'retry'],
        [false, 'withheld'],
      ] as const) {
        const sink = await sinkWith({});
        const [decision, asked, noticed] = [deferred<boolean>(), deferred<void>(), deferred<void>()];
        const log = { debug: () => noticed.resolve(), warn: () => undefined };
        const transport = openTransport({ url: sink.url, connections: 1, log });
        let settled = false;
        const delivery = transport.deliver(mail, () => {
          asked.resolve();
          return decision.promise;
        });
        void delivery.finally(() => {
          settled = true;
        });
        await asked.promise;
        await sink.close();
        await noticed.promise;
        expect(settled).toBe(false);
        decision.resolve(granted);
        expect((await delivery).kind).toBe(kind);
        expect(sink.taken).toEqual([]);
      }
    },
  );

  it('is no turn of the server while it is asked', async () => {
    const sink = await sinkWith({});
    const transport = transportTo(sink.url);
    for (const mail of [MAIL, LARGE]) {
      const [asked, decision] = [deferred<void>(), deferred<boolean>()];
      const delivery = transport.deliver(mail, () => {
        asked.resolve();
        return decision.promise;
      });
      await asked.promise;
      expect(transport.isServersTurn).toBe(false);
      decision.resolve(true);
      expect((await delivery).kind).toBe('accepted');
      expect(transport.isServersTurn).toBe(false);
    }
  });

  it('is not asked again when a reply comes before the end of the message', async () => {
    for (const [line, kind] of [
      ['250 2.0.0 taken', 'retry'],
      ['552 5.3.4 too big', 'permanent'],
      ['451 4.3.0 later', 'retry'],
    ] as const) {
      const sink = await sinkWith(at('body', reply(line)));
      const decision = deferred<boolean>();
      const gone = sink.reached('gone');
      const delivery = transportTo(sink.url).deliver(MAIL, () => decision.promise);
      await gone;
      decision.resolve(true);
      const outcome = await delivery;
      expect([outcome.kind, line]).toEqual([kind, line]);
      expect(sink.taken).toEqual([]);
    }
  });
});

describe('kept-open connections', () => {
  it('carry many mails, also after refusals, and never more connections than allowed', async () => {
    const sink = await sinkWith(at('rcpt', reply('550 5.1.1 nobody here'), (turn) => turn % 3 === 1));
    const transport = transportTo(sink.url, 2);
    const outcomes = await Promise.all(Array.from({ length: 30 }, () => transport.deliver(MAIL, async () => true)));
    expect(outcomes.filter(({ kind }) => kind === 'permanent')).toHaveLength(10);
    expect(outcomes.filter(({ kind }) => kind === 'accepted')).toHaveLength(20);
    expect(sink.taken).toHaveLength(20);
    expect(sink.connections).toBe(2);
  });

  it('are replaced without a word when the server ended them between two mails', async () => {
    for (const fault of [RESET, { do: 'reply-and-close', line: '421 4.7.0 enough' } as const]) {
      const sink = await sinkWith(at('mail', fault, (turn) => turn === 1));
      const transport = transportTo(sink.url);
      for (const _ of [1, 2, 3]) expect((await transport.deliver(MAIL, async () => true)).kind).toBe('accepted');
      expect(sink.taken).toHaveLength(3);
      expect(sink.connections).toBe(3);
    }
  });

  it('serve those who wait when a connection is lost', async () => {
    const sink = await sinkWith(at('dot', RESET, (_, connection) => connection === 0));
    const transport = transportTo(sink.url);
    const outcomes = await Promise.all([1, 2, 3].map(() => transport.deliver(MAIL, async () => true)));
    expect(outcomes.map(({ kind }) => kind)).toEqual(['unknown', 'accepted', 'accepted']);
  });

  it('wait for the answer to a message longer than for others, and not for ever', async () => {
    const sink = await sinkWith({ thinkMs: 600 });
    const patient = { connectMs: 30_000, replyMs: 300, endMs: 30_000 };
    for (const mail of [MAIL, LARGE]) {
      expect((await transportTo(sink.url, 1, patient).deliver(mail, async () => true)).kind).toBe('accepted');
    }
    const impatient = { connectMs: 30_000, replyMs: 30_000, endMs: 300 };
    expect((await transportTo(sink.url, 1, impatient).deliver(MAIL, async () => true)).kind).toBe('unknown');
  });

  it('that are slow leave their place to another, and are not more than that', async () => {
    const sink = await sinkWith(at('dot', STALL, (_, connection) => connection !== 1));
    const transport = openTransport({ url: sink.url, connections: 1, timeouts: LONG, slowMs: 100 });
    const slow = transport.deliver(MAIL, async () => true);
    await sink.reached('dot');
    expect(transport.isServersTurn).toBe(true);
    const others = [1, 2, 3].map(() => transport.deliver(MAIL, async () => true));
    expect((await Promise.all(others)).map(({ kind }) => kind)).toEqual(['accepted', 'accepted', 'accepted']);
    expect([sink.connections, transport.conversations]).toEqual([2, 0]);
    await sink.close();
    expect((await slow).kind).toBe('unknown');
    expect(transport.isServersTurn).toBe(false);
    await transport.close();
  });

  it('that are all slow are as many again at most, and end with those that wait', async () => {
    const sink = await sinkWith(at('dot', STALL));
    const transport = openTransport({ url: sink.url, connections: 2, timeouts: LONG, slowMs: 50 });
    const deliveries = Array.from({ length: 6 }, () => transport.deliver(MAIL, async () => true));
    while (sink.stalled < 4) await sink.reached('dot');
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(sink.connections).toBe(4);
    transport.stop();
    await sink.close();
    const kinds = (await Promise.all(deliveries)).map(({ kind }) => kind);
    expect(kinds).toEqual([...Array(4).fill('unknown'), 'withheld', 'withheld']);
    await transport.close();
  });

  it('are closed once what is on its way has arrived, and then take nothing', async () => {
    const sink = await sinkWith({});
    const transport = openTransport({ url: sink.url, connections: 2 });
    const deliveries = Array.from({ length: 10 }, () => transport.deliver(MAIL, async () => true));
    await transport.close();
    expect((await Promise.all(deliveries)).every(({ kind }) => kind === 'accepted')).toBe(true);
    expect(told(await transport.deliver(MAIL, async () => true), 0)).toBe('retry connection');
  });

  it('are left by a server that never says goodbye without waiting for its word', async () => {
    const sink = await sinkWith(at('quit', STALL));
    const transport = openTransport({
      url: sink.url,
      connections: 1,
      timeouts: { connectMs: 30_000, replyMs: 600_000 },
    });
    expect((await transport.deliver(MAIL, async () => true)).kind).toBe('accepted');
    await transport.close();
  });

  it('end what they are at when they are stopped, and withhold every mail that waits for one', async () => {
    const sink = await sinkWith({});
    const transport = transportTo(sink.url);
    const [asked, handOver] = [deferred<null>(), deferred<boolean>()];
    const first = transport.deliver(MAIL, async () => {
      asked.resolve(null);
      return handOver.promise;
    });
    const second = transport.deliver(MAIL, async () => true);
    await asked.promise;
    transport.stop();
    expect((await second).kind).toBe('withheld');
    handOver.resolve(true);
    expect((await first).kind).toBe('accepted');
    expect((await transport.deliver(MAIL, async () => true)).kind).toBe('withheld');
    expect(sink.taken).toHaveLength(1);
  });
});

describe('signing in', () => {
  it('uses the user of the URL, and a wrong password is nobody’s fault but the connection’s', async () => {
    const sink = await sinkWith({ auth: { user: 'shop', pass: 'p@ss' } });
    const good = transportTo(`smtp://shop:p%40ss@127.0.0.1:${sink.port}`);
    await good.verify();
    expect((await good.deliver(MAIL, async () => true)).kind).toBe('accepted');
    const bad = transportTo(`smtp://shop:wrong@127.0.0.1:${sink.port}`);
    await expect(bad.verify()).rejects.toMatchObject({ code: 'unreachable' });
    expect(told(await bad.deliver(MAIL, async () => true), 0)).toBe('retry connection 535');
  });

  it('refuses to send without TLS where it is required, and a certificate that nobody vouches for', async () => {
    const sink = await sinkWith({});
    expect(told(await transportTo(`${sink.url}?tls=required`).deliver(MAIL, async () => true), 0)).toMatch(
      /^retry connection/,
    );
    expect(sink.taken).toEqual([]);
    const server = new SMTPServer({ authOptional: true, logger: false });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanUps.push(() => new Promise((resolve) => server.close(resolve)));
    const { port } = server.server.address() as { port: number };
    expect(told(await transportTo(`smtp://127.0.0.1:${port}`).deliver(MAIL, async () => true), 0)).toBe(
      'retry connection',
    );
  });
});

describe('a sink in a process of its own', () => {
  it('keeps the record', async () => {
    const sink = await spawnSink();
    cleanUps.push(() => sink.close());
    const transport = transportTo(sink.url, 2);
    await Promise.all([1, 2, 3].map(() => transport.deliver(MAIL, async () => true)));
    expect((await sink.taken()).map(({ messageId }) => messageId)).toEqual(Array(3).fill('<send-1@example.com>'));
  });
});
