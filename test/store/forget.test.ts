import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Database, Tx } from '../../engine/store/database.ts';
import { ERASED_PARTS } from '../../engine/store/forget-tables.ts';
import { forget, type Forgotten } from '../../engine/store/forget.ts';
import { recordReturned } from '../../engine/store/feedback.ts';
import { recordConsent } from '../../engine/ingest/file/consent.ts';
import { NO_PROOF } from '../../engine/ingest/file/consent-proof.ts';
import { recordReaction } from '../../engine/store/reactions.ts';
import { findCustomer } from '../../engine/store/people.ts';
import { suppress } from '../../engine/store/suppress.ts';
import { unsuppressByHand } from '../../engine/store/suppress-by-hand.ts';
import { startProcess } from '../support/process.ts';
import { eventOf, openFleet, START, type Fleet } from './support.ts';

/** Whatever of these is found afterwards has been left behind. */
const ID = 'cust-ada-77';
const ADDRESS = 'ada.lovelace@analytical.example';
const OLD_ADDRESS = 'ada.byron@analytical.example';
const MARKS = [ID, 'lovelace', 'byron', '1815-12-10', 'order-of-ada', 'analytical'];
/** They hold numbers, times and names of events only. */
const NAMELESS = ['coupon_codes', 'event_stats', 'run_asked', 'run_owed', 'timers'];
const ACT = { by: 'mia', reason: 'asked by letter' };

let fleet: Fleet;
let ada = 0;
let bob = 0;
beforeAll(async () => {
  fleet = await openFleet();
});
afterAll(async () => {
  await fleet.close();
});
beforeEach(async () => {
  await fleet.db.query(
    `truncate customers, enrolments, timers, sends, events, event_keys, event_stats, held_events, suppressions, opt_ins,
       former_addresses, journal, audit, erasures, consents, feedback, reactions, tasks, webhook_calls, coupon_codes, coupon_pools, refusals,
       refusing_domains, domain_holds, run_asked, run_owed, runs restart identity cascade`,
  );
  await fleet.at(START);
  await fill();
});

