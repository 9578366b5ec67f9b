import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { advance } from '../../engine/store/advance.ts';
import type { ReleaseCache } from '../../engine/store/context.ts';
import { dropHeld } from '../../engine/store/held-drop.ts';
import { retryHeld } from '../../engine/store/held-retry.ts';
import { workRuns } from '../../engine/store/runs.ts';
import { COMPANY, openStaffed, type Staffed } from '../support/staff.ts';

const FILES = {
  'perennial.yaml': COMPANY,
  'playbooks/early.yaml': `title: Early
topic: news
trigger: { launch: any, before: 1 day }
audience: customer.plan != "basic"
steps:
  - email: hello/first
`,
  'playbooks/birthday.yaml': `title: Birthday
topic: news
trigger: { date: customer.birthday, every: year }
steps:
  - email: hello/first
`,
  'playbooks/launches/lamp.yaml': 'title: Lamp\npublic_at: 2026-03-11T10:00\n',
  'templates/hello/first.hbs': 'Hello',
};
const DEPLOYED = '2026-03-01T00:00:00Z';
const ACT = { by: 'mia', reason: 'mended' };
const LAUNCHED = '2026-03-10T10:00:00Z';

let staffed: Staffed;
beforeAll(async () => {
  staffed = await openStaffed(DEPLOYED);
});
afterAll(async () => {
  await staffed.close();
});
beforeEach(async () => {
  await staffed.at(DEPLOYED);
  await staffed.db.query(
    'truncate customers, enrolments, timers, sends, runs, run_asked, run_owed restart identity cascade',
  );
  await staffed.db.query('update engine set release_id = null');
  await staffed.db.query('truncate releases, playbooks restart identity cascade');
  await staffed.deploy(FILES);
});

const people = (count: number): string[] => Array.from({ length: count }, (_, n) => `c${n + 1}`);
const enrolled = async (): Promise<unknown[]> =>
  staffed.rows(
    `select c.key, e.entry_key, to_char(e.started_at at time zone 'UTC', 'MM-DD HH24:MI') as at
     from enrolments e join customers c on c.id = e.customer_id order by c.id`,
  );
const asked = (count: number): unknown[] =>
  people(count).map((key) => ({ key, entry_key: 'launch:lamp', at: '03-10 10:00' }));
const openRuns = async (): Promise<unknown[]> =>
  staffed.rows(`select kind, status, cursor_id from runs where status <> 'done' order by kind`);
const noted = async (): Promise<unknown[]> => staffed.rows('select customer_id from run_asked order by 1');
const owed = async (): Promise<unknown[]> => staffed.rows('select customer_id from run_owed order by 1');

/** A cache whose next transactions fail, as if the process were killed before they commit. */
function failingAfter(cache: ReleaseCache, good: number): ReleaseCache {
  let left = good;
  return {
    context: async (tx) => {
      if (left <= 0) {
        const killed: NodeJS.ErrnoException = new Error('killed');
        killed.code = 'ECONNRESET';
        throw killed;
      }
      left -= 1;
      return cache.context(tx);
    },
  };
}

