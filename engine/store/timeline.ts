/** The timeline of docs/playbooks.md, read from the rows: what production did, in the words of a simulation. */
import type { Line } from '../journey/types.ts';
import { compareText } from '../journey/order.ts';
import type { Instant } from '../time/types.ts';
import type { Queryable } from './database.ts';
import { time } from './sql.ts';

type Row = {
  readonly at: Instant;
  readonly customer: string;
  readonly playbook: string;
  readonly step: string | null;
  readonly do: Line['do'];
  readonly template: string | null;
  readonly reason: string | null;
};

/** Parameters: customer ids or null for all, from, until. Every part is one kind of line. */
const LINES = `
  with who as (select id, key from customers where $1::bigint[] is null or id = any($1))
  select e.started_at as at, w.key as customer, p.name as playbook, null as step, 'enrol' as do,
    null as template, null as reason
  from who w join enrolments e on e.customer_id = w.id join playbooks p on p.id = e.playbook_id
  where e.started_at >= $2 and e.started_at < $3
  union all
  select e.ended_at, w.key, p.name, null, e.status, null, e.reason
  from who w join enrolments e on e.customer_id = w.id join playbooks p on p.id = e.playbook_id
  where e.ended_at >= $2 and e.ended_at < $3
  union all
  select s.handed_at, w.key, p.name, s.step, case when s.ask is null then 'email' else 'survey' end, s.template, null
  from who w join sends s on s.customer_id = w.id join playbooks p on p.id = s.playbook_id
  where s.status in ('sent', 'unknown') and s.handed_at >= $2 and s.handed_at < $3
  union all
  select s.settled_at, w.key, p.name, s.step, 'skip', null, s.reason
  from who w join sends s on s.customer_id = w.id join playbooks p on p.id = s.playbook_id
  where s.status = 'skipped' and s.settled_at >= $2 and s.settled_at < $3
  union all
  select j.at, w.key, p.name, j.step, j.do, null, j.reason
  from who w join journal j on j.customer_id = w.id
  join enrolments e on e.id = j.enrolment_id join playbooks p on p.id = e.playbook_id
  where j.at >= $2 and j.at < $3`;

/**
 * The lines of these customers (row ids; all without), from `from` inclusive to `until` exclusive, in the order of
 * `compareLines`. A mail stands at its hand-over, `unknown` ones included; one that finally failed has no line.
 */
export async function timelineOf(
  db: Queryable,
  customerIds?: readonly number[],
  from?: Instant,
  until?: Instant,
): Promise<readonly Line[]> {
  const { rows } = await db.query<Row>(LINES, [
    customerIds ?? null,
    from === undefined ? '-infinity' : time(from),
    until === undefined ? 'infinity' : time(until),
  ]);
  return rows.map(lineOf).sort(compareLines);
}

function lineOf(row: Row): Line {
  return {
    at: row.at,
    customer: row.customer,
    playbook: row.playbook,
    ...(row.step === null ? {} : { step: row.step }),
    do: row.do,
    ...(row.template === null ? {} : { template: row.template }),
    ...(row.reason === null ? {} : { reason: row.reason }),
  };
}

/**
 * An order that lines alone decide: by time, customer and playbook; then the entry, what happened at the steps (by the
 * steps' names), and the end. A simulation knows the order of steps at one instant, rows do not: sort both by this to
 * compare them.
 */
export function compareLines(a: Line, b: Line): number {
  return (
    a.at - b.at ||
    compareText(a.customer, b.customer) ||
    compareText(a.playbook, b.playbook) ||
    rankOf(a) - rankOf(b) ||
    compareText(a.step ?? '', b.step ?? '') ||
    compareText(a.do, b.do) ||
    compareText(a.reason ?? '', b.reason ?? '')
  );
}

function rankOf(line: Line): number {
  switch (line.do) {
    case 'enrol':
      return 0;
    case 'email':
    case 'survey':
    case 'task':
    case 'webhook':
    case 'coupon':
    case 'set':
    case 'tag':
    case 'untag':
    case 'skip':
      return 1;
    case 'complete':
    case 'exit':
    case 'goal':
    case 'cancel':
      return 2;
  }
}
