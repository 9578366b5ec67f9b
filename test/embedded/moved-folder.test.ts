/** A company's folder that was copied or moved: the files of its database do not know of it, its fleet does. */
import { execFile } from 'node:child_process';
import { rename } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { expect, it } from '@jest/globals';
import { pino } from 'pino';
import { openDatabase } from '../../engine/store/database.ts';
import { homeText, requireHome, type Site } from '../../engine/store/home.ts';
import { migrate } from '../../engine/store/migrate.ts';
import { openEmbeddedPostgres } from '../../workers/embedded/open.ts';
import { outerEnv } from '../chaos/fleet.ts';
import { writeCompany } from '../chaos/company.ts';
import { testFolder } from '../support/folder.ts';
import { testDatabase } from '../support/postgres.ts';

const CLI = path.resolve(import.meta.dirname, '../../bin/perennial.js');
const ACT = ['--by', 'Mia', '--reason', 'another folder'];
const LIMIT_MS = 120_000;

async function run(project: string, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const env = { ...outerEnv(), DATABASE_URL: '', REDIS_URL: '', SMTP_URL: '', LOG_LEVEL: 'warn' };
  return new Promise((resolve) => {
    execFile(process.execPath, [CLI, ...args, '--project', project], { env }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), out, err }),
    );
  });
}

it(
  'a copied folder starts no second fleet, a moved one does once somebody has said so',
  async () => {
    const folder = await testFolder();
    const [first, copy, moved] = ['first', 'copy', 'moved'].map((name) => path.join(folder, name)) as [
      string,
      string,
      string,
    ];
    await writeCompany(first);
    const embedded = await openEmbeddedPostgres({ projectDir: first, log: pino({ level: 'silent' }) });
    const db = openDatabase(embedded.url);
    await migrate(db);
    await requireHome(db, { machine: null, dir: embedded.dir });
    await db.close();
    await embedded.close();
    await promisify(execFile)('cp', ['-a', first, copy]);

    const refused = await run(copy, 'work', '--roles', 'scheduler');
    expect(refused).toMatchObject({
      code: 1,
      err: expect.stringContaining(`has worked in ${first}/.perennial/postgres`),
    });
    expect(refused.err).toContain('perennial recovered --nothing-sent --by NAME');
    expect(refused.err).not.toMatch(/\n\s+at /);
    // It is no database at its home, so a time may be put in doubt there without any more words.
    const dry = await run(
      copy,
      'recovered',
      '--dry-run',
      '--backup-at',
      new Date(Date.now() - 60_000).toISOString(),
      ...ACT,
    );
    expect(dry).toMatchObject({ code: 0, err: '' });

    await rename(first, moved);
    expect(await run(moved, 'recovered', '--nothing-sent', ...ACT)).toMatchObject({ code: 0, err: '' });
    const again = await openEmbeddedPostgres({ projectDir: moved, log: pino({ level: 'silent' }) });
    const there = openDatabase(again.url);
    await requireHome(there, { machine: null, dir: again.dir });
    await there.close();
    await again.close();
    // Where it is at home and was never restored, nothing is given up.
    const healthy = await run(moved, 'recovered', '--backup-at', '2026-03-02T09:15:00Z', ...ACT);
    expect(healthy).toMatchObject({ code: 1, out: '', err: expect.stringContaining('--restored-in-place') });
  },
  LIMIT_MS,
);

it('compares what both sides know', async () => {
  const database = await testDatabase();
  const db = openDatabase(database.url);
  await migrate(db);
  const here: Site = { machine: 'aa', dir: '/srv/a shop/.perennial/postgres' };
  const home = async (): Promise<unknown> => (await db.query('select home from engine')).rows[0]?.['home'];
  await requireHome(db, null);
  const place = String(await home());
  // A home of an earlier version names no folder: the next fleet does.
  await requireHome(db, here);
  expect(await home()).toBe(homeText(place, here));
  for (const site of [here, { ...here, machine: null }, null]) await requireHome(db, site);
  expect(await home()).toBe(`${place} aa /srv/a shop/.perennial/postgres`);
  const strangers: readonly (readonly [Site, string])[] = [
    [{ ...here, dir: '/srv/b/.perennial/postgres' }, 'has worked in /srv/a shop/.perennial/postgres,'],
    [{ ...here, machine: 'bb' }, 'has worked in /srv/a shop/.perennial/postgres on another machine,'],
  ];
  for (const [site, words] of strangers) {
    await expect(requireHome(db, site)).rejects.toMatchObject({
      code: 'elsewhere',
      message: expect.stringContaining(words),
    });
  }
  await db.query('update engine set home = $1', ['1/1 aa /srv/a shop/.perennial/postgres']);
  await expect(requireHome(db, here)).rejects.toMatchObject({ code: 'copied' });
  await db.close();
  await database.drop();
});
