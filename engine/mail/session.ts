/**
 * Commands and replies over a connection that nodemailer has opened: it brings connecting, TLS and signing in, and tells
 * when the connection is over. Replies are read here, so that a mail takes three turns of the event loop and no streams.
 */
import type { Socket } from 'node:net';
import type SMTPConnection from 'nodemailer/lib/smtp-connection';
import { faultOf, type SmtpFault } from './outcome.ts';

/** What comes back for a command: a whole reply (RFC 5321 section 4.2), or never one, since the connection is over. */
export type Answer =
  | { readonly kind: 'reply'; readonly code: number; readonly text: string }
  | { readonly kind: 'lost'; readonly fault: SmtpFault };

/** What the server said in its answer to EHLO. */
interface Extensions {
  /** RFC 2920: commands may be sent before the reply to the one before them. */
  readonly pipelining: boolean;
  /** RFC 1870: whether it wants to know a mail's size, and the largest it takes, in bytes; null: it named none. */
  readonly size: boolean;
  readonly maxSize: number | null;
}

const ENDED: SmtpFault = { message: 'the connection ended', code: 'ECONNECTION', command: 'CONN' };
const LAST_LINE = /^\d{3}(?: |$)/;
const OTHER_LINE = /^\d{3}-/;
/** RFC 5321 section 4.5.3.1.5 allows lines of 512 bytes; nobody has more than a few to say. */
const MAX_REPLY = 64 * 1024;

/** The conversation's side of an open connection. What is in doubt ends it: it is never used after an error. */
export class SmtpSession {
  readonly #smtp: SMTPConnection;
  readonly #socket: Socket;
  readonly #extensions: Extensions;
  /** Replies nobody has asked for yet: with pipelining they come together. */
  readonly #answers: Answer[] = [];
  #waiting: ((answer: Answer) => void) | null = null;
  #lines: string[] = [];
  #rest = '';
  #lost: SmtpFault | null = null;
  #isServersTurn = false;
  /** For whom the commands went out already, together with the end of the mail before. */
  ahead: object | null = null;

  /** @param hello the server's answer to EHLO, its lines as `lastServerResponse` has them after `connect`. */
  constructor(smtp: SMTPConnection, hello: string) {
    this.#smtp = smtp;
    const { _socket: socket } = smtp as { readonly _socket: Socket | false | null };
    if (socket === null || socket === false) throw new Error('a connection that is not open has no session');
    this.#socket = socket;
    this.#extensions = readExtensions(hello);
    socket.removeAllListeners('data');
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    smtp.once('error', (error: unknown) => this.#end(faultOf(error)));
    // Its error, where there is one, comes first.
    smtp.once('end', () => this.#end(ENDED));
  }

  get extensions(): Extensions {
    return this.#extensions;
  }

  /** False when the server has spoken though nobody asked: what it says next would be taken for another answer. */
  get isQuiet(): boolean {
    return this.#answers.length === 0 && this.#rest === '' && this.#lines.length === 0;
  }

  /** Whether all that was written has left this process. */
  get isWritten(): boolean {
    return this.#socket.writableLength === 0;
  }

  /** Whether it waits for the server's word, which comes within the time of that turn or never. */
  get isServersTurn(): boolean {
    return this.#isServersTurn && this.#lost === null;
  }

  /** The server is to answer; it may be silent for so long, in ms, or the connection is over. */
  serversTurn(withinMs: number): void {
    this.#isServersTurn = true;
    this.#socket.setTimeout(withinMs);
  }

  /** Nothing is asked of the server for now; after so long without a word from either side the connection is over. */
  ownTurn(withinMs: number): void {
    this.#isServersTurn = false;
    this.#socket.setTimeout(withinMs);
  }

  write(data: string | Buffer): void {
    if (this.#lost === null) this.#socket.write(data);
  }

  /** The next answer, one caller at a time. */
  async answer(): Promise<Answer> {
    const known = this.#answers.shift();
    if (known !== undefined) return known;
    if (this.#lost !== null) return { kind: 'lost', fault: this.#lost };
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  /** Drops the connection at once. */
  destroy(): void {
    this.#smtp.close();
  }

  #read(chunk: Buffer): void {
    // Bytes as characters: a character of several bytes may be split between two chunks.
    const lines = (this.#rest + chunk.toString('latin1')).split(/\r?\n/);
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#readLine(line);
    const pending = this.#lines.reduce((sum, line) => sum + line.length, this.#rest.length);
    if (pending > MAX_REPLY) this.#fail('a reply that does not end');
  }

  #readLine(line: string): void {
    if (this.#lost !== null || (line === '' && this.#lines.length === 0)) return;
    this.#lines.push(line);
    if (LAST_LINE.test(line)) {
      const text = Buffer.from(this.#lines.join('\n'), 'latin1').toString('utf8');
      this.#lines = [];
      this.#give({ kind: 'reply', code: Number(line.slice(0, 3)), text });
    } else if (!OTHER_LINE.test(line)) {
      this.#fail(`what is no reply: ${line.slice(0, 200)}`);
    }
  }

  #fail(what: string): void {
    this.#end({ message: `the server sent ${what}`, code: 'EPROTOCOL', command: 'CONN' });
    this.destroy();
  }

  #end(fault: SmtpFault): void {
    if (this.#lost !== null) return;
    this.#lost = fault;
    this.#waiting?.({ kind: 'lost', fault });
    this.#waiting = null;
  }

  #give(answer: Answer): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting === null) this.#answers.push(answer);
    else waiting(answer);
  }
}

function readExtensions(hello: string): Extensions {
  const names = hello.split('\n').map((line) => line.slice(4).trim().toUpperCase());
  const size = names.find((name) => name === 'SIZE' || name.startsWith('SIZE '));
  const maxSize = Number(size?.slice(5) ?? 0);
  return { pipelining: names.includes('PIPELINING'), size: size !== undefined, maxSize: maxSize > 0 ? maxSize : null };
}
