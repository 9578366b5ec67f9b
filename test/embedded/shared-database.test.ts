import { expect, it } from '@jest/globals';
import pg from 'pg';
import { testDatabase } from '../support/postgres.ts';

it('gives each caller an empty database of its own on one real server', async () => {
  const [one, two] = await Promise.all([testDatabase(), testDatabase()]);
  const client = new pg.Client({ connectionString: one.url });
  await client.connect();
  await client.query('create table t (id int)');
  const { rows } = await client.query(
    `select current_setting('server_version_num')::int as version, current_database() as name`,
  );
  expect(rows[0].version).toBeGreaterThan(140_000);
  expect(two.url).not.toBe(one.url);
  await client.end();
  const other = new pg.Client({ connectionString: two.url });
  await other.connect();
  expect((await other.query(`select to_regclass('t') as t`)).rows[0].t).toBeNull();
  await other.end();
  await one.drop();
  await two.drop();
});
