import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { advance } from '../../engine/store/advance.ts';
import { cancel } from '../../engine/store/cancel.ts';
import { claimSends, type ClaimedSend } from '../../engine/store/claim.ts';
import { openHandOver } from '../../engine/store/hand.ts';
import { customerHistory } from '../../engine/store/history.ts';
import { countHeld, listHeld, parseHeldRef, type HeldRef } from '../../engine/store/held.ts';
import { dropHeld } from '../../engine/store/held-drop.ts';
import { retryHeld } from '../../engine/store/held-retry.ts';
import { ingest, type Incoming } from '../../engine/store/ingest.ts';
import { listPauses, pause, resume } from '../../engine/store/pauses.ts';
import { findCustomer } from '../../engine/store/people.ts';
import { settleSends } from '../../engine/store/settle.ts';
import { suppress, unsuppress } from '../../engine/store/suppress.ts';
import { timelineOf } from '../../engine/store/timeline.ts';
import { triggerPlaybook, type Triggered } from '../../engine/store/trigger.ts';
import { COMPANY, openStaffed, type Staffed } from '../support/staff.ts';

const FILES = {
  'perennial.yaml': `${COMPANY}purchase: { event: order.placed, amount: total }\n`,
  'playbooks/series.yaml': `title: Series
topic: news
trigger: { event: order.placed }
audience: "!('vip' in customer.tags)"
entry: { again: never }
steps:
  - tag: newcomer
  - email: hello/first
  - wait: 2 days
  - email: hello/second
`,
  'playbooks/sorry.yaml': `title: Sorry
topic: service
trigger: { manual: true }
steps:
  - email: hello/sorry
  - wait: 1 day
  - email: hello/second
`,
  'playbooks/closed.yaml': `title: Closed
topic: news
trigger: { event: order.placed, if: event.total > 1000 }
manual: false
steps:
  - email: hello/first
`,
  'templates/hello/first.hbs': 'Hello',
  'templates/hello/second.hbs': 'Again',
  'templates/hello/sorry.hbs': 'Sorry {{vars.order}}',
};
const NOW = '2026-03-01T12:00:00Z';
const ACT = { by: 'mia', reason: 'a good reason' };

let staffed: Staffed;
beforeAll(async () => {
  staffed = await openStaffed(NOW);
  await staffed.deploy(FILES);
});
afterAll(async () => {
  await staffed.close();
});
beforeEach(async () => {
  await staffed.at(NOW);
  await staffed.db.query(
    `truncate customers, enrolments, timers, sends, pauses, audit, journal, suppressions, events, event_keys
     restart identity cascade`,
  );
});

const start = async (customer: string, playbook: string, over: object = {}): Promise<Triggered> =>
  triggerPlaybook(staffed.db, staffed.cache, { customer, playbook, vars: {}, dryRun: false, ...ACT, ...over });
const audited = async (): Promise<unknown[]> =>
  staffed.rows('select action, by, reason, customer_id, playbook from audit order by id');
const sends = async (): Promise<unknown[]> => staffed.rows('select step, status, reason from sends order by id');

/** Claims what is due of these customers and hands it over. */
async function deliver(ids: readonly number[], lane: 'bulk' | 'transactional' = 'bulk'): Promise<ClaimedSend[]> {
  const { claimed } = await claimSends(staffed.db, staffed.cache, lane, ids);
  const gate = openHandOver(staffed.db);
  const handed = await Promise.all(claimed.map(async (send) => gate.handOver(send)));
  await gate.close();
  return claimed.filter((_, index) => handed[index]);
}

async function sent(ids: readonly number[], lane: 'bulk' | 'transactional' = 'bulk'): Promise<number> {
  const handed = await deliver(ids, lane);
  await settleSends(
    staffed.db,
    staffed.cache,
    handed.map(({ sendId, fence, customerId }) => ({
      sendId,
      fence,
      customerId,
      kind: 'accepted' as const,
    })),
  );
  return handed.length;
}

