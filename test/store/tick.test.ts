import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { isIdle, NEXT_DUE, nextDueAfter, nextDueAt } from '../../engine/store/due.ts';
import { acquireLease, releaseLease } from '../../engine/store/lease.ts';
import { pause } from '../../engine/store/pauses.ts';
import { SOURCES } from '../../engine/store/tick-sources.ts';
import { newTickCursor, tick, type TickLimits, type Ticked } from '../../engine/store/tick.ts';
import { pauseAfter } from '../../workers/scheduler.ts';
import { COMPANY, openStaffed, type Staffed } from '../support/staff.ts';

const playbook = (trigger: string): string => `title: T
topic: news
trigger: ${trigger}
steps:
  - wait: 1 day
  - email: hello/first
`;
const FILES = {
  'perennial.yaml': COMPANY,
  'playbooks/alpha.yaml': playbook('{ manual: true }'),
  'playbooks/beta.yaml': playbook('{ manual: true }'),
  'playbooks/birthday.yaml': playbook('{ date: customer.birthday }'),
  'templates/hello/first.hbs': 'Hello',
};
const NOW = '2026-03-01T12:00:00Z';
const ROOM = { advance: 1_000, transactional: 1_000, bulk: 1_000 };

let staffed: Staffed;
beforeAll(async () => {
  staffed = await openStaffed(NOW);
  await staffed.deploy(FILES);
  await staffed.db.query(`delete from runs`);
});
afterAll(async () => {
  await staffed.close();
});
beforeEach(async () => {
  await staffed.at(NOW);
  await staffed.db.query('truncate customers, enrolments, timers, sends, pauses restart identity cascade');
});

/** `count` customers with one active enrolment each in `name`, due `minutes` from now. */
async function waiting(name: string, count: number, minutes: number): Promise<void> {
  await staffed.db.query(
    `with made as (
       insert into customers (key, arrived_at) select $1 || n || '-' || gen_random_uuid(), now() from generate_series(1, $2) n returning id
     )
     insert into enrolments (customer_id, playbook_id, version_id, status, due_at, started_at, entry_key, step)
     select m.id, p.id, v.id, 'active', $3::timestamptz + $4 * interval '1 minute', $3::timestamptz, 'manual:' || m.id, 'wait-1'
     from made m, playbooks p join playbook_versions v on v.playbook_id = p.id where p.name = $1`,
    [name, count, NOW, minutes],
  );
}

/** Plans a mail, due now, for every enrolment of `name`. */
async function planned(name: string, lane: 'transactional' | 'bulk'): Promise<void> {
  await staffed.db.query(
    `insert into sends (enrolment_id, customer_id, playbook_id, step, template, topic, lane, status, first_due_at, due_at)
     select e.id, e.customer_id, e.playbook_id, 'first', 'hello/first', 'news', $2, 'planned', $3, $3
     from enrolments e join playbooks p on p.id = e.playbook_id where p.name = $1`,
    [name, lane, NOW],
  );
}

const limits = (over: Partial<TickLimits> = {}): TickLimits => ({
  perPlaybook: 100,
  room: ROOM,
  cursor: newTickCursor(),
  ...over,
});
const counts = (ticked: Ticked): object => ({
  advance: ticked.advance.length,
  transactional: ticked.transactional.length,
  bulk: ticked.bulk.length,
});

