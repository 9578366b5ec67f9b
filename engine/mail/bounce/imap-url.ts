/** `BOUNCES_IMAP_URL`: the mailbox to which mail comes back. */
import { isLoopbackHost } from '../loopback.ts';
import { MailError } from '../url.ts';

/** A mailbox as a URL names it. */
export interface ImapPlace {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte (imaps, RFC 8314). */
  readonly secure: boolean;
  /** Of a connection that begins in clear: `required` unless the server is this machine. */
  readonly startTls: 'required' | 'offered';
  readonly credentials: { readonly user: string; readonly pass: string };
  /** Its name on the server, such as `INBOX` or `INBOX/Bounces`. */
  readonly mailbox: string;
}

const EXPECTED = 'expected imaps://user:password@host/INBOX; imap:// for STARTTLS';

/**
 * Reads `imaps://user:password@host[:port][/MAILBOX]` or `imap://…`. Ports default to 993 and 143, the mailbox to INBOX.
 * @throws {MailError} `bad-url`; its message holds no part of the URL.
 */
export function parseImapUrl(text: string): ImapPlace {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== 'imap:' && url.protocol !== 'imaps:') || url.hostname === '') {
    throw badUrl(`cannot be read; ${EXPECTED}`);
  }
  if (url.username === '' || url.password === '') throw badUrl(`names no user and password; ${EXPECTED}`);
  if (url.search !== '' || url.hash !== '') throw badUrl(`has something after "?" or "#"; ${EXPECTED}`);
  const secure = url.protocol === 'imaps:';
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return {
    host,
    port: url.port === '' ? (secure ? 993 : 143) : Number(url.port),
    secure,
    startTls: isLoopbackHost(host) ? 'offered' : 'required',
    credentials: { user: decode(url.username), pass: decode(url.password) },
    mailbox: decode(url.pathname.replace(/^\//, '')) || 'INBOX',
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    throw badUrl('has a stray % in its user, password or mailbox; write it as %25', error);
  }
}

function badUrl(message: string, cause?: unknown): MailError {
  return new MailError('bad-url', `the mailbox's address ${message}`, cause === undefined ? {} : { cause });
}