describe('a run', () => {
  it('arms everyone there is, from when the trigger was deployed', async () => {
    await staffed.customers(people(5), { birthday: '1990-03-05' });
    await staffed.at('2026-03-08T00:00:00Z');
    expect(await workRuns(staffed.db, staffed.cache, { chunk: 2, chunks: 10 })).toEqual({
      customers: 5,
      finished: 1,
      more: false,
    });
    // The occurrence between the deploy and the arming is not lost: it was due then.
    expect(await staffed.rows('select count(*) as n, started_at as at from enrolments group by 2')).toEqual([
      { n: 5, at: Date.parse('2026-03-05T09:00:00Z') },
    ]);
  });

  it('asks everyone who was there at a launch, in its logical time, once', async () => {
    await staffed.customers(people(7));
    await workRuns(staffed.db, staffed.cache, { chunk: 10 });
    await staffed.at('2026-03-10T10:30:00Z');
    await staffed.customers(['late']);
    await staffed.db.query(`update customers set attributes = '{"plan": "basic"}' where key = 'c3'`);
    const worked = { customers: 0, finished: 0 };
    for (;;) {
      const { customers, finished, more } = await workRuns(staffed.db, staffed.cache, { chunk: 2, chunks: 1 });
      worked.customers += customers;
      worked.finished += finished;
      if (!more) break;
    }
    expect(worked).toEqual({ customers: 7, finished: 1 });
    expect(await enrolled()).toEqual(asked(7).filter((_, index) => index !== 2));
    expect(await noted()).toEqual([]);
    expect(await workRuns(staffed.db, staffed.cache, { chunk: 2 })).toEqual({ customers: 0, finished: 0, more: false });
  });

  it('goes on after it was killed between chunks, and doubles nothing', async () => {
    await staffed.customers(people(9));
    await workRuns(staffed.db, staffed.cache, { chunk: 10 });
    await staffed.at(LAUNCHED);
    const dying = failingAfter(staffed.cache, 2);
    await expect(workRuns(staffed.db, dying, { chunk: 2, chunks: 9 })).rejects.toThrow('killed');
    expect(await openRuns()).toEqual([{ kind: 'launch', status: 'running', cursor_id: 4 }]);
    expect(await enrolled()).toEqual(asked(4));
    await workRuns(staffed.db, staffed.cache, { chunk: 2, chunks: 9 });
    expect(await enrolled()).toEqual(asked(9));
    expect(await openRuns()).toEqual([]);
  });

  it('is not doubled by two schedulers, nor by other work that meets a customer first', async () => {
    const ids = await staffed.customers(people(20));
    await workRuns(staffed.db, staffed.cache, { chunk: 50 });
    await staffed.at(LAUNCHED);
    await advance(staffed.db, staffed.cache, ids.slice(10, 14));
    expect(await noted()).toHaveLength(4);
    await Promise.all([
      workRuns(staffed.db, staffed.cache, { chunk: 3, chunks: 20 }),
      workRuns(staffed.db, staffed.cache, { chunk: 3, chunks: 20 }),
    ]);
    await workRuns(staffed.db, staffed.cache, { chunk: 3, chunks: 20 });
    expect(await enrolled()).toEqual(asked(20));
    expect(await noted()).toEqual([]);
    expect(await openRuns()).toEqual([]);
  });

  it('asks two records of one address as one reader', async () => {
    await staffed.customers(people(4));
    await staffed.db.query(`update customers set address = 'same@example.com' where key in ('c1', 'c4')`);
    await workRuns(staffed.db, staffed.cache, { chunk: 10 });
    await staffed.at(LAUNCHED);
    await workRuns(staffed.db, staffed.cache, { chunk: 2, chunks: 9 });
    expect(await enrolled()).toEqual(asked(3));
  });

  it('goes past a customer at fault, who is held, and the rest of the chunk is asked', async () => {
    await staffed.customers(people(6));
    await workRuns(staffed.db, staffed.cache, { chunk: 10 });
    await staffed.at(LAUNCHED);
    // A text that cannot be stored as an enrolment's key makes this very customer fail at the write.
    await staffed.db.query(
      `create function refuse() returns trigger language plpgsql as $$ begin
         if new.customer_id = 3 then raise exception 'poison' using errcode = '22000'; end if; return new; end $$`,
    );
    await staffed.db.query('create trigger refuse before insert on enrolments for each row execute function refuse()');
    const held: number[] = [];
    await workRuns(staffed.db, staffed.cache, {
      chunk: 4,
      chunks: 9,
      onHeld: ({ customerId }) => {
        held.push(customerId);
      },
    });
    await staffed.db.query('drop function refuse cascade');
    expect(held).toEqual([3]);
    expect(await enrolled()).toEqual(asked(6).filter((_, index) => index !== 2));
    expect(await noted()).toEqual([]);
    expect(await openRuns()).toEqual([]);
    // Nothing is lost: mended, the culprit is asked in the time of the launch, though the run is over.
    await staffed.at('2026-03-11T09:00:00Z');
    await retryHeld(staffed.db, staffed.cache, 'all', ACT);
    expect(await enrolled()).toEqual(asked(6));
    expect(await owed()).toEqual([]);
    expect(await noted()).toEqual([]);
  });

  it('asks who was held as it passed when they are released, once, and not who is dropped', async () => {
    const ids = await staffed.customers(people(5));
    await staffed.customers(['c6'], { birthday: '1990-03-12' });
    await workRuns(staffed.db, staffed.cache, { chunk: 10 });
    const hold = `update customers set held_at = now(), held_error = 'broken' where key = any($1)`;
    await staffed.db.query(hold, [['c2', 'c4', 'c5']]);
    await staffed.at(LAUNCHED);
    await staffed.db.query(`update customers set erased_at = now() where key = 'c5'`);
    await workRuns(staffed.db, staffed.cache, { chunk: 2, chunks: 9 });
    expect(await owed()).toEqual([{ customer_id: ids[1] }, { customer_id: ids[3] }]);
    expect(await openRuns()).toEqual([]);
    await staffed.at('2026-03-11T09:00:00Z');
    for (let again = 0; again < 2; again += 1) {
      await retryHeld(staffed.db, staffed.cache, [{ kind: 'customer', id: ids[1] ?? 0 }], ACT);
      await staffed.db.query(hold, [['c2']]);
    }
    await dropHeld(staffed.db, staffed.cache, { kind: 'customer', id: ids[3] ?? 0 }, ACT);
    await advance(staffed.db, staffed.cache, ids);
    expect(await enrolled()).toEqual(asked(6).filter((_, index) => index !== 3 && index !== 4));
    expect(await owed()).toEqual([]);
    expect(await noted()).toEqual([]);
  });

  it('need not come back to arm who was held as it passed: they are armed as they are let go', async () => {
    const ids = await staffed.customers(people(2), { birthday: '1990-03-05' });
    await staffed.db.query(`update customers set held_at = now(), held_error = 'broken'`);
    await workRuns(staffed.db, staffed.cache, { chunk: 10 });
    expect(await openRuns()).toMatchObject([{ kind: 'launch' }]);
    expect(await staffed.rows('select from timers')).toEqual([]);
    await retryHeld(staffed.db, staffed.cache, [{ kind: 'customer', id: ids[0] ?? 0 }], ACT);
    await dropHeld(staffed.db, staffed.cache, { kind: 'customer', id: ids[1] ?? 0 }, ACT);
    expect(await staffed.rows('select customer_id, due_at from timers order by 1')).toEqual(
      ids.map((id) => ({ customer_id: id, due_at: Date.parse('2026-03-05T09:00:00Z') })),
    );
  });
});
