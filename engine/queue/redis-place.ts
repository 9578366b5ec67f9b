/** `REDIS_URL`: one Redis server, or a primary that Sentinels look after and may replace by another one at any time. */
import type { RedisOptions as AnyRedisOptions } from 'ioredis';

/** What a client is opened with; replies are mapped as ioredis always did. */
export type RedisOptions = Omit<AnyRedisOptions, 'replyMapping'>;

/** Where Redis is, as its URL names it. */
export type RedisPlace =
  | { readonly kind: 'server'; readonly url: string; readonly host: string }
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
const OPTIONS = ['sentinel_user', 'sentinel_password'] as const;
const RETRY_AT_MOST_MS = 500;
/** One that hangs is passed over for the next one. */
const SENTINEL_LIMIT_MS = 1_000;

/**
 * Reads `redis[s]://…` as ioredis does, or
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
  return { kind: 'server', url: text, host: url.host };
}

/** A comma makes it no URL that Node could parse: without the hosts' list it is one. */
function parseSentinels(rest: string, tls: boolean): RedisPlace {
  const [, sign = '', list = '', tail = ''] = /^([^/?#]*@)?([^/?#@]*)(.*)$/s.exec(rest) ?? [];
  const text = `redis://${sign}sentinels${tail}`;
  const url = URL.canParse(text) ? new URL(text) : null;
  const sentinels = list.split(',').map(parseAddress);
  const [, name = '', database = '0'] = /^\/([^/]+)(?:\/(\d{1,5}))?\/?$/.exec(url?.pathname ?? '') ?? [];
  if (url === null || name === '' || url.hash !== '') throw new BadRedisUrl(`${EXPECTED}; NAME is the primary's`);
  const unknown = [...url.searchParams.keys()].find((key) => !OPTIONS.some((option) => option === key));
  if (unknown !== undefined) {
    throw new BadRedisUrl(`there is no option ${JSON.stringify(unknown)}; there are ${OPTIONS.join(' and ')}`);
  }
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
 * one when it is replaced.
 */
export function redisArguments(place: RedisPlace, options: RedisOptions): [string, RedisOptions] {
  // With Sentinels the host of the URL is never asked.
  return place.kind === 'server'
    ? [place.url, options]
    : ['redis://sentinels', { ...options, ...sentinelOptions(place) }];
}

function sentinelOptions(place: RedisPlace & { readonly kind: 'sentinels' }): RedisOptions {
  const { user, password, sentinelUser, sentinelPassword } = place;
  return {
    name: place.name,
    sentinels: [...place.sentinels],
    db: place.database,
    // With no Sentinel to ask ioredis must not give up: it would not come back by itself.
    sentinelRetryStrategy: (times) => Math.min(times * 50, RETRY_AT_MOST_MS),
    sentinelCommandTimeout: SENTINEL_LIMIT_MS,
    // Told of a failover while it reconnects, ioredis would end for good. The old primary ends its connections when it
    // becomes a replica, and one that hangs is left for its silence.
    failoverDetector: false,
    ...(user === null ? {} : { username: user }),
    ...(password === null ? {} : { password }),
    ...(sentinelUser === null ? {} : { sentinelUsername: sentinelUser }),
    ...(sentinelPassword === null ? {} : { sentinelPassword }),
    ...(place.tls ? { tls: {}, sentinelTLS: {}, enableTLSForSentinelMode: true } : {}),
  };
}
