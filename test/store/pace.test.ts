import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { claimSends, type ClaimedSend } from '../../engine/store/claim.ts';
import type { Database, Queryable } from '../../engine/store/database.ts';
import { readAudit } from '../../engine/store/audit.ts';
import { holdDomain, liftHold, listHolds } from '../../engine/store/pace/holds.ts';
import { giveBack } from '../../engine/store/pace/permits.ts';
import { horizonMs, isWithinHorizon, nextSlot, openSlots, takeSlot } from '../../engine/store/pace/slots.ts';
import { ANSWER, clear, COMPANY, openFleet, START, THANKS, type Fleet } from './support.ts';

const SERVER = 'sink.test:25';
const STARTED = Date.parse(START);

let fleet: Fleet;
beforeAll(async () => {
  fleet = await openFleet();
});
afterAll(async () => fleet.close());
beforeEach(async () => {
  await clear(fleet);
  await fleet.db.query('truncate pace, domain_holds, audit');
});

/** Deploys the company with this `sending`. */
async function deploy(sending: string): Promise<void> {
  await fleet.deploy({
    'perennial.yaml': `${COMPANY}${sending === '' ? '' : `sending: ${sending}\n`}`,
    'playbooks/thanks.yaml': THANKS,
    'playbooks/answer.yaml': ANSWER,
    'templates/thanks/first.hbs': 'First',
    'templates/thanks/second.hbs': 'Second',
  });
}
afterEach(async () => deploy(''));

const namesOf = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, n) => `${prefix}${n}`);

async function at(ms: number): Promise<void> {
  await fleet.at(new Date(STARTED + ms).toISOString());
}

/** Gives customers addresses at a domain. */
async function moveTo(domain: string, ids: readonly number[]): Promise<void> {
  await fleet.db.query(`update customers set email = key || '@' || $1, address = key || '@' || $1 where id = any($2)`, [
    domain,
    ids,
  ]);
}

async function waiting(): Promise<readonly { waits_for: string; n: number; first: number; last: number }[]> {
  return fleet.rows(
    `select waits_for, count(*) as n, min(due_at) as first, max(due_at) as last from sends
     where status = 'planned' and waits_for is not null group by 1 order by 1`,
  );
}

async function claimDue(lane: 'transactional' | 'bulk'): Promise<readonly ClaimedSend[]> {
  const due = await fleet.rows<{ id: number }>(
    `select distinct customer_id as id from sends s, engine where s.status = 'planned' and s.lane = $1 and s.due_at <= stepped_at`,
    [lane],
  );
  return fleet.claim(
    lane,
    due.map(({ id }) => id),
    { server: SERVER },
  );
}

describe('places in time', () => {
  it('are never more than the limit has, whoever asks and when', () => {
    const asks = fc.array(
      fc.record({
        afterMs: fc.integer({ min: 0, max: 3_000 }),
        mails: fc.integer({ min: 1, max: 60 }),
        first: fc.boolean(),
      }),
      { minLength: 1, maxLength: 60 },
    );
    fc.assert(
      fc.property(asks, fc.constantFrom(0.2, 3, 20, 150, 1_000), (list, perSecond) => {
        const spacingMs = 1_000 / perSecond;
        let slots = openSlots({ nextMs: 0, firstMs: 0, nextBookMs: 0, firstBookMs: 0 }, spacingMs, 0);
        const given: { readonly ms: number; readonly first: boolean }[] = [];
        let now = 0;
        for (const { afterMs, mails, first } of list) {
          now += afterMs;
          slots = openSlots(slots, spacingMs, now);
          const lane = first ? 'transactional' : 'bulk';
          for (let n = 0; n < mails; n += 1) {
            const slotMs = nextSlot(slots, lane, now);
            if (!isWithinHorizon(slots, slotMs, now)) break;
            expect(slotMs).toBeGreaterThanOrEqual(now);
            takeSlot(slots, lane, slotMs, now);
            given.push({ ms: slotMs, first });
          }
        }
        const times = given.map(({ ms }) => ms).sort((a, b) => a - b);
        const span = (times.at(-1) ?? 0) - (times[0] ?? 0);
        // What transactional mail takes out of its turn is given back by the rest within a horizon.
        expect(times.length).toBeLessThanOrEqual((span + 2 * horizonMs(spacingMs)) / spacingMs + 3);
        for (const which of [true, false]) {
          const own = given.filter(({ first }) => first === which).map(({ ms }) => ms);
          for (const [index, ms] of own.entries()) {
            if (index > 0) expect(ms - (own[index - 1] ?? 0)).toBeGreaterThanOrEqual(spacingMs - 1e-6);
          }
        }
      }),
    );
  });
});

