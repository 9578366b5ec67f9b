/** Files and folders that a person names and that cannot be used: what is said of them, and that nothing is left behind. */
import { spawn, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openDatabase } from '../../engine/store/database.ts';
import { migrate } from '../../engine/store/migrate.ts';
import { putInPlace } from '../../scripts/support/put-in-place.ts';
import { outerEnv } from '../chaos/fleet.ts';
import { testFolder } from '../support/folder.ts';
import { testDatabase, type TestDatabase } from '../support/postgres.ts';

const CLI = path.resolve(import.meta.dirname, '../../bin/perennial.js');
const ACT = ['--by', 'Mia', '--reason', 'test'];
const LIMIT_MS = 60_000;

interface Ended {
  readonly code: unknown;
  readonly err: string;
}

/** Runs the program; what it prints goes to `out`, or to a pipe that is closed at once. */
async function run(args: readonly string[], databaseUrl: string, out: number | 'closed' = 'closed'): Promise<Ended> {
  const env = { ...outerEnv(), DATABASE_URL: databaseUrl, REDIS_URL: '', LOG_LEVEL: 'warn' };
  const stdio: StdioOptions = ['ignore', out === 'closed' ? 'pipe' : out, 'pipe'];
  const child = spawn(process.execPath, [CLI, ...args], { env, stdio });
  child.stdout?.destroy();
  const [err, [code]] = await Promise.all([child.stderr === null ? '' : text(child.stderr), once(child, 'exit')]);
  return { code: code as unknown, err };
}

describe('a backup that cannot be written or read', () => {
  let database: TestDatabase;
  let folder = '';
  beforeAll(async () => {
    database = await testDatabase();
    folder = await testFolder();
    const db = openDatabase(database.url);
    await migrate(db);
    // More than a pipe holds.
    await db.query(
      `insert into customers (key, arrived_at) select md5(n::text) || md5((-n)::text), now() from generate_series(1, 5000) n`,
    );
    await db.close();
  });
  afterAll(async () => database.drop());

  it(
    'says which file, why not, and what to do',
    async () => {
      await writeFile(path.join(folder, 'file'), '');
      const said = (err: string): Ended => ({ code: 1, err: `Nothing was done: ${err}\n` });
      const missing = path.join(folder, 'no', 'x.gz');
      expect(await run(['backup', missing], database.url)).toEqual(
        said(
          `${missing} cannot be written (ENOENT): there is no such file or folder: make the folder first, or name another.`,
        ),
      );
      const below = path.join(folder, 'file', 'x.gz');
      expect(await run(['backup', below], database.url)).toEqual(
        said(`${below} cannot be written (ENOTDIR): a part of its path is a file: name another.`),
      );
      expect(await run(['restore', folder], database.url)).toEqual(
        said(`${folder} cannot be read (EISDIR): it is a folder: name a file.`),
      );
      expect(await run(['restore', missing], database.url)).toEqual(
        said(`${missing} cannot be read (ENOENT): there is no such file: is its name right?`),
      );
      expect(await readdir(folder)).toEqual(['file']);
    },
    LIMIT_MS,
  );

  it(
    'says it of standard output and input as well',
    async () => {
      expect(await run(['backup', '-'], database.url)).toMatchObject({
        code: 1,
        err: expect.stringMatching(
          /^Nothing was done: standard output cannot be written \(EPIPE\): .* before it had read all/,
        ),
      });
      if (!existsSync('/dev/full')) return;
      const full = await open('/dev/full', 'w');
      const filled = {
        code: 1,
        err: expect.stringMatching(/^[^\n]*standard output cannot be written \(ENOSPC\): the disk is full[^\n]*\n$/),
      };
      expect(await run(['backup', '-'], database.url, full.fd)).toEqual(filled);
      expect(await run(['schema', 'playbook'], database.url, full.fd)).toEqual(filled);
      await full.close();
    },
    LIMIT_MS,
  );
});

describe('a whole file', () => {
  it.each(['links', 'no links'])('gets its name where the file system has %s, and overwrites nothing', async (has) => {
    const folder = await testFolder();
    const [unfinished, file] = [path.join(folder, '.x'), path.join(folder, 'x')];
    const refused = async (): Promise<never> => Promise.reject(Object.assign(new Error('no links'), { code: 'EPERM' }));
    const put = async (): Promise<void> =>
      has === 'links' ? putInPlace(unfinished, file) : putInPlace(unfinished, file, refused);
    await writeFile(unfinished, 'whole', { mode: 0o600 });
    await put();
    expect(await readFile(file, 'utf8')).toBe('whole');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await rm(unfinished, { force: true });
    await writeFile(unfinished, 'another');
    await expect(put()).rejects.toMatchObject({ code: 'EEXIST' });
    expect(await readFile(file, 'utf8')).toBe('whole');
  });
});

describe('a folder that is no company', () => {
  it(
    'is refused, with the one that may be meant, and nothing is made in it',
    async () => {
      const folder = await testFolder();
      const hearth = path.join(folder, 'hearth');
      await mkdir(path.join(hearth, 'playbooks'), { recursive: true });
      await writeFile(path.join(hearth, 'perennial.yaml'), '');
      const said = async (...args: readonly string[]): Promise<string> => {
        const { code, err } = await run(args, '');
        expect(code).toBe(1);
        return err;
      };
      const meant = `Did you mean --project ${hearth}?\n`;
      const typed = path.join(folder, 'heart');
      expect(await said('unknown', '--project', typed)).toBe(`There is no folder ${typed}. ${meant}`);
      expect(await said('pause', '--all', ...ACT, '--project', typed)).toBe(`There is no folder ${typed}. ${meant}`);
      const inside = path.join(hearth, 'playbooks');
      expect(await said('backup', path.join(folder, 'x.gz'), '--project', inside)).toBe(
        `${inside} is no company folder: there is no perennial.yaml in it. ${meant}`,
      );
      expect(await said('held', '--project', folder)).toContain(meant);
      const [shop, like] = [path.join(folder, 'shop'), path.join(folder, 'shops')];
      for (const company of [path.join(shop, 'garden'), like]) {
        await mkdir(company, { recursive: true });
        await writeFile(path.join(company, 'perennial.yaml'), '');
      }
      expect(await said('held', '--project', shop)).toContain(`Did you mean --project ${shop}/garden?\n`);
      await rm(shop, { recursive: true });
      expect(await said('held', '--project', shop)).toBe(
        `There is no folder ${shop}. Did you mean --project ${like}?\n`,
      );
      await rm(like, { recursive: true });
      const nowhere = path.join(folder, 'quite', 'another');
      expect(await said('customer', 'ada', '--project', nowhere)).toContain('Name the company folder with --project');
      expect([await readdir(folder), await readdir(hearth), await readdir(inside)]).toEqual([
        ['hearth'],
        ['perennial.yaml', 'playbooks'],
        [],
      ]);
    },
    LIMIT_MS,
  );
});

it.each([
  ['unknown', 'settle', '9999999999999999', '--as', 'sent'],
  ['held', 'retry', 'send:9999999999999999'],
  ['held', 'drop', 'customer:9007199254740993'],
])(
  '"%s %s %s" is refused: as a number it would be another',
  async (...args) => {
    expect(await run([...args, ...ACT], 'postgres://127.0.0.1:9/nobody')).toEqual({
      code: 2,
      err: expect.stringMatching(/^error: [^\n]* is invalid for argument/),
    });
  },
  LIMIT_MS,
);
