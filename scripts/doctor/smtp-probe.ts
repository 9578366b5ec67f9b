/** What a mail server shows of itself before any mail: its greeting, its encryption, its certificate. */
import net from 'node:net';
import tls from 'node:tls';
import { isNativeError } from 'node:util/types';
import type { MailServer } from '../../engine/mail/url.ts';

/** What was seen of a server. */
export interface SmtpFacts {
  /** Its first line, without the code. */
  readonly greeting: string;
  /** Whether it offers STARTTLS; null where the connection is encrypted from the start. */
  readonly offersStartTls: boolean | null;
  /** Null without encryption. */
  readonly encryption: Encryption | null;
}

/** How a connection is encrypted. */
export interface Encryption {
  /** Such as `TLSv1.3`. */
  readonly protocol: string;
  /** Why the certificate is not trusted, in a word; null when it is. */
  readonly distrust: string | null;
  /** When the certificate ends, in ms; null when it does not say. */
  readonly validUntil: number | null;
}

/** The server was not reached, or does not speak SMTP. */
export class SmtpProbeError extends Error {
  override readonly name = 'SmtpProbeError';
  readonly code = 'smtp-probe';
}

const TIMEOUT_MS = 10_000;
const CLIENT = 'perennial.invalid';
const LONGEST_REPLY = 64 * 1024;

/** Connects, looks, and leaves. Certificates that are not trusted are looked at all the same. @throws SmtpProbeError */
export async function probeSmtp({ host, port, secure, startTls }: MailServer): Promise<SmtpFacts> {
  const plain = net.connect({ host, port });
  const line = new Line(plain);
  try {
    await line.opened();
    const first = secure ? await encrypt(plain, host) : plain;
    line.follow(first);
    const greeting = await line.reply('220');
    first.write(`EHLO ${CLIENT}\r\n`);
    const hello = await line.reply('250');
    const offersStartTls = secure ? null : /^STARTTLS\s*$/im.test(hello);
    if (offersStartTls !== true || startTls === 'off') {
      first.write('QUIT\r\n');
      return { greeting, offersStartTls, encryption: first instanceof tls.TLSSocket ? encryptionOf(first) : null };
    }
    first.write('STARTTLS\r\n');
    await line.reply('220');
    const secured = await encrypt(plain, host);
    secured.write(`EHLO ${CLIENT}\r\nQUIT\r\n`);
    return { greeting, offersStartTls, encryption: encryptionOf(secured) };
  } catch (error) {
    if (error instanceof SmtpProbeError) throw error;
    throw new SmtpProbeError(isNativeError(error) && error.message !== '' ? error.message : String(error), {
      cause: error,
    });
  } finally {
    plain.destroy();
  }
}

async function encrypt(socket: net.Socket, host: string): Promise<tls.TLSSocket> {
  socket.removeAllListeners('data');
  const name = net.isIP(host) === 0 ? { servername: host } : {};
  // Judged afterwards: what is wrong with a certificate is just what is asked.
  const secured = tls.connect({ socket, host, ...name, rejectUnauthorized: false });
  await new Promise<void>((resolve, reject) => {
    secured.once('secureConnect', resolve);
    secured.once('error', (error) => reject(new SmtpProbeError(`the encryption failed: ${error.message}`)));
    secured.setTimeout(TIMEOUT_MS, () => secured.destroy(new Error('no answer')));
  });
  secured.on('error', () => secured.destroy());
  return secured;
}

function encryptionOf(socket: tls.TLSSocket): Encryption {
  const { valid_to: until } = socket.getPeerCertificate();
  const validUntil = Date.parse(until ?? '');
  const { authorizationError: error } = socket as { readonly authorizationError?: Error | string | null };
  return {
    protocol: socket.getProtocol() ?? 'unknown',
    distrust: socket.authorized ? null : isNativeError(error) ? error.message : (error ?? 'not trusted'),
    validUntil: Number.isNaN(validUntil) ? null : validUntil,
  };
}

/** Replies, one at a time; whatever ends the connection ends the one that is waited for. */
class Line {
  readonly #plain: net.Socket;
  #text = '';
  #waiting: { readonly resolve: () => void; readonly reject: (error: Error) => void } | null = null;
  #failure: SmtpProbeError | null = null;

  constructor(plain: net.Socket) {
    this.#plain = plain;
    plain.setTimeout(TIMEOUT_MS, () => this.#fail('it does not answer'));
    plain.on('error', (error: NodeJS.ErrnoException) =>
      this.#fail(error.message === '' ? (error.code ?? '') : error.message),
    );
    plain.on('close', () => this.#fail('it ended the connection'));
  }

  async opened(): Promise<void> {
    const opened = this.#next();
    this.#plain.once('connect', () => this.#waiting?.resolve());
    await opened;
  }

  follow(socket: net.Socket): void {
    socket.on('data', (chunk: Buffer) => {
      this.#text += chunk.toString('latin1');
      if (this.#text.length > LONGEST_REPLY) this.#fail('its reply does not end');
      this.#waiting?.resolve();
    });
  }

  /** The text of the next reply, which must have that code. */
  async reply(code: string): Promise<string> {
    let match: RegExpExecArray | null = null;
    while ((match = /^(?:\d{3}-[^\n]*\n)*(\d{3})(?:[ \r][^\n]*)?\n/.exec(this.#text)) === null) await this.#next();
    this.#text = this.#text.slice(match[0].length);
    const text = match[0].replaceAll(/^\d{3}[- ]?/gm, '').trimEnd();
    if (match[1] !== code) throw new SmtpProbeError(`it answered ${match[1] ?? ''} ${text.split('\n')[0] ?? ''}`);
    return text;
  }

  #next(): Promise<void> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  #fail(reason: string): void {
    this.#failure ??= new SmtpProbeError(reason);
    this.#waiting?.reject(this.#failure);
    this.#plain.destroy();
  }
}