describe('finding a customer', () => {
  it('takes ids and addresses in any spelling, and names the nearest of what is mistyped', async () => {
    await staffed.customers(['ada', 'bob', 'barbara-1842']);
    await staffed.db.query(`update customers set address = 'bob@example.com' where key = 'ada'`);
    expect(await findCustomer(staffed.db, 'ada')).toMatchObject({ outcome: 'found', customer: { key: 'ada' } });
    expect(await findCustomer(staffed.db, ' Barbara-1842@Example.COM ')).toMatchObject({
      customer: { key: 'barbara-1842' },
    });
    expect(await findCustomer(staffed.db, 'bob@example.com')).toMatchObject({
      outcome: 'ambiguous',
      candidates: [{ key: 'ada' }, { key: 'bob' }],
    });
    expect(await findCustomer(staffed.db, 'barbra-1842')).toMatchObject({
      outcome: 'unknown',
      nearest: ['barbara-1842'],
    });
    expect(await findCustomer(staffed.db, 'adda@example.com')).toMatchObject({
      nearest: expect.arrayContaining(['ada@example.com']),
    });
    expect(await findCustomer(staffed.db, '%')).toEqual({ outcome: 'unknown', nearest: [] });
  });
});

describe('starting a playbook by hand', () => {
  it('enrols, says what is to come, and is on record with its reason', async () => {
    const [ada] = await staffed.customers(['ada']);
    const triggered = await start('ada', 'sorry', { vars: { order: 'A1' } });
    expect(triggered).toMatchObject({ outcome: 'entered', dryRun: false, paused: false });
    const ahead = triggered.outcome === 'entered' ? triggered.ahead : [];
    expect(ahead.map((line) => [new Date(line.at).toISOString(), line.do, line.step])).toEqual([
      ['2026-03-01T12:00:00.000Z', 'enrol', undefined],
      ['2026-03-01T12:00:00.000Z', 'email', 'sorry'],
      ['2026-03-02T12:00:00.000Z', 'email', 'second'],
      ['2026-03-02T12:00:00.000Z', 'complete', undefined],
    ]);
    expect(await audited()).toEqual([
      { action: 'trigger', by: 'mia', reason: 'a good reason', customer_id: ada, playbook: 'sorry' },
    ]);
    expect(await sends()).toEqual([{ step: 'sorry', status: 'planned', reason: null }]);
    const [enrolment] = await staffed.rows('select vars from enrolments');
    expect(enrolment).toEqual({ vars: { order: 'A1' } });
  });

  it('changes nothing in a dry run, and foretells the same', async () => {
    await staffed.customers(['ada']);
    const dry = await start('ada', 'series', { dryRun: true });
    expect(await staffed.rows('select 1 from enrolments union all select 1 from audit')).toEqual([]);
    const real = await start('ada', 'series');
    expect(dry).toMatchObject({ outcome: 'entered', dryRun: true });
    expect('ahead' in dry && 'ahead' in real && dry.ahead).toEqual('ahead' in real && real.ahead);
  });

  it('refuses what the entry rules refuse, and records nothing then', async () => {
    const [ada] = await staffed.customers(['ada', 'vera']);
    await staffed.db.query(`update customers set tags = '{vip}' where key = 'vera'`);
    expect(await start('ada', 'closed')).toMatchObject({ outcome: 'refused', because: 'not manual' });
    expect(await start('vera', 'series')).toMatchObject({ outcome: 'refused', because: 'audience' });
    expect(await start('ada', 'sories')).toMatchObject({
      outcome: 'unknown playbook',
      nearest: expect.arrayContaining(['series']),
    });
    expect(await start('nobody', 'series')).toMatchObject({ outcome: 'unknown' });
    await start('ada', 'sorry');
    expect(await start('ada', 'sorry')).toMatchObject({ outcome: 'refused', because: 'already active' });
    await start('ada', 'series');
    await cancel(staffed.db, staffed.cache, { customer: 'ada', playbook: 'series', ...ACT });
    expect(await start('ada', 'series')).toMatchObject({ outcome: 'refused', because: 'not again' });
    await staffed.db.query(`update customers set held_at = now(), held_error = 'x' where id = $1`, [ada]);
    expect(await start('ada', 'sorry')).toMatchObject({ outcome: 'not workable' });
    expect(await audited()).toHaveLength(3);
  });
});

