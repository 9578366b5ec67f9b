/**
 * One mail over one connection.
 *
 * 1. The end of a message (its last CRLF and the final dot) is written only after its hand-over resolved true.
 * 2. A conversation ends only after the hand-over it asked for has settled: nobody is left who might still say yes.
 * 3. `ended` is set before the end can leave this process, so what is called a retry cannot have been taken.
 */
import { Readable } from 'node:stream';
import type SMTPConnection from 'nodemailer/lib/smtp-connection';
import { type Outcome, type Progress, type SmtpFault, classify } from './outcome.ts';

/** A message ready to go, and to whom: `to` is exactly one address. */
export interface OutgoingMail {
  readonly envelope: { readonly from: string; readonly to: string };
  /** CRLF line ends. */
  readonly message: Buffer;
}

/** Asked once all but the end of a message has been given to the socket: true lets it go, false or a throw keeps it back. */
export type HandOver = () => Promise<boolean>;

/** How a conversation ended. */
export interface Ended {
  readonly outcome: Outcome;
  /** The connection had gone away before the server looked at the mail. */
  readonly stale: boolean;
  /** The connection is in a known state and can go on, after RSET when the mail was not accepted; else it is closed. */
  readonly reusable: boolean;
}

const CRLF = Buffer.from('\r\n');
const WITHHELD: Ended = { outcome: { kind: 'withheld' }, stale: false, reusable: false };
const LOST: SmtpFault = { message: 'the connection ended', code: 'ECONNECTION', command: 'CONN' };

/** Sends one mail. Never rejects: whatever happens is an outcome. `onRefused` hears of a hand-over that threw. */
export function converse(
  smtp: SMTPConnection,
  mail: OutgoingMail,
  handOver: HandOver,
  onRefused: (error: unknown) => void,
): Promise<Ended> {
  return new Promise((resolve) => new Conversation(smtp, handOver, onRefused, resolve).start(mail));
}

class Conversation {
  readonly #smtp: SMTPConnection;
  readonly #handOver: HandOver;
  readonly #onRefused: (error: unknown) => void;
  readonly #resolve: (ended: Ended) => void;
  // nodemailer drops a mail without a word when it finds the socket gone; its error, where there is one, comes first.
  readonly #onEnd = (): void => queueMicrotask(() => this.#failed(LOST));
  #progress: Progress = 'envelope';
  #over = false;
  #granted: Promise<boolean> | null = null;

  constructor(
    smtp: SMTPConnection,
    handOver: HandOver,
    onRefused: (error: unknown) => void,
    resolve: (ended: Ended) => void,
  ) {
    this.#smtp = smtp;
    this.#handOver = handOver;
    this.#onRefused = onRefused;
    this.#resolve = resolve;
  }

  start({ envelope, message }: OutgoingMail): void {
    this.#smtp.once('end', this.#onEnd);
    const body = heldBody(message, (end) => void this.#taken(end));
    this.#smtp.send({ ...envelope, size: message.length }, body, (fault, info) => {
      if (fault !== null) this.#failed(fault);
      else if (this.#progress === 'ended') this.#accepted(info.response);
      else this.#failed({ message: `the server answered before the end of the message: ${info.response}` });
    });
  }

  async #taken(end: () => void): Promise<void> {
    this.#progress = 'body';
    this.#granted = this.#ask();
    const granted = await this.#granted;
    if (this.#over) return;
    if (!granted) {
      this.#finish(WITHHELD);
      return;
    }
    this.#progress = 'ended';
    end();
  }

  async #ask(): Promise<boolean> {
    try {
      return await this.#handOver();
    } catch (error) {
      this.#onRefused(error);
      return false;
    }
  }

  #accepted(response: string): void {
    this.#finish({ outcome: { kind: 'accepted', response }, stale: false, reusable: true });
  }

  #failed(fault: SmtpFault): void {
    const outcome = classify(fault, this.#progress);
    const stale = this.#progress === 'envelope' && isLost(fault);
    this.#finish({ outcome, stale, reusable: isReply(fault) && this.#progress !== 'body' });
  }

  #finish(ended: Ended): void {
    if (this.#over) return;
    this.#over = true;
    this.#smtp.off('end', this.#onEnd);
    // At once, not after the hand-over: the server is not to wait for a message that will not end.
    if (!ended.reusable) this.#smtp.close();
    if (this.#granted === null) this.#resolve(ended);
    // A refusal outranks whatever else went wrong meanwhile: the mail is no longer ours to try.
    else void this.#granted.then((granted) => this.#resolve(granted ? ended : WITHHELD));
  }
}

/** A message as a stream that gives all but the end, and that only when told to. */
function heldBody(message: Buffer, onTaken: (end: () => void) => void): Readable {
  const head = message.subarray(-2).equals(CRLF) ? message.subarray(0, -2) : message;
  let started = false;
  return new Readable({
    read(): void {
      if (started) return;
      started = true;
      this.push(head);
      onTaken(() => {
        this.push(CRLF);
        this.push(null);
      });
    },
  });
}

/** A whole reply of the server to a command, after which the conversation can go on. */
function isReply(fault: SmtpFault): boolean {
  return fault.responseCode !== undefined && fault.responseCode !== 421 && fault.command !== 'CONN';
}

function isLost(fault: SmtpFault): boolean {
  const gone = fault.code === 'ECONNECTION' || fault.code === 'ESOCKET';
  return fault.responseCode === 421 || (fault.responseCode === undefined && gone);
}
