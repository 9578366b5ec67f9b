/**
 * A mail server for tests, independent of the engine: it keeps a record of every message that it took, and can be told
 * to refuse, reset or stall at each stage of a conversation. Raw sockets, so that it is never the bottleneck.
 * In this process: `startSink`. As a process of its own, which outlives whatever is killed: `spawnSink`.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import path from 'node:path';

/** Where a conversation stands. `dot` is before a message counts as taken, `taken` after that and before the reply. */
export type Stage =
  'connect' | 'ehlo' | 'auth' | 'mail' | 'rcpt' | 'data' | 'body' | 'dot' | 'taken' | 'replied' | 'rset';

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
   * Whether a message was under way: from its MAIL until its reply had been out for `REPLY_TRAVELS_MS`, since a client
   * that died just then cannot have done anything with it.
   */
  readonly underWay: boolean;
}

/** So long a reply counts as not yet taken in by the client. */
const REPLY_TRAVELS_MS = 250;

export interface SinkOptions {
  /** Asked at each stage with its number on that connection (0, 1, …); null goes on. */
  readonly fault?: (stage: Stage, turn: number, connection: number) => Fault | null;
  /** Default: true. */
  readonly pipelining?: boolean;
  /** Keep whole messages in `sources`. Default: false. */
  readonly keep?: boolean;
  /** How long to think before the reply to a message, in ms. Default: 0. */
  readonly thinkMs?: number;
  /**
   * On every second connection a message is taken at the end of that time instead of its beginning, and only if the
   * client is still there: both happen to a client that dies. Default: false.
   */
  readonly takesLate?: boolean;
  /** Asked of each recipient: the reply with which the connection is closed; null takes the recipient. */
  readonly refuse?: (to: string) => string | null;
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
  /** Conversations with a message under way at this moment. */
  readonly underWay: number;
  /** Resolves when that stage is next reached, or a connection is gone. */
  reached(stage: Stage | 'gone'): Promise<void>;
  close(): Promise<void>;
}

const DOT = Buffer.from('\r\n.\r\n');

class Conversation {
  readonly #socket: net.Socket;
  readonly #server: SinkState;
  readonly #number: number;
  readonly #turns = new Map<Stage, number>();
  #input: Buffer[] = [];
  #inBody = false;
  /** Over a message: what was sent after it is read when it has its answer. */
  #thinking = false;
  #dead = false;
  /** The client has said goodbye, or the sink has ended it. */
  #over = false;
  #repliedAtMs = Number.NEGATIVE_INFINITY;
  #from = '';
  #to: string[] = [];

  constructor(socket: net.Socket, server: SinkState, number: number) {
    this.#socket = socket;
    this.#server = server;
    this.#number = number;
  }

