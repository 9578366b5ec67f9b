/** Everything runs under the role of docs/operations.md that may not make, change or drop a table. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { pino } from 'pino';
import { compileProject } from '../../engine/playbook/compile.ts';
import { LANES, openQueue, prepareQueue } from '../../engine/queue/queue.ts';
import { parseCustomers, parseEvents } from '../../engine/simulate/input.ts';
import { simulate } from '../../engine/simulate/simulate.ts';
import { addCodes } from '../../engine/store/coupon-pools.ts';
import { openDatabase } from '../../engine/store/database.ts';
import { exportCustomer } from '../../engine/store/export.ts';
import { forget } from '../../engine/store/forget.ts';
import { migrate } from '../../engine/store/migrate.ts';
import { pause } from '../../engine/store/pauses.ts';
import { parseInstant } from '../../engine/time/text.ts';
import { comparable, runPipeline } from '../support/pipeline.ts';
import { testDatabase, type TestDatabase } from '../support/postgres.ts';
import { testRedis, type TestRedis } from '../support/redis.ts';
import { COMPANY, sourcesOf } from '../support/staff.ts';

const SUFFIX = randomBytes(4).toString('hex');
const [OWNER, FLEET] = [`perennial_owner_${SUFFIX}`, `perennial_fleet_${SUFFIX}`];
const PASSWORD = 'change me';

/** The statements of the page, for roles and a database of this test. */
const [ROLES = '', GRANTS = '', RECORD = ''] = [
  ...(readFileSync(join(import.meta.dirname, '../../docs/operations.md'), 'utf8')
    .split('## Two roles in the database')[1]
    ?.split('\n## ')[0]
    ?.matchAll(/```sql\n(.*?)```/gs) ?? []),
].map(([, sql = '']) =>
  sql
    .replaceAll('perennial_owner', OWNER)
    .replaceAll('perennial_fleet', FLEET)
    .replaceAll(/'change me[^']*'/g, `'${PASSWORD}'`),
);

const SOURCES = sourcesOf({
  'perennial.yaml': COMPANY,
  'playbooks/checkin.yaml': `topic: news
trigger: { event: order.placed }
entry: { again: always }
steps:
  - survey: { email: checkin, ask: nps, up_to: 2 days }
    id: asked
    then:
      - task: { title: "Call {{customer.id}}", within: 1 days }
    else:
      - email: again
  - coupon: { pool: thanks, as: gift }
  - tag: asked
`,
  'playbooks/lapsed.yaml': `topic: news
trigger: { inactive: { no: order.placed, for: 3 days } }
steps:
  - email: again
`,
  'templates/checkin.hbs': '{{#each survey.links}}<a href="{{url}}">{{score}}</a>{{/each}}',
  'templates/again.hbs': 'Still interested',
});
const CUSTOMERS = ['ada', 'bob', 'cleo'].map((id) => ({ id, email: `${id}@example.com` }));
const EVENTS = [
  { id: 'o-0', customer: 'ada', event: 'order.placed', at: '1999-11-30T10:00:00Z' },
  ...CUSTOMERS.map(({ id }) => ({ id: `o-${id}`, customer: id, event: 'order.placed', at: '2026-03-31T10:00:00Z' })),
  { id: 'a', customer: 'ada', event: 'survey.answered', at: '2026-04-01T09:00:00Z', data: { survey: 'nps', score: 3 } },
];
const [FROM, UNTIL] = [parseInstant('2026-03-31T00:00:00Z'), parseInstant('2026-04-03T12:00:00Z')];

let admin: TestDatabase;
let redis: TestRedis | null;
beforeAll(async () => {
  admin = await testDatabase();
  redis = await testRedis();
  await run(admin.url, ROLES.split('create database')[0] ?? '');
});
afterAll(async () => {
  await redis?.stop();
  await run(admin.url, `drop role ${OWNER}; drop role ${FLEET}`);
  await admin.drop();
});

