import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { clear, COMPANY, openFleet, type Fleet } from './support.ts';

const ONCE = `title: Once
topic: news
trigger: { event: order.placed }
audience: customer.orders < 3 && event.total > 5
entry: { again: never }
steps:
  - email: thanks/first
  - wait: 2 days
`;

let fleet: Fleet;
beforeAll(async () => {
  fleet = await openFleet({
    'perennial.yaml': COMPANY.replace('topics:', 'caps:\n  - { at_most: 1, per: 1 days }\ntopics:'),
    'playbooks/once.yaml': ONCE,
    'playbooks/gold.yaml': ONCE.replace('customer.orders < 3', `customer.tags.exists(t, t == "gold")`).replace(
      'never',
      'always',
    ),
  });
});
afterAll(async () => fleet.close());
beforeEach(async () => clear(fleet));

async function refusals(): Promise<readonly Record<string, unknown>[]> {
  return fleet.rows(
    `select c.key, p.name, r.because, r.entry_key, r.values, r.release_id = (select release_id from engine) as current
     from refusals r join customers c on c.id = r.customer_id join playbooks p on p.id = r.playbook_id
     order by p.name, r.because`,
  );
}

describe('refused entries', () => {
  it('leave their newest of each reason, with what the audience read and the release', async () => {
    const ids = await fleet.customers(['ada']);
    await fleet.event('order.placed', ['ada'], { total: 10 });
    expect(await refusals()).toMatchObject([
      { name: 'gold', because: 'audience', values: { 'customer.tags': [], 'event.total': 10 }, current: true },
    ]);
    for (const total of [20, 30]) await fleet.event('order.placed', ['ada'], { total });
    const latest = await fleet.rows<{ key: string }>('select key from events order by id desc limit 1');
    const entryKey = `event:${latest[0]?.key ?? ''}`;
    expect(await refusals()).toEqual([
      {
        key: 'ada',
        name: 'gold',
        because: 'audience',
        entry_key: entryKey,
        values: { 'customer.tags': [], 'event.total': 30 },
        current: true,
      },
      { key: 'ada', name: 'once', because: 'not again', entry_key: entryKey, values: null, current: true },
      { key: 'ada', name: 'thanks', because: 'already active', entry_key: entryKey, values: null, current: true },
    ]);
    await fleet.deliver('bulk', ids);
    expect(await refusals()).toHaveLength(3);
  });

  it('are none of those who enter, or whom no trigger meant', async () => {
    await fleet.customers(['ada', 'bob']);
    await fleet.event('question.asked', ['ada']);
    await fleet.event('order.refunded', ['bob']);
    expect(await refusals()).toEqual([]);
  });
});

describe('mail that is put off', () => {
  it('says what for, until when and by which release', async () => {
    const ids = await fleet.customers(['ada']);
    await fleet.event('order.placed', ['ada'], { total: 10 });
    await fleet.deliver('bulk', ids);
    await fleet.deliver('bulk', ids);
    const rows = await fleet.rows<{ waits_until: number; due_at: number }>(
      `select p.name, s.status, s.waits_for, s.waits_until, s.due_at, s.release_id is not null as decided
       from sends s join playbooks p on p.id = s.playbook_id order by s.status, p.name`,
    );
    expect(rows).toMatchObject([
      { name: 'thanks', status: 'planned', waits_for: 'cap', decided: true },
      { name: 'once', status: 'sent', waits_for: null, decided: true },
    ]);
    expect(rows[0]?.waits_until).toBe(rows[0]?.due_at);
  });
});