describe('cancelling', () => {
  it('ends enrolments with their planned and claimed mail, and says what is past recall', async () => {
    const [ada, bob] = await staffed.customers(['ada', 'bob']);
    const request = { customer: 'ada', playbook: null, ...ACT };
    for (const customer of ['ada', 'bob']) await start(customer, 'series');
    await start('ada', 'sorry');
    const { claimed } = await claimSends(staffed.db, staffed.cache, 'bulk', [ada ?? 0]);
    expect(claimed).toHaveLength(1);
    await deliver([ada ?? 0], 'transactional');

    expect(await cancel(staffed.db, staffed.cache, request)).toMatchObject({
      outcome: 'cancelled',
      playbooks: ['series', 'sorry'],
      handed: 1,
    });
    const gate = openHandOver(staffed.db);
    expect(await gate.handOver(claimed[0] as ClaimedSend)).toBe(false);
    await gate.close();
    expect(await sends()).toEqual([
      { step: 'first', status: 'cancelled', reason: 'a good reason' },
      { step: 'first', status: 'planned', reason: null },
      { step: 'sorry', status: 'handed', reason: null },
    ]);
    expect(await cancel(staffed.db, staffed.cache, request)).toMatchObject({ outcome: 'nothing active', active: [] });
    expect(await cancel(staffed.db, staffed.cache, { ...request, customer: 'bob', playbook: 'sorry' })).toMatchObject({
      outcome: 'nothing active',
      active: ['series'],
    });
    expect(await audited()).toContainEqual(
      expect.objectContaining({ action: 'cancel', customer_id: ada, playbook: null }),
    );
    expect((await customerHistory(staffed.db, bob ?? 0))?.enrolments).toMatchObject([{ status: 'active' }]);
  });
});

describe('suppressing', () => {
  it('takes claims back at once, skips what is planned, and can be undone', async () => {
    const ids = await staffed.customers(['ada', 'bob']);
    const news = { address: 'Ada@example.com', scope: 'news', source: 'staff', ...ACT };
    for (const customer of ['ada', 'bob']) await start(customer, 'series');
    const { claimed } = await claimSends(staffed.db, staffed.cache, 'bulk', ids);
    expect(claimed).toHaveLength(2);
    expect(await suppress(staffed.db, news)).toBe('changed');
    expect(await suppress(staffed.db, news)).toBe('unchanged');
    expect(await suppress(staffed.db, { ...news, address: 'no address' })).toBe('no address');
    const gate = openHandOver(staffed.db);
    expect(await Promise.all(claimed.map(async (send) => gate.handOver(send)))).toEqual([false, true]);
    await gate.close();
    await deliver(ids);
    expect(await sends()).toEqual([
      { step: 'first', status: 'skipped', reason: 'unsubscribed' },
      { step: 'first', status: 'handed', reason: null },
    ]);
    expect(await unsuppress(staffed.db, news)).toBe('changed');
    expect(await unsuppress(staffed.db, news)).toBe('unchanged');
    expect((await audited()).slice(2)).toMatchObject([{ action: 'suppress', by: 'mia' }, { action: 'unsuppress' }]);
  });
});

