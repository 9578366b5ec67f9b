/** A company with a year behind it, whose database says of every statement what it would read whole. */
import { openDatabase, type Database, type Queryable } from '../../engine/store/database.ts';
import { COMPANY, openFleet, START, type Fleet } from './support.ts';

/** Tables that grow with customers, and with what they do. The others are small by nature, and reading them whole is right. */
const GROWING = new RegExp(
  `^(${[
    'customers|former_addresses|event_stats|event_keys|events.*|held_events|enrolments|timers|sends|journal|refusals',
    'suppressions|opt_ins|consents|erasures|run_asked|run_owed|feedback|reactions|provider_events',
    'tasks|webhook_calls|coupon_codes|audit',
  ].join('|')})$`,
);
/** Enough for a plan that reads them whole to be dearer than any other. */
const CUSTOMERS = 12_000;
const STATEMENT = /^[\s(]*(with|select|insert|update|delete)/i;

interface Plan {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Index Cond'?: string;
  readonly Plans?: readonly Plan[];
}

/** What everyone waits in. */
const LATER = `topic: news
trigger: { event: question.asked }
steps:
  - wait: 30 days
  - email: thanks/second
`;

/** The fleet, and a database that runs as usual and asks for the plan of every statement that passes. */
export interface Explained {
  readonly fleet: Fleet;
  readonly db: Database;
  /** What the statements so far read whole, by statement; forgets them all. */
  wholeReads(): { readonly statements: number; readonly whole: readonly (readonly [string, readonly string[]])[] };
  close(): Promise<void>;
}

/** Opens it, with this at the end of `perennial.yaml`. */
export async function openExplained(company: string): Promise<Explained> {
  const fleet = await openFleet({ 'perennial.yaml': COMPANY + company, 'playbooks/later.yaml': LATER });
  await fill(fleet);
  const [version] = await fleet.rows<{ version: number }>(
    `select current_setting('server_version_num')::int as version`,
  );
  // EXPLAIN (GENERIC_PLAN) came with PostgreSQL 16.
  const generic = (version?.version ?? 0) >= 160_000;
  // As those sessions are that run the protocol (docs/decisions/0012): what they read whole has no index.
  const indexed = openDatabase(fleet.db.url, { max: 6, indexed: true });
  const found = new Map<string, readonly string[]>();
  const watch: Watch = { found, generic, partial: await partialIndexes(indexed) };
  const db: Database = {
    ...indexed,
    query: explaining(indexed, watch),
    transaction: async (work, how) =>
      indexed.transaction(async (tx) => work({ query: explaining(tx, watch), kysely: tx.kysely }), how),
  };
  return {
    fleet,
    db,
    wholeReads: () => {
      const all = [...found];
      found.clear();
      return { statements: all.length, whole: all.filter(([, scanned]) => scanned.length > 0) };
    },
    close: async () => {
      await indexed.close();
      await fleet.close();
    },
  };
}

interface Watch {
  readonly found: Map<string, readonly string[]>;
  readonly generic: boolean;
  /** Indexes of few rows by nature, such as of what is open: reading one of them whole is right. */
  readonly partial: ReadonlySet<string>;
}

async function partialIndexes(db: Queryable): Promise<ReadonlySet<string>> {
  const { rows } = await db.query<{ name: string }>(
    'select c.relname as name from pg_index i join pg_class c on c.oid = i.indexrelid where i.indpred is not null',
  );
  return new Set(rows.map(({ name }) => name));
}

function scannedWhole(plan: Plan, partial: Watch['partial']): readonly string[] {
  const { 'Node Type': node, 'Relation Name': table = '', 'Index Name': index, 'Index Cond': condition } = plan;
  const below = (plan.Plans ?? []).flatMap((one) => scannedWhole(one, partial));
  if (!GROWING.test(table)) return below;
  if (node === 'Seq Scan') return [table, ...below];
  const isWhole = index !== undefined && condition === undefined && !partial.has(index);
  return isWhole ? [`${table} by ${index}`, ...below] : below;
}

/** Asks for the plan of every statement that passes: with its values, and as a prepared statement is planned. */
function explaining(to: Queryable, { found, generic, partial }: Watch): Queryable['query'] {
  return async (text, values) => {
    if (!found.has(text) && STATEMENT.test(text)) {
      const ways = generic ? ['format json', 'format json, generic_plan'] : ['format json'];
      const scanned: string[] = [];
      for (const way of ways) {
        const explained = { text: `explain (${way}) ${text}`, values: way.includes('generic') ? undefined : values };
        const { rows } = await to.query<{ 'QUERY PLAN': readonly { Plan: Plan }[] }>(explained.text, explained.values);
        scanned.push(...rows.flatMap((row) => row['QUERY PLAN'].flatMap((part) => scannedWhole(part.Plan, partial))));
      }
      found.set(text, scanned);
    }
    return to.query(text, values);
  };
}

/** Customers with a year behind them: ended enrolments, sent mails, what came back of them, and one wait each. */
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
       (select v.*, p.name from playbook_versions v join playbooks p on p.id = v.playbook_id) v
     where v.name = case n when 0 then 'later' else 'answer' end`,
  );
  await db.query(
    `insert into sends (enrolment_id, customer_id, playbook_id, step, template, topic, lane, status, first_due_at, due_at,
       address, handed_at, settled_at)
     select e.id, e.customer_id, e.playbook_id, s, 'thanks/first', 'news', 'bulk', 'sent', started_at, started_at,
       c.address, started_at - (30 + e.id % 300) * interval '1 day', started_at
     from enrolments e join customers c on c.id = e.customer_id, unnest('{a}'::text[]) s`,
  );
  await db.query(`insert into feedback (send_id, kind, at) select id, 'delivered', handed_at from sends`);
  await db.query(
    `insert into reactions (send_id, kind, url, first_at, last_at)
     select id, 'clicked', 'https://shop.example/' || id, handed_at, handed_at from sends`,
  );
  await db.query(`insert into provider_events (provider, id) select 'sendgrid', 'old-' || id from sends`);
  await fillReaders(db);
  await db.query(
    `with run as (
       insert into runs (kind, playbook_id, launch, due_at, status) select 'launch', min(id), 'old', $1, 'done' from playbooks
       returning id)
     insert into run_owed (customer_id, run_id) select c.id, run.id from customers c, run where c.id % 100 <> 1`,
    [START],
  );
  await db.query('analyze');
}

/** What readers said, and what people and the engine did about it. */
async function fillReaders(db: Queryable): Promise<void> {
  await db.query(
    `insert into suppressions (address, scope, at, source, send_id)
     select 'gone' || customer_id || '@example.com', '*', now(), 'test', min(id) from sends group by customer_id`,
  );
  await db.query(
    `insert into opt_ins (address, topic, at, source) select 'in' || id || '@example.com', 'news', now(), 'test' from customers`,
  );
  await db.query(
    `insert into consents (address, topic, given, at, source) select address, topic, true, at, source from opt_ins`,
  );
  await db.query(
    `insert into former_addresses select 'former' || id || '@example.com', id from customers where id % 100 <> 1`,
  );
  await db.query(`insert into erasures select sha256(id::text::bytea), 'id', arrived_at from customers`);
  await db.query(
    `insert into refusals (customer_id, playbook_id, because, at, entry_key, release_id)
     select c.id, p.id, 'again', c.arrived_at, 'event:old', e.release_id from customers c, playbooks p, engine e`,
  );
  await db.query(
    `insert into audit (business_at, by, action, customer_id, detail)
     select arrived_at, 'the reader', 'suppress', case id % 2 when 0 then id end, jsonb_build_object('address', 'gone' || id || '@example.com')
     from customers`,
  );
  await db.query(
    `insert into tasks (customer_id, playbook_id, enrolment_id, step, title, created_at, due_at, done_at, done_by)
     select customer_id, playbook_id, id, 'call', 'Call', started_at, started_at, started_at, 'mia'
     from enrolments where status = 'complete'`,
  );
  await db.query(`insert into coupon_pools (name) values ('thanks')`);
  await db.query(
    `insert into coupon_codes (pool, code, status, customer_id, enrolment_id, step, visit, after_send, reserved_at, committed_at)
     select 'thanks', 'code-' || id, 'committed', customer_id, id, 'a', 0, 0, started_at, ended_at
     from enrolments where status = 'complete'`,
  );
}
