/** What the model test has found, each the shortest way there; every step keeps every invariant. */
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { advance } from '../../engine/store/advance.ts';
import { expireLeases } from '../../engine/store/expire.ts';
import { listHeld } from '../../engine/store/held.ts';
import { lockCustomers } from '../../engine/store/lock.ts';
import { drain } from './drain.ts';
import { BY_TEST, expectInvariants } from './invariants.ts';
import { begin, callOff, dropOne, happen, identify, type Happening } from './people.ts';
import type { Promised } from './promised.ts';
import { claimBy, crash, finish, handOverBy, reportBy } from './work.ts';
import { openWorld, type World } from './world.ts';

let world: World;
let promised: Promised;
let ids: readonly number[];
beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => {
  await world.close();
});
beforeEach(async () => {
  promised = await begin(world);
  ids = (await world.rows<{ id: number }>('select id from customers order by key')).map(({ id }) => id);
});

const take = async (event: Happening['event'], ...customers: readonly string[]): Promise<void> =>
  happen(promised, world, { id: `${event} ${promised.moment}`, customers, event, agoMs: 0 });
const send = async (): Promise<void> => {
  await claimBy(promised, world, 0, 'bulk', ids);
  await handOverBy(promised, world, 0, 100);
};
const jump = async (ms: number): Promise<void> => {
  promised.now += ms;
  await world.setClock(promised.now, ms);
};
const mails = async (): Promise<unknown[]> =>
  world
    .rows(
      `select c.key || ' ' || p.name || ' ' || s.step || ' ' || s.status || coalesce(' ' || s.reason, '') as mail from sends s
     join customers c on c.id = s.customer_id join playbooks p on p.id = s.playbook_id order by s.id`,
    )
    .then((rows) => rows.map(({ mail }) => mail));

it('a mail that is sent again counts against caps for others, and not for itself', async () => {
  await take('order.placed', 'c0');
  await send();
  // Claimed in the order of priorities: welcome, then thanks, whose policy is to resend.
  await reportBy(promised, world, 0, ['accepted', 'unknown']);
  await jump(60_000);
  // c4 has the same address: of its two mails, one is left under the cap of three.
  await take('order.placed', 'c4');
  await send();
  await finish(promised, world, 0);
  expect(promised.received.map(({ mail }) => `${mail.send.playbook} ${mail.profile.id}`)).toEqual([
    'welcome c0',
    'thanks c0',
    'welcome c4',
    'thanks c0',
  ]);
  await expectInvariants(promised, world);
});

it('an address counts what it received while another customer had it', async () => {
  await take('order.placed', 'c0');
  await send();
  await finish(promised, world, 0);
  await identify(world, 'c0', { email: 'elsewhere@example.com' });
  await take('order.placed', 'c4');
  await send();
  expect(promised.received.map(({ mail }) => mail.address)).toEqual(Array(3).fill('a@example.com'));
  // And what its present customers received elsewhere, until they leave again.
  await identify(world, 'c0', { email: 'A@example.com' });
  await jump(12 * 3_600_000 - 1);
  await take('order.placed', 'c0');
  await send();
  expect(promised.received).toHaveLength(3);
  await expectInvariants(promised, world);
});

it.each(['retry', 'crash'] as const)('a mail on its way when its enrolment ends is over with it: %s', async (what) => {
  await take('order.placed', 'c0');
  await send();
  await take('order.refunded', 'c0');
  if (what === 'retry') await reportBy(promised, world, 0, ['retry', 'retry']);
  else {
    await crash(promised, world, 0);
    await expireLeases(world.db, world.cache, 10);
  }
  await expectInvariants(promised, world);
  expect(await mails()).toEqual(
    what === 'retry'
      ? ['c0 welcome one cancelled event order.refunded', 'c0 thanks one cancelled event order.refunded']
      : [
          'c0 welcome one unknown no outcome was reported in time',
          'c0 thanks one unknown no outcome was reported in time',
        ],
  );
  // It would be due for ever, and nobody's to claim.
  await drain(promised, world);
});

it('an unknown mail is no longer held when nothing waits for it', async () => {
  await take('page.viewed', 'c0');
  await jump(3_600_000);
  await advance(world.db, world.cache, ids);
  await send();
  await reportBy(promised, world, 0, ['unknown']);
  expect(await listHeld(world.db)).toMatchObject([{ kind: 'send', playbook: 'browse', unknown: true }]);
  await callOff(promised, world, 'c0', null);
  expect(await listHeld(world.db)).toEqual([]);
  expect(await mails()).toEqual(['c0 browse one unknown unknown']);
  await expectInvariants(promised, world);
});

it('a mail that is given up while it is to be sent again may have gone out, and its late answer counts', async () => {
  await take('order.placed', 'c0');
  await send();
  // Its worker sleeps; the mail is to be sent again, since "thanks" says so.
  await jump(600_000);
  await expireLeases(world.db, world.cache, 10);
  expect(await mails()).toContain('c0 thanks one planned no outcome was reported in time');
  // It cannot be written any more.
  await world.db.query(`update sends set held_at = now(), held_error = $1 where status = 'planned'`, [BY_TEST]);
  await dropOne(promised, world, '', 0);
  expect(await mails()).toContain(`c0 thanks one unknown dropped by test: ${BY_TEST}`);
  await expectInvariants(promised, world);
  await finish(promised, world, 0);
  expect(await mails()).toContain('c0 thanks one sent');
  await expectInvariants(promised, world);
});

it('whoever takes an address while others wait for the lock is locked together with those who have it', async () => {
  const [c0 = 0, c1 = 0, , , , c5 = 0] = ids;
  const [mover, waiter, other] = world.workers;
  if (mover === undefined || waiter === undefined || other === undefined) throw new Error('three workers are needed');
  await mover.db.transaction(async (moving) => {
    await lockCustomers(moving, [c0]);
    await moving.query(`update customers set address = 'b@example.com' where id = $1`, [c0]);
    const waited = waiter.db.transaction(async (waiting) => {
      await lockCustomers(waiting, [c0]);
      await expect(
        other.db.query('select id from customers where id = any($1) for no key update nowait', [[c1, c5]]),
      ).rejects.toThrow(/could not obtain lock/);
      return true;
    });
    await untilWaiting(waiter.name);
    await moving.query('commit');
    expect(await waited).toBe(true);
  });
});

it('a mail whose lease runs out while it is reported as refused stays in step with its enrolment', async () => {
  await take('order.placed', 'c0');
  await claimBy(promised, world, 0, 'bulk', ids);
  await world.db.transaction(async (expiring) => {
    // As when leases run out: without the locks of customers.
    await expiring.query(`update sends set status = 'planned', claimed_at = null, lease_until = null`);
    const reported = reportBy(promised, world, 0, ['permanent', 'permanent']);
    await untilWaiting('worker 0');
    await expiring.query('commit');
    await reported;
  });
  expect(await mails()).toEqual(['c0 welcome one planned', 'c0 thanks one planned']);
  await expectInvariants(promised, world);
});

/** Until a session of that name waits for a lock. */
async function untilWaiting(name: string): Promise<void> {
  for (;;) {
    const waiting = await world.rows(
      `select pid from pg_stat_activity where application_name = $1 and wait_event_type = 'Lock'`,
      [name],
    );
    if (waiting.length > 0) return;
  }
}
