/** Mail over SMTP: a few kept-open connections, shared by all mails that are on their way. */
import { MailConnection, type MailLog, type Timeouts } from './connection.ts';
import type { Ended, OutgoingMail } from './conversation.ts';
import { Followers, type Going, type Slot, type Waiter } from './followers.ts';
import { AskedOnce, type HandOver } from './hand-over.ts';
import { type Outcome, classify, faultOf } from './outcome.ts';
import { MailError, type MailServer, parseSmtpUrl } from './url.ts';

export type { MailLog, Timeouts } from './connection.ts';
export type { OutgoingMail } from './conversation.ts';
export type { HandOver } from './hand-over.ts';
export type { Outcome } from './outcome.ts';
export { MailError } from './url.ts';

/** How mail leaves. */
export interface Transport {
  /**
   * Tries one mail once. `handOver` is called at most once: when the server waits for the message, or, where that takes
   * commands in groups and is quick, ahead, when the end of the mail before it on its connection goes out. The mail's own
   * end goes out only if that resolves true, and after an asking ahead within a second; else it is `withheld`, and at
   * once when its connection is lost. Never rejects, and settles only after `handOver` has.
   */
  deliver(mail: OutgoingMail, handOver: HandOver): Promise<Outcome>;
  /** `HOST:PORT` of the mail server. */
  readonly server: string;
  /**
   * How many mails have a connection at present, slow ones apart: each has asked for its hand-over or, mostly, is about to.
   */
  readonly conversations: number;
  /** Whether the server's word is waited for at present, be it that a connection is being opened. No wait is for ever. */
  readonly isServersTurn: boolean;
  /** Connects and signs in. @throws {MailError} `unreachable` */
  verify(): Promise<void>;
  /** Begins no more conversation: mails that wait for a connection, and later ones, are `withheld`. */
  stop(): void;
  /** Takes no more mail, waits for what is on its way, and closes the connections. */
  close(): Promise<void>;
}

/** What `openTransport` needs to know. */
export interface TransportOptions {
  /** See `parseSmtpUrl`. */
  readonly url: string;
  /** Connections at most, from 1, slow ones apart: as many again. They are opened when needed. */
  readonly connections: number;
  readonly log?: MailLog;
  /** Default: 2 minutes to connect, 5 minutes for a reply, 10 minutes for the one to the end of a message. */
  readonly timeouts?: Timeouts;
  /** After so long, in ms, the connection of a mail, or the opening of one, is slow. Default 30 s. */
  readonly slowMs?: number;
  /** A server for which a mail waited no longer than that, in ms, is quick (docs/decisions/0053). Default 50. */
  readonly quickMs?: number;
}

const DEFAULT_TIMEOUTS: Timeouts = { connectMs: 120_000, replyMs: 300_000, endMs: 600_000 };
const SLOW_MS = 30_000;
const QUICK_MS = 50;
/** A mail that is always slow to be addressed must have its turn without being handed over ahead. */
const NOT_QUICK_FOR_MS = 60_000;
/** Servers limit it, most to 100 or more, and say 421 then; before that a new connection is cheap. */
const MAILS_PER_CONNECTION = 500;
const WITHHELD: Outcome = { kind: 'withheld' };
const STOPPED: Slot = { failure: WITHHELD };
const SILENT: MailLog = { debug: () => undefined, warn: () => undefined };

/**
 * Opens a transport; nothing is connected yet.
 * @throws {MailError} `bad-url`
 * @throws RangeError for less than one connection
 */
export function openTransport(options: TransportOptions): Transport {
  if (!Number.isInteger(options.connections) || options.connections < 1) {
    throw new RangeError(`connections must be a whole number from 1, not ${options.connections}`);
  }
  return new SmtpTransport(parseSmtpUrl(options.url), options);
}

type Attempt = Pick<Ended, 'outcome' | 'stale' | 'isAnswered' | 'wasAhead'>;

class SmtpTransport implements Transport {
  readonly #server: MailServer;
  readonly #limit: number;
  readonly #log: MailLog;
  readonly #timeouts: Timeouts;
  readonly #slowMs: number;
  readonly #quickMs: number;
  readonly #idle: MailConnection[] = [];
  readonly #waiting: Waiter[] = [];
  readonly #followers = new Followers();
  readonly #underWay = new Set<Promise<unknown>>();
  /** Connections that carry a mail, and those of them that take long for it. */
  readonly #busy = new Set<MailConnection>();
  readonly #late = new Set<MailConnection>();
  /** Connections that are open, being opened or being made ready. */
  #open = 0;
  /** How many of these are being opened. */
  #opening = 0;
  /** How many of these are slow: others are opened in their place (docs/decisions/0052). */
  #slow = 0;
  /** Whether commands may go out with the end of the mail before. */
  #goesAhead = true;
  /** From when on it is believed again that the server is quick, by the clock of `performance`. */
  #isQuickFromMs = 0;
  #stopped = false;
  #closed = false;

