import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { runDue } from '../../engine/journey/run.ts';
import { advance } from '../../engine/store/advance.ts';
import { onCustomers, withCustomers } from '../../engine/store/chunk.ts';
import type { Held } from '../../engine/store/hold.ts';
import { customerIdOf } from '../../engine/store/load.ts';
import { clear, openFleet, type Fleet } from './support.ts';

const NEXT_DAY = '2026-03-03T09:00:00Z';

describe('withCustomers', () => {
  let fleet: Fleet;
  let ids: number[] = [];
  const keys = Array.from({ length: 20 }, (_, index) => `c${index}`);
  beforeAll(async () => {
    fleet = await openFleet();
  });
  afterAll(async () => {
    await fleet.close();
  });
  beforeEach(async () => {
    await clear(fleet);
    ids = await fleet.customers(keys);
    await fleet.event('order.placed', keys);
    await fleet.deliver('bulk', ids);
    await fleet.at(NEXT_DAY);
  });
  const planned = async (): Promise<number> =>
    (await fleet.rows(`select id from sends where status = 'planned'`)).length;
  const heldCustomers = async (): Promise<unknown[]> =>
    fleet.rows('select id, held_error from customers where held_at is not null order by id');

  it('holds the one enrolment that cannot go on, and carries on all others', async () => {
    const [, , bad = 0] = ids;
    await fleet.db.query(`update enrolments set step = 'gone' where customer_id = $1`, [bad]);
    const held: Held[] = [];
    const done = await advance(fleet.db, fleet.cache, ids, { onHeld: (one) => held.push(one) });
    expect(done).toMatchObject({ advanced: 19, held: 1 });
    expect(await planned()).toBe(19);
    expect(held).toEqual([
      {
        customerId: bad,
        enrolment: { playbook: 'thanks', entryKey: expect.stringMatching(/^event:/) },
        error: 'playbook "thanks" has no step "gone" in this version',
      },
    ]);
    expect(await heldCustomers()).toEqual([]);
    // Held, it is out of the way: nothing fails any more, and the customer is served again.
    expect(await advance(fleet.db, fleet.cache, ids)).toMatchObject({ held: 0 });
    await fleet.event('question.asked', ['c2']);
    expect(await fleet.deliver('transactional', [bad])).toEqual(['c2 first']);
    // An exit still ends it, and it is held no longer.
    await fleet.event('order.refunded', ['c2']);
    expect(
      await fleet.rows(`select status, held_at from enrolments where customer_id = $1 order by id limit 1`, [bad]),
    ).toEqual([{ status: 'exit', held_at: null }]);
  });

  it('holds the customers at fault, each with its error, among sharers of an address only the one', async () => {
    const [first = 0, second = 0, third = 0] = ids;
    await fleet.db.query(`update customers set address = 'shared@example.com' where id = any($1)`, [
      [first, second, third],
    ]);
    const bad = new Set([keys[1], keys.at(-1)]);
    const { held } = await withCustomers(fleet.db, fleet.cache, ids, async (_tx, drafts, ctx) => {
      runDue(drafts, ctx.now, ctx);
      const culprit = drafts.find((draft) => bad.has(draft.profile.id));
      if (culprit !== undefined) throw new TypeError(`${culprit.profile.id} makes no sense`);
      return Promise.resolve();
    });
    expect(held).toHaveLength(2);
    expect(await heldCustomers()).toEqual([
      { id: second, held_error: 'c1 makes no sense' },
      { id: ids.at(-1), held_error: 'c19 makes no sense' },
    ]);
    expect(await planned()).toBe(18);
  });

  it('holds nobody for a failure of the database, the program’s SQL or the release', async () => {
    const failing = async (sql: string): Promise<unknown> =>
      withCustomers(fleet.db, fleet.cache, ids, async (tx) => tx.query(sql));
    await expect(failing('select pg_terminate_backend(pg_backend_pid())')).rejects.toThrow();
    await expect(failing('select no_such_column from customers')).rejects.toThrow(/no_such_column/);
    await fleet.db.query(`update engine set release_id = null`);
    await expect(advance(fleet.db, fleet.cache, ids)).rejects.toThrow(/no playbooks are deployed/);
    await fleet.db.query(`update engine set release_id = (select id from releases)`);
    expect(await heldCustomers()).toEqual([]);
    expect(await advance(fleet.db, fleet.cache, ids)).toMatchObject({ advanced: 20 });
  });

  it.each([
    ['a statement', `set local statement_timeout = 100`],
    ['what comes between two statements', `set local idle_in_transaction_session_timeout = 100`],
  ])('holds only whom it cannot serve in time, where %s takes too long', async (where, timeout) => {
    const bad = new Set([keys[3], keys[11]]);
    const { held, results } = await withCustomers(fleet.db, fleet.cache, ids, async (tx, drafts, ctx) => {
      runDue(drafts, ctx.now, ctx);
      const { rows } = await tx.query<{ pid: number }>('select pg_backend_pid() as pid');
      await tx.query(timeout);
      if (drafts.some((draft) => bad.has(draft.profile.id))) {
        if (where === 'a statement') await tx.query('select pg_sleep(60)');
        else await untilGone(rows[0]?.pid ?? 0);
      }
      return drafts.length;
    });
    expect(results.reduce((sum, done) => sum + done, 0)).toBe(18);
    expect(await planned()).toBe(18);
    expect(held.map(({ customerId }) => customerId)).toEqual([ids[3], ids[11]]);
    expect(await heldCustomers()).toEqual(
      [ids[3], ids[11]].map((id) => ({ id, held_error: expect.stringMatching(/^this took too long.*timeout/) })),
    );
  });

  /** Resolves when a session has been ended. */
  async function untilGone(pid: number): Promise<void> {
    while ((await fleet.rows('select from pg_stat_activity where pid = $1', [pid])).length > 0);
  }

  it('tries again what met a deadlock, and records once', async () => {
    const [first = 0, last = 0] = [ids[0], ids.at(-1)];
    let attempts = 0;
    let wake: () => void = () => undefined;
    const otherHolds = new Promise<void>((resolve) => {
      wake = resolve;
    });
    const other = fleet.db.transaction(async (tx) => {
      // Against the order of locks, as no part of the engine does it.
      await tx.query(`select from playbooks for update`);
      wake();
      await tx.query('select from customers where id = $1 for update', [first]).catch(() => undefined);
    });
    await otherHolds;
    const { results } = await withCustomers(fleet.db, fleet.cache, [first, last], async (tx, drafts) => {
      attempts += 1;
      await tx.query(`select from playbooks for update`);
      return drafts.length;
    });
    await other;
    expect(results).toEqual([2]);
    expect(attempts).toBeGreaterThanOrEqual(1);
    expect(await heldCustomers()).toEqual([]);
  });

  it('gives the customers who share an address, and leaves out those that are held, erased or merged', async () => {
    const [a = 0, b = 0, c = 0, d = 0, e = 0] = ids;
    await fleet.db.query(`update customers set address = 'shared@example.com' where id = any($1)`, [[a, b, c, d, e]]);
    await fleet.db.query(`update customers set held_at = now() where id = $1`, [c]);
    await fleet.db.query(`update customers set erased_at = now() where id = $1`, [d]);
    await fleet.db.query(`update customers set merged_into = $2 where id = $1`, [e, a]);
    const seen = await fleet.db.transaction(async (tx) =>
      onCustomers(tx, fleet.cache, [b], async (_tx, drafts) => Promise.resolve(drafts.map(customerIdOf))),
    );
    expect(seen).toEqual([a, b]);
  });
});
