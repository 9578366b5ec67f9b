/** `SMTP_URL`: where mail is handed over, and as whom. */
import { isLoopbackHost } from './loopback.ts';

/** What went wrong with the mail server's address or the server itself; never holds a password. */
export class MailError extends Error {
  readonly code: 'bad-url' | 'unreachable';

  constructor(code: MailError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'MailError';
    this.code = code;
  }
}

/** A mail server as a URL names it. */
export interface MailServer {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte (smtps). */
  readonly secure: boolean;
  /** `offered`: STARTTLS when the server has it; `required`: no mail without; `off`: never. */
  readonly startTls: 'offered' | 'required' | 'off';
  readonly credentials: { readonly user: string; readonly pass: string } | null;
}

const EXPECTED = 'expected smtp://user:password@host:port or smtps://…';

/**
 * Reads `smtp://[user:password@]host[:port][?tls=offered|required|off]` or `smtps://…`. Ports default to 587 and 465.
 * With a password TLS is required, unless the server is this machine or `tls=` says otherwise.
 * @throws {MailError} `bad-url`
 */
export function parseSmtpUrl(text: string): MailServer {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== 'smtp:' && url.protocol !== 'smtps:') || url.hostname === '') {
    throw new MailError('bad-url', `the mail server's address cannot be read; ${EXPECTED}`);
  }
  const unknown = [...url.searchParams.keys()].filter((key) => key !== 'tls');
  if (unknown.length > 0) {
    throw new MailError(
      'bad-url',
      `the mail server's address has the unknown option "${unknown[0]}"; there is tls=offered|required|off`,
    );
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const secure = url.protocol === 'smtps:';
  const credentials = url.username === '' ? null : { user: decode(url.username), pass: decode(url.password) };
  const fallback = credentials !== null && !isLoopbackHost(host) ? 'required' : 'offered';
  const port = url.port === '' ? (secure ? 465 : 587) : Number(url.port);
  return { host, port, secure, startTls: startTlsOf(url.searchParams.get('tls'), fallback), credentials };
}

function startTlsOf(text: string | null, fallback: MailServer['startTls']): MailServer['startTls'] {
  if (text === null) return fallback;
  if (text === 'offered' || text === 'required' || text === 'off') return text;
  throw new MailError('bad-url', `the mail server's address has tls=${text}; expected offered, required or off`);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    throw new MailError('bad-url', "the user or password in the mail server's address has a stray %; write it as %25", {
      cause: error,
    });
  }
}
