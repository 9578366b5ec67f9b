import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { claimSends, type ClaimedSend } from '../../engine/store/claim.ts';
import { cancelEnrolments } from '../../engine/journey/run.ts';
import { onCustomers } from '../../engine/store/chunk.ts';
import type { Database, Tx } from '../../engine/store/database.ts';
import { openHandOver } from '../../engine/store/hand.ts';
import { lockCustomers, lockFleet } from '../../engine/store/lock.ts';
import { pause } from '../../engine/store/pauses.ts';
import { revokeFromCustomers, revokeFromPlaybook } from '../../engine/store/revoke.ts';
import { clear, openFleet, type Fleet } from './support.ts';

/** What can forbid a claimed mail: each within a transaction of the caller, as the engine's own acts do it. */
type Forbid = (tx: Tx, fleet: Fleet, customerId: number) => Promise<void>;

async function suppress(tx: Tx, customerId: number, scope: string): Promise<void> {
  await lockCustomers(tx, [customerId]);
  await tx.query(
    `insert into suppressions (address, scope, at, source) select address, $2, now(), 'test' from customers where id = $1`,
    [customerId, scope],
  );
  await revokeFromCustomers(tx, [customerId], scope === '*' ? null : scope);
}

const ACTS: Readonly<Record<string, Forbid>> = {
  suppression: async (tx, _fleet, customerId) => suppress(tx, customerId, '*'),
  'opt-out of the topic': async (tx, _fleet, customerId) => suppress(tx, customerId, 'news'),
  'second part of a pause': async (tx) => {
    await lockFleet(tx);
    await tx.query(`insert into pauses values ('thanks', now(), 'test', 'test')`);
    await revokeFromPlaybook(tx, 'thanks');
  },
  cancel: async (tx, fleet, customerId) => {
    await onCustomers(tx, fleet.cache, [customerId], async (_tx, drafts, ctx) => {
      for (const draft of drafts) cancelEnrolments(draft, { playbook: null, at: ctx.now, reason: 'by hand' });
      await Promise.resolve();
    });
  },
};
const AFTERWARDS: Readonly<Record<string, string>> = {
  suppression: 'ada first planned',
  'opt-out of the topic': 'ada first planned',
  'second part of a pause': 'ada first planned',
  cancel: 'ada first cancelled by hand',
};

/** A transaction that stops before its commit until it is told to go on. */
async function openHalfway(
  db: Database,
  work: (tx: Tx) => Promise<void>,
): Promise<{ readonly commit: () => Promise<void> }> {
  let goOn: () => void = () => undefined;
  const told = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  let commit: () => Promise<void> = async () => Promise.resolve();
  await new Promise<void>((ready, fail) => {
    const done = db.transaction(async (tx) => {
      await work(tx);
      ready();
      await told;
    });
    done.catch(fail);
    commit = async () => {
      goOn();
      await done;
    };
  });
  return { commit };
}

