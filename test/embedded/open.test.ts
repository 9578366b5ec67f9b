import { chmod, mkdir, mkdtemp, readdir, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { pino } from 'pino';
import { openEmbeddedPostgres, type EmbeddedPostgres } from '../../workers/embedded/open.ts';
import { readPostmaster } from '../../workers/embedded/postmaster.ts';
import { testFolder } from '../support/folder.ts';
import { startProcess, type TestProcess } from '../support/process.ts';

const log = pino({ level: 'silent' });
const opened: EmbeddedPostgres[] = [];
const processes: TestProcess[] = [];

afterEach(async () => {
  await Promise.all(processes.splice(0).map((process) => process.end('SIGKILL')));
  for (const server of opened.splice(0)) await server.close();
});

async function open(projectDir: string, machineFolders: readonly string[] = []): Promise<EmbeddedPostgres> {
  const server = await openEmbeddedPostgres({ projectDir, log, machineFolders });
  opened.push(server);
  return server;
}

function openElsewhere(projectDir: string): TestProcess {
  const other = startProcess(path.join(import.meta.dirname, 'open-process.ts'), [projectDir]);
  processes.push(other);
  return other;
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<{ value: unknown }>(sql)).rows.map((row) => row.value);
  } finally {
    await client.end();
  }
}

/** The server's pid, which must be running. */
async function serverPid(dataDir: string): Promise<number> {
  const running = await readPostmaster(dataDir);
  expect(running).toMatchObject({ alive: true, ready: true });
  return running?.pid ?? 0;
}

