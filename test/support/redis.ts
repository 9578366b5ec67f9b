import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { installedProgram } from './installed.ts';

/** A real Redis of one test file, on a port of its own that it keeps through restarts. It saves nothing. */
export interface TestRedis {
  readonly url: string;
  readonly port: number;
  /** The folder in which it keeps what it saves, if it does. */
  readonly dir: string;
  /** Ends it in order; connections are closed. */
  stop(): Promise<void>;
  /** Ends it by SIGKILL, or only lets it hang with SIGSTOP until `start` (or `stop`, `kill`). */
  kill(signal?: 'SIGKILL' | 'SIGSTOP'): Promise<void>;
  /** Starts it again after `stop` or `kill`; resolves when it accepts connections. */
  start(): Promise<void>;
}

/**
 * Starts a Redis server; null when there is none on the PATH, after a line that says so. In CI (`CI` is set) that
 * is an error, so that the suites cannot go missing unseen.
 * @param args more options of redis-server.
 */
export async function testRedis(args: readonly string[] = []): Promise<TestRedis | null> {
  if (installedProgram('redis-server', 'Redis suites') === null) return null;
  const dir = await mkdtemp(path.join(process.env['TEST_RUN_DIR'] ?? '', 'redis-'));
  const port = await freePort();
  let server = await startRedis(dir, port, args);
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    dir,
    stop: () => endRedis(server, 'SIGTERM'),
    kill: async (signal = 'SIGKILL') => {
      if (signal === 'SIGSTOP') server.kill('SIGSTOP');
      else await endRedis(server, 'SIGKILL');
    },
    start: async () => {
      if (isRunning(server)) server.kill('SIGCONT');
      else server = await startRedis(dir, port, args);
    },
  };
}

function isRunning(server: ChildProcess): boolean {
  return server.exitCode === null && server.signalCode === null;
}

/** Ends a server that runs, hanging or not. */
export async function endRedis(server: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (!isRunning(server)) return;
  const ended = once(server, 'exit');
  server.kill('SIGCONT');
  server.kill(signal);
  await ended;
}

async function startRedis(dir: string, port: number, args: readonly string[]): Promise<ChildProcess> {
  const fixed = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--maxmemory-policy', 'noeviction'];
  return spawnRedis(dir, ['--port', String(port), '--dir', dir, ...fixed, ...args], 'Ready to accept connections');
}

/** Starts `redis-server`, of whatever kind; resolves when its output has `ready`. The run's clean-up finds it in `dir`. */
export async function spawnRedis(dir: string, args: readonly string[], ready: string): Promise<ChildProcess> {
  const server = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  await writeFile(path.join(dir, 'redis.pid'), `${server.pid}\n`);
  const lines: string[] = [];
  for await (const line of createInterface({ input: server.stdout })) {
    if (line.includes(ready)) {
      server.stdout.resume();
      return server;
    }
    lines.push(line);
  }
  throw new Error(`redis-server did not start:\n${lines.join('\n')}`);
}

/** A port of this machine that nobody listens on. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