/** A customer of whom every table knows something, and another one. */
async function fill(): Promise<void> {
  const traits = (email: string): object => ({ email, name: 'Ada Lovelace', birthday: '1815-12-10' });
  await fleet.take([
    { kind: 'identify', customer: ID, traits: traits(OLD_ADDRESS) },
    { kind: 'identify', customer: 'bob', traits: { email: 'bob@example.com' } },
  ]);
  await fleet.take([
    {
      kind: 'identify',
      customer: ID,
      traits: { ...traits('Ada.Lovelace@Analytical.example'), tags: ['lovelace'], attributes: { plan: 'lovelace' } },
    },
  ]);
  const ids = await fleet.rows<{ id: number }>('select id from customers order by key desc');
  [ada = 0, bob = 0] = ids.map(({ id }) => id);
  for (const [index, key] of [ID, ID, 'bob'].entries()) {
    const order = eventOf(key, 'order.placed', START, { total: 10 });
    if (order.kind === 'track')
      await fleet.take([{ ...order, event: { ...order.event, id: `order-of-${key === ID ? 'ada' : key}-${index}` } }]);
  }
  await fleet.deliver('bulk', [ada]);
  await fleet.db.query(`update sends set reason = '550 <${ADDRESS}>' where customer_id = $1`, [ada]);
  const enrolment = (
    await fleet.rows<{ id: number }>('select min(id) as id from enrolments where customer_id = $1', [ada])
  )[0]?.id;
  const theirs = [ada, enrolment];
  await fleet.db.query(`update enrolments set vars = '{"code":{"code":"lovelace"}}' where id = $1`, [enrolment]);
  await fleet.db.query(
    `insert into tasks (customer_id, enrolment_id, playbook_id, step, title, created_at)
     select customer_id, id, playbook_id, 'task-1', 'Write to Ada Lovelace', now() from enrolments where id = $1`,
    [enrolment],
  );
  await fleet.db.query(
    `insert into webhook_calls (customer_id, enrolment_id, playbook_id, step, at, url, body, answer)
     select customer_id, id, playbook_id, 'webhook-1', now(), 'https://crm.example/${ID}', '{"id":"${ID}"}', 'Lovelace'
     from enrolments where id = $1`,
    [enrolment],
  );
  await fleet.db.query(`insert into coupon_pools (name) values ('gifts')`);
  await fleet.db.query(
    `insert into coupon_codes (pool, code, status, customer_id, enrolment_id, step, visit, after_send, reserved_at)
     values ('gifts', 'A', 'reserved', $1, $2, 'gift', 0, 1000000, now() + interval '1 day'),
       ('gifts', 'B', 'reserved', $1, $2, 'other', 0, 0, now())`,
    theirs,
  );
  await fleet.db.query(
    `insert into held_events (customer_id, event, held_at, error) values ($1, '{"kind":"identify","customer":"${ID}"}', now(), '${ID}')`,
    [ada],
  );
  await fleet.db.query(
    `insert into refusals (customer_id, playbook_id, because, at, entry_key, release_id, "values")
     select $1, id, 'audience', now(), 'event:order-of-ada-0', 'x', '{"customer.name":"Lovelace"}' from playbooks limit 1`,
    [ada],
  );
  await fleet.db.query(`insert into journal (customer_id, at, "do", reason) values ($1, now(), 'tag', 'lovelace')`, [
    ada,
  ]);
  await fleet.db.query(
    `insert into feedback (send_id, kind, verdict, at, status, detail)
     select min(id), 'bounced', 'soft', now(), '4.2.2', '<${ADDRESS}> is full' from sends where customer_id = $1`,
    [ada],
  );
  await fleet.db.query(
    `insert into reactions (send_id, kind, url, first_at, last_at)
     select min(id), 'clicked', 'https://shop.example/for/${ID}', now(), now() from sends where customer_id = $1`,
    [ada],
  );
  await fleet.db.query(
    `insert into refusing_domains values ('mail.example', now(), now(), 1, '5.7.1', 'not from you to ${ADDRESS}')`,
  );
  await fleet.db.query(
    `insert into domain_holds values ('mail.example', 'refused', now(), now(), 1, 'not from you to ${ADDRESS}')`,
  );
  await suppress(fleet.db, { address: OLD_ADDRESS, scope: '*', source: 'staff', ...ACT, reason: 'Lovelace called' });
  await fleet.db.query(`insert into opt_ins values ($1, 'news', now(), 'import')`, [ADDRESS]);
  await fleet.db.query(
    `insert into consents (address, topic, given, at, source) values ($1, 'news', true, now(), 'import')`,
    [ADDRESS],
  );
  await fleet.db.query(
    `insert into consents (address, topic, given, at, source) values ($1, 'news', true, now(), 'import')`,
    [ADDRESS],
  );
  await fleet.db.query(
    `insert into audit (business_at, by, action, customer_id, reason, detail)
     values (now(), 'mia', 'trigger', $1, 'Ada Lovelace called', '{"vars":{"order":"order-of-ada-0"}}')`,
    [ada],
  );
}

async function mailOfAda(): Promise<number> {
  const [row] = await fleet.rows<{ id: number }>(
    'select min(id) as id from sends where customer_id = $1 and handed_at is not null',
    [ada],
  );
  return row?.id ?? 0;
}

/** Tables and columns in which any of the marks stands, whatever its type. */
async function found(marks: readonly string[]): Promise<readonly string[]> {
  const columns = await fleet.rows<{ table: string; column: string }>(
    `select c.relname as "table", a.attname as "column" from pg_class c join pg_attribute a on a.attrelid = c.oid
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition and a.attnum > 0
       and not a.attisdropped order by 1, 2`,
  );
  const probes = columns.map(
    ({ table, column }) =>
      `select '${table}.${column}' as hit where exists (select from "${table}" where lower("${column}"::text) like any($1))`,
  );
  const hits = await fleet.rows<{ hit: string }>(probes.join(' union all '), [
    marks.map((mark) => `%${mark.toLowerCase()}%`),
  ]);
  return hits.map(({ hit }) => hit);
}

/** A digest of all rows of all tables. */
async function digest(): Promise<unknown> {
  const tables = await fleet.rows<{ name: string }>(
    `select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') order by 1`,
  );
  const digests = tables.map(
    ({ name }) => `select '${name}' as name, md5(string_agg(t::text, '|' order by t::text)) from "${name}" t`,
  );
  return fleet.rows(digests.join(' union all '));
}

