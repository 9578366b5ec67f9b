/** All that goes into a Redis. */
import { Redis } from 'ioredis';

/** A Redis that is listened to. */
export interface RecordedRedis {
  /** Every command with its keys and values, and every key that is left with what is in it. */
  end(): Promise<string[]>;
}

/** Listens: jobs are gone as soon as they are done, so looking at the keys alone would miss them. */
export async function recordRedis(url: string): Promise<RecordedRedis> {
  const client = new Redis(url);
  const monitor = await client.monitor();
  const lines: string[] = [];
  monitor.on('monitor', (_time: string, args: readonly string[]) => lines.push(args.join(' ')));
  return {
    end: async () => {
      const left: string[] = [];
      for (const key of await client.keys('*')) left.push(`${key} ${JSON.stringify(await contents(client, key))}`);
      monitor.disconnect();
      client.disconnect();
      return [...lines, ...left];
    },
  };
}

async function contents(client: Redis, key: string): Promise<unknown> {
  const type = await client.type(key);
  switch (type) {
    case 'string':
      return client.get(key);
    case 'hash':
      return client.hgetall(key);
    case 'list':
      return client.lrange(key, 0, -1);
    case 'set':
      return client.smembers(key);
    case 'zset':
      return client.zrange(key, '0', '-1');
    case 'stream':
      return client.xrange(key, '-', '+');
    default:
      throw new Error(`${key} is of the type ${type}, which is not read here`);
  }
}
