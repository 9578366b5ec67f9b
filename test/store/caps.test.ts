import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { clear, COMPANY, openFleet, START, type Fleet } from './support.ts';

const PLAYBOOKS = [0, 10, 20, 30, 40];
const priority = (value: number): string => `title: P${value}
topic: news
priority: ${value}
trigger: { event: question.asked }
steps:
  - email: thanks/first
`;
const FILES = {
  'perennial.yaml': `${COMPANY}caps:\n  - { at_most: 2, per: 7 days }\n`,
  ...Object.fromEntries(PLAYBOOKS.map((value) => [`playbooks/p${value}.yaml`, priority(value)])),
  'playbooks/answer.yaml': priority(50).replace('question.asked', 'never.asked'),
};
const WEEK_LATER = '2026-03-09T09:00:00Z';

describe('frequency caps', () => {
  let fleet: Fleet;
  beforeAll(async () => {
    fleet = await openFleet({
      ...FILES,
      'perennial.yaml': FILES['perennial.yaml'].replace('question.asked: {}', 'question.asked: {}\n  never.asked: {}'),
    });
  });
  afterAll(async () => {
    await fleet.close();
  });
  beforeEach(async () => {
    await clear(fleet);
  });
  const perAddress = async (): Promise<readonly Record<string, unknown>[]> =>
    fleet.rows(
      `select c.address, count(*)::int as mails, array_agg(p.name order by p.name) as playbooks
       from sends s join customers c on c.id = s.customer_id join playbooks p on p.id = s.playbook_id
       where s.status in ('claimed', 'handed', 'sent') group by c.address order by c.address`,
    );

  it('are never exceeded by four claimers at once, on customers who share addresses; the right mails win', async () => {
    const keys = Array.from({ length: 90 }, (_, index) => `c${index}`);
    const ids = await fleet.customers(keys);
    // Every three records are one reader; their ids lie far apart, so that chunks cut through readers.
    await fleet.db.query(`update customers c set email = r.address, address = r.address from (
         select id, 'reader' || (substr(key, 2)::int % 30) || '@example.com' as address from customers) r
       where c.id = r.id`);
    await fleet.event('question.asked', keys);
    const workers = [0, 1, 2, 3].map(async (worker) => {
      const mine = ids.filter((_, index) => index % 4 === worker);
      for (let first = 0; first < mine.length; first += 8) {
        const claimed = await fleet.claim('bulk', mine.slice(first, first + 8));
        await fleet.hand(claimed);
        await fleet.settle(claimed, { kind: 'accepted' });
      }
    });
    await Promise.all(workers);
    const readers = await perAddress();
    expect(readers).toHaveLength(30);
    // Fifteen mails were due for each reader at one instant; the two of the highest priority go.
    expect(readers.map(({ mails, playbooks }) => [mails, playbooks])).toEqual(
      Array.from({ length: 30 }, () => [2, ['p40', 'p40']]),
    );
  });

  it('count claimed and unknown mails, and free up to the millisecond', async () => {
    const [ada = 0] = await fleet.customers(['ada']);
    await fleet.event('question.asked', ['ada']);
    const claimed = await fleet.claim('bulk', [ada]);
    expect(claimed.map(({ send }) => send.playbook)).toEqual(['p40', 'p30']);
    await fleet.hand(claimed);
    await fleet.settle(claimed, { kind: 'unknown', reason: 'reset' });
    // A week's wait is beyond a cap's patience of three days: the others were skipped at once.
    expect(await fleet.sends()).toEqual([
      'ada first unknown reset',
      'ada first unknown reset',
      'ada first skipped cap',
      'ada first skipped cap',
      'ada first skipped cap',
    ]);
    await fleet.at('2026-03-09T08:59:59.999Z');
    await fleet.event('question.asked', ['ada']);
    expect(await fleet.claim('bulk', [ada])).toEqual([]);
    expect(await fleet.rows(`select distinct due_at from sends where status = 'planned'`)).toEqual([
      { due_at: Date.parse(WEEK_LATER) },
    ]);
    await fleet.at(WEEK_LATER);
    expect((await fleet.claim('bulk', [ada])).map(({ send }) => send.playbook)).toEqual(['p40', 'p30']);
    expect(Date.parse(WEEK_LATER) - Date.parse(START)).toBe(7 * 86_400_000);
  });
});