/** Resolves when a session of this database waits for a lock. */
async function untilSomebodyWaits(fleet: Fleet): Promise<void> {
  for (;;) {
    const [row] = await fleet.rows<{ waiting: number }>(
      `select count(*) as waiting from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    if ((row?.waiting ?? 0) > 0) return;
  }
}

function ascending(ids: Iterable<number>): number[] {
  return [...ids].sort((a, b) => a - b);
}

describe('no means no', () => {
  let fleet: Fleet;
  let ada = 0;
  let claimed: readonly ClaimedSend[] = [];
  beforeAll(async () => {
    fleet = await openFleet();
  });
  afterAll(async () => {
    await fleet.close();
  });
  beforeEach(async () => {
    await clear(fleet);
    [ada = 0] = await fleet.customers(['ada']);
    await fleet.event('order.placed', ['ada']);
    claimed = await fleet.claim('bulk', [ada]);
  });

  describe.each(Object.entries(ACTS))('%s', (name, forbid) => {
    it('that has committed refuses the hand-over', async () => {
      await fleet.db.transaction(async (tx) => forbid(tx, fleet, ada));
      expect(await fleet.hand(claimed)).toEqual([false]);
      expect(await fleet.sends()).toEqual([AFTERWARDS[name]]);
    });

    it('that is about to commit refuses it too, without waiting', async () => {
      const act = await openHalfway(fleet.db, async (tx) => forbid(tx, fleet, ada));
      expect(await fleet.hand(claimed)).toEqual([false]);
      await act.commit();
      expect(await fleet.hand(claimed)).toEqual([false]);
      expect(await fleet.sends()).toEqual([AFTERWARDS[name]]);
    });

    it('waits for a hand-over that came first', async () => {
      const handing = await openHalfway(fleet.db, async (tx) => {
        const db = { ...fleet.db, query: async (...of: Parameters<Tx['query']>) => tx.query(...of) } as Database;
        expect(await openHandOver(db).handOver(claimed[0] ?? { sendId: 0, fence: 0 })).toBe(true);
      });
      let isDone = false;
      const act = fleet.db
        .transaction(async (tx) => forbid(tx, fleet, ada))
        .finally(() => {
          isDone = true;
        });
      await untilSomebodyWaits(fleet);
      expect(isDone).toBe(false);
      await handing.commit();
      await act;
      expect(await fleet.sends()).toEqual(['ada first handed']);
    });
  });

  it('refuses by what is written alone, from whoever revokes nothing', async () => {
    const forbidding = [
      `insert into suppressions (address, scope, at, source) values ('ada@example.com', 'news', now(), 'test')`,
      `insert into pauses values ('*', now(), 'test', 'test')`,
      `update enrolments set status = 'goal', ended_at = now(), step = null`,
      `update enrolments set held_at = now()`,
    ];
    for (const statement of forbidding) {
      await clear(fleet);
      [ada = 0] = await fleet.customers(['ada']);
      await fleet.event('order.placed', ['ada']);
      claimed = await fleet.claim('bulk', [ada]);
      await fleet.db.query(statement);
      expect(await fleet.hand(claimed)).toEqual([false]);
    }
  });

  it('pauses only when claims under way have ended, and takes those back too', async () => {
    await fleet.expireAll();
    await fleet.hand(claimed);
    let goOn: () => void = () => undefined;
    const told = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    let claiming: Promise<readonly ClaimedSend[]> = Promise.resolve([]);
    await new Promise<void>((ready) => {
      const slow: Database = {
        ...fleet.db,
        transaction: async (work, how) =>
          fleet.db.transaction(async (tx) => {
            const result = await work(tx);
            ready();
            await told;
            return result;
          }, how),
      };
      claiming = claimSends(slow, fleet.cache, 'bulk', [ada]).then((claims) => claims.claimed);
    });
    const pausing = fleet.db.transaction(async (tx) => ACTS['second part of a pause']?.(tx, fleet, ada));
    await untilSomebodyWaits(fleet);
    goOn();
    await pausing;
    expect(await claiming).toHaveLength(1);
    expect(await fleet.hand(await claiming)).toEqual([false]);
    expect(await fleet.sends()).toEqual(['ada first planned']);
    expect(await fleet.claim('bulk', [ada])).toEqual([]);
  });

  it('pauses at once, however long a chunk under way takes, and says so when that has ended', async () => {
    const chunk = await openHalfway(fleet.db, async (tx) => {
      await lockCustomers(tx, [ada]);
    });
    let isDone = false;
    const pausing = pause(fleet.db, 'thanks', 'mia', 'wrong price').finally(() => {
      isDone = true;
    });
    await untilSomebodyWaits(fleet);
    expect(isDone).toBe(false);
    expect(await fleet.hand(claimed)).toEqual([false]);
    await chunk.commit();
    expect(await pausing).toBe(true);
    expect(await fleet.sends()).toEqual(['ada first planned']);
  });

  it('finishes a pause that was killed half-way when somebody pauses again', async () => {
    await fleet.db.query(`insert into pauses values ('thanks', now(), 'test', 'test')`);
    expect(await pause(fleet.db, 'thanks', 'mia', 'wrong price')).toBe(false);
    expect(await fleet.sends()).toEqual(['ada first planned']);
  });

  it('lets transactional mail pass an opt-out from its topic, but not a suppression of everything', async () => {
    await fleet.event('question.asked', ['ada']);
    const service = await fleet.claim('transactional', [ada]);
    await fleet.db.transaction(async (tx) => suppress(tx, ada, 'service'));
    expect(await fleet.hand(service)).toEqual([true]);
    await fleet.settle(service, { kind: 'unknown', reason: 'reset' });
    await fleet.at('2026-03-02T09:01:00Z');
    const again = await fleet.claim('transactional', [ada]);
    await fleet.db.transaction(async (tx) => suppress(tx, ada, '*'));
    expect(await fleet.hand(again)).toEqual([false]);
  });

  it('sends nothing to an address that the customer has just left, but claims it anew for the new one', async () => {
    await fleet.event('question.asked', ['ada']);
    const service = await fleet.claim('transactional', [ada]);
    const identify = async (email: string): Promise<unknown> =>
      fleet.take([{ kind: 'identify', customer: 'ada', traits: { email } }]);
    await identify(' Ada@Example.com');
    expect(await fleet.hand(service)).toEqual([true]);
    await identify('ada@new.example');
    expect(await fleet.hand(claimed)).toEqual([false]);
    const again = await fleet.claim('bulk', [ada]);
    expect(again.map(({ address }) => address)).toEqual(['ada@new.example']);
    expect(await fleet.hand(again)).toEqual([true]);
    expect(await fleet.sends()).toEqual(['ada first handed', 'ada first handed']);
  });

  it('holds under load: whatever is suppressed while mails are handed over, none passes afterwards', async () => {
    const keys = Array.from({ length: 120 }, (_, index) => `r${index}`);
    const ids = await fleet.customers(keys);
    await fleet.event('order.placed', keys);
    const all = await fleet.claim('bulk', ids);
    expect(all).toHaveLength(120);
    const handOver = openHandOver(fleet.db, { max: 16 });
    const handedBefore = new Set<number>();
    const late: number[] = [];
    const suppressing = ids.map(async (id) => {
      await fleet.db.transaction(async (tx) => suppress(tx, id, '*'));
      const [row] = await fleet.rows<{ status: string }>('select status from sends where customer_id = $1', [id]);
      if (row?.status === 'handed') handedBefore.add(id);
    });
    const handing = all.map(async (send) => ((await handOver.handOver(send)) ? late.push(send.customerId) : 0));
    await Promise.all([...suppressing, ...handing]);
    await handOver.close();
    // Handed at the end is exactly what was handed when its suppression had committed.
    expect(ascending(late)).toEqual(ascending(handedBefore));
    const rows = await fleet.rows<{ id: number }>(`select customer_id as id from sends where status = 'handed'`);
    expect(ascending(rows.map((row) => row.id))).toEqual(ascending(late));
  });
});