  start(): void {
    this.#socket.setNoDelay(true);
    this.#socket.on('error', () => this.#socket.destroy());
    this.#socket.on('data', (chunk) => this.#read(chunk));
    this.#socket.once('end', () => this.#cut());
    this.#socket.once('close', () => this.#cut());
    if (this.#goesOn('connect')) this.#write('220 sink.test ESMTP');
  }

  get underWay(): boolean {
    if (this.#over || this.#dead) return false;
    const hasMessage = this.#thinking || this.#inBody || this.#from !== '';
    return hasMessage || Date.now() - this.#repliedAtMs < REPLY_TRAVELS_MS;
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
    if (this.#goesOn('dot')) {
      const [from, to] = [this.#from, this.#to];
      const take = (): void => this.#server.take(message, from, to);
      this.#from = '';
      this.#to = [];
      const { thinkMs = 0, takesLate = false } = this.#server.options;
      const late = takesLate && this.#number % 2 === 1;
      if (!late) take();
      if (thinkMs === 0) this.#taken();
      else this.#think(late ? take : () => undefined, thinkMs);
    }
    return buffer.subarray(end + DOT.length);
  }

  #think(take: () => void, forMs: number): void {
    this.#thinking = true;
    setTimeout(() => {
      this.#thinking = false;
      if (this.#socket.readableEnded || this.#socket.destroyed) return;
      take();
      this.#taken();
      this.#read(Buffer.alloc(0));
    }, forMs);
  }

  #taken(): void {
    this.#repliedAtMs = Date.now();
    if (this.#goesOn('taken')) this.#write('250 2.0.0 taken');
    if (!this.#dead) this.#goesOn('replied');
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
      this.#over = true;
      this.#socket.end('221 2.0.0 bye\r\n');
    } else this.#write('502 5.5.1 unknown command');
  }

  #greet(): void {
    if (!this.#goesOn('ehlo')) return;
    const { auth, pipelining } = this.#server.options;
    const extensions = [
      'sink.test',
      ...(pipelining === false ? [] : ['PIPELINING']),
      ...(auth === undefined ? [] : ['AUTH PLAIN']),
      'SIZE 1000000',
    ];
    this.#write(
      extensions.map((name, index) => `250${index === extensions.length - 1 ? ' ' : '-'}${name}`).join('\r\n'),
    );
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
    this.#write('250 2.1.0 ok');
  }

  #rcpt(line: string): void {
    if (!this.#goesOn('rcpt')) return;
    const to = /<([^>]*)>/.exec(line)?.[1] ?? '';
    const refusal = this.#server.options.refuse?.(to) ?? null;
    if (refusal !== null) {
      this.#dead = true;
      this.#socket.end(`${refusal}\r\n`);
      return;
    }
    this.#to.push(to);
    this.#write('250 2.1.5 ok');
  }

  #data(): void {
    if (!this.#goesOn('data')) return;
    if (this.#to.length === 0) return this.#write('503 5.5.1 no recipient');
    this.#write('354 go on');
    this.#inBody = true;
    this.#goesOn('body');
  }

  /** Whether nothing happens instead. */
  #goesOn(stage: Stage): boolean {
    const turn = this.#turns.get(stage) ?? 0;
    this.#turns.set(stage, turn + 1);
    this.#server.note(stage);
    const fault = this.#server.options.fault?.(stage, turn, this.#number) ?? null;
    if (fault === null) return true;
    if (fault.do === 'reply') {
      this.#write(fault.line);
      return false;
    }
    this.#dead = true;
    if (fault.do === 'reply-and-close') this.#socket.end(`${fault.line}\r\n`);
    else if (fault.do === 'close') this.#socket.end();
    else if (fault.do === 'reset') this.#socket.resetAndDestroy();
    return false;
  }

  #write(line: string): void {
    this.#socket.write(`${line}\r\n`);
  }
}

class SinkState {
  readonly options: SinkOptions;
  readonly taken: Taken[] = [];
  readonly sources: Buffer[] = [];
  readonly cuts: Cut[] = [];
  #waiting: { readonly stage: Stage | 'gone'; readonly resolve: () => void }[] = [];

  constructor(options: SinkOptions) {
    this.options = options;
  }

  take(message: Buffer, from: string, to: readonly string[]): void {
    const head = message.toString('latin1', 0, Math.min(message.length, 4096));
    const messageId = /^message-id:\s*(<[^>]*>)/im.exec(head)?.[1] ?? '';
    this.taken.push({ messageId, from, to: [...to], atMs: Date.now() });
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
      return [...sockets.values()].filter((conversation) => conversation.underWay).length;
    },
    reached: (stage) => state.reached(stage),
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
}

/** A sink in a process of its own. */
export interface SpawnedSink {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Everything taken so far. */
  taken(): Promise<readonly Taken[]>;
  /** How many messages were taken, which conversations were cut, and how many have a message under way. */
  standing(): Promise<SinkStanding>;
  close(): Promise<void>;
}

/** Starts a sink in a process of its own, which ends with this one. */
export async function spawnSink(options: Omit<SinkOptions, 'fault' | 'refuse'> = {}, port = 0): Promise<SpawnedSink> {
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
  const ask = async (what: 'taken' | 'standing'): Promise<unknown> => {
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
    taken: async () => (await ask('taken')) as readonly Taken[],
    standing: async () => (await ask('standing')) as SinkStanding,
    close: async () => {
      const exited = once(child, 'exit');
      child.disconnect();
      await exited;
    },
  };
}