  constructor(server: MailServer, options: TransportOptions) {
    this.#server = server;
    this.#limit = options.connections;
    this.#log = options.log ?? SILENT;
    this.#timeouts = options.timeouts ?? DEFAULT_TIMEOUTS;
    this.#slowMs = options.slowMs ?? SLOW_MS;
    this.#quickMs = options.quickMs ?? QUICK_MS;
  }

  get server(): string {
    return `${this.#server.host}:${this.#server.port}`;
  }

  get conversations(): number {
    return this.#open - this.#idle.length - this.#slow;
  }

  get isServersTurn(): boolean {
    return this.#opening > 0 || [...this.#busy].some((connection) => connection.isServersTurn);
  }

  async deliver(mail: OutgoingMail, handOver: HandOver): Promise<Outcome> {
    if (this.#closed) return { kind: 'retry', reason: 'the mail transport is closed', code: null, scope: 'connection' };
    return this.#track(this.#deliver({ mail, asked: new AskedOnce(handOver) }));
  }

  async verify(): Promise<void> {
    const slot = await this.#track(this.#acquire(null));
    if ('connection' in slot) return this.#release(slot.connection);
    const reason = 'reason' in slot.failure ? slot.failure.reason : slot.failure.kind;
    throw new MailError(
      'unreachable',
      `the mail server ${this.#server.host}:${this.#server.port} cannot be used: ${reason}`,
    );
  }

  stop(): void {
    this.#stopped = true;
    for (const waiting of this.#waiting.splice(0)) waiting.give(STOPPED);
  }

  async close(): Promise<void> {
    this.#closed = true;
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
    await Promise.all(this.#idle.splice(0).map((connection) => connection.quit()));
  }

  async #deliver(going: Going): Promise<Outcome> {
    const first = await this.#attempt(going, false);
    const outcome = first.stale ? await this.#again(going, first) : first.outcome;
    // Asked ahead, it may be under way although its mail's turn never came.
    await going.asked.settled();
    return outcome;
  }

  /**
   * A server may end an idle connection at any time, and take its commands one mail at a time only; that says nothing of
   * this mail. One that was handed over ahead does not look for another connection; and where its own commands were
   * answered before the connection was lost, that may be its doing, and counts.
   */
  async #again(going: Going, first: Attempt): Promise<Outcome> {
    if (!going.asked.isAhead) return (await this.#attempt(going, true)).outcome;
    return first.isAnswered === true && first.wasAhead !== true ? first.outcome : WITHHELD;
  }

  async #attempt(going: Going, fresh: boolean): Promise<Attempt> {
    const slot = await this.#acquire(fresh ? null : going, fresh);
    if ('failure' in slot) return { outcome: slot.failure, stale: false };
    const { connection } = slot;
    const reused = connection.used > 0;
    this.#busy.add(connection);
    const attempt = await this.#watched(
      connection.deliver(
        going.mail,
        async () => going.asked.handOver(),
        (fits) => this.#promise(connection, fits),
      ),
      connection,
    );
    this.#busy.delete(connection);
    this.#late.delete(connection);
    if (attempt.wasAhead) this.#goesAhead = false;
    if (attempt.outcome.kind === 'withheld' && going.asked.isOverdue) this.#notQuick();
    this.#release(connection);
    return { ...attempt, stale: (attempt.stale || attempt.wasAhead === true) && reused };
  }

