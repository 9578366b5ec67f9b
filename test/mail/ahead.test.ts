/** The commands of the following mail go out with the end of the one before, where the server takes them in groups. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { openTransport, type Outcome, type Transport } from '../../engine/mail/transport.ts';
import { type Fault, type Sink, type SinkOptions, startSink } from '../support/smtp-sink.ts';

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

async function sinkWith(options: SinkOptions): Promise<Sink> {
  const sink = await startSink(options);
  cleanUps.push(async () => sink.close());
  return sink;
}

function transportTo(url: string): Transport {
  const transport = openTransport({ url, connections: 1 });
  cleanUps.push(async () => transport.close());
  return transport;
}

function mailTo(name: string, filler = ''): Parameters<Transport['deliver']>[0] {
  const message = Buffer.from(`Message-ID: <${name}@example.com>\r\nSubject: Hello\r\n\r\n${filler}Hello\r\n`);
  return { envelope: { from: 'shop@example.com', to: `${name}@example.com` }, message };
}

/** Sends all at once over one connection. */
async function sendAll(url: string, names: readonly string[]): Promise<readonly Outcome[]> {
  const transport = transportTo(url);
  return Promise.all(names.map(async (name) => transport.deliver(mailTo(name), async () => true)));
}

function kinds(outcomes: readonly Outcome[]): readonly string[] {
  return outcomes.map(({ kind }) => kind);
}

const reply = (line: string): Fault => ({ do: 'reply', line });

