/**
 * A mail server for tests, independent of the engine: it keeps a record of every message that it took, and can be told
 * to refuse, reset or stall at each stage of a conversation. Raw sockets, so that it is never the bottleneck.
 * In this process: `startSink`. As a process of its own, which outlives whatever is killed: `spawnSink`.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import tls from 'node:tls';
import type { TestCertificate } from './certificate.ts';
import type { PlannedFault, Stroke } from './fault-plan.ts';

/**
 * Where a conversation stands. `connect` is before the first word, `dot` before a message counts as taken, `taken` after
 * that and before the reply, `replied` after it.
 */
export type Stage =
  | 'connect'
  | 'greeting'
  | 'ehlo'
  | 'starttls'
  | 'auth'
  | 'mail'
  | 'rcpt'
  | 'data'
  | 'body'
  | 'dot'
  | 'taken'
  | 'replied'
  | 'rset'
  | 'quit';

/** Whom a conversation is about at that moment, as far as the sink has been told. */
export interface Concerned {
  readonly to: readonly string[];
  /** From the end of a message until the next MAIL. */
  readonly messageId: string | null;
}

/** What the sink does instead of going on. `stall` says nothing more, and keeps the connection open. */
export type Fault =
  | { readonly do: 'reply'; readonly line: string }
  | { readonly do: 'reply-and-close'; readonly line: string }
  | { readonly do: 'reset' }
  | { readonly do: 'close' }
  | { readonly do: 'stall' };

/** A message that the sink took. */
export interface Taken {
  readonly messageId: string;
  readonly from: string;
  readonly to: readonly string[];
  /** By the clock of the sink's process, in ms. */
  readonly atMs: number;
}

/** A conversation that the client ended without a word: it died, or gave up. */
export interface Cut {
  /** By the clock of the sink's process, in ms. */
  readonly atMs: number;
  /**
   * Messages under way: from MAIL, be it still unread, until the reply has been out for `REPLY_TRAVELS_MS`, since a client
   * that dies before cannot be expected to have written down what it was told. No more than the client may have given away
   * without having written down what became of it.
   */
  readonly underWay: number;
}

/** So long a reply counts as on its way to the client's own record. */
const REPLY_TRAVELS_MS = 250;
/** A sink that thinks for so long about each message is told of the next one ahead, and not given it. */
const SLOW_MS = 100;

export interface SinkOptions {
  /** Asked at each stage with its number on that connection (0, 1, …); null goes on. */
  readonly fault?: (stage: Stage, turn: number, connection: number, concerned: Concerned) => Fault | null;
  /** Default: true. */
  readonly pipelining?: boolean;
  /** Keep whole messages in `sources`. Default: false. */
  readonly keep?: boolean;
  /** How long to think before the reply to a message, in ms. Default: 0. */
  readonly thinkMs?: number;
  /** The first of so many messages of a connection is answered without thinking, and so on in turns. Default: none is. */
  readonly quickEvery?: number;
  /** How long to think about a recipient, in ms: the same for each, or as asked. Default: 0. */
  readonly addressMs?: number | ((to: string) => number);
  /**
   * On every second connection a message is taken at the end of that time instead of its beginning, and only if the
   * client is still there: both happen to a client that dies. Default: false.
   */
  readonly takesLate?: boolean;
  /** Asked of each recipient: the reply with which the connection is closed; null takes the recipient. */
  readonly refuse?: (to: string) => string | null;
  /** Offers STARTTLS, and AUTH under it only. */
  readonly tls?: TestCertificate;
  /** Ends each connection in order after so many messages. Default: never. */
  readonly messagesPerConnection?: number;
  /** A conversation that stalls is reset after so long, in ms. Default: never. */
  readonly stallMs?: number;
  /** Accept AUTH PLAIN with this user and password. */
  readonly auth?: { readonly user: string; readonly pass: string };
}

