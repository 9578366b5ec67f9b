import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { expireLeases } from '../../engine/store/expire.ts';
import { clear, COMPANY, openFleet, START, type Fleet, type Outcome } from './support.ts';

const NIGHT = `title: Night
topic: news
trigger: { event: question.asked }
send_window: { days: any, hours: "08:00-08:30" }
steps:
  - email: thanks/first
`;
const HOLDING = `title: Holding
topic: service
unknown: hold
trigger: { event: call.logged }
steps:
  - email: thanks/first
  - wait: 1 days
`;
const NOW = Date.parse(START);

describe('claim, hand over, settle', () => {
  let fleet: Fleet;
  let ada = 0;
  beforeAll(async () => {
    fleet = await openFleet({
      'perennial.yaml': COMPANY.replace('question.asked: {}', 'question.asked: {}\n  call.logged: {}'),
      'playbooks/night.yaml': NIGHT,
      'playbooks/holding.yaml': HOLDING,
    });
  });
  afterAll(async () => {
    await fleet.close();
  });
  beforeEach(async () => {
    await clear(fleet);
    [ada = 0] = await fleet.customers(['ada']);
  });
  const enrolments = async (): Promise<readonly unknown[]> =>
    (
      await fleet.rows<{ line: string }>(
        `select concat_ws(' ', p.name, e.status, e.step, e.reason, case when e.held_at is not null then 'held' end) as line
         from enrolments e join playbooks p on p.id = e.playbook_id order by e.id`,
      )
    ).map((row) => row.line);
  const expire = async (): ReturnType<typeof expireLeases> => expireLeases(fleet.db, fleet.cache, 100);

  it('carries a customer from the event to the end, each step from the hand-over before', async () => {
    await fleet.event('order.placed', ['ada'], { total: 5 });
    const [claimed] = await fleet.claim('bulk', [ada]);
    expect(claimed).toMatchObject({
      customerId: ada,
      address: 'ada@example.com',
      fence: 1,
      attempts: 0,
      lane: 'bulk',
      now: NOW,
      send: { playbook: 'thanks', step: 'first', template: 'thanks/first', topic: 'news' },
      enrolment: { playbook: 'thanks', origin: { event: { event: 'order.placed', data: { total: 5 } } } },
    });
    expect(claimed?.messageId).toMatch(/^<send-\d+\.[0-9a-f]{10}@sample\.example>$/);
    expect(claimed?.templates.names).toContain('thanks/first');
    await fleet.at('2026-03-02T09:00:07Z');
    expect(await fleet.hand(claimed === undefined ? [] : [claimed])).toEqual([true]);
    await fleet.at('2026-03-02T09:00:20Z');
    await fleet.settle(claimed === undefined ? [] : [claimed], { kind: 'accepted' });
    expect(await fleet.rows('select due_at, step from enrolments')).toEqual([
      { due_at: NOW + 7_000 + 86_400_000, step: 'wait-1' },
    ]);
    await fleet.at('2026-03-03T09:00:07Z');
    expect((await fleet.advance([ada])).planned.bulk).toEqual([ada]);
    expect(await fleet.deliver('bulk', [ada])).toEqual(['ada second']);
    expect(await enrolments()).toEqual(['thanks complete']);
  });

  it('runs what is due first, so an event or exit that came before the claim wins', async () => {
    await fleet.event('order.placed', ['ada']);
    await fleet.event('order.refunded', ['ada']);
    expect(await fleet.claim('bulk', [ada])).toEqual([]);
    expect(await fleet.sends()).toEqual(['ada first cancelled event order.refunded']);
  });

  it('claims a mail that its own transaction brings about', async () => {
    await fleet.event('order.placed', ['ada']);
    await fleet.deliver('bulk', [ada]);
    await fleet.at('2026-03-03T09:00:00Z');
    expect((await fleet.claim('bulk', [ada])).map(({ send }) => send.step)).toEqual(['second']);
    expect(await fleet.sends()).toEqual(['ada first sent', 'ada second claimed']);
  });

  it('defers to the window, skips with a reason and goes on, and leaves paused and other lanes alone', async () => {
    await fleet.event('question.asked', ['ada']);
    expect(await fleet.claim('bulk', [ada])).toEqual([]);
    expect(await fleet.rows(`select due_at from sends where lane = 'bulk'`)).toEqual([
      { due_at: Date.parse('2026-03-03T08:00:00Z') },
    ]);
    await fleet.db.query(`insert into pauses values ('night', now(), 'test', 'test')`);
    await fleet.at('2026-03-03T08:00:00Z');
    expect(await fleet.claim('bulk', [ada])).toEqual([]);
    await fleet.db.query(`truncate pauses`);
    await fleet.db.query(
      `insert into suppressions (address, scope, at, source) values ('ada@example.com', '*', now(), 'test')`,
    );
    expect(await fleet.claim('bulk', [ada])).toEqual([]);
    expect(await fleet.sends()).toEqual(['ada first planned', 'ada first skipped suppressed']);
    expect(await enrolments()).toEqual(['answer active first', 'night complete']);
  });

  it('claims at most `max`, and says who is left', async () => {
    const ids = await fleet.customers(['b', 'c', 'd']);
    await fleet.event('order.placed', ['b', 'c', 'd']);
    expect(await fleet.claim('bulk', ids, { max: 2 })).toHaveLength(2);
    expect(await fleet.claim('bulk', ids)).toHaveLength(1);
  });

  it('holds a mail to what is no address, and says so', async () => {
    await fleet.db.query(`update customers set email = 'not an address', address = null where id = $1`, [ada]);
    await fleet.event('order.placed', ['ada']);
    expect(await fleet.claim('bulk', [ada])).toEqual([]);
    expect(await fleet.rows('select status, held_error from sends')).toEqual([
      { status: 'planned', held_error: '"not an address" is not an address that mail can be sent to' },
    ]);
    expect(await fleet.claim('bulk', [ada])).toEqual([]);
  });

  it('hands over once, under the latest fence and within the lease', async () => {
    await fleet.event('order.placed', ['ada']);
    const first = await fleet.claim('bulk', [ada]);
    await fleet.expireAll();
    expect(await fleet.hand(first)).toEqual([false]);
    expect(await fleet.sends()).toEqual(['ada first planned']);
    const second = await fleet.claim('bulk', [ada]);
    expect(second[0]?.fence).toBe(2);
    expect(second[0]?.messageId).toBe(first[0]?.messageId);
    expect(await fleet.hand([...first, ...second, ...second])).toEqual([false, true, true]);
    expect(await fleet.hand(second)).toEqual([false]);
    // What the first holder reports changes nothing.
    expect(await fleet.settle(first, { kind: 'permanent', reason: 'late' })).toMatchObject({ settled: 0, stale: 1 });
    expect(await fleet.sends()).toEqual(['ada first handed']);
  });

  it.each<[Outcome, string, string]>([
    [{ kind: 'accepted' }, 'ada first sent', 'thanks active wait-1'],
    [{ kind: 'permanent', reason: '550 no' }, 'ada first failed 550 no', 'thanks active wait-1'],
    [{ kind: 'retry', delayMs: 60_000, reason: '450 later' }, 'ada first planned 450 later', 'thanks active first'],
    [{ kind: 'retry', delayMs: null, reason: '450 later' }, 'ada first failed 450 later', 'thanks active wait-1'],
    [{ kind: 'unknown', reason: 'reset' }, 'ada first unknown reset', 'thanks active wait-1'],
    [{ kind: 'withheld' }, 'ada first planned', 'thanks active first'],
    [{ kind: 'broken', reason: 'no name' }, 'ada first planned', 'thanks active first'],
  ])('settles %j', async (outcome, send, enrolment) => {
    await fleet.event('order.placed', ['ada']);
    const claimed = await fleet.claim('bulk', [ada]);
    if (outcome.kind !== 'broken') expect(await fleet.hand(claimed)).toEqual([true]);
    expect(await fleet.settle(claimed, outcome)).toMatchObject({ settled: 1, stale: 0 });
    expect(await fleet.sends()).toEqual([send]);
    expect(await enrolments()).toEqual([enrolment]);
    expect(await fleet.settle(claimed, { kind: 'retry', delayMs: 0, reason: 'again' })).toMatchObject({ stale: 1 });
    const [row] = await fleet.rows('select attempts, due_at, held_error from sends');
    const attempts = ['accepted', 'withheld', 'broken'].includes(outcome.kind) ? 0 : 1;
    const due = outcome.kind === 'retry' && outcome.delayMs !== null ? NOW + 60_000 : NOW;
    expect(row).toEqual({ attempts, due_at: due, held_error: outcome.kind === 'broken' ? 'no name' : null });
  });

  it('gives an expired claim back, and settles an expired hand-over by its policy', async () => {
    await fleet.event('order.placed', ['ada']);
    await fleet.event('question.asked', ['ada']);
    const bulk = await fleet.claim('bulk', [ada]);
    const service = await fleet.claim('transactional', [ada]);
    expect(await expire()).toMatchObject({ replanned: 0, unknown: 0 });
    await fleet.expireAll();
    expect(await expire()).toMatchObject({ replanned: 2, planned: { transactional: [ada], bulk: [ada] } });
    const again = [...(await fleet.claim('bulk', [ada])), ...(await fleet.claim('transactional', [ada]))];
    await fleet.hand(again);
    await fleet.expireAll();
    expect(await expire()).toMatchObject({ replanned: 0, unknown: 2, planned: { transactional: [ada], bulk: [] } });
    // Marketing is assumed sent and goes on; a transactional mail goes out again under the same Message-ID, marked.
    expect(
      await fleet.rows(`select lane, status, resends from sends where step = 'first' and playbook_id in
      (select id from playbooks where name in ('thanks', 'answer')) order by lane`),
    ).toEqual([
      { lane: 'bulk', status: 'unknown', resends: 0 },
      { lane: 'transactional', status: 'planned', resends: 1 },
    ]);
    const [resent] = await fleet.claim('transactional', [ada]);
    expect(resent?.messageId).toBe(service[0]?.messageId);
    expect(bulk[0]?.fence).toBe(1);
  });

  it('records an answer that comes after the mail was given up, under the same fence', async () => {
    await fleet.event('order.placed', ['ada']);
    await fleet.event('question.asked', ['ada']);
    const claimed = [...(await fleet.claim('bulk', [ada])), ...(await fleet.claim('transactional', [ada]))];
    await fleet.hand(claimed);
    await fleet.expireAll();
    await expire();
    await fleet.at('2026-03-02T09:05:00Z');
    expect(await fleet.settle(claimed, { kind: 'accepted' })).toMatchObject({ settled: 2, stale: 0 });
    expect(await fleet.rows(`select distinct status, handed_at from sends where status <> 'planned'`)).toEqual([
      { status: 'sent', handed_at: NOW },
    ]);
    expect(await fleet.claim('transactional', [ada])).toEqual([]);
  });

  it('gives a server that does not answer more and more time, and stops resending after three copies', async () => {
    await fleet.event('question.asked', ['ada']);
    for (const at of ['09:00', '09:01', '09:06', '09:21']) {
      await fleet.at(new Date(Date.parse(`2026-03-02T${at}:00Z`) - 1).toISOString());
      if (at !== '09:00') expect(await fleet.claim('transactional', [ada])).toEqual([]);
      await fleet.at(`2026-03-02T${at}:00Z`);
      const claimed = await fleet.claim('transactional', [ada]);
      expect(await fleet.hand(claimed)).toEqual([true]);
      await fleet.settle(claimed, { kind: 'unknown', reason: 'reset' });
    }
    expect(await fleet.rows(`select status, resends from sends where lane = 'transactional'`)).toEqual([
      { status: 'unknown', resends: 3 },
    ]);
  });

  it('sends a first copy for a dead process at once, and waits with a second', async () => {
    await fleet.event('question.asked', ['ada']);
    const dueAt = async (): Promise<unknown> =>
      (await fleet.rows(`select due_at from sends where lane = 'transactional'`))[0]?.['due_at'];
    const die = async (): Promise<unknown> => {
      expect(await fleet.hand(await fleet.claim('transactional', [ada]))).toEqual([true]);
      await fleet.expireAll();
      return (await expire()).planned.transactional;
    };
    expect(await die()).toEqual([ada]);
    expect(await dueAt()).toBe(NOW);
    // Nobody is told of a mail that is not due yet.
    expect(await die()).toEqual([]);
    expect(await dueAt()).toBe(NOW + 5 * 60_000);
  });

  it('leaves an open question to a person where the playbook says so', async () => {
    await fleet.event('call.logged', ['ada']);
    const claimed = await fleet.claim('transactional', [ada]);
    await fleet.hand(claimed);
    await fleet.settle(claimed, { kind: 'unknown', reason: 'reset' });
    expect(await fleet.rows('select status, held_error from sends')).toEqual([
      {
        status: 'unknown',
        held_error: 'the server may have this mail or not (reset): look there, then retry or drop it',
      },
    ]);
    expect(await enrolments()).toEqual(['holding active first']);
    // The answer may still come; then nobody need look.
    await fleet.settle(claimed, { kind: 'accepted' });
    expect(await fleet.rows('select status, held_error from sends')).toEqual([{ status: 'sent', held_error: null }]);
    expect(await enrolments()).toEqual(['holding active wait-1']);
  });

  it('keeps the outcome of a mail whose enrolment cannot go on, and where to go on from', async () => {
    await fleet.event('order.placed', ['ada']);
    const claimed = await fleet.claim('bulk', [ada]);
    await fleet.hand(claimed);
    await fleet.db.query(`update enrolments set held_at = now(), held_error = 'by the test'`);
    await fleet.at('2026-03-02T09:01:00Z');
    await fleet.settle(claimed, { kind: 'accepted' });
    expect(await fleet.sends()).toEqual(['ada first sent']);
    expect(await enrolments()).toEqual(['thanks active first held']);
    await fleet.db.query(`update enrolments set held_at = null, held_error = null`);
    await fleet.advance([ada]);
    expect(await fleet.rows('select step, due_at from enrolments')).toEqual([
      { step: 'wait-1', due_at: NOW + 86_400_000 },
    ]);
  });
});
