import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Account } from './account.ts';
import { program, type Binaries } from './binaries.ts';
import { EmbeddedPostgresError } from './error.ts';
import { choosePort, type WantedPort } from './port.ts';
import { readPostmaster } from './postmaster.ts';
import { asAccount, run, serverEnv } from './run.ts';

/** The role, a superuser, and the database that the embedded server is made with. */
export const ROLE = 'perennial';

/** A random password for the role. */
export function newPassword(): string {
  return randomBytes(24).toString('base64url');
}

/** How a running server is reached. */
export interface Listening {
  readonly port: number;
  /** The folder of its Unix socket; null where it has none and is reached over TCP only. */
  readonly socketDir: string | null;
}

/**
 * The URL of a database of an embedded server. Over the Unix socket where there is one: a statement costs a tenth less
 * there than over the loopback interface (docs/decisions/0051-a-socket-for-the-embedded-database.md).
 */
export function serverUrl({ port, socketDir }: Listening, password: string, database: string = ROLE): string {
  const host = socketDir === null ? '' : `?host=${encodeURIComponent(socketDir)}`;
  return `postgres://${ROLE}:${password}@127.0.0.1:${port}/${database}${host}`;
}

/** What a socket's path may have at most (`sun_path` of sys/un.h, the end mark taken off; 104 on macOS). */
const SOCKET_PATH_BYTES = 103;

/** The folder for the socket of a data folder: that itself, which only its account can enter; null where none can be. */
function socketDirOf(dataDir: string): string | null {
  const longest = Buffer.byteLength(`${dataDir}/.s.PGSQL.65535.lock`);
  return process.platform === 'win32' || longest > SOCKET_PATH_BYTES ? null : dataDir;
}

/** A data folder and what runs it. */
export interface Cluster {
  readonly binaries: Binaries;
  readonly account: Account | null;
  readonly dataDir: string;
  /** The server's output is appended here. */
  readonly logFile: string;
  /** False only for throw-away data: no fsync, so that a power cut may destroy it. */
  readonly durable: boolean;
}

/**
 * Makes the data folder of a new cluster. It is made beside its place and renamed, so that it is whole or
 * not there, whatever is killed meanwhile. Its parent folder must exist and be open to the account.
 * @throws EmbeddedPostgresError `start_failed` with what initdb said.
 */
