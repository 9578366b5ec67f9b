import { readFile, realpath } from 'node:fs/promises';
import path from 'node:path';
import { isAlive, startTicks } from './liveness.ts';

/** What a server writes into `postmaster.pid` of its data folder. */
export interface Postmaster {
  readonly pid: number;
  readonly port: number;
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
  const [pidLine = '', dirLine = '', , portLine = '', , , , status = ''] = text.split('\n');
  const pid = Number(pidLine);
  if (!Number.isInteger(pid) || pid <= 0 || dirLine !== (await realpath(dataDir))) return null;
  const alive = (await isAlive(pid)) && (await isPostgres(pid));
  return { pid, port: Number(portLine), alive, ready: alive && status.trim() === 'ready' };
}

/** Whether a process is a PostgreSQL server and not another that was given the same number since. */
async function isPostgres(pid: number): Promise<boolean> {
  if ((await startTicks(pid)) === null) return true;
  const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '');
  return name.trim() === 'postgres';
}