describe('a limit of the server', () => {
  it('gives every mail a place of its own, however many ask at once, and times to the rest', async () => {
    await deploy('{ per_second: 20 }');
    const ids = await fleet.customers(namesOf('c', 100));
    await fleet.event('order.placed', namesOf('c', 100), { total: 1 });
    const parts = [0, 1, 2, 3].map((part) => ids.filter((_, index) => index % 4 === part));
    const claimed = (
      await Promise.all(parts.map(async (part) => fleet.claim('bulk', part, { server: SERVER })))
    ).flat();
    const places = claimed.map(({ waitMs }) => waitMs).sort((a, b) => a - b);
    expect(places).toEqual(Array.from({ length: 21 }, (_, n) => n * 50));
    const [rest] = await waiting();
    expect(rest).toMatchObject({ waits_for: 'pace', n: 79 });
    expect(rest?.first).toBeGreaterThan(STARTED);
    // 79 more at 20 a second, a little closer together.
    expect(rest?.last).toBeGreaterThan(STARTED + 3_500);
    expect(rest?.last).toBeLessThan(STARTED + 5_500);
  });

  it('is kept and used up while mail comes again at its times', async () => {
    await deploy('{ per_second: 20 }');
    await fleet.customers(namesOf('c', 400));
    await fleet.event('order.placed', namesOf('c', 400), { total: 1 });
    const went: number[] = [];
    for (let ms = 0; ms < 15_000; ms += 100) {
      await at(ms);
      for (const { waitMs } of await claimDue('bulk')) went.push(ms + waitMs);
    }
    const inTime = went.filter((ms) => ms < 15_000).length;
    expect(inTime).toBeGreaterThanOrEqual(297);
    expect(inTime).toBeLessThanOrEqual(300);
  }, 60_000);

  it('lets transactional mail pass what waits', async () => {
    await deploy('{ per_second: 10 }');
    const mass = await fleet.customers(namesOf('c', 50));
    const one = await fleet.customers(['ada']);
    await fleet.event('order.placed', namesOf('c', 50), { total: 1 });
    await fleet.event('question.asked', ['ada']);
    expect(await fleet.claim('bulk', mass, { server: SERVER })).toHaveLength(11);
    expect(await fleet.claim('transactional', one, { server: SERVER })).toMatchObject([{ waitMs: 0 }]);
    // And pushed the others back.
    await at(1_000);
    const next = await claimDue('bulk');
    expect(Math.min(...next.map(({ waitMs }) => waitMs))).toBeCloseTo(200, 0);
  });

  it('gets back the places of mails that were not sent', async () => {
    await deploy('{ per_second: 10 }');
    const ids = await fleet.customers(namesOf('c', 20));
    await fleet.event('order.placed', namesOf('c', 20), { total: 1 });
    const claimed = await fleet.claim('bulk', ids, { server: SERVER });
    expect(claimed).toHaveLength(11);
    await giveBack(fleet.db, 'bulk', new Map([[`server ${SERVER}`, 4]]));
    await fleet.db.query(`update sends set due_at = $1 where status = 'planned'`, [START]);
    expect(await claimDue('bulk')).toHaveLength(4);
  });

  it('is another for each server', async () => {
    await deploy('{ per_second: 10 }');
    const ids = await fleet.customers(namesOf('c', 40));
    await fleet.event('order.placed', namesOf('c', 40), { total: 1 });
    expect(await fleet.claim('bulk', ids.slice(0, 20), { server: SERVER })).toHaveLength(11);
    expect(await fleet.claim('bulk', ids.slice(20), { server: 'other.test:25' })).toHaveLength(11);
  });

  it('skips what waited for longer than late_after', async () => {
    await deploy('{ per_second: 1 }');
    await fleet.customers(namesOf('c', 10));
    await fleet.event('order.placed', namesOf('c', 10), { total: 1 });
    expect(await claimDue('bulk')).toHaveLength(2);
    await at(3 * 86_400_000 + 1);
    expect(await claimDue('bulk')).toEqual([]);
    const [row] = await fleet.rows<{ n: number }>(`select count(*) as n from sends where reason = 'late'`);
    expect(row?.n).toBe(8);
  });
});

