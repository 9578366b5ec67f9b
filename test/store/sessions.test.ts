/** Sessions that are lost at the wrong moment end what was asked of them, and no process. */
import { expect, it } from '@jest/globals';
import { openDatabase } from '../../engine/store/database.ts';
import { openDyingWay } from '../support/dying-way.ts';
import { testDatabase } from '../support/postgres.ts';

it('a session that ends in the moment in which it begins fails what it was lent for, and the next one serves', async () => {
  const database = await testDatabase();
  const way = await openDyingWay(database.url);
  const db = openDatabase(way.url, { max: 2 });
  way.letDie(true);
  await expect(db.query('select 1')).rejects.toThrow();
  await expect(db.transaction(async (tx) => tx.query('select 1'))).rejects.toThrow();
  await expect(db.together(async (one) => one.query('select 1'))).rejects.toThrow();
  expect(way.deaths()).toBe(3);
  way.letDie(false);
  expect((await db.transaction(async (tx) => tx.query('select 1 as n'))).rows).toEqual([{ n: 1 }]);
  await db.close();
  way.close();
  await database.drop();
});