async function forgetAda(over: object = {}): Promise<Forgotten> {
  return forget(fleet.db, { customer: ID, sharing: false, dryRun: false, ...ACT, ...over });
}

/** Keeps a forgetting from its end, when it has done nearly everything; gives what lets it go on. */
async function blockTheEnd(db: Database): Promise<() => Promise<void>> {
  let goOn: () => void = () => undefined;
  const told = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  let done: Promise<void> = Promise.resolve();
  await new Promise<void>((ready, fail) => {
    done = db.transaction(async (tx: Tx) => {
      await tx.query('set local idle_in_transaction_session_timeout = 0');
      await tx.query('select from former_addresses for update');
      ready();
      await told;
    });
    done.catch(fail);
  });
  return async () => {
    goOn();
    await done;
  };
}

async function untilWaiting(sessions: number): Promise<void> {
  for (;;) {
    const [row] = await fleet.rows<{ n: number }>(
      `select count(*) as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    if ((row?.n ?? 0) >= sessions) return;
  }
}

/** The server needs a moment to see that a process was killed. */
async function untilGone(): Promise<void> {
  for (;;) {
    const [row] = await fleet.rows<{ n: number }>(
      `select count(*) as n from pg_stat_activity where datname = current_database() and application_name = 'perennial command'`,
    );
    if (row?.n === 0) return;
  }
}

describe('forgetting a customer', () => {
  it('leaves nothing of them in any column of any table', async () => {
    const before = await found(MARKS);
    expect(before.length).toBeGreaterThan(25);
    // Whatever holds something personal is known to the test, so that a column that is new shows here.
    expect(new Set(before.map((hit) => hit.split('.')[0]))).toEqual(
      new Set(ERASED_PARTS.map(({ table }) => table).filter((table) => !NAMELESS.includes(table))),
    );
    expect(await forgetAda()).toMatchObject({
      outcome: 'forgotten',
      playbooks: ['thanks'],
      counts: { events: 3, enrolments: 1, mails: 1, tasks: 1, webhooks: 1, suppressions: 1 },
    });
    expect(await found(MARKS)).toEqual([]);
    expect(await findCustomer(fleet.db, ID)).toEqual({
      outcome: 'unknown',
      nearest: [],
      erasedAt: Date.parse(START),
    });
    expect(await fleet.rows(`select key, email from customers where id = $1`, [bob])).toEqual([
      { key: 'bob', email: 'bob@example.com' },
    ]);
    expect(await fleet.rows('select count(*) as n from events')).toEqual([{ n: 1 }]);
  });

  it('keeps what counts: mails with their outcome, enrolments, and codes that may have gone out', async () => {
    const counts = 'select playbook_id, step, status, count(*) as n from sends group by 1, 2, 3 order by 1, 2, 3';
    const before = await fleet.rows(counts);
    await forgetAda();
    expect(await fleet.rows(counts)).toEqual(before);
    expect(
      await fleet.rows('select status, reason, origin, vars from enrolments where customer_id = $1', [ada]),
    ).toEqual([{ status: 'cancel', reason: 'erased', origin: null, vars: null }]);
    expect(await fleet.rows('select code, status, customer_id from coupon_codes order by code')).toEqual([
      { code: 'A', status: 'free', customer_id: null },
      { code: 'B', status: 'committed', customer_id: null },
    ]);
    expect(await fleet.rows('select status from webhook_calls')).toEqual([{ status: 'dropped' }]);
    expect(await fleet.rows(`select by, reason from audit where action = 'forget'`)).toEqual([ACT]);
  });

  it('knows of every table that refers to a customer, a mail or an address', async () => {
    const tables = await fleet.rows<{ table: string }>(
      `select distinct c.relname as "table" from pg_class c join pg_attribute a on a.attrelid = c.oid
       where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
         and a.attname in ('customer_id', 'send_id', 'address', 'email') order by 1`,
    );
    const known = new Set(ERASED_PARTS.map(({ table }) => table));
    expect(tables.map(({ table }) => table).filter((table) => !known.has(table))).toEqual([]);
  });

  it('changes nothing in a dry run, and counts the same', async () => {
    const before = await digest();
    const dry = await forgetAda({ dryRun: true });
    expect(await digest()).toEqual(before);
    expect(await forgetAda()).toEqual({ ...dry, dryRun: false });
    expect(await forgetAda()).toMatchObject({ outcome: 'erased before', at: Date.parse(START) });
    expect(await forgetAda({ customer: ADDRESS.toUpperCase() })).toMatchObject({ outcome: 'erased before' });
    expect(await forgetAda({ customer: 'nobody' })).toMatchObject({ outcome: 'unknown' });
  });

  it('ends what is under way: no claimed mail passes, and one that is past recall is still recorded as sent', async () => {
    await fleet.event('order.placed', [ID]);
    await fleet.event('question.asked', [ID]);
    const claimed = await fleet.claim('bulk', [ada]);
    const service = await fleet.claim('transactional', [ada]);
    expect(await fleet.hand(service)).toEqual([true]);
    expect(await forgetAda()).toMatchObject({ handed: 1, playbooks: ['answer', 'thanks'] });
    expect(await fleet.hand(claimed)).toEqual(claimed.map(() => false));
    await fleet.settle(service, { kind: 'permanent', reason: `550 <${ADDRESS}>` });
    expect(await fleet.rows(`select status, reason from sends where topic = 'service'`)).toEqual([
      { status: 'unknown', reason: 'erased' },
    ]);
    await fleet.settle(service, { kind: 'accepted' });
    expect(await fleet.rows(`select status, reason from sends where topic = 'service'`)).toEqual([
      { status: 'sent', reason: null },
    ]);
    await fleet.at('2026-03-09T09:00:00Z');
    await fleet.advance([ada]);
    expect(await fleet.claim('bulk', [ada])).toEqual([]);
    expect(
      await fleet.rows(`select 1 from sends where status in ('planned', 'claimed', 'handed') and customer_id = $1`, [
        ada,
      ]),
    ).toEqual([]);
    expect(await found(MARKS)).toEqual([]);
  });

  it('forgets a held customer as well, whom no rule can work on', async () => {
    await fleet.db.query(`update customers set held_at = now(), held_error = 'lovelace' where id = $1`, [ada]);
    expect(await forgetAda()).toMatchObject({ outcome: 'forgotten' });
    expect(await found(MARKS)).toEqual([]);
  });

  it('asks before it forgets others with the same address, and takes merged records along', async () => {
    await fleet.take([{ kind: 'identify', customer: 'twin', traits: { email: ADDRESS, name: 'Lovelace' } }]);
    await fleet.db.query(
      `insert into customers (key, name, arrived_at, merged_into) values ('byron-old', 'Ada Byron', now(), $1)`,
      [ada],
    );
    const before = await digest();
    expect(await forgetAda()).toMatchObject({ outcome: 'shared', others: [{ key: 'twin' }] });
    expect(await digest()).toEqual(before);
    const done = await forgetAda({ sharing: true });
    expect('customers' in done && done.customers.map(({ key }) => key)).toEqual([ID, 'twin', 'byron-old']);
    expect(await found([...MARKS, 'twin'])).toEqual([]);
    const [again] = (await fleet.take([{ kind: 'identify', customer: 'byron-old', traits: {} }])).rejected;
    expect(again?.code).toBe('erased-customer');
  });

  it('leaves an address alone that somebody else has taken since', async () => {
    await fleet.take([{ kind: 'identify', customer: 'bob', traits: { email: OLD_ADDRESS } }]);
    await forgetAda();
    expect(await fleet.rows('select address from suppressions')).toEqual([{ address: OLD_ADDRESS }]);
    const { rejected } = await fleet.take([{ kind: 'identify', customer: 'bob', traits: { email: OLD_ADDRESS } }]);
    expect(rejected).toEqual([]);
  });
});

describe('whoever was forgotten', () => {
  it('does not come back by any way in', async () => {
    await forgetAda();
    const taken = await fleet.take([
      { kind: 'identify', customer: ID, traits: { name: 'Ada Lovelace' } },
      eventOf(ID, 'order.placed', START),
      { kind: 'identify', customer: 'new-id', traits: { email: ADDRESS.toUpperCase(), name: 'Lovelace' } },
      { kind: 'identify', customer: 'bob', traits: { email: OLD_ADDRESS } },
      { kind: 'identify', customer: ADDRESS, traits: {} },
      { kind: 'identify', customer: 'bob', traits: { name: 'Bob' } },
    ]);
    expect(taken.rejected.map(({ index, code }) => [index, code])).toEqual([
      [0, 'erased-customer'],
      [1, 'erased-customer'],
      [2, 'erased-address'],
      [3, 'erased-address'],
      [4, 'erased-address'],
    ]);
    expect(taken.accepted).toBe(1);
    const consent = { address: ADDRESS, suppressed: true, unsubscribed: ['news'], subscribed: [], proof: NO_PROOF };
    await recordConsent(fleet.db, [consent, { ...consent, address: 'eve@example.com' }], Date.parse(START), 'file');
    expect(await suppress(fleet.db, { address: ADDRESS, scope: '*', source: 'bounce', ...ACT })).toBe('unchanged');
    await recordReturned(fleet.db, {
      about: { signedIds: [await mailOfAda()], messageId: null, sendId: null },
      recipients: [{ address: ADDRESS, originalAddress: null, verdict: 'complaint', status: null, detail: ADDRESS }],
    });
    const clicked = { kind: 'clicked', sendId: await mailOfAda(), url: `https://shop.example/for/${ID}` } as const;
    expect(await recordReaction(fleet.db, clicked)).toBe('no mail');
    expect(await found([...MARKS, 'new-id'])).toEqual([]);
    expect(await fleet.rows('select distinct address from suppressions')).toEqual([{ address: 'eve@example.com' }]);
  });

  it('comes back when a person says so', async () => {
    await forgetAda();
    const lift = async (target: string): Promise<unknown> =>
      unsuppressByHand(fleet.db, { target, topic: null, despite: 'erasure', ...ACT });
    expect(await lift('nobody')).toEqual({ outcome: 'not erased' });
    expect(await lift(ID)).toEqual({ outcome: 'erasure lifted' });
    const identify = { kind: 'identify', customer: ID, traits: { email: ADDRESS } } as const;
    expect((await fleet.take([identify])).rejected.map(({ code }) => code)).toEqual(['erased-address']);
    expect(await lift(ADDRESS)).toEqual({ outcome: 'erasure lifted' });
    expect((await fleet.take([identify])).rejected).toEqual([]);
    expect(
      await fleet.rows('select count(*) as n from events where customer_id = (select max(id) from customers)'),
    ).toEqual([{ n: 0 }]);
  });

  it('is not let in by an import that came first and waits for the forgetting', async () => {
    const release = await blockTheEnd(fleet.db);
    const forgetting = forgetAda();
    await untilWaiting(1);
    const taking = fleet.take([
      { kind: 'identify', customer: 'new-id', traits: { email: ADDRESS } },
      { kind: 'identify', customer: ID, traits: { name: 'Ada Lovelace' } },
    ]);
    await untilWaiting(2);
    await release();
    expect(await forgetting).toMatchObject({ outcome: 'forgotten' });
    expect((await taking).rejected.map(({ code }) => code)).toEqual(['erased-address', 'erased-customer']);
    expect(await found(MARKS)).toEqual([]);
  });
});

it('is done whole or not at all: killed at its end, nothing has happened, and again it goes through', async () => {
  const before = await digest();
  const release = await blockTheEnd(fleet.db);
  const command = path.join(import.meta.dirname, '../../bin/perennial.js');
  const args = ['forget', ID, '--by', 'mia', '--reason', 'asked by letter', '--yes'];
  const killed = startProcess(command, args, { DATABASE_URL: fleet.db.url });
  await untilWaiting(1);
  expect(await killed.end('SIGKILL')).toBe('SIGKILL');
  await release();
  await untilGone();
  expect(await digest()).toEqual(before);
  const again = startProcess(command, args, { DATABASE_URL: fleet.db.url });
  expect(await again.nextLine()).toContain('is erased');
  expect(await again.end('SIGCONT')).toBe(0);
  expect(await found(MARKS)).toEqual([]);
});
