import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { advance } from '../../engine/store/advance.ts';
import { claimSends } from '../../engine/store/claim.ts';
import type { Database, Queryable } from '../../engine/store/database.ts';
import { expireLeases } from '../../engine/store/expire.ts';
import { openHandOver } from '../../engine/store/hand.ts';
import { ingest } from '../../engine/store/ingest.ts';
import { recordEvents, type ReportedEvent } from '../../engine/store/provider-events.ts';
import { recordReaction } from '../../engine/store/reactions.ts';
import { revokeFromCustomers, revokeFromPlaybook } from '../../engine/store/revoke.ts';
import { settleSends } from '../../engine/store/settle.ts';
import { COMPANY, eventOf, openFleet, START, type Fleet } from './support.ts';

/** Tables that grow with customers. The others are small by nature, and reading them whole is right. */
const GROWING =
  /^(customers|event_stats|event_keys|events.*|enrolments|timers|sends|suppressions|opt_ins|held_events|run_asked|run_owed|journal|feedback|reactions|provider_events)$/;
const CUSTOMERS = 15_000;

interface Plan {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly Plans?: readonly Plan[];
}

function scannedWhole(plan: Plan): readonly string[] {
  const own = plan['Relation Name'];
  const here = plan['Node Type'] === 'Seq Scan' && own !== undefined && GROWING.test(own) ? [own] : [];
  return [...here, ...(plan.Plans ?? []).flatMap(scannedWhole)];
}

/** Asks for the plan of every statement that passes: with its values, and as a prepared statement is planned. */
function explaining(to: Queryable, found: Map<string, readonly string[]>, generic: boolean): Queryable['query'] {
  return async (text, values) => {
    if (!found.has(text) && /^\s*(with|select|insert|update)/i.test(text)) {
      const ways = generic ? ['format json', 'format json, generic_plan'] : ['format json'];
      const scanned: string[] = [];
      for (const way of ways) {
        const explained = { text: `explain (${way}) ${text}`, values: way.includes('generic') ? undefined : values };
        const { rows } = await to.query<{ 'QUERY PLAN': readonly { Plan: Plan }[] }>(explained.text, explained.values);
        scanned.push(...rows.flatMap((row) => row['QUERY PLAN'].flatMap((part) => scannedWhole(part.Plan))));
      }
      found.set(text, scanned);
    }
    return to.query(text, values);
  };
}

describe('the hot statements', () => {
  let fleet: Fleet;
  let db: Database;
  const found = new Map<string, readonly string[]>();
  const ids = Array.from({ length: 100 }, (_, index) => index * 140 + 1);
  beforeAll(async () => {
    fleet = await openFleet({ 'perennial.yaml': `${COMPANY}caps:\n  - { at_most: 3, per: 7 days }\n` });
    await fill(fleet);
    const [version] = await fleet.rows<{ version: number }>(
      `select current_setting('server_version_num')::int as version`,
    );
    // EXPLAIN (GENERIC_PLAN) came with PostgreSQL 16.
    const generic = (version?.version ?? 0) >= 160_000;
    db = {
      ...fleet.db,
      query: explaining(fleet.db, found, generic),
      transaction: async (work, how) =>
        fleet.db.transaction(async (tx) => {
          const query = explaining(tx, found, generic);
          return work({ query, kysely: tx.kysely });
        }, how),
    };
  }, 120_000);
  afterAll(async () => {
    await fleet.close();
  });

  it('read nothing whole, whatever grows', async () => {
    const keys = ids.map((id) => `c${id - 1}`);
    await ingest(
      db,
      fleet.cache,
      keys.map((key) => eventOf(key, 'order.placed', START)),
      { history: false },
    );
    await ingest(
      db,
      fleet.cache,
      keys.map((key) => ({ kind: 'identify', customer: key, traits: { email: `${key}@new.example` } })),
      { history: false },
    );
    await advance(db, fleet.cache, ids);
    const { claimed } = await claimSends(db, fleet.cache, 'bulk', ids);
    expect(claimed).toHaveLength(100);
    const handOver = openHandOver(db);
    await Promise.all(claimed.slice(10).map(async (send) => handOver.handOver(send)));
    await handOver.close();
    await settleSends(
      db,
      fleet.cache,
      claimed.slice(20).map(({ sendId, fence, customerId }) => ({ sendId, fence, customerId, kind: 'accepted' })),
    );
    const report = (sendId: number, verdict: 'delivered' | 'soft' | 'hard'): ReportedEvent => ({
      id: `${verdict} ${sendId}`,
      reference: null,
      sendId,
      recipient: {
        address: addressOf.get(sendId) ?? null,
        originalAddress: null,
        verdict,
        status: null,
        detail: null,
      },
    });
    const addressOf = new Map(claimed.map(({ sendId, address }) => [sendId, address]));
    const [first, second, third] = claimed.slice(20).map(({ sendId }) => sendId);
    await recordEvents(db, 'sendgrid', [
      ...claimed.slice(20).map(({ sendId }) => report(sendId, 'delivered')),
      report(first ?? 0, 'soft'),
      report(second ?? 0, 'hard'),
    ]);
    const reaction = { kind: 'clicked', sendId: third ?? 0, url: 'https://shop.example/tips' } as const;
    expect(await recordReaction(db, reaction)).toBe('recorded');
    await fleet.event('order.refunded', keys);
    await fleet.expireAll();
    await expireLeases(db, fleet.cache, 100);
    await db.transaction(async (tx) => {
      await revokeFromCustomers(tx, ids, 'news');
      await revokeFromPlaybook(tx, 'thanks');
    });
    const whole = [...found].filter(([, scanned]) => scanned.length > 0);
    expect(whole).toEqual([]);
    // So that a statement which is no longer seen does not pass for a fast one.
    expect(found.size).toBeGreaterThan(25);
  });
});

