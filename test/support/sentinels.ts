/** A Redis primary, its replica, and three Sentinels that make the replica the primary when the primary is gone. */
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { endRedis, freePort, spawnRedis, testRedis, type TestRedis } from './redis.ts';

/** The name of the primary. */
const NAME = 'queue';
/** A primary that is silent for so long counts as gone. */
const DOWN_AFTER_MS = 1_000;
const SENTINELS = 3;

/** Two servers and who looks after them. */
export interface TestSentinels {
  /** For `REDIS_URL`. */
  readonly url: string;
  /** The server that is the primary now, by the Sentinels. */
  primary(): Promise<TestRedis>;
  /** Resolves when the Sentinels have made another server than `old` the primary. */
  whenReplaced(old: TestRedis): Promise<TestRedis>;
  stop(): Promise<void>;
}

/**
 * Starts them; null like `testRedis`.
 * @param secondHost the address of this machine at which the replica is known, and the primary after the first failover.
 */
export async function testSentinels(secondHost = '127.0.0.1'): Promise<TestSentinels | null> {
  const first = await testRedis();
  if (first === null) return null;
  const known = ['--bind', ...new Set(['127.0.0.1', secondHost]), '--replica-announce-ip', secondHost];
  const second = await testRedis(['--replicaof', '127.0.0.1', String(first.port), ...known]);
  if (second === null) throw new Error('redis-server was there a moment ago');
  const servers = [first, second];
  const ports = await Promise.all(Array.from({ length: SENTINELS }, freePort));
  const watchers = await Promise.all(ports.map(async (port) => startSentinel(port, first.port)));
  const asked = new Redis(ports[0] ?? 0, '127.0.0.1');
  const primary = async (): Promise<TestRedis> => {
    const [, port] = (await asked.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME)) as [string, string];
    const found = servers.find((server) => server.port === Number(port));
    if (found === undefined) throw new Error(`the Sentinels name a primary at port ${port}, which is nobody's`);
    return found;
  };
  while (!(await isComplete(asked))) await sleep(50);
  return {
    url: `redis+sentinel://${ports.map((port) => `127.0.0.1:${port}`).join(',')}/${NAME}`,
    primary,
    whenReplaced: async (old) => {
      for (;;) {
        const now = await primary();
        if (now !== old) return now;
        await sleep(50);
      }
    },
    stop: async () => {
      asked.disconnect();
      await Promise.all(watchers.map(async (watcher) => endRedis(watcher, 'SIGKILL')));
      await Promise.all(servers.map(async (server) => server.kill()));
    },
  };
}

/** Whether the Sentinels know each other and the replica: from then on they can replace the primary. */
async function isComplete(asked: Redis): Promise<boolean> {
  const fields = (await asked.call('SENTINEL', 'MASTER', NAME)) as string[];
  const field = (name: string): number => Number(fields[fields.indexOf(name) + 1]);
  return field('num-slaves') === 1 && field('num-other-sentinels') === SENTINELS - 1;
}

async function startSentinel(port: number, primaryPort: number): Promise<ChildProcess> {
  const dir = await mkdtemp(path.join(process.env['TEST_RUN_DIR'] ?? '', 'sentinel-'));
  const file = path.join(dir, 'sentinel.conf');
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${dir}`,
    `sentinel monitor ${NAME} 127.0.0.1 ${primaryPort} 2`,
    `sentinel down-after-milliseconds ${NAME} ${DOWN_AFTER_MS}`,
    `sentinel failover-timeout ${NAME} 1000`,
  ];
  await writeFile(file, `${lines.join('\n')}\n`);
  return spawnRedis(dir, [file, '--sentinel'], '+monitor master');
}