export async function createCluster(cluster: Cluster, password: string): Promise<void> {
  const { account, dataDir } = cluster;
  const unfinished = `${dataDir}.new-${randomBytes(4).toString('hex')}`;
  const passwordFile = path.join(unfinished, 'password');
  const fresh = path.join(unfinished, 'data');
  try {
    await mkdir(unfinished, { mode: 0o700 });
    await writeFile(passwordFile, password, { mode: 0o600 });
    if (account !== null) {
      await chown(passwordFile, account.uid, account.gid);
      await chown(unfinished, account.uid, account.gid);
    }
    const { exitCode, output } = await run(
      program(cluster.binaries, 'initdb'),
      initArgs(cluster, fresh, passwordFile),
      account,
    );
    if (exitCode !== 0) {
      throw new EmbeddedPostgresError(
        'start_failed',
        `PostgreSQL could not make its data folder ${dataDir}: ${output.trim()}`,
      );
    }
    await rename(fresh, dataDir);
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

/** Removes what attempts to create a cluster here have left that were killed. No such attempt may be under way. */
export async function removeUnfinished(dataDir: string): Promise<void> {
  const prefix = `${path.basename(dataDir)}.new-`;
  const names = (await readdir(path.dirname(dataDir))).filter((name) => name.startsWith(prefix));
  for (const name of names) {
    // An initdb whose parent was killed may write a few files more before it notices.
    await rm(path.join(path.dirname(dataDir), name), { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }
}

function initArgs(cluster: Cluster, fresh: string, passwordFile: string): string[] {
  return [
    `--pgdata=${fresh}`,
    `--username=${ROLE}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    // PostgreSQL's own collation: the same order on every machine, and an upgraded libc spoils no index.
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    ...(cluster.durable ? [] : ['--no-sync']),
  ];
}

/**
 * Starts the server in a session of its own, so that neither a killed parent nor Ctrl-C in its terminal takes
 * it down, and returns how to reach it once it accepts connections.
 * @throws EmbeddedPostgresError `start_failed` with the end of the server's log.
 */
export async function startServer(cluster: Cluster, wanted: WantedPort): Promise<Listening> {
  const port = await choosePort(wanted);
  const log = await open(cluster.logFile, 'a', 0o600);
  const logStart = (await log.stat()).size;
  try {
    const server = spawn(program(cluster.binaries, 'postgres'), serverArgs(cluster, port), {
      ...asAccount(cluster.account),
      cwd: '/',
      env: serverEnv(),
      stdio: ['ignore', log.fd, log.fd],
      detached: true,
    });
    const ended = new Promise<string>((resolve) => {
      server.on('error', (error) => resolve(error.message));
      server.on('exit', (code, signal) => resolve(`it ended with ${signal ?? `code ${code}`}`));
    });
    server.unref();
    const decided = new AbortController();
    const problem = await Promise.race([ended, whenReady(cluster, server.pid, decided.signal)]);
    decided.abort();
    server.removeAllListeners();
    if (problem === null) return { port, socketDir: socketDirOf(cluster.dataDir) };
    throw new EmbeddedPostgresError(
      'start_failed',
      `PostgreSQL did not start: ${problem}.\n${await tail(cluster, logStart)}`,
    );
  } finally {
    await log.close();
  }
}

function serverArgs(cluster: Cluster, port: number): string[] {
  const socketDir = socketDirOf(cluster.dataDir);
  const settings = {
    port: String(port),
    listen_addresses: '127.0.0.1',
    // A list: quoted, a folder's name may hold a comma.
    unix_socket_directories: socketDir === null ? '' : `"${socketDir.replaceAll('"', '""')}"`,
    max_connections: '200',
    synchronous_commit: 'on',
    fsync: cluster.durable ? 'on' : 'off',
    full_page_writes: cluster.durable ? 'on' : 'off',
    // Short, indexed statements: compiling them costs more than it saves.
    jit: 'off',
    log_line_prefix: '%m [%p] ',
    // The row at fault would be in its log otherwise.
    log_error_verbosity: 'terse',
  };
  return ['-D', cluster.dataDir, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}

/** Resolves with null once the server says in its pid file that it is ready, or with what is wrong. */
async function whenReady(cluster: Cluster, pid: number | undefined, stop: AbortSignal): Promise<string | null> {
  // Crash recovery may take a while; a server that is still at work on it has not failed.
  const giveUpMs = 120_000;
  for (let waitedMs = 0; waitedMs < giveUpMs && !stop.aborted; waitedMs += 10) {
    const running = await readPostmaster(cluster.dataDir);
    if (running !== null && running.pid === pid && running.ready) return null;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return `it was not ready after ${giveUpMs / 1000} s`;
}

async function tail(cluster: Cluster, from: number): Promise<string> {
  const text = (await readFile(cluster.logFile)).subarray(from).toString('utf8');
  return text.trim().split('\n').slice(-12).join('\n');
}

/**
 * Stops the server ("fast": sessions are ended, everything is written) and waits until it is gone.
 * Nothing happens when none runs.
 * @throws EmbeddedPostgresError `start_failed` when it is still there after 60 s.
 */
export async function stopServer(dataDir: string): Promise<void> {
  const running = await readPostmaster(dataDir);
  if (running === null || !running.alive) return;
  process.kill(running.pid, 'SIGINT');
  for (let waitedMs = 0; waitedMs < 60_000; waitedMs += 10) {
    const now = await readPostmaster(dataDir);
    if (now === null || now.pid !== running.pid || !now.alive) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new EmbeddedPostgresError('start_failed', `PostgreSQL (process ${running.pid}) did not stop within 60 s.`);
}

/** Makes a folder, and opens it to the account when it is another one than the caller's. */
export async function folderFor(account: Account | null, dir: string): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  if (account === null) return;
  await chown(dir, account.uid, account.gid);
  await chmod(dir, 0o700);
}
