/** A PostgreSQL server of one test alone, which may be stopped, started again, and given a disk that is too small. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFile, mkdir, open, rm } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { createCluster, newPassword, serverUrl, startServer } from '../../workers/embedded/cluster.ts';
import { readPostmaster } from '../../workers/embedded/postmaster.ts';
import { clusterIn } from './postgres.ts';

/** How a server is ended: `fast` ends its sessions, `immediate` does not even write what it knows, `kill` is SIGKILL. */
export type PostgresEnd = 'fast' | 'immediate' | 'kill';

const SIGNALS = { fast: 'SIGINT', immediate: 'SIGQUIT', kill: 'SIGKILL' } as const;

/** A server, which keeps its port. */
export interface OwnPostgres {
  /** Of its database `postgres`. */
  readonly url: string;
  /** Ends it and waits until it is gone; nothing when it is not there. */
  stop(how: PostgresEnd): Promise<void>;
  /** Starts it unless it runs; resolves when it accepts connections. */
  start(): Promise<void>;
  /** Takes all space of its disk, or gives it back. @throws Error when it has no disk of its own. */
  fillDisk(): Promise<void>;
  freeDisk(): Promise<void>;
  close(): Promise<void>;
}

/** How to make one. */
export interface OwnPostgresOptions {
  /** Lines of postgresql.conf. */
  readonly settings?: readonly string[];
  /** Gives it a disk (a tmpfs) of so many MB; see `whyNoDisk`. Default: the folder of the run. */
  readonly diskMb?: number;
}

/** Why no small disk can be had here, for people; null when one can. */
export function whyNoDisk(): string | null {
  if (process.platform !== 'linux') return 'a tmpfs is mounted on Linux only';
  const place = path.join(runDir(), `try-${randomBytes(4).toString('hex')}`);
  spawnSync('mkdir', [place]);
  const { status, stderr, error } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', place]);
  if (status === 0) spawnSync('umount', [place]);
  spawnSync('rmdir', [place]);
  return status === 0 ? null : `a tmpfs cannot be mounted here (${error?.message ?? String(stderr).trim()})`;
}

/** Starts a server with an empty cluster. */
export async function ownPostgres({ settings = [], diskMb }: OwnPostgresOptions = {}): Promise<OwnPostgres> {
  const home = path.join(runDir(), `own-${randomBytes(4).toString('hex')}`);
  if (diskMb !== undefined) await mountDisk(home, diskMb);
  const cluster = await clusterIn(home, false);
  const password = newPassword();
  await createCluster(cluster, password);
  await appendFile(path.join(cluster.dataDir, 'postgresql.conf'), `${settings.join('\n')}\n`);
  const listening = await startServer(cluster, { kind: 'any' });
  const ballast = path.join(home, 'ballast');
  const stop: OwnPostgres['stop'] = async (how) => {
    const running = await readPostmaster(cluster.dataDir);
    if (running === null || !running.alive) return;
    process.kill(running.pid, SIGNALS[how]);
    for (;;) {
      const now = await readPostmaster(cluster.dataDir);
      if (now === null || !now.alive) return;
      await sleep(10);
    }
  };
  return {
    url: serverUrl(listening, password, 'postgres'),
    stop,
    start: async () => {
      const running = await readPostmaster(cluster.dataDir);
      if (running?.alive !== true)
        await startPatiently(async () => startServer(cluster, { kind: 'exact', port: listening.port }));
    },
    fillDisk: async () => {
      if (diskMb === undefined) throw new Error('this server has no disk of its own to fill');
      await fill(ballast);
    },
    freeDisk: async () => rm(ballast, { force: true }),
    close: async () => {
      await stop('immediate');
      if (diskMb !== undefined) spawnSync('umount', ['--lazy', home]);
      await rm(home, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function runDir(): string {
  const dir = process.env['TEST_RUN_DIR'];
  if (dir === undefined) throw new Error('TEST_RUN_DIR is not set: run this through the global setup of the tests.');
  return dir;
}

async function mountDisk(place: string, sizeMb: number): Promise<void> {
  await mkdir(place);
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMb}m`, 'tmpfs', place]);
  if (status !== 0) throw new Error(`no disk of ${sizeMb} MB: ${String(stderr)}`);
}

/** The children of a server that was killed need a moment to notice, and PostgreSQL refuses to start beside them. */
async function startPatiently(start: () => Promise<unknown>): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      await start();
      return;
    } catch (error) {
      if (tries >= 50 || !/pre-existing shared memory|lock file/.test(String(error))) throw error;
      await sleep(100);
    }
  }
}

/** Writes until nothing more fits. */
async function fill(file: string): Promise<void> {
  const handle = await open(file, 'w');
  const block = Buffer.alloc(64 * 1024);
  try {
    for (;;) await handle.write(block);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    await handle.close();
  }
}