describe('where nothing is limited', () => {
  it('a claim asks for nothing of it, and locks nothing', async () => {
    const claimed = async (prefix: string): Promise<readonly string[]> => {
      const ids = await fleet.customers(namesOf(prefix, 3));
      await fleet.event('order.placed', namesOf(prefix, 3), { total: 1 });
      const asked: string[] = [];
      const db: Database = {
        ...fleet.db,
        transaction: async (work, how) =>
          fleet.db.transaction(async (tx) => {
            const query: Queryable['query'] = async (text, values) => {
              asked.push(text);
              return tx.query(text, values);
            };
            return work({ query, kysely: tx.kysely });
          }, how),
      };
      const { claimed: some } = await claimSends(db, fleet.cache, 'bulk', ids, { server: SERVER });
      expect(some).toHaveLength(3);
      return asked;
    };
    const free = await claimed('c');
    expect(free.filter((text) => /\bpace\b/.test(text))).toEqual([]);
    await deploy('{ per_second: 1000 }');
    const limited = await claimed('d');
    // Locked, read, written.
    expect(limited.length).toBe(free.length + 3);
  });
});

describe('a limit of one domain', () => {
  it('leaves others alone', async () => {
    await deploy('{ domains: { slow.example: 2, "*": 1000 } }');
    const slow = await fleet.customers(namesOf('s', 30));
    const quick = await fleet.customers(namesOf('q', 30));
    await moveTo('slow.example', slow);
    await moveTo('quick.example', quick);
    await fleet.event('order.placed', [...namesOf('s', 30), ...namesOf('q', 30)], { total: 1 });
    const claimed = await fleet.claim('bulk', [...slow, ...quick], { server: SERVER });
    const of = (domain: string): readonly ClaimedSend[] => claimed.filter(({ address }) => address.endsWith(domain));
    expect(of('quick.example')).toHaveLength(30);
    expect(of('slow.example').map(({ waitMs }) => waitMs)).toEqual([0, 500, 1_000]);
  });
});

describe('a warm-up', () => {
  it('lets so many mails go on each day, and counts transactional ones without holding them', async () => {
    await deploy('{ warm_up: { from: 2026-03-02, per_day: [5, 8] } }');
    const ids = await fleet.customers([...namesOf('c', 20), 'ada']);
    await fleet.event('order.placed', namesOf('c', 20), { total: 1 });
    await fleet.event('question.asked', ['ada']);
    expect(await fleet.claim('transactional', ids)).toHaveLength(1);
    expect(await fleet.claim('bulk', ids)).toHaveLength(4);
    expect(await waiting()).toMatchObject([{ waits_for: 'warm_up', n: 16, first: Date.parse('2026-03-03T00:00:00Z') }]);
    await fleet.at('2026-03-03T00:01:00Z');
    expect(await claimDue('bulk')).toHaveLength(8);
    await fleet.at('2026-03-04T00:01:00Z');
    expect(await claimDue('bulk')).toHaveLength(8);
  });
});

describe('a domain that is held', () => {
  it('waits, for longer each time, while others go on; lifting it lets its mail come at once', async () => {
    const held = await fleet.customers(namesOf('h', 10));
    const other = await fleet.customers(namesOf('o', 10));
    await moveTo('held.example', held);
    await fleet.event('order.placed', [...namesOf('h', 10), ...namesOf('o', 10)], { total: 1 });
    const first = await holdDomain(fleet.db, 'held.example', 'throttled', '421 4.7.0 slower');
    expect(first).toMatchObject({ untilAt: STARTED + 60_000, strikes: 1 });
    // The same again, from mails that were under way.
    expect(await holdDomain(fleet.db, 'held.example', 'throttled', '421 4.7.0 slower')).toBeNull();
    const claimed = await fleet.claim('bulk', [...held, ...other]);
    expect(claimed.map(({ address }) => address.split('@')[1])).toEqual(Array(10).fill('example.com'));
    expect(await waiting()).toMatchObject([{ waits_for: 'domain', n: 10, first: STARTED + 60_000 }]);

    await at(61_000);
    expect(await holdDomain(fleet.db, 'held.example', 'throttled', 'again')).toMatchObject({ strikes: 2 });
    expect(await listHolds(fleet.db)).toMatchObject([{ untilAt: STARTED + 61_000 + 300_000 }]);
    expect(await claimDue('bulk')).toEqual([]);
    expect(await liftHold(fleet.db, 'held.example', 'mia', 'they told us')).toEqual({ outcome: 'lifted', mails: 10 });
    expect(await liftHold(fleet.db, 'held.example', 'mia', 'again')).toEqual({ outcome: 'not held' });
    expect((await readAudit(fleet.db)).map(({ action, by }) => `${action} ${by}`)).toContain('pace.lift mia');
    await at(62_000);
    expect(await claimDue('bulk')).toHaveLength(10);
  });
});
