/** A Redis of the measurement's own, where one is installed. It saves nothing. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

/** A running Redis. */
export interface BenchRedis {
  readonly url: string;
  close(): Promise<void>;
}

/** Starts one; null, after a line that says so, when no redis-server is on the PATH. */
export async function startRedis(): Promise<BenchRedis | null> {
  if (spawnSync('redis-server', ['--version']).error !== undefined) {
    process.stdout.write('No redis-server on the PATH: only the queue on PostgreSQL is measured.\n');
    return null;
  }
  const dir = await mkdtemp(path.join(tmpdir(), 'perennial-bench-redis-'));
  const port = await freePort();
  const fixed = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--maxmemory-policy', 'noeviction'];
  const server = spawn('redis-server', ['--port', String(port), '--dir', dir, ...fixed], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: server.stdout })) {
    if (line.includes('Ready to accept connections')) break;
  }
  server.stdout.resume();
  return {
    url: `redis://127.0.0.1:${port}`,
    close: async () => {
      const exited = once(server, 'exit');
      server.kill('SIGTERM');
      await exited;
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