async function run(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

function as(role: string, { url }: TestDatabase): string {
  const named = new URL(url);
  named.username = role;
  named.password = PASSWORD;
  return named.href;
}

/** A database as the page makes it, before `perennial migrate`. */
async function ownedDatabase(): Promise<TestDatabase> {
  const database = await testDatabase();
  await run(database.url, `alter database ${new URL(database.url).pathname.slice(1)} owner to ${OWNER}`);
  await run(as(OWNER, database), GRANTS);
  return database;
}

/** The sweep does all the work as well, only later: so hints are tried by themselves. */
async function expectHints(url: string): Promise<void> {
  const queue = await openQueue({ backend: { kind: 'postgres', url }, log: pino({ level: 'silent' }) });
  for (const lane of LANES) {
    const taken = new Promise<readonly number[]>((resolve) => {
      queue.work(lane, async (ids) => resolve(ids), { concurrency: 1 });
    });
    await queue.hint(lane, [7]);
    expect(await taken).toEqual([7]);
  }
  await queue.close();
}

describe.each(['PostgreSQL', 'Redis'])('the role of the fleet, with the queue on %s', (backend) => {
  it('runs the whole pipeline, and what staff does, as it was simulated', async () => {
    const redisUrl = backend === 'Redis' ? (redis?.url ?? null) : null;
    if (backend === 'Redis' && redisUrl === null) return;
    const database = await ownedDatabase();
    const url = as(OWNER, database);
    const owner = openDatabase(url, { max: 1 });
    await migrate(owner);
    await prepareQueue({ kind: 'postgres', url });
    await owner.close();
    await run(url, RECORD);

    const fleet = openDatabase(as(FLEET, database), { max: 2 });
    try {
      await addCodes(fleet, 'thanks', ['A1', 'A2', 'A3', 'A4']);
      const { release } = compileProject(SOURCES);
      if (release === null) throw new Error('the sources have mistakes');
      const lines = (rows: readonly object[]): string => rows.map((row) => JSON.stringify(row)).join('\n');
      const customers = parseCustomers(lines(CUSTOMERS), 'customers.jsonl');
      const events = parseEvents(lines(EVENTS), 'events.jsonl', new Set(CUSTOMERS.map(({ id }) => id)));
      const asked = { customers, events, from: FROM, until: UNTIL };
      const expected = comparable(simulate({ release, ...asked }));
      const ran = await runPipeline({ sources: SOURCES, ...asked, redisUrl, databaseUrl: fleet.url });
      expect(ran.timeline).toEqual(expected);
      expect(new Set(expected.map((line) => line.do))).toEqual(
        new Set(['enrol', 'survey', 'task', 'email', 'coupon', 'tag', 'complete']),
      );
      expect(ran.taken.length).toBeGreaterThan(CUSTOMERS.length);
      // Made by the fleet as it went: one before 2000, and two quarters.
      const { rows } = await fleet.query<{ name: string }>(
        `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'events'::regclass order by 1`,
      );
      expect(rows.map(({ name }) => name)).toEqual(['events_2026_q1', 'events_2026_q2', 'events_before']);

      const nothing = (): Promise<void> => Promise.resolve();
      const sink = { begin: nothing, section: nothing, rows: nothing, end: nothing };
      expect(await exportCustomer(fleet, 'ada', sink)).toMatchObject({ outcome: 'found' });
      expect(await pause(fleet, 'checkin', 'Mia', 'a look')).toBe(true);
      const request = { customer: 'ada', sharing: false, by: 'Mia', reason: 'asked', dryRun: false };
      expect(await forget(fleet, request)).toMatchObject({ outcome: 'forgotten' });

      const { rows: acts } = await fleet.query<{ action: string; reason: string | null; detail: object }>(
        `select action, reason, detail from audit where customer_id is not null order by id`,
      );
      expect(acts).toEqual([{ action: 'forget', reason: 'asked', detail: expect.anything() }]);

      if (backend === 'PostgreSQL') await expectHints(fleet.url);

      for (const sql of [
        'create table mine (id int)',
        'create schema mine',
        'drop table events_2026_q1',
        'alter table customers add column mine int',
        'truncate audit',
        'delete from audit',
        `update audit set by = 'nobody'`,
        `update audit set action = 'pause', at = now()`,
        'update audit set customer_id = null, playbook = null',
        `insert into audit (business_at, by, action) values (now(), 'Mia', 'x') on conflict (id) do update set by = 'nobody'`,
        'create or replace function make_events_partition(of_time timestamptz) returns void language sql as $$ select $$',
        'alter table perennial_queue.job add column mine int',
        `copy customers to program 'cat'`,
        `set role ${OWNER}`,
      ]) {
        await expect(fleet.query(sql)).rejects.toThrow(/must be owner|permission denied|does not exist/);
      }
    } finally {
      await fleet.close();
      await database.drop();
    }
  });
});

it('without tables, or with those of an older version, it says who has to make them', async () => {
  const database = await ownedDatabase();
  const fleet = openDatabase(as(FLEET, database), { max: 1 });
  try {
    await expect(migrate(fleet)).rejects.toMatchObject({
      code: 'not-migrated',
      message: expect.stringContaining('run "perennial migrate" as the role that owns them'),
    });
    await expect(prepareQueue({ kind: 'postgres', url: fleet.url })).rejects.toMatchObject({
      code: 'not_prepared',
      message: expect.stringContaining('Run "perennial migrate" as the role that owns the tables'),
    });
  } finally {
    await fleet.close();
    await database.drop();
  }
});
