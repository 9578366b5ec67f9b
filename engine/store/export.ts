/**
 * Everything that is known of one customer, section by section: a person's right (GDPR articles 15 and 20). One snapshot;
 * rows come in pages, so that a customer of any size needs no more memory than another.
 */
import type { Instant } from '../time/types.ts';
import { businessNow, type Database, type Tx } from './database.ts';
import { lookOnly } from './look.ts';
import { findCustomer, type Found } from './people.ts';

/** The shape, as docs/operations.md describes it. It changes only by additions; anything else raises it. */
export const EXPORT_VERSION = 1;

/** A row of one section. Fields whose names end in `At`, `at`, `first` or `last` are Instants. */
export type ExportRow = Readonly<Record<string, unknown>>;

/** Takes the export in its order. What a method returns is awaited before more is read. */
export interface ExportSink {
  begin(head: { readonly version: number; readonly exportedAt: Instant; readonly customer: string }): Promise<void>;
  section(name: string): Promise<void>;
  rows(rows: readonly ExportRow[]): Promise<void>;
  end(): Promise<void>;
}

const PAGE = 500;

interface Section {
  readonly name: string;
  /** $1: row ids of the customer's records; $2: their addresses, now and before. */
  readonly sql: string;
}

const THEIRS = 'customer_id = any($1::bigint[])';
const AT = 'address = any($2::text[])';
const HOLD = (of: string): string => `${of}.held_at as "heldAt", ${of}.held_error as "heldError"`;

/** In the order of the export; names and columns are part of the documented shape. */
const SECTIONS: readonly Section[] = [
  {
    name: 'records',
    sql: `select key as id, email, address, name, first_name, last_name, timezone, locale, birthday, created_at, tags,
        attributes, orders, spent, first_order_at, last_order_at, last_seen_at, satisfaction, arrived_at as "arrivedAt",
        merged_into is not null as merged, ${HOLD('c')}
      from customers c where id = any($1::bigint[]) order by merged_into nulls first, id`,
  },
  {
    name: 'formerAddresses',
    sql: `select address from former_addresses where ${THEIRS} order by address`,
  },
  {
    name: 'suppressions',
    sql: `select address, scope, at, source, reason from suppressions where ${AT} order by address, scope`,
  },
  {
    name: 'subscriptions',
    sql: `select address, topic, at, source from opt_ins where ${AT} order by address, topic`,
  },
  {
    name: 'consents',
    sql: `select address, topic, given, at, source, wording, language, detail from consents where ${AT} order by id`,
  },
  {
    name: 'eventCounts',
    sql: `select event, first_at as first, last_at as last, count from event_stats where ${THEIRS} order by event`,
  },
  {
    name: 'events',
    sql: `select key as id, event, at, received_at as "receivedAt", history, data from events where ${THEIRS} order by at, id`,
  },
  {
    name: 'eventsKept',
    sql: `select event as item, history, held_at as "heldAt", error from held_events where ${THEIRS} order by id`,
  },
  {
    name: 'enrolments',
    sql: `select e.id, p.name as playbook, v.hash as version, e.entry_key as "entryKey", e.status, e.step,
        e.due_at as "dueAt", e.started_at as "startedAt", e.ended_at as "endedAt", e.reason, e.origin, e.vars,
        ${HOLD('e')}
      from enrolments e join playbooks p on p.id = e.playbook_id join playbook_versions v on v.id = e.version_id
      where e.${THEIRS} order by e.id`,
  },
  {
    name: 'timers',
    sql: `select p.name as playbook, t.due_at as "dueAt" from timers t join playbooks p on p.id = t.playbook_id
      where t.${THEIRS} and t.due_at is not null order by t.due_at, p.name`,
  },
  {
    name: 'mails',
    sql: `select s.id, s.enrolment_id as "enrolment", p.name as playbook, s.step, s.template, s.topic, s.status, s.address,
        s.first_due_at as "firstDueAt", s.due_at as "dueAt", s.handed_at as "handedAt", s.settled_at as "settledAt",
        s.attempts, s.message_id as "messageId", s.ask, s.reason, ${HOLD('s')}
      from sends s join playbooks p on p.id = s.playbook_id where s.${THEIRS} order by s.id`,
  },
  {
    name: 'mailFeedback',
    sql: `select f.send_id as mail, f.kind, f.verdict, f.at, f.status, f.detail
      from sends s join feedback f on f.send_id = s.id where s.${THEIRS} order by f.id`,
  },
  {
    name: 'mailReactions',
    sql: `select r.send_id as mail, r.kind, r.url, r.first_at as first, r.last_at as last, r.count
      from sends s join reactions r on r.send_id = s.id where s.${THEIRS} order by r.first_at, r.send_id, r.kind, r.url`,
  },
  {
    name: 'changesBySteps',
    sql: `select at, enrolment_id as enrolment, "do", step, reason from journal where ${THEIRS} order by at, id`,
  },
  {
    name: 'entriesRefused',
    sql: `select p.name as playbook, r.because, r.at, r.entry_key as "entryKey", r."values"
      from refusals r join playbooks p on p.id = r.playbook_id where r.${THEIRS} order by r.at, p.name, r.because`,
  },
  {
    name: 'tasks',
    sql: `select t.id, p.name as playbook, t.step, t.title, t.assignee as "to", t.created_at as "createdAt",
        t.due_at as "dueAt", t.done_at as "doneAt", t.done_by as "doneBy", t.note
      from tasks t join playbooks p on p.id = t.playbook_id where t.${THEIRS} order by t.id`,
  },
  {
    name: 'coupons',
    sql: `select pool, code, status, step, reserved_at as "reservedAt", committed_at as "committedAt"
      from coupon_codes where ${THEIRS} order by id`,
  },
  {
    name: 'webhooks',
    sql: `select w.id, p.name as playbook, w.step, w.at, w.url, w.body, w.status, w.attempts, w.answer,
        w.settled_at as "settledAt"
      from webhook_calls w join playbooks p on p.id = w.playbook_id where w.${THEIRS} order by w.id`,
  },
  {
    name: 'audit',
    sql: `select id, at, business_at as "businessAt", by, action, playbook, reason, detail
      from audit where ${THEIRS} or detail ->> 'address' = any($2::text[]) order by id`,
  },
];

