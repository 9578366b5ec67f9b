/** `REDIS_URL`: one Redis server, or a primary that Sentinels look after and may replace by another one at any time. */
import type { RedisOptions as AnyRedisOptions } from 'ioredis';

/** What a client is opened with; replies are mapped as ioredis always did. */
export type RedisOptions = Omit<AnyRedisOptions, 'replyMapping'>;

/** Where Redis is, as its URL names it. The driver gets these parts and never the URL, which it would read by rules of its own. */
export type RedisPlace =
  | {
      readonly kind: 'server';
      /** With its port, as URLs write it. */
      readonly host: string;
      readonly hostname: string;
      readonly user: string | null;
      readonly password: string | null;
      readonly database: number;
      /** 4 or 6: only addresses of that kind; 0: whichever there are. */
      readonly family: 0 | 4 | 6;
      readonly tls: boolean;
    }
  | {
      readonly kind: 'sentinels';
      /** What the Sentinels call the primary. */
      readonly name: string;
      readonly sentinels: readonly { readonly host: string; readonly port: number }[];
      readonly user: string | null;
      readonly password: string | null;
      readonly sentinelUser: string | null;
      readonly sentinelPassword: string | null;
      readonly database: number;
      /** TLS to the Sentinels and to the primary. */
      readonly tls: boolean;
    };

/** Whether a host may be spoken to without TLS and without a password: it is this machine, or somebody said that it may. */
export type IsTrusted = (host: string) => boolean;

/** The URL names no Redis; the message says what was expected and holds no secret. */
export class BadRedisUrl extends Error {
  override readonly name = 'BadRedisUrl';
  readonly code = 'bad_redis_url';
}

/** The schemes of URLs that name Sentinels. The form is that of https://pypi.org/project/redis-sentinel-url. */
const SENTINEL_SCHEME = /^(rediss?)\+sentinel:\/\//i;
const SENTINEL_PORT = 26_379;
const EXPECTED =
  'expected redis://user:password@host:6379, rediss://…, or for Sentinels ' +
  'redis+sentinel://user:password@host:26379,host:26379/NAME';
/** In the query of a URL. All that is not known is refused: `?tls=` would have the driver speak in clear. */
const OPTIONS = ['username', 'password', 'db', 'family'];
const SENTINEL_OPTIONS = ['sentinel_user', 'sentinel_password'];
const RETRY_AT_MOST_MS = 500;
/** One that hangs is passed over for the next one. */
const SENTINEL_LIMIT_MS = 1_000;

/**
 * Reads `redis[s]://[user:password@]host[:port][/DATABASE][?username=…&password=…&db=…&family=4|6]`, or
 * `redis[s]+sentinel://[user:password@]host[:port][,host[:port]…]/NAME[/DATABASE][?sentinel_user=…&sentinel_password=…]`,
 * whose ports default to 26379 and whose user and password are those of the primary.
 * @throws BadRedisUrl
 */
export function parseRedisUrl(text: string): RedisPlace {
  const scheme = SENTINEL_SCHEME.exec(text);
  if (scheme !== null) return parseSentinels(text.slice(scheme[0].length), scheme[1]?.toLowerCase() === 'rediss');
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !['redis:', 'rediss:'].includes(url.protocol) || url.hostname === '') {
    throw new BadRedisUrl(`${EXPECTED}; characters such as # / ? @ in a password must be percent-encoded`);
  }
  refuseUnknown(url, OPTIONS);
  const { host, hostname, searchParams } = url;
  const database = /^\/?(\d{0,5})\/?$/.exec(url.pathname)?.[1] ?? null;
  const [db, family] = [searchParams.get('db') ?? '', searchParams.get('family') ?? '0'];
  if (database === null || !/^\d{0,5}$/.test(db)) throw new BadRedisUrl(`${EXPECTED}; a database is a number`);
  if (family !== '0' && family !== '4' && family !== '6') throw new BadRedisUrl('family is 4 or 6');
  if (url.hash !== '') throw new BadRedisUrl(`${EXPECTED}; a # in a password must be percent-encoded`);
  return {
    kind: 'server',
    host,
    hostname,
    user: given(decode(url.username)) ?? given(searchParams.get('username')),
    password: given(decode(url.password)) ?? given(searchParams.get('password')),
    database: Number(database === '' ? db : database),
    family: family === '0' ? 0 : family === '4' ? 4 : 6,
    tls: url.protocol === 'rediss:',
  };
}

function refuseUnknown({ searchParams }: URL, known: readonly string[]): void {
  const unknown = [...searchParams.keys()].find((key) => !known.includes(key));
  if (unknown === undefined) return;
  throw new BadRedisUrl(
    `there is no option ${JSON.stringify(unknown)}; there are ${known.join(', ')} (TLS is the scheme rediss://)`,
  );
}