describe('pausing and resuming', () => {
  const at = (hours: number): string => new Date(Date.parse(NOW) + hours * 3_600_000).toISOString();

  it('holds claims and hand-overs at once, and lets triggers go on enrolling', async () => {
    const ids = await staffed.customers(['ada']);
    await start('ada', 'series');
    const { claimed } = await claimSends(staffed.db, staffed.cache, 'bulk', ids);
    expect(await pause(staffed.db, 'series', 'mia', 'wrong price')).toBe(true);
    expect(await pause(staffed.db, 'series', 'mia', 'again')).toBe(false);
    const gate = openHandOver(staffed.db);
    expect(await gate.handOver(claimed[0] as ClaimedSend)).toBe(false);
    await gate.close();
    expect((await claimSends(staffed.db, staffed.cache, 'bulk', ids)).claimed).toEqual([]);
    await staffed.customers(['bob']);
    expect(await start('bob', 'series')).toMatchObject({ outcome: 'entered', paused: true });
    expect(await listPauses(staffed.db)).toMatchObject([{ scope: 'series', by: 'mia', reason: 'wrong price' }]);
    expect(await resume(staffed.db, staffed.cache, 'sorry', 'mia', 'no')).toEqual({ outcome: 'not paused' });
    await staffed.at(at(1));
    expect(await resume(staffed.db, staffed.cache, 'series', 'mia', 'mended')).toEqual({
      outcome: 'resumed',
      sends: 1,
      enrolments: 1,
      late: 0,
      spreadMs: 0,
    });
    const both = [1, 2];
    await advance(staffed.db, staffed.cache, both);
    expect(await deliver(both)).toHaveLength(2);
    expect((await audited()).filter((row) => /pause|resume/.test(JSON.stringify(row)))).toMatchObject([
      { action: 'pause', playbook: 'series' },
      { action: 'resume', playbook: 'series', reason: 'mended' },
    ]);
  });

  it('leaves what is late to be skipped, and spreads the rest in its order', async () => {
    const keys = Array.from({ length: 200 }, (_, n) => `c${n}`);
    const ids = await staffed.customers(keys);
    await pause(staffed.db, '*', 'mia', 'outage');
    await staffed.db.query(
      `insert into enrolments (customer_id, playbook_id, version_id, status, due_at, ready, started_at, entry_key, step)
       select c.id, p.id, v.id, 'active', $1::timestamptz - interval '5 days' + c.id * interval '1 minute', true, $1,
         'manual:' || c.id, 'first'
       from customers c, playbooks p join playbook_versions v on v.playbook_id = p.id
       where p.name = 'series' and c.id <= 50
       union all
       select c.id, p.id, v.id, 'active', $1::timestamptz - interval '1 day' + c.id * interval '1 minute', true, $1,
         'manual:' || c.id, 'first'
       from customers c, playbooks p join playbook_versions v on v.playbook_id = p.id
       where p.name = 'series' and c.id > 50`,
      [NOW],
    );
    expect(await resume(staffed.db, staffed.cache, '*', 'mia', 'over')).toEqual({
      outcome: 'resumed',
      sends: 0,
      enrolments: 150,
      late: 50,
      spreadMs: 9_000,
    });
    const rows = await staffed.rows<{ at: number }>(
      'select due_at as at from enrolments where customer_id > 50 order by customer_id',
    );
    expect(rows.map((row) => row.at - Date.parse(NOW))).toEqual(Array.from({ length: 150 }, (_, n) => n * 60));
    await advance(staffed.db, staffed.cache, ids);
    await claimSends(staffed.db, staffed.cache, 'bulk', ids);
    expect(await staffed.rows(`select status, reason, count(*) as n from sends group by 1, 2 order by 1`)).toEqual([
      { status: 'claimed', reason: null, n: 1 },
      { status: 'skipped', reason: 'late', n: 50 },
    ]);
  });

  it('keeps one playbook paused while all are, and all resumed while one is not', async () => {
    await staffed.customers(['ada']);
    await pause(staffed.db, 'series', 'mia', 'one');
    await pause(staffed.db, '*', 'mia', 'all');
    expect(await resume(staffed.db, staffed.cache, 'series', 'mia', 'x')).toMatchObject({
      outcome: 'still paused',
      by: { scope: '*', reason: 'all' },
    });
    await pause(staffed.db, 'series', 'mia', 'one');
    expect(await resume(staffed.db, staffed.cache, '*', 'mia', 'x')).toMatchObject({ outcome: 'resumed' });
    expect(await listPauses(staffed.db)).toMatchObject([{ scope: 'series' }]);
  });
});