export interface Sink {
  readonly url: string;
  readonly port: number;
  readonly taken: readonly Taken[];
  readonly sources: readonly Buffer[];
  /** Connections that came in so far. */
  readonly connections: number;
  readonly cuts: readonly Cut[];
  /** Messages under way at this moment. */
  readonly underWay: number;
  /** Conversations that stall at this moment. */
  readonly stalled: number;
  /** Resolves when that stage is next reached, or a connection is gone. */
  reached(stage: Stage | 'gone'): Promise<void>;
  /** Refuses new connections for so long; those that are there go on. */
  refuseFor(ms: number): Promise<void>;
  close(): Promise<void>;
}

const DOT = Buffer.from('\r\n.\r\n');

class Conversation {
  /** Below TLS, where there is any. */
  readonly #raw: net.Socket;
  #socket: net.Socket;
  readonly #server: SinkState;
  readonly #number: number;
  readonly #turns = new Map<Stage, number>();
  #input: Buffer[] = [];
  #inBody = false;
  /** Over a message or a recipient: what was sent after it is read when it has its answer. */
  #thinking = false;
  #dead = false;
  /** The client has said goodbye, or the sink has ended it. */
  #over = false;
  #repliesAtMs: number[] = [];
  #from = '';
  #to: string[] = [];
  #messageId: string | null = null;
  #messages = 0;

  constructor(socket: net.Socket, server: SinkState, number: number) {
    this.#raw = socket;
    this.#socket = socket;
    this.#server = server;
    this.#number = number;
  }

  start(): void {
    this.#socket.setNoDelay(true);
    this.#listen();
    this.#raw.once('end', () => this.#cut());
    this.#raw.once('close', () => this.#cut());
    if (this.#goesOn('connect') && this.#goesOn('greeting')) this.#write('220 sink.test ESMTP');
  }

  #listen(): void {
    const socket = this.#socket;
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => this.#read(chunk));
  }

  get underWay(): number {
    if (this.#over || this.#dead) return 0;
    const hasMessage = this.#thinking || this.#inBody || this.#from !== '';
    const hasNext = this.#thinking && Buffer.concat(this.#input).includes('MAIL FROM:');
    const all = (hasMessage ? 1 : 0) + (hasNext ? 1 : 0) + this.#lateReplies().length;
    const { thinkMs = 0, quickEvery } = this.#server.options;
    return Math.min(all, thinkMs >= SLOW_MS && quickEvery === undefined ? 1 : 2);
  }

  #lateReplies(): number[] {
    const nowMs = Date.now();
    return this.#repliesAtMs.filter((atMs) => nowMs - atMs < REPLY_TRAVELS_MS);
  }

  #cut(): void {
    if (!this.#over && !this.#dead) this.#server.cuts.push({ atMs: Date.now(), underWay: this.underWay });
    this.#over = true;
  }

  #read(chunk: Buffer): void {
    if (this.#dead) return;
    this.#input.push(chunk);
    let buffer = this.#input.length === 1 ? chunk : Buffer.concat(this.#input);
    this.#input = [];
    while (buffer.length > 0 && !this.#dead && !this.#thinking) {
      const rest = this.#inBody ? this.#readBody(buffer) : this.#readLine(buffer);
      if (rest === null) break;
      buffer = rest;
    }
    if (buffer.length > 0) this.#input = [buffer];
  }

  #readBody(buffer: Buffer): Buffer | null {
    const end = buffer.indexOf(DOT);
    if (end < 0) return null;
    this.#inBody = false;
    const message = buffer.subarray(0, end + 2);
    this.#messageId = messageIdOf(message);
    this.#messages += 1;
    if (this.#goesOn('dot')) {
      const [from, to] = [this.#from, this.#to];
      const take = (): void => this.#server.take(message, from, to);
      this.#from = '';
      this.#to = [];
      const { takesLate = false, quickEvery } = this.#server.options;
      const isQuick = quickEvery !== undefined && (this.#messages - 1) % quickEvery === 0;
      const thinkMs = isQuick ? 0 : (this.#server.options.thinkMs ?? 0);
      const late = takesLate && thinkMs > 0 && this.#number % 2 === 1;
      if (!late) take();
      if (thinkMs === 0) this.#taken();
      else {
        this.#think(() => {
          if (late) take();
          this.#taken();
        }, thinkMs);
      }
    }
    return buffer.subarray(end + DOT.length);
  }