/** Gives everything to `sink`. Anything but `found` gave it nothing. */
export async function exportCustomer(db: Database, idOrEmail: string, sink: ExportSink): Promise<Found> {
  return lookOnly(db, async (tx) => {
    const found = await findCustomer(tx, idOrEmail);
    if (found.outcome !== 'found') return found;
    const { ids, addresses } = await whose(tx, found.customer.id);
    await sink.begin({ version: EXPORT_VERSION, exportedAt: await businessNow(tx), customer: found.customer.key });
    for (const { name, sql } of SECTIONS) {
      await sink.section(name);
      await inPages(tx, sql, [ids, addresses], async (rows) => sink.rows(rows));
    }
    await sink.end();
    return found;
  });
}

async function whose(
  tx: Tx,
  id: number,
): Promise<{ readonly ids: readonly number[]; readonly addresses: readonly string[] }> {
  const { rows } = await tx.query<{ id: number; address: string | null }>(
    `with recursive theirs (id) as (
       select $1::bigint union select c.id from theirs t join customers c on c.merged_into = t.id)
     select c.id, c.address from theirs join customers c using (id)`,
    [id],
  );
  const { rows: former } = await tx.query<{ address: string }>(
    `select f.address from former_addresses f where f.customer_id = any($1::bigint[])
       and not exists (select from customers c where c.address = f.address)`,
    [rows.map((row) => row.id)],
  );
  const addresses = [...rows.flatMap(({ address }) => address ?? []), ...former.map(({ address }) => address)];
  return { ids: rows.map((row) => row.id), addresses };
}

/** A cursor of the snapshot: the server keeps the place. Both parameters are named, whether or not a section asks for them. */
async function inPages(
  tx: Tx,
  sql: string,
  values: readonly unknown[],
  take: (rows: readonly ExportRow[]) => Promise<void>,
): Promise<void> {
  const both = `with asked as (select $1::bigint[] as ids, $2::text[] as addresses) select * from (${sql}) page`;
  await tx.query(`declare pages no scroll cursor for ${both}`, values);
  for (;;) {
    const { rows } = await tx.query(`fetch ${PAGE} from pages`);
    if (rows.length > 0) await take(rows);
    if (rows.length < PAGE) break;
  }
  await tx.query('close pages');
}