  /** An idle connection, a new one, or a place in the queue. `fresh` passes by those that were used before. */
  async #acquire(going: Going | null, fresh = false): Promise<Slot> {
    if (this.#stopped) return STOPPED;
    while (this.#idle.length > 0) {
      const connection = this.#idle.pop();
      if (connection?.alive === true && !(fresh && connection.used > 0)) return { connection };
      this.#open -= 1;
      connection?.destroy();
    }
    if (this.#hasRoom) return this.#connect();
    return new Promise((resolve) => this.#waiting.push({ going, give: resolve }));
  }

  get #hasRoom(): boolean {
    return this.#open - this.#slow < this.#limit;
  }

  /** A connection that takes long for its mail gives its place to another, as long as there are not too many of these. */
  async #watched<T>(work: Promise<T>, connection: MailConnection | null): Promise<T> {
    let isSlow = false;
    const timer = setTimeout(() => {
      if (connection !== null) this.#takeBack(connection);
      if (this.#slow >= this.#limit) return;
      isSlow = true;
      this.#slow += 1;
      this.#serveOne();
    }, this.#slowMs);
    try {
      return await work;
    } finally {
      clearTimeout(timer);
      if (isSlow) this.#slow -= 1;
    }
  }

  /**
   * The mail that was to follow is another connection's, or nobody's if it was handed over ahead; its commands are out, so
   * this one ends with the mail it has.
   */
  #takeBack(connection: MailConnection): void {
    this.#late.add(connection);
    const promised = this.#followers.take(connection);
    if (promised === undefined) return;
    if (this.#stopped || promised.going?.asked.isAhead === true) promised.give({ failure: WITHHELD });
    else this.#waiting.unshift(promised);
  }

  #serveOne(): void {
    const next = this.#hasRoom ? this.#waiting.shift() : undefined;
    if (next !== undefined) void this.#track(this.#connect().then(next.give));
  }

  async #connect(): Promise<Slot> {
    this.#open += 1;
    this.#opening += 1;
    try {
      return { connection: await this.#watched(MailConnection.open(this.#server, this.#timeouts, this.#log), null) };
    } catch (error) {
      this.#open -= 1;
      const failure = classify(faultOf(error), 'opening');
      this.#log.warn({ err: error }, 'cannot connect to the mail server');
      // With none left but slow ones, nobody would serve those in the queue soon, and they would fare no better.
      if (this.#open <= this.#slow) for (const waiting of this.#waiting.splice(0)) waiting.give({ failure });
      return { failure };
    } finally {
      this.#opening -= 1;
    }
  }

  #release(connection: MailConnection): void {
    void this.#track(this.#passOn(connection));
  }

  /** Takes the first of those who wait out of the queue, for this connection, if its mail fits. */
  #promise(connection: MailConnection, fits: (mail: OutgoingMail) => boolean): OutgoingMail | null {
    const [first] = this.#waiting;
    const hasRoom = this.#goesAhead && !this.#late.has(connection) && connection.used < MAILS_PER_CONNECTION;
    if (!hasRoom || first === undefined || first.going === null || !fits(first.going.mail)) return null;
    this.#waiting.shift();
    const isQuick = connection.waitedMs <= this.#quickMs && performance.now() >= this.#isQuickFromMs;
    if (isQuick) this.#followers.addAhead(connection, first, () => this.#overdue(connection));
    else this.#followers.add(connection, first);
    return first.going.mail;
  }

  /** A mail was handed over ahead, and the one before it takes longer than that is good for. */
  #overdue(connection: MailConnection): void {
    this.#notQuick();
    this.#takeBack(connection);
  }

  #notQuick(): void {
    this.#isQuickFromMs = performance.now() + NOT_QUICK_FOR_MS;
  }

  async #passOn(connection: MailConnection): Promise<void> {
    const promised = this.#followers.take(connection);
    if (promised === undefined && connection.isAhead) connection.destroy();
    if (this.#open - this.#slow > this.#limit && promised === undefined) {
      // It was slow, and its place is another's now, who serves those that wait.
      this.#open -= 1;
      void connection.quit();
      return;
    }
    if (connection.used >= MAILS_PER_CONNECTION) void connection.quit();
    const ready = connection.used < MAILS_PER_CONNECTION && (await connection.reset());
    // Handed over, it is not to wait for another connection: no server has been told of it.
    const isWithheld = !ready && promised?.going?.asked.isAhead === true;
    if (isWithheld) promised.give({ failure: WITHHELD });
    const next = (isWithheld ? undefined : promised) ?? this.#waiting.shift();
    if (ready) {
      if (next === undefined) this.#idle.push(connection);
      else next.give({ connection });
      return;
    }
    this.#open -= 1;
    if (next !== undefined) next.give(this.#stopped ? STOPPED : await this.#connect());
  }

  #track<T>(work: Promise<T>): Promise<T> {
    this.#underWay.add(work);
    const forget = (): boolean => this.#underWay.delete(work);
    work.then(forget, forget);
    return work;
  }
}