async function whenDead(dataDir: string): Promise<void> {
  while ((await readPostmaster(dataDir))?.alive === true) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('one process', () => {
  let project = '';
  beforeAll(async () => {
    project = await testFolder();
  });

  it('makes a durable PostgreSQL 18, stops it when left, and finds the data again at the same URL', async () => {
    // As if an earlier first start had been killed.
    await mkdir(path.join(project, '.perennial', 'postgres.new-killed', 'data'), { recursive: true });
    const first = await open(project);
    expect(first.dir).toBe(path.join(await realpath(project), '.perennial', 'postgres'));
    for (const [setting, value] of [
      ['fsync', 'on'],
      ['synchronous_commit', 'on'],
      ['max_connections', '200'],
      ['listen_addresses', '127.0.0.1'],
    ]) {
      expect(await query(first.url, `select current_setting('${setting}') as value`)).toEqual([value]);
    }
    expect(await query(first.url, `select current_setting('server_version_num')::int / 10000 as value`)).toEqual([18]);
    await query(first.url, 'create table kept as select 7 as value');
    expect(await readdir(path.dirname(first.dir))).not.toContain('postgres.new-killed');
    await opened.pop()?.close();
    expect(await readPostmaster(first.dir)).toBeNull();
    const second = await open(project);
    expect(second.url).toBe(first.url);
    expect(await query(second.url, 'select value from kept')).toEqual([7]);
  });

  it('keeps the password to its owner and asks for it', async () => {
    const { url } = await open(project);
    const file = path.join(project, '.perennial', 'postgres.password');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const wrong = new URL(url);
    wrong.password = 'guessed';
    await expect(query(wrong.href, 'select 1 as value')).rejects.toMatchObject({ code: '28P01' });
  });

  it('starts a server that was killed again, at the same URL, with what was committed', async () => {
    const { url, dir } = await open(project);
    await query(url, 'create table kept_too as select 7 as value');
    process.kill(await serverPid(dir), 'SIGKILL');
    await whenDead(dir);
    for (;;) {
      const rows = await query(url, 'select value from kept_too').catch((error: NodeJS.ErrnoException) => error.code);
      if (Array.isArray(rows)) {
        expect(rows).toEqual([7]);
        return;
      }
      expect(['ECONNREFUSED', 'ECONNRESET', 'ENOENT', '57P03']).toContain(rows);
    }
  });

  it('starts although the number of the dead server belongs to another process now', async () => {
    const { dir } = await open(project);
    await opened.pop()?.close();
    const lines = [String(process.pid), await realpath(dir), '1700000000', '5999', '', '127.0.0.1', '1 1', 'ready   '];
    await writeFile(path.join(dir, 'postmaster.pid'), `${lines.join('\n')}\n`);
    // The port is one that it will have again; the lock beside the socket names the process as well.
    const port = Number(await readFile(path.join(path.dirname(dir), 'postgres.port'), 'utf8'));
    await writeFile(path.join(dir, `.s.PGSQL.${port}.lock`), `${lines.join('\n')}\n`);
    const again = await open(project);
    expect(await query(again.url, 'select 1 as value')).toEqual([1]);
  });

  it('is reached over a socket in its data folder, and over TCP where the name of that folder is too long', async () => {
    const by = 'select inet_server_addr() is null as value';
    // As short as can be: this test is about the length.
    const short = await mkdtemp(path.join(tmpdir(), 'p-'));
    await chmod(short, 0o711);
    const near = await open(short);
    expect(new URL(near.url).searchParams.get('host')).toBe(near.dir);
    expect(await query(near.url, by)).toEqual([true]);
    const tcp = new URL(near.url);
    tcp.search = '';
    expect(await query(tcp.href, by)).toEqual([false]);
    const long = path.join(project, 'a folder, "whose" name is long '.repeat(3));
    await mkdir(long, { mode: 0o711 });
    const far = await open(long);
    expect(new URL(far.url).search).toBe('');
    expect(await query(far.url, by)).toEqual([false]);
    await opened.pop()?.close();
    await opened.pop()?.close();
    await rm(short, { recursive: true });
  });

  it('is reached over a socket in a folder whose name needs quotes', async () => {
    const odd = path.join(await mkdtemp(path.join(tmpdir(), 'p-')), 'a, "b" c');
    await chmod(path.dirname(odd), 0o711);
    await mkdir(odd, { mode: 0o711 });
    const { url } = await open(odd);
    expect(await query(url, 'select inet_server_addr() is null as value')).toEqual([true]);
    await opened.pop()?.close();
    await rm(path.dirname(odd), { recursive: true });
  });

  it('is left running while a client of somebody else is connected', async () => {
    const { url, dir } = await open(project);
    const guest = new pg.Client({ connectionString: url });
    await guest.connect();
    await opened.pop()?.close();
    expect((await guest.query('select 1 as value')).rows).toEqual([{ value: 1 }]);
    await guest.end();
    await serverPid(dir);
    // The next one to leave stops it.
    await open(project);
    await opened.pop()?.close();
    expect(await readPostmaster(dir)).toBeNull();
  });

  it('stops it in the middle of its work when it has to end, unless another process uses it', async () => {
    const server = await openEmbeddedPostgres({ projectDir: project, log, machineFolders: [] });
    const other = openElsewhere(project);
    await other.nextLine();
    await server.abandon();
    await serverPid(server.dir);
    await other.end('SIGTERM');
    await whenDead(server.dir);

    const last = await openEmbeddedPostgres({ projectDir: project, log, machineFolders: [] });
    const client = new pg.Client({ connectionString: last.url });
    client.on('error', () => undefined);
    await client.connect();
    await last.abandon();
    expect((await readPostmaster(last.dir))?.alive ?? false).toBe(false);
    await client.end().catch(() => undefined);
    expect(await query((await open(project)).url, 'select 1 as value')).toEqual([1]);
  });
});

describe('several processes of a project', () => {
  let project = '';
  beforeAll(async () => {
    project = await testFolder();
  });

  it('race to one server, and the last one out stops it', async () => {
    const others = [openElsewhere(project), openElsewhere(project)];
    const here = await open(project);
    const urls = await Promise.all(others.map((other) => other.nextLine()));
    expect(urls).toEqual([here.url, here.url]);
    const [first, second] = others;
    expect(await first?.end('SIGTERM')).toBe(0);
    await opened.pop()?.close();
    const pid = await serverPid(here.dir);
    expect(pid).toBeGreaterThan(0);
    expect(await second?.end('SIGTERM')).toBe(0);
    expect(await readPostmaster(here.dir)).toBeNull();
  });

  it('outlive one that is killed, and its server too', async () => {
    const starter = openElsewhere(project);
    const url = await starter.nextLine();
    const here = await open(project);
    await starter.end('SIGKILL');
    expect(here.url).toBe(url);
    expect(await query(url, 'select 1 as value')).toEqual([1]);
    await opened.pop()?.close();
    expect(await readPostmaster(here.dir)).toBeNull();
  });

  it('come back after all of them and the server were killed', async () => {
    const dir = path.join(await realpath(project), '.perennial', 'postgres');
    const others = [openElsewhere(project), openElsewhere(project)];
    const [url = ''] = await Promise.all(others.map((other) => other.nextLine()));
    await query(url, 'create table kept as select generate_series(1, 3) as value');
    const pid = await serverPid(dir);
    await Promise.all(others.map((other) => other.end('SIGKILL')));
    process.kill(pid, 'SIGKILL');
    const here = await open(project);
    expect(await query(here.url, 'select value from kept')).toEqual([1, 2, 3]);
  });
});

const asRoot = process.getuid?.() === 0 ? it : it.skip;

describe('root in a folder that nobody else can enter', () => {
  asRoot('keeps data and programs elsewhere, and says where', async () => {
    const project = await testFolder(0o700);
    const machine = path.join(await testFolder(), 'machine');
    const first = await open(project, [machine]);
    const where = (await readFile(path.join(project, '.perennial', 'postgres.where'), 'utf8')).trim();
    expect(path.dirname(where)).toBe(machine);
    expect(first.dir).toBe(path.join(where, 'postgres'));
    await query(first.url, 'create table kept as select 7 as value');
    await opened.pop()?.close();
    // Found by the pointer, whatever the machine's folders are now.
    const second = await open(project, ['/nonexistent-and-not-asked']);
    expect(await query(second.url, 'select value from kept')).toEqual([7]);
  });

  asRoot('refuses a pointer to data that is gone, or that is the original of a copied project', async () => {
    const project = await testFolder(0o700);
    const machine = path.join(await testFolder(), 'machine');
    const { dir } = await open(project, [machine]);
    await opened.pop()?.close();
    const copy = await testFolder(0o700);
    await mkdir(path.join(copy, '.perennial'));
    const where = path.join('.perennial', 'postgres.where');
    await writeFile(path.join(copy, where), await readFile(path.join(project, where)));
    await expect(open(copy, [machine])).rejects.toMatchObject({
      code: 'data_unusable',
      message: expect.stringContaining('is a copy of'),
    });
    await rm(path.dirname(dir), { recursive: true });
    await expect(open(project, [machine])).rejects.toMatchObject({
      code: 'data_unusable',
      message: expect.stringContaining('is gone'),
    });
  });
});
