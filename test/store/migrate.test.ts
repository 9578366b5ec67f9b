import { execFile } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openDatabase, type Database } from '../../engine/store/database.ts';
import { migrate, migrations, NewerDatabaseError } from '../../engine/store/migrate.ts';
import { testDatabase, type TestDatabase } from '../support/postgres.ts';
import { openFleet } from './support.ts';

const ROOT = path.join(import.meta.dirname, '../..');

describe('migrating', () => {
  let database: TestDatabase;
  let db: Database;
  beforeEach(async () => {
    database = await testDatabase();
    db = openDatabase(database.url, { max: 2 });
  });
  afterEach(async () => {
    await db.close();
    await database.drop();
  });

  it('applies each migration once, also when two processes start at the same time', async () => {
    const both = await Promise.all([migrate(db), migrate(db)]);
    expect(both.flat()).toEqual(migrations.map(({ name }) => name));
    expect(await migrate(db)).toEqual([]);
  });

  it('touches no database of a newer version, and says so without a stack', async () => {
    await migrate(db);
    await db.query(`insert into migrations (name) values ('9999-later')`);
    const refused = await migrate(db).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(NewerDatabaseError);
    expect(refused).toMatchObject({ code: 'newer-database', message: expect.stringContaining('"9999-later"') });
    for (const args of [['migrate'], ['work', '--roles', 'scheduler']]) {
      const { code, stderr } = await perennial(args, { DATABASE_URL: database.url });
      expect(code).toBe(1);
      expect(stderr).toBe(`${(refused as Error).message}\n`);
    }
  });

  it('lets a process do nothing more that ran on while a newer version migrated, and holds nobody for it', async () => {
    const fleet = await openFleet();
    const [ada = 0] = await fleet.customers(['ada']);
    await fleet.event('order.placed', ['ada'], { total: 5 });
    await fleet.db.query(`insert into migrations (name) values ('9999-later')`);
    const newer = { code: 'newer-database', message: expect.stringContaining('end it, and start the new version') };
    await expect(fleet.advance([ada])).rejects.toMatchObject(newer);
    await expect(fleet.claim('bulk', [ada])).rejects.toMatchObject(newer);
    await expect(fleet.event('order.placed', ['ada'], { total: 6 })).rejects.toMatchObject(newer);
    expect(await fleet.sends()).toEqual(['ada first planned']);
    expect(await fleet.rows('select from customers where held_at is not null')).toEqual([]);
    await fleet.close();
  });

  it('is asked for where a command only reads a database of an older version', async () => {
    const { code, stderr } = await perennial(['backup', '-'], { DATABASE_URL: database.url });
    expect([code, stderr]).toEqual([1, expect.stringContaining('run "perennial migrate"')]);
  });

  async function perennial(
    args: readonly string[],
    env: NodeJS.ProcessEnv,
  ): Promise<{ readonly code: number | string | null; readonly stderr: string }> {
    const loader = path.join(ROOT, 'test/support/ts-loader.js');
    const all = ['--import', loader, path.join(ROOT, 'scripts/perennial.ts'), ...args];
    return new Promise((resolve) => {
      execFile(process.execPath, all, { env: { ...process.env, NODE_OPTIONS: '', ...env } }, (error, _out, stderr) => {
        resolve({ code: error?.code ?? 0, stderr });
      });
    });
  }
});