describe('a mail whose commands went ahead', () => {
  it('is named in one breath with the end of the mail before', async () => {
    const heard: string[] = [];
    const server = createServer((socket) => {
      socket.write('220 sink.test\r\n');
      socket.on('error', () => socket.destroy());
      socket.on('data', (chunk) => {
        const said = chunk.toString('latin1');
        heard.push(said);
        if (said.startsWith('EHLO')) socket.write('250-sink.test\r\n250 PIPELINING\r\n');
        if (said.startsWith('QUIT')) socket.end('221 bye\r\n');
        if (said.includes('\r\n.\r\n')) socket.write('250 taken\r\n');
        if (said.includes('MAIL FROM')) socket.write('250 ok\r\n250 ok\r\n354 go on\r\n');
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    cleanUps.push(async () => {
      server.close();
      await once(server, 'close');
    });
    const { port } = server.address() as AddressInfo;
    expect(kinds(await sendAll(`smtp://127.0.0.1:${port}`, ['a', 'b']))).toEqual(['accepted', 'accepted']);
    const following = '\r\n.\r\nMAIL FROM:<shop@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n';
    expect(heard.filter((said) => said.endsWith(following))).toHaveLength(1);
  });

  it('waits for the answer to the one before, and is given to nobody else', async () => {
    const sink = await sinkWith({ thinkMs: 5 });
    expect(new Set(kinds(await sendAll(sink.url, ['a', 'b', 'c'])))).toEqual(new Set(['accepted']));
    expect(sink.taken.map(({ to, messageId }) => `${to.join()} ${messageId}`)).toEqual([
      'a@example.com <a@example.com>',
      'b@example.com <b@example.com>',
      'c@example.com <c@example.com>',
    ]);
    expect(sink.connections).toBe(1);
  });

  it('goes out once over another connection when that of an unknown one is lost', async () => {
    const sink = await sinkWith({
      fault: (stage, _, connection) => (stage === 'taken' && connection === 0 ? { do: 'reset' } : null),
    });
    expect(kinds(await sendAll(sink.url, ['a', 'b', 'c']))).toEqual(['unknown', 'accepted', 'accepted']);
    expect(sink.taken.map(({ messageId }) => messageId)).toEqual([
      '<a@example.com>',
      '<b@example.com>',
      '<c@example.com>',
    ]);
  });

  it('is none the worse for a refusal of the mail before it', async () => {
    const sink = await sinkWith({
      fault: (stage, turn) => (stage === 'taken' && turn === 0 ? reply('554 5.6.0 not this one') : null),
    });
    expect(kinds(await sendAll(sink.url, ['a', 'b']))).toEqual(['permanent', 'accepted']);
    expect(sink.connections).toBe(1);
  });

  it('is refused for its own recipient only', async () => {
    const sink = await sinkWith({
      fault: (stage, turn) => (stage === 'rcpt' && turn === 1 ? reply('550 5.1.1 nobody here') : null),
    });
    expect(kinds(await sendAll(sink.url, ['a', 'b', 'c']))).toEqual(['accepted', 'permanent', 'accepted']);
  });

  it('is tried anew, and no other goes ahead, where a server refuses to be told early', async () => {
    let refusals = 0;
    const sink = await sinkWith({
      fault: (stage, turn, connection) => {
        if (stage !== 'mail' || connection !== 0 || turn === 0) return null;
        refusals += 1;
        return reply('554 5.5.0 out of step');
      },
    });
    expect(kinds(await sendAll(sink.url, ['a', 'b']))).toEqual(['accepted', 'accepted']);
    expect(refusals).toBe(1);
    expect(sink.taken).toHaveLength(2);
  });

  it('waits its turn where it is larger than the server takes', async () => {
    const sink = await sinkWith({});
    const transport = transportTo(sink.url);
    const outcomes = await Promise.all([
      transport.deliver(mailTo('a'), async () => true),
      transport.deliver(mailTo('b', 'x'.repeat(1_000_001)), async () => true),
      transport.deliver(mailTo('c'), async () => true),
    ]);
    expect(kinds(outcomes)).toEqual(['accepted', 'permanent', 'accepted']);
  });
});

/** A server of these tests answers the first, the third, … mail of a connection at once, and thinks so long about the others. */
const THINKS = { thinkMs: 500, quickEvery: 2 } as const;

describe('the hand-over of a mail that follows', () => {
  function transportOf(sink: Sink): Transport {
    // As far from at once as it can be, however busy the machine is.
    const transport = openTransport({ url: sink.url, connections: 1, quickMs: 480 });
    cleanUps.push(async () => transport.close());
    return transport;
  }

  /** Sends all at once; tells what was asked and how it ended, in that order. */
  async function watched(
    transport: Transport,
    names: readonly string[],
    handOver: (name: string) => Promise<boolean> = async () => true,
  ): Promise<string> {
    const told: string[] = [];
    const deliver = async (name: string): Promise<void> => {
      const { kind } = await transport.deliver(mailTo(name), async () => {
        told.push(`${name}?`);
        return handOver(name);
      });
      told.push(`${name} ${kind}`);
    };
    await Promise.all(names.map(deliver));
    return told.join(', ');
  }

  it('is asked while the server has the mail before, if it took the last one at once', async () => {
    const sink = await sinkWith(THINKS);
    expect(await watched(transportOf(sink), ['a', 'b', 'c', 'd', 'e'])).toBe(
      'a?, a accepted, b?, c?, b accepted, c accepted, d?, e?, d accepted, e accepted',
    );
    expect(sink.connections).toBe(1);
  });

  it('is asked in its turn only, where the server was slow to take its address', async () => {
    const sink = await sinkWith({ addressMs: 600 });
    expect(await watched(transportOf(sink), ['a', 'b', 'c'])).toBe('a?, a accepted, b?, b accepted, c?, c accepted');
    expect(sink.connections).toBe(1);
  });

  it('is good for a second: then its mail is withheld at once, and none is asked for ahead for a while', async () => {
    const sink = await sinkWith({ ...THINKS, thinkMs: 1_500 });
    const transport = transportOf(sink);
    expect(await watched(transport, ['a', 'b', 'c'])).toBe('a?, a accepted, b?, c?, c withheld, b accepted');
    expect(await watched(transport, ['d', 'e', 'f'])).toBe('d?, d accepted, e?, e accepted, f?, f accepted');
    expect(sink.taken.map(({ messageId }) => messageId)).toEqual(
      ['a', 'b', 'd', 'e', 'f'].map((name) => `<${name}@example.com>`),
    );
    expect(sink.connections).toBe(2);
  });

  it('is good for a second also where the server then is slow to take the address, and the mail has its turn later', async () => {
    const sink = await sinkWith({ addressMs: (to) => (to === 'c@example.com' ? 1_500 : 0) });
    const transport = transportOf(sink);
    expect(await watched(transport, ['a', 'b', 'c', 'd'])).toBe(
      'a?, a accepted, b?, c?, b accepted, c withheld, d?, d accepted',
    );
    expect(await watched(transport, ['e', 'f', 'c'])).toBe('e?, e accepted, f?, f accepted, c?, c accepted');
  });

  it('comes to nothing when the connection is lost that was told of it', async () => {
    const sink = await sinkWith({
      ...THINKS,
      fault: (stage, turn, connection) =>
        stage === 'taken' && turn === 1 && connection === 0 ? { do: 'reset' } : null,
    });
    expect(await watched(transportOf(sink), ['a', 'b', 'c', 'd'])).toBe(
      'a?, a accepted, b?, c?, b unknown, c withheld, d?, d accepted',
    );
    expect(sink.taken).toHaveLength(3);
  });

  it('comes to nothing where the server refuses to be told early, and is asked for in its turn from then on', async () => {
    const sink = await sinkWith({
      ...THINKS,
      fault: (stage, turn, connection) =>
        stage === 'mail' && turn === 2 && connection === 0 ? reply('554 5.5.0 out of step') : null,
    });
    const transport = transportOf(sink);
    expect(await watched(transport, ['a', 'b', 'c'])).toBe('a?, a accepted, b?, c?, b accepted, c withheld');
    expect(await watched(transport, ['c', 'd', 'e'])).toBe('c?, c accepted, d?, d accepted, e?, e accepted');
  });

  it('is tried again as others are, when the connection is lost over its own commands', async () => {
    const sink = await sinkWith({
      ...THINKS,
      fault: (stage, turn, connection) => (stage === 'rcpt' && turn === 2 && connection === 0 ? { do: 'reset' } : null),
    });
    expect(await watched(transportOf(sink), ['a', 'b', 'c', 'd'])).toBe(
      'a?, a accepted, b?, c?, b accepted, c retry, d?, d accepted',
    );
  });

  it.each([
    ['is refused', async () => false],
    ['fails', async () => Promise.reject(new Error('the database is away'))],
  ])('keeps its mail back when it %s, and no other', async (_, refuse) => {
    const sink = await sinkWith(THINKS);
    const told = await watched(transportOf(sink), ['a', 'b', 'c', 'd'], async (name) =>
      name === 'c' ? refuse() : true,
    );
    expect(told.replaceAll(/[a-d]\?, /g, '')).toBe('a accepted, b accepted, c withheld, d accepted');
    expect(sink.taken).toHaveLength(3);
  });

  it.each([
    ['is refused by the server', 'rcpt', 'permanent', (): void => undefined],
    ['is withheld as the transport stops', 'taken', 'withheld', (transport: Transport): void => transport.stop()],
  ] as const)('is waited for when its mail %s meanwhile', async (_, where, kind, then) => {
    const sink = await sinkWith({
      ...THINKS,
      fault: (stage, turn) => {
        if (stage === 'rcpt' && where === 'rcpt' && turn === 2) return reply('550 5.1.1 nobody here');
        return stage === 'taken' && where === 'taken' && turn === 1 ? { do: 'reset' } : null;
      },
    });
    const transport = transportOf(sink);
    let answer: (handed: boolean) => void = () => undefined;
    const ended: string[] = [];
    const deliveries = ['a', 'b', 'c'].map(async (name) => {
      const outcome = await transport.deliver(mailTo(name), async () => {
        if (name !== 'c') return true;
        then(transport);
        return new Promise((resolve) => {
          answer = resolve;
        });
      });
      ended.push(name);
      return outcome.kind;
    });
    await deliveries[1];
    // Long enough for the connection to have gone on to the mail that follows.
    await sleep(100);
    expect(ended).toEqual(['a', 'b']);
    answer(true);
    expect(await deliveries[2]).toBe(kind);
    expect(sink.taken.some(({ messageId }) => messageId === '<c@example.com>')).toBe(false);
  });
});
