/** A database that crashes forgets what was not on its disk: nobody may have acted on that. */
import process from 'node:process';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { claimSends } from '../../engine/store/claim.ts';
import { openReleaseCache } from '../../engine/store/context.ts';
import { openDatabase, type Database } from '../../engine/store/database.ts';
import { ingest } from '../../engine/store/ingest.ts';
import { migrate } from '../../engine/store/migrate.ts';
import { deployRelease } from '../../engine/store/releases.ts';
import { compileSources } from '../../workers/parts.ts';
import { ownPostgres, type OwnPostgres } from '../support/own-postgres.ts';
import { sourcesOf } from '../support/staff.ts';
import { eventOf, FILES } from './support.ts';

let server: OwnPostgres;
let db: Database;
beforeAll(async () => {
  server = await ownPostgres();
  db = openDatabase(server.url, { max: 4 });
});
afterAll(async () => {
  await db.close();
  await server.close();
});

it('does not forget a claim whose worker lives on', async () => {
  await migrate(db);
  const note = { author: 'test', note: null, gitCommit: null };
  await deployRelease(db, compileSources, sourcesOf(FILES), note);
  const cache = openReleaseCache(compileSources);
  const ada = { kind: 'identify', customer: 'ada', traits: { email: 'ada@sample.example' } } as const;
  const order = eventOf('ada', 'order.placed', new Date().toISOString(), { total: 1 });
  await ingest(db, cache, [ada, order], { history: false });
  await stopWalWriter();
  const { claimed } = await claimSends(db, cache, 'bulk', await customerIds());
  expect(claimed).toHaveLength(1);
  await db.close();
  await server.stop('immediate');
  await server.start();
  db = openDatabase(server.url, { max: 4 });
  const { rows } = await db.query(`select id, status, fence from sends`);
  expect(rows).toEqual([{ id: claimed[0]?.sendId, status: 'claimed', fence: claimed[0]?.fence }]);
});

async function customerIds(): Promise<readonly number[]> {
  return (await db.query<{ id: number }>('select id from customers')).rows.map(({ id }) => id);
}

/** From now on, only what a session itself waits for is written. */
async function stopWalWriter(): Promise<void> {
  const { rows } = await db.query<{ pid: number }>(`select pid from pg_stat_activity where backend_type = 'walwriter'`);
  if (rows[0] === undefined) throw new Error('the server has no WAL writer');
  process.kill(rows[0].pid, 'SIGSTOP');
}
