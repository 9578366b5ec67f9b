import { randomBytes } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import pg from 'pg';
import { serverAccount } from '../../workers/embedded/account.ts';
import { runnableBinaries } from '../../workers/embedded/binaries.ts';
import {
  createCluster,
  type Cluster,
  folderFor,
  newPassword,
  serverUrl,
  startServer,
} from '../../workers/embedded/cluster.ts';
import { withFileLock } from '../../workers/embedded/file-lock.ts';

/** An empty database of one test file. */
export interface TestDatabase {
  readonly url: string;
  /** Removes the database and ends the sessions that are still in it. */
  drop(): Promise<void>;
}

/**
 * Makes a fresh, empty database on a real PostgreSQL server that the whole jest run shares: the one of
 * `TEST_DATABASE_URL` (its role must be allowed to create databases), or an embedded one.
 * @param options.durable true for a test that is about surviving a power cut; otherwise the embedded server
 *   does not fsync, which a killed process cannot tell from one that does. `TEST_DATABASE_URL` is used as it is.
 */
export async function testDatabase(options: { readonly durable?: boolean } = {}): Promise<TestDatabase> {
  const server = process.env['TEST_DATABASE_URL'] ?? (await embeddedServer(options.durable ?? false));
  const name = `test_${randomBytes(8).toString('hex')}`;
  await execute(server, `create database ${name} template template0`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => execute(server, `drop database if exists ${name} with (force)`) };
}

async function execute(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/** The URL of the run's embedded server, which the first one to ask starts and the run's teardown ends. */
async function embeddedServer(durable: boolean): Promise<string> {
  const runDir = process.env['TEST_RUN_DIR'];
  if (runDir === undefined)
    throw new Error('TEST_RUN_DIR is not set: run the tests through jest and its global setup.');
  const home = path.join(runDir, durable ? 'durable' : 'fast');
  const urlFile = path.join(runDir, `${durable ? 'durable' : 'fast'}.url`);
  return withFileLock(path.join(runDir, 'lock'), 60_000, async () => {
    const running = await readFile(urlFile, 'utf8').catch(() => null);
    if (running !== null) return running;
    const url = await startEmbedded(home, durable);
    await writeFile(urlFile, url);
    return url;
  });
}

async function startEmbedded(home: string, durable: boolean): Promise<string> {
  const cluster = await clusterIn(home, durable);
  const password = newPassword();
  await createCluster(cluster, password);
  return serverUrl(await startServer(cluster, { kind: 'any' }), password, 'postgres');
}

/** Where an embedded server of the tests lives; makes its folder, and no more. */
export async function clusterIn(home: string, durable: boolean): Promise<Cluster> {
  const account = await serverAccount();
  await folderFor(account, home);
  const copyRoot = path.join(tmpdir(), `perennial-test-binaries-${(await stat(home)).uid}`);
  const binaries = await runnableBinaries(
    account,
    async () => copyRoot,
    () => undefined,
  );
  const dataDir = path.join(home, 'data');
  return { binaries, account, dataDir, logFile: path.join(home, 'log'), durable };
}
