/** Values on their way to PostgreSQL and back, against what it and pg make of them. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { openDatabase, type Database, type Queryable } from '../../engine/store/database.ts';
import { parameter } from '../../engine/store/parameter.ts';
import { parseTimestamp } from '../../engine/store/timestamp.ts';
import { testDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
let db: Database;

beforeAll(async () => {
  database = await testDatabase();
  db = openDatabase(database.url, { max: 1 });
});

afterAll(async () => {
  await db.close();
  await database.drop();
});

/** To the end of the year 9999, in seconds and microseconds after them. */
const instantsFrom = (year: number): fc.Arbitrary<readonly (readonly [seconds: number, micros: number])[]> =>
  fc.array(
    fc.tuple(
      fc.integer({ min: new Date(0).setUTCFullYear(year, 0, 2) / 1_000, max: Date.UTC(9999, 11, 30) / 1_000 }),
      fc.oneof(
        fc.constantFrom(0, 1, 999, 1_000, 10_000, 120_000, 500_000, 999_999),
        fc.integer({ min: 0, max: 999_999 }),
      ),
    ),
    { minLength: 100, maxLength: 100 },
  );

async function expectExact(
  at: Queryable,
  instants: readonly (readonly [seconds: number, micros: number])[],
): Promise<void> {
  const { rows } = await at.query<{ at: number; ms: number }>(
    `select at, floor(extract(epoch from at) * 1000)::bigint as ms
     from unnest($1::bigint[], $2::int[]) as a (s, us),
       lateral (select to_timestamp(s::float8) + us * interval '1 microsecond') as b (at)`,
    [instants.map(([seconds]) => seconds), instants.map(([, micros]) => micros)],
  );
  expect(rows.map(({ at }) => at)).toEqual(
    instants.map(([seconds, micros]) => seconds * 1_000 + Math.floor(micros / 1_000)),
  );
  expect(rows.map(({ at }) => at)).toEqual(rows.map(({ ms }) => ms));
}

it('every instant comes back to the millisecond, whatever the database says of zones and dates', async () => {
  const name = new URL(database.url).pathname.slice(1);
  await db.query(`alter database ${name} set timezone = 'America/St_Johns'`);
  await db.query(`alter database ${name} set datestyle = 'SQL, DMY'`);
  const url = new URL(database.url);
  url.searchParams.set('options', '-c timezone=Asia/Kolkata -c datestyle=German -c work_mem=5MB');
  for (const at of [database.url, url.href]) {
    const later = openDatabase(at, { max: 1 });
    try {
      await fc.assert(
        fc.asyncProperty(instantsFrom(1), async (instants) => expectExact(later, instants)),
        { numRuns: 50 },
      );
      const { rows } = await later.query(`select date '2026-03-02' as day, current_setting('timezone') as zone`);
      expect(rows).toEqual([{ day: '2026-03-02', zone: 'UTC' }]);
    } finally {
      await later.close();
    }
  }
});

it('options of a URL hold where we have none of our own', async () => {
  const url = new URL(database.url);
  url.searchParams.set('options', '-c work_mem=5MB -c enable_seqscan=on');
  const later = openDatabase(url.href, { max: 1, indexed: true });
  const { rows } = await later.query(
    `select current_setting('work_mem') as memory, current_setting('enable_seqscan') as seqscan`,
  );
  await later.close();
  expect(rows).toEqual([{ memory: '5MB', seqscan: 'off' }]);
});

it.each(['Europe/London', 'Asia/Kolkata', 'America/St_Johns'])(
  'a session that is in %s after all reads the times of our days',
  async (zone) => {
    await db.transaction(async (tx) => {
      await tx.query(`set local time zone '${zone}'`);
      await fc.assert(
        fc.asyncProperty(instantsFrom(1970), async (instants) => expectExact(tx, instants)),
        { numRuns: 20 },
      );
      expect((await tx.query('show timezone')).rows).toEqual([{ TimeZone: zone }]);
    });
  },
);

it.each([
  ['2026-03-02 09:30:00+00', Date.UTC(2026, 2, 2, 9, 30)],
  ['2026-03-02 09:30:00.5+00', Date.UTC(2026, 2, 2, 9, 30, 0, 500)],
  ['2026-03-02 09:30:00.123456+00', Date.UTC(2026, 2, 2, 9, 30, 0, 123)],
  ['2026-03-02 09:30:00+01', Date.UTC(2026, 2, 2, 8, 30)],
  ['2026-03-02 09:30:00+05:30', Date.UTC(2026, 2, 2, 4, 0)],
  ['infinity', Number.NaN],
])('%s is read', (text, at) => {
  expect(parseTimestamp(text)).toBe(at);
});

it('an array arrives as what it is, however it is written', async () => {
  const wholes = fc.array(fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER }));
  await fc.assert(
    fc.asyncProperty(wholes, async (ids) => {
      const { rows } = await db.query<{ ids: string[] }>('select $1::bigint[]::text[] as ids', [ids]);
      expect(rows[0]?.ids).toEqual(ids.map(String));
    }),
    { numRuns: 50 },
  );
  const { rows } = await db.query(
    `select $1::text[] as words, $2::float8[] as parts, $3::bigint[] as none, $4::bigint[] as gap, $5::text[] as digits`,
    [['a,b', '"', '\\', 'NULL', '{}'], [1.5, 2], [], [1, null], ['1', '2']],
  );
  expect(rows[0]).toEqual({
    words: ['a,b', '"', '\\', 'NULL', '{}'],
    parts: [1.5, 2],
    none: [],
    gap: ['1', null],
    digits: ['1', '2'],
  });
});

it('only arrays of whole numbers are written by ourselves', () => {
  expect(parameter([3, 1, 2])).toBe('{3,1,2}');
  for (const value of [[1.5], [1e21], ['1'], [null], [[1]], [Number.NaN], 1, '1', null, undefined, { a: 1 }]) {
    expect(parameter(value)).toBe(value);
  }
});