describe('what is held', () => {
  const order = (id: string, customer: string, minutes: number): Incoming => ({
    kind: 'track',
    customer,
    createIfMissing: false,
    event: { id, event: 'order.placed', at: Date.parse(NOW) + minutes * 60_000, data: { total: 5 } },
  });
  const take = async (batch: readonly Incoming[]): Promise<unknown> =>
    ingest(staffed.db, staffed.cache, batch, { history: false });
  const hold = async (table: string, id: number): Promise<void> => {
    await staffed.db.query(`update ${table} set held_at = now(), held_error = 'broken' where id = $1`, [id]);
  };
  const ref = (text: string): HeldRef => parseHeldRef(text) ?? { kind: 'customer', id: -1 };

  it('is listed and counted with its error', async () => {
    await staffed.customers(['ada', 'bob']);
    await start('bob', 'series');
    await hold('customers', 1);
    await hold('enrolments', 1);
    await hold('sends', 1);
    await take([order('o1', 'ada', -10)]);
    expect(await listHeld(staffed.db)).toMatchObject([
      { kind: 'event', id: 1, customer: 'ada' },
      { kind: 'customer', id: 1, customer: 'ada', error: 'broken' },
      { kind: 'enrolment', id: 1, customer: 'bob', playbook: 'series', step: 'first' },
      { kind: 'send', id: 1, customer: 'bob', playbook: 'series', step: 'first', unknown: false },
    ]);
    expect(await countHeld(staffed.db)).toEqual({ customer: 1, enrolment: 1, send: 1, event: 1, webhook: 0 });
    expect(parseHeldRef('send:0')).toBeNull();
    // As a number it is 10000000000000000.
    expect(parseHeldRef('send:9999999999999999')).toBeNull();
  });

  it('of a customer, is retried with the events that were kept, in their order', async () => {
    await staffed.customers(['ada']);
    await hold('customers', 1);
    await take([order('o1', 'ada', -30), order('o2', 'ada', -20)]);
    await take([order('o1', 'ada', -30)]);
    await staffed.at('2026-03-03T12:00:00Z');
    expect(await retryHeld(staffed.db, staffed.cache, 'all', ACT)).toEqual([
      { ref: { kind: 'customer', id: 1 }, outcome: 'released' },
    ]);
    const history = await customerHistory(staffed.db, 1);
    expect(history).toMatchObject({ hold: null, heldEvents: 0, profile: { orders: 2, tags: ['newcomer'] } });
    expect(history?.enrolments).toMatchObject([{ playbook: 'series', entryKey: 'event:o1' }]);
    expect(history?.audit).toMatchObject([{ action: 'held.retry', by: 'mia', detail: { events: 2 } }]);
    expect(await retryHeld(staffed.db, staffed.cache, [ref('customer:1')], ACT)).toMatchObject([
      { outcome: 'not held' },
    ]);
  });

  it('of a mail, is due at once when it is retried, and counts as failed when it is dropped', async () => {
    const ids = await staffed.customers(['ada', 'bob']);
    for (const customer of ['ada', 'bob']) await start(customer, 'series');
    await hold('sends', 1);
    await hold('sends', 2);
    await staffed.at('2026-03-11T12:00:00Z');
    expect(await retryHeld(staffed.db, staffed.cache, [ref('send:1')], ACT)).toMatchObject([{ outcome: 'released' }]);
    expect(await dropHeld(staffed.db, staffed.cache, ref('send:2'), ACT)).toEqual({ outcome: 'dropped' });
    expect(await dropHeld(staffed.db, staffed.cache, ref('send:2'), ACT)).toEqual({ outcome: 'not held' });
    expect(await sent(ids)).toBe(1);
    expect(await sends()).toMatchObject([
      { step: 'first', status: 'sent' },
      { step: 'first', status: 'failed', reason: 'dropped by mia: a good reason' },
    ]);
    expect(await staffed.rows('select step, due_at as due from enrolments order by id')).toEqual([
      { step: 'wait-1', due: Date.parse('2026-03-13T12:00:00Z') },
      { step: 'wait-1', due: Date.parse('2026-03-13T12:00:00Z') },
    ]);
  });

  it('of an unknown mail, goes out again or counts as sent', async () => {
    const ids = await staffed.customers(['ada', 'bob']);
    for (const customer of ['ada', 'bob']) await start(customer, 'series');
    await deliver(ids);
    await staffed.db.query(`update sends set status = 'unknown', held_at = now(), held_error = 'left open'`);
    expect(await listHeld(staffed.db)).toMatchObject([{ unknown: true }, { unknown: true }]);
    await staffed.at('2026-03-02T12:00:00Z');
    await retryHeld(staffed.db, staffed.cache, [ref('send:1')], ACT);
    await dropHeld(staffed.db, staffed.cache, ref('send:2'), ACT);
    expect(await staffed.rows('select status, resends from sends order by id')).toEqual([
      { status: 'planned', resends: 1 },
      { status: 'unknown', resends: 0 },
    ]);
    const [, bob] = await staffed.rows<{ due: number }>('select due_at as due from enrolments order by id');
    expect(bob?.due).toBe(Date.parse('2026-03-03T12:00:00Z'));
  });

  it('of an enrolment, goes on or is cancelled; an event is discarded, and stays on record', async () => {
    await staffed.customers(['ada', 'bob', 'cy']);
    for (const customer of ['ada', 'bob']) await start(customer, 'series');
    await hold('enrolments', 1);
    await hold('enrolments', 2);
    expect(await retryHeld(staffed.db, staffed.cache, [ref('enrolment:1'), ref('enrolment:9')], ACT)).toMatchObject([
      { outcome: 'released' },
      { outcome: 'not held' },
    ]);
    expect(await dropHeld(staffed.db, staffed.cache, ref('enrolment:2'), ACT)).toEqual({ outcome: 'dropped' });
    expect(await staffed.rows('select status, reason, held_at from enrolments order by id')).toEqual([
      { status: 'active', reason: null, held_at: null },
      { status: 'cancel', reason: 'a good reason', held_at: null },
    ]);
    await hold('customers', 3);
    await take([order('o1', 'cy', -10)]);
    expect(await dropHeld(staffed.db, staffed.cache, ref('event:1'), ACT)).toEqual({ outcome: 'dropped' });
    expect(await dropHeld(staffed.db, staffed.cache, ref('customer:3'), ACT)).toEqual({ outcome: 'dropped' });
    expect(await countHeld(staffed.db)).toEqual({ customer: 0, enrolment: 0, send: 0, event: 0, webhook: 0 });
    const [discarded] = await staffed.rows<{ detail: unknown }>(
      `select detail from audit where detail ->> 'kind' = 'event'`,
    );
    expect(discarded?.detail).toMatchObject({ discarded: [{ event: { id: 'o1' } }] });
  });
});

