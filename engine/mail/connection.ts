/** One kept-open connection to a mail server, opened by nodemailer's SMTP client (which brings TLS and signing in). */
import SMTPConnection from 'nodemailer/lib/smtp-connection';
import { type Ended, type Following, type OutgoingMail, converse } from './conversation.ts';
import type { HandOver } from './hand-over.ts';
import { SmtpSession } from './session.ts';
import type { MailServer } from './url.ts';

/** How long to wait, in milliseconds. */
export interface Timeouts {
  /** For the connection, its TLS and the greeting, together. */
  readonly connectMs: number;
  /** For each reply up to the end of a message. RFC 5321 section 4.5.3.2 asks for 2 to 5 minutes. */
  readonly replyMs: number;
  /** For the reply to the end of a message: RFC 5321 section 4.5.3.2.6 asks for 10 minutes. Default: `replyMs`. */
  readonly endMs?: number;
}

/** Where the mail's own log goes; pino fits. */
export interface MailLog {
  debug(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** A connection without a mail is closed before the server does that: most do after 2 to 5 minutes. */
const IDLE_MS = 60_000;
/** Nothing depends on the answer to QUIT, and a process that is to end waits for it. */
const GOODBYE_MS = 2_000;
const WRITABLE_ADDRESS = /^[\x21-\x3b\x3d\x3f-\x7e]+$/;

/** One open connection. A connection whose state is in doubt is destroyed, never used again. */
export class MailConnection {
  readonly #session: SmtpSession;
  readonly #timeouts: Timeouts;
  readonly #log: MailLog;
  #alive = true;
  #refused = false;
  #used = 0;
  #waitedMs = Number.POSITIVE_INFINITY;

  private constructor(smtp: SMTPConnection, hello: string, timeouts: Timeouts, log: MailLog) {
    this.#session = new SmtpSession(smtp, hello);
    this.#timeouts = timeouts;
    this.#log = log;
    smtp.once('end', () => {
      log.debug({}, 'mail connection ended');
      this.#alive = false;
    });
  }

  /** Connects, and signs in where the server's URL has a user. Rejects with nodemailer's error. */
  static async open(server: MailServer, timeouts: Timeouts, log: MailLog): Promise<MailConnection> {
    const smtp = new SMTPConnection({
      host: server.host,
      port: server.port,
      secure: server.secure,
      ignoreTLS: server.startTls === 'off',
      requireTLS: server.startTls === 'required' && !server.secure,
      connectionTimeout: timeouts.connectMs,
      greetingTimeout: timeouts.connectMs,
      socketTimeout: timeouts.replyMs,
      // A conversation is given up at once: a polite end would leave its socket open to a silent server.
      socketCloseTimeout: 0,
    });
    smtp.on('error', (error) => log.debug({ err: error }, 'mail connection failed'));
    const { credentials } = server;
    try {
      await settled(smtp, (callback) => smtp.connect(callback));
      const hello = String(smtp.lastServerResponse);
      if (credentials !== null)
        await settled(smtp, (callback) => smtp.login({ ...credentials, credentials }, callback));
      return new MailConnection(smtp, hello, timeouts, log);
    } catch (error) {
      smtp.close();
      throw error;
    }
  }

  /** Mails tried over this connection so far. */
  get used(): number {
    return this.#used;
  }

  /** Whether another mail may be tried over it. */
  get alive(): boolean {
    return this.#alive;
  }

  /**
   * For how long the last mail here waited for the server, in ms; without end where that was not accepted, or where what
   * was written since has not left this process.
   */
  get waitedMs(): number {
    return this.#session.isWritten ? this.#waitedMs : Number.POSITIVE_INFINITY;
  }

  /** Whether the commands of a mail are out that is to follow. */
  get isAhead(): boolean {
    return this.#session.ahead !== null;
  }

  /** Whether a mail is on it that waits for the server's word. */
  get isServersTurn(): boolean {
    return this.#session.isServersTurn;
  }

  /**
   * Tries one mail. Never rejects: whatever happens is an outcome. A mail that `following` named must be the next one
   * here if the connection is still alive.
   */
  async deliver(mail: OutgoingMail, handOver: HandOver, following: Following): Promise<Ended> {
    if (!isWritable(mail)) {
      const reason = `the envelope ${JSON.stringify(mail.envelope)} must hold one plain ASCII address each`;
      return { outcome: { kind: 'permanent', reason, code: null }, stale: false, reusable: true };
    }
    this.#used += 1;
    const { replyMs, endMs = replyMs } = this.#timeouts;
    const ended = await converse(this.#session, mail, {
      handOver,
      replyMs,
      endMs,
      following: (fits) => following((next) => isWritable(next) && fits(next)),
      onRefused: (error) => this.#log.warn({ err: error }, 'a hand-over failed; the mail is withheld'),
    });
    this.#refused = ended.outcome.kind !== 'accepted';
    this.#waitedMs = ended.waitedMs ?? Number.POSITIVE_INFINITY;
    this.#session.ownTurn(IDLE_MS);
    return ended;
  }

  /** Makes it ready for another mail; false when that failed, and it is destroyed. */
  async reset(): Promise<boolean> {
    // After the end of a message the server is ready for the next without being told, and that one may be under way.
    if (!this.#refused || !this.#alive || this.#session.ahead !== null) return this.#alive;
    this.#session.serversTurn(IDLE_MS);
    this.#session.write('RSET\r\n');
    const answer = await this.#session.answer();
    this.#session.ownTurn(IDLE_MS);
    if (answer.kind === 'reply' && answer.code >= 200 && answer.code < 300) {
      this.#refused = false;
    } else {
      this.#log.debug({ answer }, 'mail connection could not be reset');
      this.destroy();
    }
    return this.#alive;
  }

  /** Says goodbye and closes; a server that does not answer at once is left without its word. */
  async quit(): Promise<void> {
    if (!this.#alive) return;
    this.#session.write('QUIT\r\n');
    const impatience = setTimeout(() => this.destroy(), GOODBYE_MS);
    await this.#session.answer();
    clearTimeout(impatience);
    this.destroy();
  }

  /** Drops the connection at once, in the middle of whatever it does. */
  destroy(): void {
    this.#alive = false;
    this.#session.destroy();
  }
}

function isWritable({ envelope }: OutgoingMail): boolean {
  return WRITABLE_ADDRESS.test(envelope.from) && WRITABLE_ADDRESS.test(envelope.to);
}

/** Runs a step of nodemailer's; a connection that ends meanwhile never calls back, and rejects here instead. */
function settled(smtp: SMTPConnection, run: (callback: (error?: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const onEnd = (): void => queueMicrotask(() => finish(new Error('the connection ended')));
    const finish = (error?: Error | null): void => {
      smtp.off('error', finish);
      smtp.off('end', onEnd);
      if (error === undefined || error === null) resolve();
      else reject(error);
    };
    smtp.once('error', finish);
    smtp.once('end', onEnd);
    run(finish);
  });
}
