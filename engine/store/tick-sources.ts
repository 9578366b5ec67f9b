/** Where due work stands in the database: the statements of a tick. */

/** The queue's lanes: carrying enrolments on, and the two kinds of mail. */
export type TickLane = 'advance' | 'transactional' | 'bulk';

/** One lane's rows in one table. */
export interface Source {
  readonly name: string;
  readonly lane: TickLane;
  /** Timers fire while paused, for a paused playbook still enrols; but not once the playbook is gone. */
  readonly playbooks: 'unpaused' | 'live';
  /** Parameters: playbook ids, after due, after customer, business now in ms, rows per playbook. */
  readonly sql: string;
}

function sendsOf(lane: string): string {
  return `t.lane = '${lane}' and t.status = 'planned' and t.held_at is null`;
}

function source(table: string, lane: TickLane, playbooks: Source['playbooks'], where: string): Source {
  const sql = `
    select w.playbook_id as "playbookId", r.customer_id as "customerId", r.due_at as "dueAt"
    from unnest($1::int[], $2::timestamptz[], $3::bigint[]) as w (playbook_id, due_at, customer_id)
    cross join lateral (
      select t.customer_id, t.due_at from ${table} t
      where t.playbook_id = w.playbook_id and ${where}
        and (t.due_at, t.customer_id) > (w.due_at, w.customer_id) and t.due_at <= to_timestamp($4::float8 / 1000)
      order by t.due_at, t.customer_id limit $5
    ) r`;
  return { name: `${table}.${lane}`, lane, playbooks, sql };
}

/** All that a tick reads; each walks one index, from a place on, for all its playbooks at once. */
export const SOURCES: readonly Source[] = [
  source('enrolments', 'advance', 'unpaused', 't.due_at is not null and t.held_at is null'),
  source('timers', 'advance', 'live', 't.due_at is not null'),
  source('sends', 'transactional', 'unpaused', sendsOf('transactional')),
  source('sends', 'bulk', 'unpaused', sendsOf('bulk')),
];