/** A comma makes it no URL that Node could parse: without the hosts' list it is one. */
function parseSentinels(rest: string, tls: boolean): RedisPlace {
  const [, sign = '', list = '', tail = ''] = /^([^/?#]*@)?([^/?#@]*)(.*)$/s.exec(rest) ?? [];
  const text = `redis://${sign}sentinels${tail}`;
  const url = URL.canParse(text) ? new URL(text) : null;
  const sentinels = list.split(',').map(parseAddress);
  const [, name = '', database = '0'] = /^\/([^/]+)(?:\/(\d{1,5}))?\/?$/.exec(url?.pathname ?? '') ?? [];
  if (url === null || name === '' || url.hash !== '') throw new BadRedisUrl(`${EXPECTED}; NAME is the primary's`);
  refuseUnknown(url, SENTINEL_OPTIONS);
  return {
    kind: 'sentinels',
    name: decode(name),
    sentinels,
    user: given(decode(url.username)),
    password: given(decode(url.password)),
    sentinelUser: given(url.searchParams.get('sentinel_user')),
    sentinelPassword: given(url.searchParams.get('sentinel_password')),
    database: Number(database),
    tls,
  };
}

function parseAddress(text: string): { readonly host: string; readonly port: number } {
  const [, ipv6, name, port] = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::(\d{1,5}))?$/i.exec(text) ?? [];
  const host = ipv6 ?? name;
  const number = port === undefined ? SENTINEL_PORT : Number(port);
  if (host === undefined || number < 1 || number > 65_535) {
    throw new BadRedisUrl(`${EXPECTED}; ${JSON.stringify(text)} is no host with a port`);
  }
  return { host, port: number };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    throw new BadRedisUrl('a name, user or password has a stray %; write it as %25', { cause: error });
  }
}

function given(text: string | null): string | null {
  return text === null || text === '' ? null : text;
}

/** For people: `Redis at HOST`, or `Redis NAME by Sentinels at HOST, HOST`; holds no secret. */
export function describeRedis(place: RedisPlace): string {
  if (place.kind === 'server') return `Redis at ${place.host}`;
  const hosts = place.sentinels.map(({ host, port }) => `${host}:${port}`);
  return `Redis "${place.name}" by Sentinels at ${hosts.join(', ')}`;
}

/**
 * What to construct a client of ioredis with, so that it connects to whichever server is the primary, and to the next
 * one when it is replaced. A primary that would be spoken to in clear and is not trusted is not connected to: the client
 * looks for another one, and its errors say so.
 */
export function redisArguments(place: RedisPlace, options: RedisOptions, isTrusted: IsTrusted): [string, RedisOptions] {
  const { user, password, database } = place;
  const signedIn = {
    ...options,
    db: database,
    ...(user === null ? {} : { username: user }),
    ...(password === null ? {} : { password }),
    ...(place.tls ? { tls: {} } : {}),
  };
  if (place.kind === 'server')
    return [`redis://${place.host}`, { ...signedIn, ...(place.family === 0 ? {} : { family: place.family }) }];
  // With Sentinels the host of the URL is never asked.
  return ['redis://sentinels', { ...signedIn, ...sentinelOptions(place, isTrusted) }];
}

type SentinelPlace = RedisPlace & { readonly kind: 'sentinels' };

function sentinelOptions(place: SentinelPlace, isTrusted: IsTrusted): RedisOptions {
  const { sentinelUser, sentinelPassword } = place;
  return {
    name: place.name,
    sentinels: [...place.sentinels],
    // With no Sentinel to ask ioredis must not give up: it would not come back by itself.
    sentinelRetryStrategy: (times) => Math.min(times * 50, RETRY_AT_MOST_MS),
    sentinelCommandTimeout: SENTINEL_LIMIT_MS,
    // Told of a failover while it reconnects, ioredis would end for good. The old primary ends its connections when it
    // becomes a replica, and one that hangs is left for its silence.
    failoverDetector: false,
    ...(sentinelUser === null ? {} : { sentinelUsername: sentinelUser }),
    ...(sentinelPassword === null ? {} : { sentinelPassword }),
    ...(place.tls ? { sentinelTLS: {}, enableTLSForSentinelMode: true } : {}),
    ...(lacksOf(place) === '' ? {} : onlyTrusted(place, isTrusted)),
  };
}

/** Sentinels say where the primary is each time it is connected to, so each time it is asked whether it may be. */
function onlyTrusted(place: SentinelPlace, isTrusted: IsTrusted): RedisOptions {
  return {
    // Only those are asked that stand in the URL: the others that they know of would be spoken to in clear as well.
    updateSentinels: false,
    natMap: (address) => {
      const host = address.slice(0, address.lastIndexOf(':'));
      if (!isTrusted(host)) throw new Error(refusalOf(place, host));
      return null;
    },
  };
}

/** What it is spoken to without, as `password and no TLS`; '' for nothing. */
export function lacksOf({ tls, password }: RedisPlace): string {
  return [...(password === null ? ['password'] : []), ...(tls ? [] : ['TLS'])].join(' and no ');
}

/** How to name the same place so that it is spoken to with TLS and a password. */
export function guardedUrl(place: RedisPlace): string {
  return place.kind === 'server'
    ? `rediss://:PASSWORD@${place.hostname}`
    : `rediss+sentinel://:PASSWORD@${place.sentinels.map(({ host }) => host).join(',')}/${place.name}`;
}

/** Why this primary is not connected to, and what to do. */
export function refusalOf(place: SentinelPlace, host: string): string {
  return (
    `${describeRedis(place)} is now ${host}, which is another machine and would be spoken to with no ${lacksOf(place)}. ` +
    `Use ${guardedUrl(place)}. If nobody but these machines is on the network between, say so with ` +
    `PERENNIAL_TRUSTED_HOSTS=${host.includes(':') ? `[${host}]` : host}`
  );
}
