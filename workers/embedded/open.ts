/**
 * The embedded PostgreSQL of a project: a real server that all processes of the project share. Invariants:
 * - I1 Starting and stopping happen under the project's lock, so there is never more than one server for one folder.
 * - I2 Every process that has it open keeps one session, its presence; the last one out finds no other and stops the server.
 * - I3 A presence that breaks unasked means that the server died; whoever notices starts it again, on the same port.
 */
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Logger } from 'pino';
import { newPassword, serverUrl, stopServer } from './cluster.ts';
import { withFileLock } from './file-lock.ts';
import { findPlace, MACHINE_FOLDERS, type Place } from './place.ts';
import { Presence } from './presence.ts';
import { ensureRunning } from './server.ts';

const LOCK_TIMEOUT_MS = 180_000;

/** A project's embedded PostgreSQL while this process has it open. */
export interface EmbeddedPostgres {
  /** Holds the password: show it masked. */
  readonly url: string;
  /** The folder that holds the data. */
  readonly dir: string;
  /** Leaves the server, and stops it when nobody else uses it. Close your own connections first. */
  close(): Promise<void>;
  /**
   * Leaves the server in a hurry, with this process's connections still open: unless another process of the project
   * uses the server it is stopped, which ends every connection to it.
   */
  abandon(): Promise<void>;
}

/**
 * Opens the project's embedded PostgreSQL 18, making and starting it where that has not been done. Several
 * processes of a project share one server; it listens on a free port of 127.0.0.1 with a random password, which
 * is kept in `.perennial/postgres.password` (mode 600). As root it runs under the account `postgres`, else `nobody`.
 * While open, a server that dies is started again on the same port.
 * @throws EmbeddedPostgresError when it cannot be had; the message says what to do.
 */
export async function openEmbeddedPostgres(options: {
  readonly projectDir: string;
  readonly log: Logger;
  /** Where root may keep what cannot be in the project; the first that can be made. Default: `MACHINE_FOLDERS`. */
  readonly machineFolders?: readonly string[];
}): Promise<EmbeddedPostgres> {
  const { projectDir, log, machineFolders = MACHINE_FOLDERS } = options;
  const home = path.resolve(projectDir, '.perennial');
  await mkdir(home, { recursive: true, mode: 0o700 });
  const locked = <T>(body: () => Promise<T>) => withFileLock(path.join(home, 'postgres.lock'), LOCK_TIMEOUT_MS, body);
  const { place, password, listening, presence } = await locked(async () => {
    const place = await findPlace(projectDir, machineFolders, log);
    const password = await passwordOf(place.home);
    const listening = await ensureRunning(place, password, null, log);
    const presence = await Presence.open(serverUrl(listening, password), log, {
      locked,
      ensureRunning: async () => {
        await ensureRunning(place, password, listening.port, log);
      },
    });
    return { place, password, listening, presence };
  });
  return {
    url: serverUrl(listening, password),
    dir: place.dataDir,
    close: () => locked(() => leave(place, presence, log)),
    abandon: () => locked(() => abandon(place, presence)),
  };
}

/** The password of the project's server, made on the first call. Written and renamed, so that it is whole or not there. */
async function passwordOf(home: string): Promise<string> {
  const file = path.join(home, 'postgres.password');
  const kept = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (kept !== null) return kept.trim();
  const password = newPassword();
  await writeFile(`${file}.new`, `${password}\n`, { mode: 0o600 });
  await chmod(`${file}.new`, 0o600);
  await rename(`${file}.new`, file);
  return password;
}

async function leave(place: Place, presence: Presence, log: Logger): Promise<void> {
  const others = await presence.leave();
  switch (others) {
    case 'none':
      await stopServer(place.dataDir);
      log.info({ dir: place.dataDir }, 'Embedded PostgreSQL stopped');
      return;
    case 'processes':
      return;
    case 'clients':
      log.info('Embedded PostgreSQL is left running: a client that is not of this project is still connected to it');
      return;
    case 'server_gone':
      return;
  }
}

async function abandon(place: Place, presence: Presence): Promise<void> {
  const others = await presence.leave(0);
  // Its own connections look like anybody's.
  if (others === 'none' || others === 'clients') await stopServer(place.dataDir);
}