/** Customers with a year behind them: ended enrolments, sent mails, and one wait each. */
async function fill({ db }: Fleet): Promise<void> {
  await db.query(`update engine set stepped_at = $1`, [START]);
  await db.query(
    `insert into customers (key, email, address, attributes, arrived_at)
     select 'c' || n, 'c' || n || '@example.com', 'c' || n || '@example.com',
       jsonb_build_object('plan', repeat('x', 300)), stepped_at
     from generate_series(0, $1::int - 1) n, engine`,
    [CUSTOMERS],
  );
  await db.query(`insert into event_stats select id, 'order.placed', arrived_at, arrived_at, 1 from customers`);
  await db.query(`insert into event_keys select 'old-' || id from customers`);
  await db.query(
    `insert into timers select c.id, p.id, arrived_at + interval '9 days', 'x' from customers c, playbooks p`,
  );
  await db.query(
    `insert into enrolments (customer_id, playbook_id, version_id, status, started_at, due_at, ended_at, step, entry_key)
     select c.id, v.playbook_id, v.id, case n when 0 then 'active' else 'complete' end, arrived_at,
       case n when 0 then arrived_at + interval '9 days' end, case n when 0 then null else arrived_at end,
       case n when 0 then 'wait-1' end, 'event:old-' || n
     from customers c, generate_series(0, 1) n,
       (select v.* from playbook_versions v join playbooks p on p.id = v.playbook_id where p.name = 'answer') v`,
  );
  await db.query(
    `insert into sends (enrolment_id, customer_id, playbook_id, step, template, topic, lane, status, first_due_at, due_at,
       handed_at, settled_at)
     select e.id, e.customer_id, e.playbook_id, s, 'thanks/first', 'news', 'bulk', 'sent', started_at, started_at,
       started_at - interval '30 days', started_at
     from enrolments e, unnest('{a}'::text[]) s`,
  );
  await db.query(`insert into feedback (send_id, kind, at) select id, 'delivered', handed_at from sends`);
  await db.query(
    `insert into reactions (send_id, kind, url, first_at, last_at)
     select id, 'clicked', 'https://shop.example/' || id, handed_at, handed_at from sends`,
  );
  await db.query(`insert into provider_events (provider, id) select 'sendgrid', 'old-' || id from sends`);
  await db.query(
    `insert into suppressions (address, scope, at, source)
     select 'gone' || id || '@example.com', '*', now(), 'test' from customers`,
  );
  await db.query(
    `insert into opt_ins (address, topic, at, source) select 'in' || id || '@example.com', 'news', now(), 'test' from customers`,
  );
  await db.query(
    `with run as (
       insert into runs (kind, playbook_id, launch, due_at, status) select 'launch', min(id), 'old', $1, 'done' from playbooks
       returning id)
     insert into run_owed (customer_id, run_id) select c.id, run.id from customers c, run where c.id % 140 <> 1`,
    [START],
  );
  await db.query('analyze');
}