describe('tick', () => {
  it('finds due enrolments, timers and mails, each customer once, and nothing that is not due', async () => {
    await waiting('alpha', 3, -1);
    await waiting('beta', 2, 30);
    await planned('alpha', 'bulk');
    await planned('beta', 'transactional');
    await staffed.db.query(
      `insert into timers select 1, id, $1, '-' from playbooks where name = 'birthday'
       union all select 5, id, $1::timestamptz + interval '1 hour', '-' from playbooks where name = 'birthday'`,
      [NOW],
    );
    const ticked = await tick(staffed.db, limits());
    expect(ticked).toEqual({
      advance: [1, 2, 3],
      transactional: [4, 5],
      bulk: [1, 2, 3],
      now: Date.parse(NOW),
      next: Date.parse('2026-03-01T12:30:00Z'),
      awaitsRoom: false,
    });
  });

  it('tells work that it left behind from lanes that take no more, so that nobody looks at those all the time', async () => {
    await waiting('alpha', 30, -60);
    await planned('alpha', 'bulk');
    const full = { advance: 10, transactional: 10, bulk: 0 };
    const one = limits({ room: full, againAfterMs: 60_000 });
    for (let ticks = 0; ticks < 2; ticks += 1) {
      const ticked = await tick(staffed.db, one);
      expect(ticked).toMatchObject({ bulk: [], next: Date.parse(NOW), awaitsRoom: false });
      expect(pauseAfter(ticked, Date.parse(NOW))).toBeLessThan(10);
    }
    let left = await tick(staffed.db, one);
    while (left.advance.length > 0) left = await tick(staffed.db, one);
    expect(left).toMatchObject({ bulk: [], next: Date.parse(NOW), awaitsRoom: true });
    expect(pauseAfter(left, Date.parse(NOW))).toBeGreaterThanOrEqual(100);
    const roomy = await tick(staffed.db, { ...one, room: ROOM });
    expect(counts(roomy)).toEqual({ advance: 0, transactional: 0, bulk: 30 });
    expect(roomy.awaitsRoom).toBe(false);
  });

  it('lets no mass at the head of one playbook starve another', async () => {
    await waiting('alpha', 500, -60);
    await waiting('beta', 5, -1);
    const ticked = await tick(staffed.db, limits({ perPlaybook: 50, room: { ...ROOM, advance: 20 } }));
    expect(ticked.advance).toHaveLength(20);
    expect(ticked.advance.filter((id) => id > 500)).toEqual([501, 502, 503, 504, 505]);
    expect(ticked.next).toBe(Date.parse(NOW));
  });

  it('goes on where it stopped, within one instant too, and hands nothing out twice in a row', async () => {
    await waiting('alpha', 250, -60);
    const one = limits({ againAfterMs: 60_000 });
    const seen: number[] = [];
    for (let ticks = 0; ticks < 3; ticks += 1) seen.push(...(await tick(staffed.db, one)).advance);
    expect(seen).toHaveLength(250);
    expect(new Set(seen).size).toBe(250);
    expect((await tick(staffed.db, one)).advance).toEqual([]);
    await waiting('alpha', 1, -120);
    expect((await tick(staffed.db, one)).advance).toEqual([251]);
  });

  it('hands out again what was not worked on in its time, and at once what is due anew', async () => {
    await waiting('alpha', 2, -60);
    const one = limits({ againAfterMs: 60_000 });
    expect((await tick(staffed.db, one)).advance).toEqual([1, 2]);
    await staffed.db.query(`update enrolments set due_at = $1 where customer_id = 2`, [NOW]);
    expect((await tick(staffed.db, one)).advance).toEqual([2]);
    expect((await tick(staffed.db, { ...one, againAfterMs: 0 })).advance).toEqual([1, 2]);
  });

  it('leaves out what is paused or held, and keeps timers of paused playbooks', async () => {
    await waiting('alpha', 2, -60);
    await waiting('beta', 2, -60);
    await planned('beta', 'bulk');
    await staffed.db.query(`insert into timers select 2, id, $1, '-' from playbooks where name = 'birthday'`, [NOW]);
    await staffed.db.query(`update customers set held_at = now(), held_error = 'x' where id = 1`);
    await pause(staffed.db, 'beta', 'mia', 'test');
    expect(await tick(staffed.db, limits())).toMatchObject({ advance: [2], bulk: [] });
    await pause(staffed.db, '*', 'mia', 'test');
    expect(await tick(staffed.db, limits())).toMatchObject({ advance: [2], bulk: [] });
    await staffed.db.query(`delete from timers`);
    expect(counts(await tick(staffed.db, limits()))).toEqual({ advance: 0, transactional: 0, bulk: 0 });
  });

  it('reads indexes only, however much waits', async () => {
    await waiting('alpha', 3_000, 60);
    await waiting('beta', 3_000, -60);
    await planned('alpha', 'bulk');
    await planned('beta', 'transactional');
    await staffed.db.query(
      `insert into timers select c.id, p.id, $1, '-' from customers c, playbooks p where p.name = 'birthday'`,
      [NOW],
    );
    await staffed.db.query('analyze');
    for (const { name, sql } of SOURCES) {
      const plan = await planOf(sql, ['{1,2,3}', '{-infinity,-infinity,-infinity}', '{0,0,0}', Date.parse(NOW), 50]);
      expect({ name, plan }).not.toEqual({ name, plan: expect.stringMatching(/Seq Scan/) });
      expect(plan).not.toMatch(/Sort/);
    }
    // Playbooks and pauses are a handful of rows; everything that grows is read by index.
    expect(await planOf(NEXT_DUE, [])).not.toMatch(/Seq Scan on (?:enrolments|timers|sends|customers)/);
  });

  async function planOf(sql: string, values: readonly unknown[]): Promise<string> {
    const rows = await staffed.rows<{ 'QUERY PLAN': string }>(`explain ${sql}`, values);
    return rows.map((row) => row['QUERY PLAN']).join('\n');
  }
});

