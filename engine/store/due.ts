/** What is due next, of anything: for a scheduler that sleeps, and for a stepped clock that may jump. */
import type { Instant } from '../time/types.ts';
import type { Queryable } from './database.ts';

/** What stands still: held work, and customers that are held, erased or merged into another. */
const CUSTOMER_GOES_ON = `exists (select 1 from customers c where c.id = t.customer_id
  and c.held_at is null and c.erased_at is null and c.merged_into is null)`;

/** The head of one index for each playbook: one row each, however many wait. */
function earliest(table: string, playbooks: string, where: string, after: string): string {
  return `select (
      select t.due_at from ${table} t
      where t.playbook_id = p.id and t.due_at > ${after} and ${where} and ${CUSTOMER_GOES_ON}
      order by t.due_at limit 1
    ) as due_at from p where ${playbooks}`;
}

/** The playbooks, for `headsOf`: which live, and which are paused. */
const PLAYBOOKS = `p as (
      select id, live, exists (select 1 from pauses where scope = '*' or scope = playbooks.name) as paused
      from playbooks
    )`;

/** Earliest instants of every kind after `after` (an SQL expression), with whose work it is. */
function headsOf(after: string): string {
  const send = (lane: string): string =>
    `t.lane = '${lane}' and t.status = 'planned' and t.held_at is null
     and exists (select 1 from enrolments e where e.id = t.enrolment_id and e.held_at is null)`;
  const of = (lane: string, heads: string): string => `select '${lane}' as lane, h.due_at from (${heads}) h`;
  return `
      ${of('advance', earliest('enrolments', 'not p.paused', 't.due_at is not null and t.held_at is null', after))}
      union all ${of('advance', earliest('timers', 'p.live', 't.due_at is not null', after))}
      union all ${of('transactional', earliest('sends', 'not p.paused', send('transactional'), after))}
      union all ${of('bulk', earliest('sends', 'not p.paused', send('bulk'), after))}
      union all ${of('runs', `select min(due_at) as due_at from runs where status <> 'done' and due_at > ${after}`)}`;
}

function earliestOfAll(after: string): string {
  return `with ${PLAYBOOKS} select min(due_at) as due_at from (${headsOf(after)}) as heads`;
}

/**
 * The earliest due instant of each lane, and of mass runs: `lane`, `due_at`. As in `nextDueAt`, what is held or paused does not
 * count; what waits for a window, a cap or its pace is due later.
 */
export const EARLIEST_BY_LANE = `
  with ${PLAYBOOKS} select lane, min(due_at) as due_at from (${headsOf(`'-infinity'::timestamptz`)}) as heads group by 1`;

/** The statement of `nextDueAt`: for the test that refuses sequential scans. */
export const NEXT_DUE = earliestOfAll(`'-infinity'::timestamptz`);

/**
 * The earliest due instant of anything that can go on (enrolments, timers, sends, runs), past ones included; null when
 * nothing waits. What is held or paused does not count. Timers count while paused: a paused playbook still enrols.
 */
export async function nextDueAt(db: Queryable): Promise<Instant | null> {
  const { rows } = await db.query<{ due_at: Instant | null }>(NEXT_DUE);
  return rows[0]?.due_at ?? null;
}

/** Like `nextDueAt`, but only what is due after `after`. */
export async function nextDueAfter(db: Queryable, after: Instant): Promise<Instant | null> {
  const { rows } = await db.query<{ due_at: Instant | null }>(earliestOfAll('to_timestamp($1::float8 / 1000)'), [
    after,
  ]);
  return rows[0]?.due_at ?? null;
}

/** Whether a stepped clock may jump, and to where. */
export interface Standing {
  /** Nothing is due at or before business now, no send is open (claimed or handed) and no run is due. */
  readonly idle: boolean;
  /** As `nextDueAt`. */
  readonly next: Instant | null;
}

/** Both from one snapshot, so that nothing slips between the questions. */
export async function standing(db: Queryable): Promise<Standing> {
  const { rows } = await db.query<{ idle: boolean; next: Instant | null }>(
    `select coalesce(next.due_at > coalesce(engine.stepped_at, clock_timestamp()), true)
       and not exists (select 1 from sends where status in ('claimed', 'handed') and held_at is null) as idle,
       next.due_at as next
     from engine, (${NEXT_DUE}) as next`,
  );
  return rows[0] ?? { idle: true, next: null };
}

/** True when a stepped clock may jump: see `Standing`. */
export async function isIdle(db: Queryable): Promise<boolean> {
  return (await standing(db)).idle;
}
