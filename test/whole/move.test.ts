/**
 * Everything moves from the embedded database to a server with customers under way, and what is left to send goes out from there,
 * each mail once; on the way the queue's Redis is lost for good.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { pino } from 'pino';
import { businessNow, openConnection } from '../../engine/store/database.ts';
import { requireHome } from '../../engine/store/home.ts';
import {
  cancelMove,
  moveDatabase,
  type CancelRequest,
  type MoveCancelled,
  type Moved,
} from '../../engine/store/whole/move.ts';
import { openEmbeddedPostgres, type EmbeddedPostgres } from '../../workers/embedded/open.ts';
import type { TestDatabase } from '../support/postgres.ts';
import { testRedis, type TestRedis } from '../support/redis.ts';
import { emptyDatabase, LETTERS, onRecord, openPlace, openShop, type Order, type Place, type Shop } from './site.ts';

const ACT = ['--by', 'Mia', '--reason', 'out of the trial'];
const LIMIT_MS = 150_000;

describe('from the embedded database to a server', () => {
  let shop: Shop;
  let embedded: EmbeddedPostgres;
  let server: TestDatabase;
  let here: Place;
  const redises: (TestRedis | null)[] = [];
  const orders: Order[] = [];
  let movedAt = 0;
  beforeAll(async () => {
    shop = await openShop(5);
    embedded = await openEmbeddedPostgres({ projectDir: shop.folder, log: pino({ level: 'silent' }) });
    server = await emptyDatabase();
    redises.push(await testRedis(), await testRedis());
    here = await openPlace(embedded.url);
    expect((await shop.run(['deploy', '--by', 'test'], null)).code).toBe(0);
  }, LIMIT_MS);
  afterAll(async () => {
    await shop.close();
    await here.close();
    await embedded.close();
    await server.drop();
    for (const redis of redises) await redis?.stop();
  });
  const arrives = async (mails: number): Promise<void> => {
    while (shop.sink.taken.length < mails) await new Promise((resolve) => setTimeout(resolve, 20));
  };

  it(
    'is refused while a fleet works there, and can be tried without a trace',
    async () => {
      const fleet = shop.startFleet('', ['scheduler,advance,deliver']);
      await fleet.whenRunning();
      orders.push(...(await here.sell(12)));
      await arrives(12 * 3);
      const refused = await shop.run(['move', '--to', server.url, ...ACT], null);
      expect(refused).toMatchObject({
        code: 1,
        out: '',
        err: expect.stringMatching(/a fleet works on .*\n {2}- workers have \d+ conn/),
      });
      expect(await fleet.drain()).toEqual([0]);

      const closed = await shop.run(['move', '--to', 'postgres://mia:secret@127.0.0.1:9/new', ...ACT], null);
      expect(closed).toMatchObject({ code: 1, out: '', err: expect.stringMatching(/ECONNREFUSED.* See --to\.\n$/s) });
      expect(closed.err).not.toMatch(/secret|DATABASE_URL/);
      const wrong = await shop.run(['move', '--to', 'nonsense', ...ACT], null);
      expect(wrong).toMatchObject({ code: 1, out: '', err: expect.stringContaining('\n  --to: expected a URL') });
      const neither = await shop.run(['move', '--cancel', ...ACT], null);
      expect(neither).toMatchObject({ code: 2, out: '', err: expect.stringContaining('--target-gone') });
      const dry = await shop.run(['move', '--dry-run', '--to', server.url, ...ACT], null);
      expect(dry).toMatchObject({ code: 0, err: '', out: expect.stringMatching(/^Dry run, nothing was changed: \d/) });
      const client = await openConnection(server.url, 'test');
      const { rows } = await client.query(`select from pg_class where relnamespace = 'public'::regnamespace`);
      await client.end();
      expect(rows).toEqual([]);
      await requireHome(here.db, null);
    },
    LIMIT_MS,
  );

  it(
    'moves every row, and leaves nothing that could start by mistake',
    async () => {
      const counts = await here.db.query<{ customers: number; sends: number; timers: number }>(
        `select (select count(*) from customers) as customers, (select count(*) from sends) as sends,
           (select count(*) from timers where due_at is not null) as timers`,
      );
      expect(counts.rows).toEqual([{ customers: 12, sends: 36, timers: 12 }]);
      movedAt = await businessNow(here.db);
      const moved = await shop.run(['move', '--json', '--to', server.url, ...ACT], null);
      expect(moved).toMatchObject({ code: 0, err: '' });
      expect(JSON.parse(moved.out)).toMatchObject({
        outcome: 'moved',
        dryRun: false,
        rows: { customers: 12, sends: 36 },
      });
      for (const args of [
        ['work', '--roles', 'scheduler'],
        ['pause', '--all', ...ACT],
        ['backup', `${shop.folder}/late.gz`],
      ]) {
        const refused = await shop.run(args, null);
        expect(refused).toMatchObject({
          code: 1,
          err: expect.stringContaining(`was moved to ${new URL(server.url).host}`),
        });
      }
      expect(moved.out + moved.err).not.toContain(new URL(server.url).password);
    },
    LIMIT_MS,
  );

  it(
    'goes on from the server, also when Redis is lost for good on the way',
    async () => {
      const there = await openPlace(server.url, movedAt);
      const [first, second] = redises;
      const before = shop.startFleet(server.url, ['scheduler,advance,deliver'], first?.url);
      await before.whenRunning();
      orders.push(...(await there.sell(4)));
      await arrives(12 * 3 + 4 * 3);
      await there.minute();
      await first?.kill();
      await there.minute();
      await arrives(12 * 4 + 4 * 4);
      // A mail can be there before it is on record, and would be in doubt; this test is about something else.
      while ([...(await onRecord(there.db)).values()].includes('handed')) await sleep(20);
      // With another Redis, as empty as it comes.
      await before.close();
      const after = shop.startFleet(server.url, ['scheduler,advance,deliver'], second?.url);
      await after.whenRunning();
      await there.finish();
      const mails = orders.flatMap(({ customer }) => LETTERS.map((letter) => `${letter} for ${customer}`));
      expect(Object.fromEntries(shop.arrived())).toEqual(Object.fromEntries(mails.map((mail) => [mail, 1])));
      expect([...new Set((await onRecord(there.db)).values())]).toEqual(['sent']);
      expect(await after.drain()).toEqual([0]);
      await there.close();
    },
    LIMIT_MS,
  );
});

describe('a move that is cut short', () => {
  let from: TestDatabase;
  let to: TestDatabase;
  let source: pg.Client;
  let target: pg.Client;
  let place: Place;
  beforeEach(async () => {
    from = await emptyDatabase();
    to = await emptyDatabase();
    place = await openPlace(from.url);
    await place.db.query(
      `insert into customers (key, arrived_at) select 'c' || n, now() from generate_series(1, 50) n`,
    );
    source = await openConnection(from.url, 'test');
    target = await openConnection(to.url, 'test');
  });
  afterEach(async () => {
    await place.close();
    await source.end();
    await target.end();
    await from.drop();
    await to.drop();
  });
  const ACTED = { by: 'Mia', reason: 'test' };
  const move = async (to = 'there', into = target): Promise<Moved> =>
    moveDatabase(source, into, { from: 'here', to, version: '0', ...ACTED, dryRun: false });
  const cancel = async (whither?: CancelRequest['target']): Promise<MoveCancelled> =>
    cancelMove(source, { target: whither ?? { name: 'there', client: target }, ...ACTED });
  const away = async (): Promise<unknown> => (await place.db.query('select away from engine')).rows[0]?.['away'];
  const customersThere = async (): Promise<number> =>
    (await target.query<{ n: number }>('select count(*) as n from customers')).rows[0]?.n ?? -1;

  it('is finished by the same command after the last row, and done again before it', async () => {
    // Killed once the old one was marked, and no row had come.
    await place.db.query(`update engine set away = 'moving', away_to = 'there'`);
    await expect(requireHome(place.db, null)).rejects.toMatchObject({
      code: 'moving',
      message: expect.stringContaining('there'),
    });
    expect(await move()).toMatchObject({ outcome: 'moved', rows: { customers: 50 } });
    expect(await customersThere()).toBe(50);
    // Killed when all rows had come, and the old one had not heard of it.
    await place.db.query(`update engine set away = 'moving'`);
    expect(await move()).toEqual({ outcome: 'completed' });
    expect(await away()).toBe('moved');
    expect(await move()).toEqual({ outcome: 'moved before', to: 'there' });
    expect(await cancel()).toEqual({ outcome: 'no move' });
    const numbers = await target.query<{ n: number }>(
      `insert into customers (key, arrived_at) values ('new', now()) returning id as n`,
    );
    expect(numbers.rows[0]?.n).toBe(51);
  });

  it('can be given up, and one that fails gives itself up', async () => {
    await place.db.query(`update engine set away = 'moving', away_to = 'there'`);
    expect(await cancel()).toEqual({ outcome: 'cancelled' });
    await requireHome(place.db, null);
    const other = await openPlace(to.url);
    await other.db.query(`insert into customers (key, arrived_at) values ('somebody', now())`);
    await other.close();
    await expect(move()).rejects.toMatchObject({ name: 'FillError', code: 'not-empty' });
    expect(await away()).toBeNull();
    expect(await customersThere()).toBe(1);
    await requireHome(place.db, null);
  });

  it('goes nowhere else, and is not given up, once all may be there: two fleets would send every mail twice', async () => {
    const other = await emptyDatabase();
    const elsewhere = await openConnection(other.url, 'test');
    expect(await move()).toMatchObject({ outcome: 'moved' });
    await place.db.query(`update engine set away = 'moving'`);
    expect(await move('elsewhere', elsewhere)).toEqual({ outcome: 'other target', to: 'there' });
    expect((await elsewhere.query(`select to_regclass('engine') as engine`)).rows).toEqual([{ engine: null }]);
    expect(await cancel({ name: 'elsewhere', client: elsewhere })).toEqual({ outcome: 'other target', to: 'there' });
    expect(await cancel()).toEqual({ outcome: 'arrived' });
    expect(await away()).toBe('moving');
    // Its owner has dropped it.
    await elsewhere.end();
    expect(await cancel('gone')).toEqual({ outcome: 'cancelled' });
    expect(await away()).toBeNull();
    await other.drop();
  });

  it('is done by one command at a time', async () => {
    const second = await openConnection(from.url, 'test');
    const third = await openConnection(to.url, 'perennial move');
    await place.db.query(`update engine set away = 'moving', away_to = 'there'`);
    expect(await cancel()).toMatchObject({ outcome: 'at work' });
    expect(await cancelMove(second, { target: 'gone', ...ACTED })).toMatchObject({ outcome: 'at work' });
    await third.end();
    await second.end();
    expect(await away()).toBe('moving');
  });

  it('notices a copy that was made in another way', async () => {
    await requireHome(place.db, null);
    await place.db.query(`update engine set home = '1/1'`);
    await expect(requireHome(place.db, null)).rejects.toMatchObject({ code: 'copied' });
  });
});
