import { Redis } from 'ioredis';
import { QueueUnavailable, QueueUnsuitable } from './error.ts';
import {
  describeRedis,
  parseRedisUrl,
  redisArguments,
  refusalOf,
  type IsTrusted,
  type RedisPlace,
} from './redis-place.ts';

const OLDEST: readonly [number, number] = [6, 2];

/**
 * Checks that a Redis (or Valkey) can carry the queue: version 6.2 or later, and a memory policy that throws no
 * keys away, since BullMQ's keys belong together.
 * @see https://docs.bullmq.io/guide/going-to-production#max-memory-policy
 * @param url see `parseRedisUrl`; with Sentinels it is about the present primary.
 * @param isTrusted of which primaries no TLS and no password are asked.
 * @throws QueueUnsuitable with what mends it; QueueUnavailable when it does not answer within a few seconds; BadRedisUrl.
 */
export async function checkRedis(url: string, isTrusted: IsTrusted): Promise<void> {
  const place = parseRedisUrl(url);
  const unsuitable = judgeRedis(await readInfo(place, isTrusted), describeRedis(place));
  if (unsuitable !== null) throw unsuitable;
}

/** What a Redis with these fields of INFO lacks to carry the queue; null when nothing. `redis` is it for people. */
export function judgeRedis(info: ReadonlyMap<string, string>, redis: string): QueueUnsuitable | null {
  const version = info.get('redis_version') ?? 'unknown';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (!(major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]))) {
    return new QueueUnsuitable(
      'old_version',
      `${redis} is version ${version}, and the queue needs ${OLDEST.join('.')} or later. ` +
        'Upgrade it, or unset REDIS_URL to have the queue on PostgreSQL.',
    );
  }
  const policy = info.get('maxmemory_policy') ?? 'unknown';
  if (policy === 'noeviction') return null;
  return new QueueUnsuitable(
    'eviction',
    `${redis} has maxmemory-policy "${policy}": when its memory is full it throws away parts of the queue, ` +
      'which then stands still. Mend it with: redis-cli CONFIG SET maxmemory-policy noeviction ' +
      '(and "maxmemory-policy noeviction" in redis.conf or the settings of your provider, so that it stays), ' +
      'or unset REDIS_URL to have the queue on PostgreSQL.',
  );
}

const LIMIT_MS = 3_000;

/** The fields of INFO, which is allowed where CONFIG is not (managed servers). */
async function readInfo(place: RedisPlace, isTrusted: IsTrusted): Promise<ReadonlyMap<string, string>> {
  let refused: string | null = null;
  const settings = {
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    connectTimeout: LIMIT_MS,
    commandTimeout: LIMIT_MS,
    disconnectTimeout: 200,
  };
  const [url, options] = redisArguments(place, settings, (host) => {
    if (isTrusted(host)) return true;
    refused = host;
    client.disconnect();
    return false;
  });
  const client = new Redis(url, options);
  let lastError: Error | null = null;
  client.on('error', (error: Error) => (lastError = error));
  // Sentinels that know no primary, or none at all, are asked again and again.
  const expiry = setTimeout(() => client.disconnect(), LIMIT_MS);
  try {
    await client.connect();
    const text = `${await client.info('server')}\n${await client.info('memory')}`;
    return new Map(text.split(/\r?\n/).map((line) => [line.split(':')[0] ?? '', line.slice(line.indexOf(':') + 1)]));
  } catch (error) {
    if (refused !== null && place.kind === 'sentinels')
      throw new QueueUnsuitable('in_clear', refusalOf(place, refused));
    const reason = lastError ?? (error as Error);
    throw new QueueUnavailable(`${describeRedis(place)} does not answer: ${reason.message || String(reason)}`, {
      cause: reason,
    });
  } finally {
    clearTimeout(expiry);
    client.disconnect();
  }
}
