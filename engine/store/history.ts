/** All that is known of one customer, for the people who answer the telephone. */
import type { Profile } from '../journey/types.ts';
import type { Instant } from '../time/types.ts';
import { readAudit, type AuditRow } from './audit.ts';
import { businessNow, type Queryable } from './database.ts';
import { loadCustomers } from './load-rows.ts';

/** Held, since when and why. */
export interface Hold {
  readonly at: Instant;
  readonly error: string;
}

/** An enrolment, under way or over. */
export interface EnrolmentHistory {
  readonly id: number;
  readonly playbook: string;
  readonly version: string;
  readonly entryKey: string;
  readonly status: 'active' | 'complete' | 'exit' | 'goal' | 'cancel';
  readonly step: string | null;
  /** When it goes on; null while a mail decides, and when it is over. */
  readonly dueAt: Instant | null;
  readonly paused: boolean;
  readonly startedAt: Instant;
  readonly endedAt: Instant | null;
  readonly reason: string | null;
  readonly vars: Readonly<Record<string, unknown>> | null;
  readonly hold: Hold | null;
}

/** A mail, whatever became of it. */
export interface SendHistory {
  readonly id: number;
  readonly playbook: string;
  readonly step: string;
  readonly template: string;
  readonly topic: string;
  readonly status: string;
  readonly firstDueAt: Instant;
  readonly dueAt: Instant;
  readonly handedAt: Instant | null;
  readonly settledAt: Instant | null;
  readonly attempts: number;
  readonly address: string | null;
  readonly messageId: string | null;
  readonly reason: string | null;
  /** What came back of it and what its reader did, such as `hard bounce 5.1.1` or `delivered, clicked 2 times`; null: nothing. */
  readonly feedback: string | null;
  readonly hold: Hold | null;
}

/** What the customer's address allows, entry by entry. */
export interface ConsentHistory {
  readonly scope: string;
  readonly kind: 'suppressed' | 'opted in';
  readonly at: Instant;
  readonly source: string;
  readonly reason: string | null;
}

/** One customer's whole record. Lists are newest first, but for what is to come. */
export interface CustomerHistory {
  readonly id: number;
  /** Business time at which this was read. */
  readonly now: Instant;
  readonly address: string | null;
  readonly arrivedAt: Instant;
  readonly hold: Hold | null;
  /** Events that wait for the customer to be released. */
  readonly heldEvents: number;
  readonly erasedAt: Instant | null;
  readonly profile: Profile;
  readonly consent: readonly ConsentHistory[];
  readonly stats: readonly {
    readonly event: string;
    readonly first: Instant;
    readonly last: Instant;
    readonly count: number;
  }[];
  readonly enrolments: readonly EnrolmentHistory[];
  /** Triggers of time still to come, the next first. */
  readonly timers: readonly { readonly playbook: string; readonly dueAt: Instant }[];
  readonly sends: readonly SendHistory[];
  readonly journal: readonly {
    readonly at: Instant;
    readonly playbook: string | null;
    readonly do: string;
    readonly step: string | null;
    readonly reason: string | null;
  }[];
  readonly audit: readonly AuditRow[];
}

/** Bounds each list: a person reads this. */
const LIMIT = 200;

/** Reads one customer by row id; null when there is none. */
export async function customerHistory(db: Queryable, id: number): Promise<CustomerHistory | null> {
  const [customer] = await loadCustomers(db, [id]);
  if (customer === undefined) return null;
  const { rows } = await db.query<{ hold: Hold | null; erasedAt: Instant | null; heldEvents: number }>(
    `select case when held_at is not null then json_build_object('at', ${ms('held_at')}, 'error', held_error) end as hold,
       erased_at as "erasedAt", (select count(*) from held_events where customer_id = $1) as "heldEvents"
     from customers where id = $1`,
    [id],
  );
  const standing = rows[0] ?? { hold: null, erasedAt: null, heldEvents: 0 };
  return {
    id,
    now: await businessNow(db),
    address: customer.address,
    arrivedAt: customer.arrivedAt,
    ...standing,
    profile: customer.profile,
    consent: await consentOf(db, customer.address),
    stats: await rowsOf(
      db,
      'select event, first_at as first, last_at as last, count from event_stats where customer_id = $1 order by event',
      id,
    ),
    enrolments: await enrolmentsOf(db, id),
    timers: await rowsOf(db, TIMERS, id),
    sends: await sendsOf(db, id),
    journal: await rowsOf(db, JOURNAL, id),
    audit: await readAudit(db, { customerId: id }),
  };
}

