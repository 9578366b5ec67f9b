import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Incoming } from '../../engine/store/ingest.ts';
import { clear, eventOf, openFleet, START, type Fleet } from './support.ts';

const NOW = Date.parse(START);
const HOUR = 3_600_000;

/** More steps at one instant than any honest playbook has. */
const CIRCLE = `title: Circle
trigger: { event: question.asked, if: 'customer.plan == "poison"' }
steps:
${Array.from({ length: 101 }, (_, step) => `  - tag: t${step}`).join('\n')}
`;

/** Under way for long, so that an event can come late and still find it. */
const CARE = `title: Care
trigger: { event: order.placed }
exit:
  - { event: order.refunded }
steps:
  - wait: 20 days
`;

/** Waits for what may come late. */
const ASK = `title: Ask
trigger: { event: order.placed }
steps:
  - wait_for: { event: question.asked, up_to: 3 days }
    then: [{ tag: asked }]
    else: [{ tag: silent }]
`;

/** Would start by what comes late. */
const REGRET = `title: Regret
trigger: { event: order.refunded }
steps:
  - wait: 1 day
`;

describe('ingest', () => {
  let fleet: Fleet;
  beforeAll(async () => {
    fleet = await openFleet({
      'playbooks/circle.yaml': CIRCLE,
      'playbooks/care.yaml': CARE,
      'playbooks/ask.yaml': ASK,
      'playbooks/regret.yaml': REGRET,
    });
  });
  afterAll(async () => {
    await fleet.close();
  });
  beforeEach(async () => {
    await clear(fleet);
  });
  const facts = async (key: string): Promise<unknown> =>
    (await fleet.rows('select orders, spent, last_seen_at from customers where key = $1', [key]))[0];
  const order = (customer: string, id: string, at = NOW): Incoming => ({
    kind: 'track',
    customer,
    createIfMissing: true,
    event: { id, event: 'order.placed', at, data: { total: 10 } },
  });

  it('creates, counts and starts in one batch, and says what can be mailed', async () => {
    const done = await fleet.take([
      { kind: 'identify', customer: 'ada', traits: { email: 'Ada@Example.COM', name: 'Ada' } },
      order('ada', '1'),
      order('bob', '2'),
    ]);
    expect(done).toMatchObject({ accepted: 3, duplicates: 0, rejected: [], kept: 0 });
    expect(done.planned.bulk).toHaveLength(2);
    expect(await facts('ada')).toEqual({ orders: 1, spent: 10, last_seen_at: NOW });
    expect(await fleet.rows(`select address, email from customers where key = 'ada'`)).toEqual([
      { address: 'ada@example.com', email: 'Ada@Example.COM' },
    ]);
    expect(await fleet.sends()).toEqual(['ada first planned', 'bob first planned']);
    expect(await fleet.rows('select key, history from events order by id')).toEqual([
      { key: '1', history: false },
      { key: '2', history: false },
    ]);
  });

  it('takes an event id once: within a batch, in a later one, and in two at the same time', async () => {
    expect(await fleet.take([order('ada', '1'), order('ada', '1')])).toMatchObject({ accepted: 1, duplicates: 1 });
    expect(await fleet.take([order('ada', '1'), order('ada', '2')])).toMatchObject({ accepted: 1, duplicates: 1 });
    const twice = await Promise.all([
      fleet.take([order('ada', '3'), order('bob', '4')]),
      fleet.take([order('bob', '4'), order('ada', '3')]),
    ]);
    expect(twice.reduce((sum, done) => sum + done.accepted, 0)).toBe(2);
    expect(await facts('ada')).toMatchObject({ orders: 3 });
    expect(await facts('bob')).toMatchObject({ orders: 1 });
  });

  it('refuses what it cannot take, by index, and takes the rest', async () => {
    const done = await fleet.take([
      order('ada', '1', NOW + 5 * 60_000 + 1),
      order('ada', '2', NOW + 5 * 60_000),
      order('ada', 'a\0b'),
      { ...order('ada', '3'), customer: 'x'.repeat(501) },
      order('ada', '4', Number.NaN),
      eventOf('nobody', 'order.placed', START),
    ]);
    expect(done.accepted).toBe(1);
    expect(done.rejected.map(({ index, code }) => [index, code])).toEqual([
      [0, 'future'],
      [2, 'bad-text'],
      [3, 'too-long'],
      [4, 'bad-time'],
      [5, 'unknown-customer'],
    ]);
    // Nothing happens ahead of time: the event counts now.
    expect(await facts('ada')).toEqual({ orders: 1, spent: 10, last_seen_at: NOW });
  });

  it('only sets facts by history, and by events that come more than 24 hours late', async () => {
    await fleet.customers(['ada', 'bob', 'eve']);
    await fleet.take([order('ada', '1', NOW - 24 * HOUR)]);
    await fleet.take([order('bob', '2', NOW - 24 * HOUR - 1)]);
    await fleet.take([order('eve', '3', NOW - 700 * 24 * HOUR)], true);
    expect(await fleet.sends()).toEqual(['ada first planned']);
    expect(await facts('bob')).toMatchObject({ orders: 1 });
    expect(await facts('eve')).toMatchObject({ orders: 1, last_seen_at: NOW - 700 * 24 * HOUR });
    expect(await fleet.rows('select tableoid::regclass::text as part from events order by id')).toEqual([
      { part: 'events_2026_q1' },
      { part: 'events_2026_q1' },
      { part: 'events_2024_q2' },
    ]);
  });

  it('ends and continues by an event 30 hours late what had begun by its date, and starts nothing', async () => {
    await fleet.customers(['ada', 'bob']);
    await fleet.take([order('ada', '1')]);
    await fleet.at('2026-03-02T16:00:00Z');
    await fleet.take([order('bob', '2', Date.parse('2026-03-02T16:00:00Z'))]);
    await fleet.at('2026-03-03T16:00:00Z');
    const late = '2026-03-02T10:00:00Z';
    await fleet.take([
      eventOf('ada', 'order.refunded', late),
      eventOf('ada', 'question.asked', late),
      eventOf('bob', 'order.refunded', late),
    ]);
    const enrolments = `select concat_ws(' ', c.key, p.name, e.status, e.reason, e.ended_at at time zone 'UTC') as line
      from enrolments e join customers c on c.id = e.customer_id join playbooks p on p.id = e.playbook_id
      where p.name in ('ask', 'care', 'regret') order by c.key, p.name`;
    expect(await fleet.rows(enrolments)).toEqual([
      { line: 'ada ask complete 2026-03-02 10:00:00' },
      { line: 'ada care exit event order.refunded 2026-03-02 10:00:00' },
      { line: 'bob ask active' },
      { line: 'bob care active' },
    ]);
    expect(await fleet.rows(`select key, tags from customers order by key`)).toEqual([
      { key: 'ada', tags: ['asked'] },
      { key: 'bob', tags: [] },
    ]);
  });

  it('first runs what was due before the event, and leaves what is due with it', async () => {
    const [ada = 0] = await fleet.customers(['ada']);
    await fleet.take([order('ada', '1')]);
    expect(await fleet.deliver('bulk', [ada])).toEqual(['ada first']);
    await fleet.at('2026-03-03T10:00:00Z');
    const refund = eventOf('ada', 'order.refunded', '2026-03-03T09:30:00Z');
    await fleet.take([refund]);
    // The wait ended at 09:00 and planned the second mail; the refund at 09:30 took it back.
    expect(await fleet.sends()).toEqual(['ada first sent', 'ada second cancelled event order.refunded']);
  });

  it('stores events that nobody declared; they count as seen', async () => {
    await fleet.customers(['ada']);
    await fleet.event('page.viewed', ['ada']);
    expect(await facts('ada')).toEqual({ orders: 0, spent: 0, last_seen_at: NOW });
  });

  it('keeps what concerns a held customer, in order, without noting it as seen', async () => {
    const [ada = 0] = await fleet.customers(['ada', 'bob']);
    await fleet.db.query(`update customers set held_at = now(), held_error = 'by the test' where id = $1`, [ada]);
    const done = await fleet.take([order('ada', '1'), order('bob', '2'), order('ada', '3')]);
    expect(done).toMatchObject({ accepted: 3, kept: 2 });
    expect(await fleet.rows("select event->'event'->>'id' as id, error from held_events order by id")).toEqual([
      { id: '1', error: 'by the test' },
      { id: '3', error: 'by the test' },
    ]);
    expect(await fleet.rows('select key from event_keys')).toEqual([{ key: '2' }]);
  });

  it('holds the customer whose event is poison, keeps the event, and goes on with the others', async () => {
    const keys = Array.from({ length: 9 }, (_, index) => `c${index}`);
    await fleet.customers(keys);
    await fleet.take([{ kind: 'identify', customer: 'c4', traits: { attributes: { plan: 'poison' } } }]);
    const done = await fleet.event('question.asked', keys);
    expect(done).toMatchObject({ accepted: 9, kept: 1, duplicates: 0 });
    expect(await fleet.rows('select key, held_error from customers where held_at is not null')).toEqual([
      { key: 'c4', held_error: 'more than 100 steps at one instant, last in playbook "circle"' },
    ]);
    expect(await fleet.rows('select customer_id from held_events')).toHaveLength(1);
    expect((await fleet.sends()).length).toBe(8);
  });
});
