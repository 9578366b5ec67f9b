import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import type { Logger } from 'pino';
import { runnableBinaries } from './binaries.ts';
import {
  createCluster,
  removeUnfinished,
  ROLE,
  serverUrl,
  startServer,
  type Cluster,
  type Listening,
} from './cluster.ts';
import { EmbeddedPostgresError } from './error.ts';
import type { Place } from './place.ts';
import type { WantedPort } from './port.ts';
import { forgetReusedPid, readPostmaster, removeDeadSockets, type Postmaster } from './postmaster.ts';

/** How long a server may take to answer, crash recovery included. */
const SETTLE_MS = 120_000;
const POLL_MS = 20;
const ORPHAN_POLL_MS = 200;
const LOG_ROTATE_BYTES = 10_000_000;

/**
 * Starts the project's server unless it runs, makes its database unless it is there, and returns how to reach it. Call it
 * under the project's lock.
 * @param fixedPort the port at which clients already look for it; null for any.
 * @throws EmbeddedPostgresError `start_failed`, `data_unusable`, `no_binaries`.
 */
export async function ensureRunning(
  place: Place,
  password: string,
  fixedPort: number | null,
  log: Logger,
): Promise<Listening> {
  const running = await whenSettled(place.dataDir, (listening) => answers(listening, password, place.home));
  if (running !== null) return running;
  const startedAt = performance.now();
  const cluster = await clusterOf(place, log);
  if ((await stat(place.dataDir).catch(() => null)) === null) {
    await removeUnfinished(place.dataDir);
    await createCluster(cluster, password);
  }
  await forgetReusedPid(place.dataDir);
  await removeDeadSockets(place.dataDir);
  const listening = await startPatiently(
    cluster,
    fixedPort === null ? await lastPort(place) : { kind: 'exact', port: fixedPort },
  );
  const { port } = listening;
  await ensureDatabase(serverUrl(listening, password, 'postgres'));
  await writeFile(portFile(place), `${port}\n`);
  log.info(
    { dir: place.dataDir, port, startMs: Math.round(performance.now() - startedAt) },
    'Embedded PostgreSQL started',
  );
  return listening;
}

/**
 * The server, once it answers; null when none runs. One that recovers from a crash, or that is just being killed
 * or stopped, is waited for: only its answer proves that it is there to stay.
 */
async function whenSettled(
  dataDir: string,
  answers: (listening: Listening) => Promise<boolean>,
): Promise<Postmaster | null> {
  for (let waitedMs = 0; ; waitedMs += POLL_MS) {
    const running = await readPostmaster(dataDir);
    if (running === null || !running.alive) return null;
    if (running.ready && (await answers(running))) return running;
    if (waitedMs >= SETTLE_MS) {
      throw new EmbeddedPostgresError(
        'start_failed',
        `PostgreSQL (process ${running.pid}) runs and does not answer. Read .perennial/postgres.log, end that process, and try again.`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Whether a server answers; made on the way: the project's database. */
async function answers(listening: Listening, password: string, home: string): Promise<boolean> {
  try {
    await ensureDatabase(serverUrl(listening, password, 'postgres'));
    return true;
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code === '28P01') {
      throw new EmbeddedPostgresError(
        'data_unusable',
        `The password in ${path.join(home, 'postgres.password')} is not the one that the database was made with. ` +
          'Bring the file back from where the project came from.',
        error,
      );
    }
    // Refused, reset, its socket not there (any more), or "the database system is starting up" / "shutting down".
    if (['ECONNREFUSED', 'ECONNRESET', 'ENOENT', '57P01', '57P02', '57P03'].includes(code)) return false;
    if ((error as Error).message === 'Connection terminated unexpectedly') return false;
    throw error;
  }
}

/** When a server was killed, its children need a moment to notice, and PostgreSQL refuses to start beside them. */
async function startPatiently(cluster: Cluster, wanted: WantedPort): Promise<Listening> {
  for (let waitedMs = 0; ; waitedMs += ORPHAN_POLL_MS) {
    try {
      return await startServer(cluster, wanted);
    } catch (error) {
      const orphans = /pre-existing shared memory block|lock file .* already exists/.test((error as Error).message);
      if (!orphans || waitedMs >= 20_000) throw error;
      await new Promise((resolve) => setTimeout(resolve, ORPHAN_POLL_MS));
    }
  }
}

async function clusterOf(place: Place, log: Logger): Promise<Cluster> {
  const logFile = path.join(place.home, 'postgres.log');
  const grown = await stat(logFile).catch(() => null);
  if (grown !== null && grown.size > LOG_ROTATE_BYTES) await rename(logFile, `${logFile}.1`);
  const binaries = await runnableBinaries(place.account, place.copyRoot, (dir) =>
    log.info({ dir }, `PostgreSQL cannot be run from where npm installed it: copying its programs to ${dir}`),
  );
  return { binaries, account: place.account, dataDir: place.dataDir, logFile, durable: true };
}

function portFile(place: Place): string {
  return path.join(place.home, 'postgres.port');
}

/** The port of the last start, so that a URL somebody has noted keeps working where it can. */
async function lastPort(place: Place): Promise<WantedPort> {
  const port = Number(await readFile(portFile(place), 'utf8').catch(() => ''));
  return port > 0 ? { kind: 'preferred', port } : { kind: 'any' };
}

/** Makes the project's database unless it is there. */
async function ensureDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [ROLE]);
    if (rowCount === 0) await client.query(`create database ${ROLE}`);
  } finally {
    await client.end();
  }
}