describe('the timeline', () => {
  it('tells what happened as a simulation would', async () => {
    const ids = await staffed.customers(['ada', 'bob']);
    for (const customer of ['ada', 'bob']) await start(customer, 'series');
    await suppress(staffed.db, { address: 'bob@example.com', scope: '*', source: 'staff', ...ACT });
    expect(await sent(ids)).toBe(1);
    await staffed.at('2026-03-03T12:00:00Z');
    await advance(staffed.db, staffed.cache, ids);
    await sent(ids);
    const lines = await timelineOf(staffed.db);
    expect(lines.map(({ at, ...line }) => [new Date(at).toISOString().slice(5, 16), ...Object.values(line)])).toEqual([
      ['03-01T12:00', 'ada', 'series', 'enrol'],
      ['03-01T12:00', 'ada', 'series', 'first', 'email', 'hello/first'],
      ['03-01T12:00', 'ada', 'series', 'tag-1', 'tag'],
      ['03-01T12:00', 'bob', 'series', 'enrol'],
      ['03-01T12:00', 'bob', 'series', 'first', 'skip', 'suppressed'],
      ['03-01T12:00', 'bob', 'series', 'tag-1', 'tag'],
      ['03-03T12:00', 'ada', 'series', 'second', 'email', 'hello/second'],
      ['03-03T12:00', 'ada', 'series', 'complete'],
      ['03-03T12:00', 'bob', 'series', 'second', 'skip', 'suppressed'],
      ['03-03T12:00', 'bob', 'series', 'complete'],
    ]);
    expect(await timelineOf(staffed.db, [ids[1] ?? 0], Date.parse('2026-03-03T00:00:00Z'))).toHaveLength(2);
  });
});