const TIMERS = `select p.name as playbook, t.due_at as "dueAt" from timers t join playbooks p on p.id = t.playbook_id
  where t.customer_id = $1 and t.due_at is not null and p.live order by t.due_at, p.name`;

const JOURNAL = `select j.at, p.name as playbook, j."do", j.step, j.reason
  from journal j left join enrolments e on e.id = j.enrolment_id left join playbooks p on p.id = e.playbook_id
  where j.customer_id = $1 order by j.at desc, j.id desc limit ${LIMIT}`;

function ms(column: string): string {
  return `floor(extract(epoch from ${column}) * 1000)::bigint`;
}

function holdOf(alias: string): string {
  return `case when ${alias}.held_at is not null
    then json_build_object('at', ${ms(`${alias}.held_at`)}, 'error', ${alias}.held_error) end as hold`;
}

async function rowsOf<T extends object>(db: Queryable, sql: string, id: number): Promise<readonly T[]> {
  const { rows } = await db.query<T & Record<string, unknown>>(sql, [id]);
  return rows;
}

async function enrolmentsOf(db: Queryable, id: number): Promise<readonly EnrolmentHistory[]> {
  return rowsOf(
    db,
    `select e.id, p.name as playbook, v.hash as version, e.entry_key as "entryKey", e.status, e.step, e.due_at as "dueAt",
       exists (select 1 from pauses x where x.scope = '*' or x.scope = p.name) as paused,
       e.started_at as "startedAt", e.ended_at as "endedAt", e.reason, e.vars, ${holdOf('e')}
     from enrolments e join playbooks p on p.id = e.playbook_id join playbook_versions v on v.id = e.version_id
     where e.customer_id = $1 order by (e.status = 'active') desc, e.started_at desc, e.id desc limit ${LIMIT}`,
    id,
  );
}

async function sendsOf(db: Queryable, id: number): Promise<readonly SendHistory[]> {
  return rowsOf(
    db,
    `select s.id, p.name as playbook, s.step, s.template, s.topic, s.status, s.first_due_at as "firstDueAt",
       s.due_at as "dueAt", s.handed_at as "handedAt", s.settled_at as "settledAt", s.attempts, s.address,
       s.message_id as "messageId", s.reason, ${holdOf('s')},
       nullif(concat_ws(', ', (select string_agg(case when f.verdict = 'sender' then 'sender refused' when f.kind = 'bounced' then f.verdict || ' bounce'
          else f.kind end || coalesce(' ' || f.status, ''), ', ' order by f.id) from feedback f where f.send_id = s.id),
         (select string_agg(done, ', ' order by kind desc) from (
           select r.kind, r.kind || case when sum(r.count) > 1 then ' ' || sum(r.count) || ' times' else '' end as done
           from reactions r where r.send_id = s.id group by r.kind) d)), '') as feedback
     from sends s join playbooks p on p.id = s.playbook_id
     where s.customer_id = $1 order by coalesce(s.handed_at, s.settled_at, s.due_at) desc, s.id desc limit ${LIMIT}`,
    id,
  );
}

async function consentOf(db: Queryable, address: string | null): Promise<readonly ConsentHistory[]> {
  const { rows } = await db.query<ConsentHistory & Record<string, unknown>>(
    `select scope, 'suppressed' as kind, at, source, reason from suppressions where address = $1
     union all select topic, 'opted in', at, source, null from opt_ins where address = $1 order by at desc, scope`,
    [address],
  );
  return rows;
}