describe('what is due next', () => {
  it('is the earliest of anything that can go on', async () => {
    expect(await nextDueAt(staffed.db)).toBeNull();
    await waiting('alpha', 2, 60);
    expect(await nextDueAt(staffed.db)).toBe(Date.parse('2026-03-01T13:00:00Z'));
    await waiting('beta', 1, -10);
    expect(await nextDueAt(staffed.db)).toBe(Date.parse('2026-03-01T11:50:00Z'));
    expect(await nextDueAfter(staffed.db, Date.parse(NOW))).toBe(Date.parse('2026-03-01T13:00:00Z'));
    await staffed.db.query(`update customers set held_at = now(), held_error = 'x' where id = 3`);
    expect(await nextDueAt(staffed.db)).toBe(Date.parse('2026-03-01T13:00:00Z'));
  });

  it('tells idle from not: due work, open mail, a due run', async () => {
    await waiting('alpha', 1, 60);
    expect(await isIdle(staffed.db)).toBe(true);
    await planned('alpha', 'bulk');
    expect(await isIdle(staffed.db)).toBe(false);
    await staffed.db.query(`update sends set status = 'handed'`);
    expect(await isIdle(staffed.db)).toBe(false);
    await staffed.db.query(`update sends set status = 'sent'`);
    expect(await isIdle(staffed.db)).toBe(true);
    await staffed.db.query(`insert into runs (kind, playbook_id, due_at) select 'arm', min(id), $1 from playbooks`, [
      NOW,
    ]);
    expect(await isIdle(staffed.db)).toBe(false);
    await staffed.db.query(`update runs set status = 'done'`);
    expect(await isIdle(staffed.db)).toBe(true);
  });
});

describe('the lease', () => {
  it('has one holder at a time, who can take it again and give it back', async () => {
    const { db } = staffed;
    expect(await acquireLease(db, 'scheduler', 'a', 60_000)).toBe(true);
    expect(await acquireLease(db, 'scheduler', 'b', 60_000)).toBe(false);
    expect(await acquireLease(db, 'scheduler', 'a', 60_000)).toBe(true);
    await releaseLease(db, 'scheduler', 'b');
    expect(await acquireLease(db, 'scheduler', 'b', 60_000)).toBe(false);
    await releaseLease(db, 'scheduler', 'a');
    expect(await acquireLease(db, 'scheduler', 'b', 60_000)).toBe(true);
  });

  it('goes to another one when it has run out', async () => {
    const { db } = staffed;
    expect(await acquireLease(db, 'old', 'a', 0)).toBe(true);
    expect(await acquireLease(db, 'old', 'b', 60_000)).toBe(true);
    const both = await Promise.all([acquireLease(db, 'new', 'a', 60_000), acquireLease(db, 'new', 'b', 60_000)]);
    expect(both.filter(Boolean)).toHaveLength(1);
  });
});