  /** Goes on after that, if the client is still there, and then reads what it has sent meanwhile. */
  #think(then: () => void, forMs: number): void {
    this.#thinking = true;
    setTimeout(() => {
      this.#thinking = false;
      if (this.#socket.readableEnded || this.#socket.destroyed) return;
      then();
      this.#read(Buffer.alloc(0));
    }, forMs);
  }

  #taken(): void {
    this.#repliesAtMs = [...this.#lateReplies(), Date.now()];
    if (this.#goesOn('taken')) this.#write('250 2.0.0 taken');
    if (!this.#dead && !this.#goesOn('replied')) return;
    const { messagesPerConnection = Number.POSITIVE_INFINITY } = this.#server.options;
    if (this.#dead || this.#messages < messagesPerConnection) return;
    this.#dead = true;
    this.#socket.end();
  }

  #readLine(buffer: Buffer): Buffer | null {
    const end = buffer.indexOf('\r\n');
    if (end < 0) return null;
    this.#command(buffer.toString('utf8', 0, end));
    return buffer.subarray(end + 2);
  }

  #command(line: string): void {
    const verb = line.slice(0, 4).toUpperCase();
    if (verb === 'EHLO' || verb === 'HELO') return this.#greet();
    if (verb === 'STAR') return this.#startTls();
    if (verb === 'AUTH') return this.#signIn(line);
    if (verb === 'MAIL') return this.#mail(line);
    if (verb === 'RCPT') return this.#rcpt(line);
    if (verb === 'DATA') return this.#data();
    if (verb === 'RSET') {
      this.#from = '';
      this.#to = [];
      if (this.#goesOn('rset')) this.#write('250 2.0.0 reset');
      return;
    }
    if (verb === 'QUIT') {
      if (!this.#goesOn('quit')) return;
      this.#over = true;
      this.#socket.end('221 2.0.0 bye\r\n');
    } else this.#write('502 5.5.1 unknown command');
  }

  #greet(): void {
    if (!this.#goesOn('ehlo')) return;
    const { auth, pipelining, tls: certificate } = this.#server.options;
    const isInClear = certificate !== undefined && this.#socket === this.#raw;
    const extensions = [
      'sink.test',
      ...(pipelining === false ? [] : ['PIPELINING']),
      ...(isInClear ? ['STARTTLS'] : []),
      ...(auth === undefined || isInClear ? [] : ['AUTH PLAIN']),
      'SIZE 1000000',
    ];
    this.#write(
      extensions.map((name, index) => `250${index === extensions.length - 1 ? ' ' : '-'}${name}`).join('\r\n'),
    );
  }

  #startTls(): void {
    if (!this.#goesOn('starttls')) return;
    const { tls: certificate } = this.#server.options;
    if (certificate === undefined) return this.#write('502 5.5.1 unknown command');
    this.#write('220 2.0.0 go on');
    this.#raw.removeAllListeners('data');
    this.#socket = new tls.TLSSocket(this.#raw, { isServer: true, ...certificate });
    this.#listen();
  }

  #signIn(line: string): void {
    if (!this.#goesOn('auth')) return;
    const { auth } = this.#server.options;
    const wanted = auth === undefined ? '' : Buffer.from(`\0${auth.user}\0${auth.pass}`).toString('base64');
    this.#write(
      wanted !== '' && line === `AUTH PLAIN ${wanted}` ? '235 2.7.0 welcome' : '535 5.7.8 wrong user or password',
    );
  }

