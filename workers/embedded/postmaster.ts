import { spawn } from 'node:child_process';
import { readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { isAlive, startTicks } from './liveness.ts';

/** What a server writes into `postmaster.pid` of its data folder. */
export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  /** The folder of its Unix socket; null when it has none. */
  readonly socketDir: string | null;
  /** Whether it accepts connections. */
  readonly ready: boolean;
  /** False for a file left behind by a server that was killed. */
  readonly alive: boolean;
}

/**
 * The server of a data folder, from its pid file; null when there is no file, or when the file is not this
 * folder's (a copy made while a server ran).
 * @see https://www.postgresql.org/docs/18/storage-file-layout.html
 */
export async function readPostmaster(dataDir: string): Promise<Postmaster | null> {
  const text = await readFile(path.join(dataDir, 'postmaster.pid'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return null;
  // The lines: pid, data folder, start time, port, socket folder, address, shared memory key, status.
  const [pidLine = '', dirLine = '', , portLine = '', socketLine = '', , , status = ''] = text.split('\n');
  const pid = Number(pidLine);
  if (!Number.isInteger(pid) || pid <= 0 || dirLine !== (await realpath(dataDir))) return null;
  const alive = (await isAlive(pid)) && (await isPostgres(pid));
  const socketDir = socketLine.trim() === '' ? null : socketLine.trim();
  return { pid, port: Number(portLine), socketDir, alive, ready: alive && status.trim() === 'ready' };
}

/** Whether a process is a PostgreSQL server and not another that was given the same number since. */
async function isPostgres(pid: number): Promise<boolean> {
  if ((await startTicks(pid)) === null) return true;
  const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '');
  return name.trim() === 'postgres';
}

/**
 * Makes a stale pid file harmless whose number another process has been given since: PostgreSQL would take that
 * process for a server and refuse to start. The rest of the file stays, since it names the shared memory by which
 * PostgreSQL finds out whether a part of the dead server still runs.
 */
export async function forgetReusedPid(dataDir: string): Promise<void> {
  const left = await readPostmaster(dataDir);
  if (left === null || left.alive || !(await isAlive(left.pid))) return;
  const file = path.join(dataDir, 'postmaster.pid');
  const [, ...rest] = (await readFile(file, 'utf8')).split('\n');
  await writeFile(file, [String(await deadPid()), ...rest].join('\n'));
}

/**
 * Removes the sockets that a killed server left in its data folder: the lock files beside them name its process, whose
 * number another may have been given since. No server may run there.
 */
export async function removeDeadSockets(dataDir: string): Promise<void> {
  const left = (await readdir(dataDir)).filter((name) => name.startsWith('.s.PGSQL.'));
  for (const name of left) await rm(path.join(dataDir, name), { force: true });
}

/** The number of a process that has just ended. */
function deadPid(): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
    child.on('error', reject);
    child.on('exit', () =>
      child.pid === undefined ? reject(new Error('A child process has no pid.')) : resolve(child.pid),
    );
  });
}
