/**
 * Servers that would be spoken to in clear. What travels to them is who the customers are, and the passwords themselves:
 * off this machine it is encrypted, or a person has said that nobody else is on that network (docs/decisions/0045).
 */
import pg from 'pg';
import { isLoopbackHost } from '../engine/mail/loopback.ts';
import { MailError, parseSmtpUrl } from '../engine/mail/url.ts';
import { describeRedis, guardedUrl, lacksOf, parseRedisUrl } from '../engine/queue/redis-place.ts';
import { maskUrl } from './mask-url.ts';

/** What is wrong with a setting, without its secrets. */
export interface InClearProblem {
  readonly variable: string;
  readonly message: string;
}

/** Where the servers are; null for one that is not used. */
export interface ServerUrls {
  readonly database: string | null;
  readonly redis: string | null;
  readonly smtp: string | null;
}

/** A problem for each server that is neither this machine, nor trusted, nor spoken to as it should be. */
export function inClearProblems(urls: ServerUrls, trusted: ReadonlySet<string>): readonly InClearProblem[] {
  return [
    ...(urls.database === null ? [] : databaseProblems(urls.database, trusted)),
    ...(urls.redis === null ? [] : redisProblems(urls.redis, trusted)),
    ...(urls.smtp === null ? [] : smtpProblems(urls.smtp, trusted)),
  ];
}

/** Whether a host may be spoken to in clear: it is this machine, or one of `trusted`, as PERENNIAL_TRUSTED_HOSTS names them. */
export function isTrusted(host: string, trusted: ReadonlySet<string>): boolean {
  const name = host.toLowerCase();
  // An IPv6 address stands in brackets in a URL, and the driver takes them off.
  return isLoopbackHost(name) || trusted.has(name) || trusted.has(`[${name}]`);
}

function otherwise(host: string): string {
  return (
    `If nobody but these machines is on the network between, such as that of one container host, say so with ` +
    `PERENNIAL_TRUSTED_HOSTS=${host}`
  );
}

function* databaseProblems(url: string, trusted: ReadonlySet<string>): Generator<InClearProblem> {
  const variable = 'DATABASE_URL';
  const read = readDatabaseUrl(url);
  if (typeof read === 'string') {
    yield { variable, message: `cannot be used: ${read}` };
    return;
  }
  const { host, tls } = read;
  // A path is a socket of this machine.
  if (host.startsWith('/') || isTrusted(host, trusted) || tls === 'verified') return;
  const what =
    tls === 'none'
      ? 'has no TLS, so that customers and the password would travel in clear'
      : 'does not check whose certificate it is, so that anybody on the way could answer in its place';
  const message =
    `${maskUrl(url)} ${what}. Add sslmode=verify-full to it (and sslrootcert=FILE for an authority of your own). ` +
    otherwise(host);
  yield { variable, message };
}

interface DatabaseHost {
  readonly host: string;
  readonly tls: 'verified' | 'unverified' | 'none';
}

/** As the driver itself reads it: options of the URL and variables such as PGSSLMODE have a say in it. */
function readDatabaseUrl(url: string): DatabaseHost | string {
  try {
    const { host, ssl } = new pg.Client({ connectionString: url }) as unknown as { host: string; ssl: unknown };
    if (ssl === undefined || ssl === null || ssl === false) return { host, tls: 'none' };
    const isUnverified = typeof ssl === 'object' && 'rejectUnauthorized' in ssl && ssl.rejectUnauthorized === false;
    return { host, tls: isUnverified ? 'unverified' : 'verified' };
  } catch (error) {
    // Such as a certificate's file that is not there; it names the file.
    return (error as Error).message;
  }
}

function* redisProblems(url: string, trusted: ReadonlySet<string>): Generator<InClearProblem> {
  const place = parseRedisUrl(url);
  const lacks = lacksOf(place);
  // Of a primary behind Sentinels these are known; itself is judged whenever it is connected to (`redisArguments`).
  const hosts = place.kind === 'server' ? [place.hostname] : place.sentinels.map(({ host }) => host);
  const untrusted = hosts.filter((host) => !isTrusted(host, trusted));
  if (untrusted.length === 0 || lacks === '') return;
  const shown = place.kind === 'server' ? maskUrl(url) : describeRedis(place);
  const message =
    `${shown} has no ${lacks}, and who reaches that Redis can read and change what is in it. ` +
    `Use ${guardedUrl(place)}. ${otherwise(untrusted.join(','))}`;
  yield { variable: 'REDIS_URL', message };
}

function* smtpProblems(url: string, trusted: ReadonlySet<string>): Generator<InClearProblem> {
  const variable = 'SMTP_URL';
  try {
    const { host, secure, startTls, credentials } = parseSmtpUrl(url);
    // Without credentials it is one server among others: TLS where it is offered, as everywhere in mail.
    if (secure || startTls === 'required' || credentials === null || isTrusted(host, trusted)) return;
    const message =
      `${maskUrl(url)} would send the password in clear, or to whoever takes TLS out of the server's offer. ` +
      `Take tls=${startTls} out of it. ${otherwise(host)}`;
    yield { variable, message };
  } catch (error) {
    if (!(error instanceof MailError)) throw error;
    yield { variable, message: error.message };
  }
}