  #mail(line: string): void {
    if (!this.#goesOn('mail')) return;
    if (this.#from !== '') return this.#write('503 5.5.1 nested MAIL');
    this.#from = /<([^>]*)>/.exec(line)?.[1] ?? '';
    this.#messageId = null;
    this.#write('250 2.1.0 ok');
  }

  #rcpt(line: string): void {
    // Of commands that came together, those after a refused one mean nothing.
    if (this.#from === '') return this.#write('503 5.5.1 no sender');
    if (!this.#goesOn('rcpt')) return;
    const to = /<([^>]*)>/.exec(line)?.[1] ?? '';
    const refusal = this.#server.options.refuse?.(to) ?? null;
    if (refusal !== null) {
      this.#dead = true;
      this.#socket.end(`${refusal}\r\n`);
      return;
    }
    this.#to.push(to);
    const { addressMs = 0 } = this.#server.options;
    const forMs = typeof addressMs === 'number' ? addressMs : addressMs(to);
    if (forMs === 0) this.#write('250 2.1.5 ok');
    else this.#think(() => this.#write('250 2.1.5 ok'), forMs);
  }

  #data(): void {
    if (this.#to.length === 0) return this.#write('503 5.5.1 no recipient');
    if (!this.#goesOn('data')) return;
    this.#write('354 go on');
    this.#inBody = true;
    this.#goesOn('body');
  }

  /** Whether nothing happens instead. */
  #goesOn(stage: Stage): boolean {
    const turn = this.#turns.get(stage) ?? 0;
    this.#turns.set(stage, turn + 1);
    this.#server.note(stage);
    const concerned = { to: this.#to, messageId: this.#messageId };
    const fault = this.#server.options.fault?.(stage, turn, this.#number, concerned) ?? null;
    if (fault === null) return true;
    if (fault.do === 'reply') {
      this.#write(fault.line);
      return false;
    }
    this.#dead = true;
    if (fault.do === 'reply-and-close') this.#socket.end(`${fault.line}\r\n`);
    else if (fault.do === 'close') this.#socket.end();
    else if (fault.do === 'reset') this.#raw.resetAndDestroy();
    else this.#stall();
    return false;
  }

  #stall(): void {
    this.#server.stalled += 1;
    this.#raw.once('close', () => (this.#server.stalled -= 1));
    const { stallMs } = this.#server.options;
    if (stallMs !== undefined) setTimeout(() => this.#raw.resetAndDestroy(), stallMs).unref();
  }

  #write(line: string): void {
    this.#socket.write(`${line}\r\n`);
  }
}

function messageIdOf(message: Buffer): string {
  const head = message.toString('latin1', 0, Math.min(message.length, 4096));
  return /^message-id:\s*(<[^>]*>)/im.exec(head)?.[1] ?? '';
}

class SinkState {
  readonly options: SinkOptions;
  readonly taken: Taken[] = [];
  readonly sources: Buffer[] = [];
  readonly cuts: Cut[] = [];
  stalled = 0;
  #waiting: { readonly stage: Stage | 'gone'; readonly resolve: () => void }[] = [];

  constructor(options: SinkOptions) {
    this.options = options;
  }

  take(message: Buffer, from: string, to: readonly string[]): void {
    this.taken.push({ messageId: messageIdOf(message), from, to: [...to], atMs: Date.now() });
    if (this.options.keep === true)
      this.sources.push(Buffer.from(message.toString('latin1').replace(/^\.\./gm, '.'), 'latin1'));
  }

  note(stage: Stage | 'gone'): void {
    if (this.#waiting.length === 0) return;
    const met = this.#waiting.filter((waiting) => waiting.stage === stage);
    this.#waiting = this.#waiting.filter((waiting) => waiting.stage !== stage);
    for (const { resolve } of met) resolve();
  }

  reached(stage: Stage | 'gone'): Promise<void> {
    return new Promise((resolve) => this.#waiting.push({ stage, resolve }));
  }
}

/** Starts a sink in this process, on a free port of 127.0.0.1 unless one is named. */
export async function startSink(options: SinkOptions = {}, port = 0): Promise<Sink> {
  const state = new SinkState(options);
  const sockets = new Map<net.Socket, Conversation>();
  let connections = 0;
  const server = net.createServer((socket) => {
    const conversation = new Conversation(socket, state, connections++);
    sockets.set(socket, conversation);
    socket.once('close', () => {
      sockets.delete(socket);
      state.note('gone');
    });
    conversation.start();
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address() as net.AddressInfo;
  return {
    url: `smtp://127.0.0.1:${address.port}`,
    port: address.port,
    taken: state.taken,
    sources: state.sources,
    get connections() {
      return connections;
    },
    cuts: state.cuts,
    get underWay() {
      return [...sockets.values()].reduce((sum, conversation) => sum + conversation.underWay, 0);
    },
    get stalled() {
      return state.stalled;
    },
    reached: (stage) => state.reached(stage),
    refuseFor: async (ms) => {
      server.close();
      await sleep(ms);
      server.listen(address.port, '127.0.0.1');
      await once(server, 'listening');
    },
    close: async () => {
      server.close();
      for (const socket of sockets.keys()) socket.destroy();
      if (server.listening) await once(server, 'close');
    },
  };
}

/** How things stand at a sink. */
export interface SinkStanding {
  readonly takenCount: number;
  readonly cuts: readonly Cut[];
  readonly underWay: number;
  readonly stalled: number;
}

/** What may be asked of a sink in a process of its own. */
export type Question =
  { readonly kind: 'taken' | 'standing' | 'strokes' } | { readonly kind: 'refuse'; readonly ms: number };

/** How a sink in a process of its own behaves. */
export interface SpawnedSinkOptions extends Omit<SinkOptions, 'fault' | 'refuse' | 'addressMs'> {
  /** Faults that it has in store. */
  readonly plan?: readonly PlannedFault[];
}

/** A sink in a process of its own. */
export interface SpawnedSink {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Everything taken so far. */
  taken(): Promise<readonly Taken[]>;
  /** How many messages were taken, which conversations were cut, and how many messages are under way. */
  standing(): Promise<SinkStanding>;
  /** The faults of its plan that have come about. */
  strokes(): Promise<readonly Stroke[]>;
  /** Refuses new connections for so long. */
  refuseFor(ms: number): Promise<void>;
  close(): Promise<void>;
}

/** Starts a sink in a process of its own, which ends with this one. */
export async function spawnSink(options: SpawnedSinkOptions = {}, port = 0): Promise<SpawnedSink> {
  const main = path.join(import.meta.dirname, 'smtp-sink-process.ts');
  const child = fork(main, [JSON.stringify({ options, port })], {
    execArgv: ['--import', path.join(import.meta.dirname, 'ts-loader.js')],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  const [{ port: actual }] = (await once(child, 'message')) as [{ port: number }];
  let asked = 0;
  const answers = new Map<number, (answer: unknown) => void>();
  child.on('message', ({ id, answer }: { readonly id: number; readonly answer: unknown }) => {
    answers.get(id)?.(answer);
    answers.delete(id);
  });
  const ask = async (what: Question): Promise<unknown> => {
    const id = asked++;
    return new Promise((resolve) => {
      answers.set(id, resolve);
      child.send({ id, what });
    });
  };
  return {
    url: `smtp://127.0.0.1:${actual}`,
    port: actual,
    pid: child.pid ?? 0,
    taken: async () => (await ask({ kind: 'taken' })) as readonly Taken[],
    standing: async () => (await ask({ kind: 'standing' })) as SinkStanding,
    strokes: async () => (await ask({ kind: 'strokes' })) as readonly Stroke[],
    refuseFor: async (ms) => void (await ask({ kind: 'refuse', ms })),
    close: async () => {
      const exited = once(child, 'exit');
      child.disconnect();
      await exited;
    },
  };
}
