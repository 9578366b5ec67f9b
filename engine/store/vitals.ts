/** How the whole fleet is, as far as the database knows: for gauges, and for a process that doubts whether it still works. */
import type { Queryable } from './database.ts';
import { EARLIEST_BY_LANE } from './due.ts';
import type { HeldKind } from './held.ts';

/** Whose work is due: that of the lanes, and the mass runs of the scheduler. */
export type DueLane = 'advance' | 'transactional' | 'bulk' | 'runs';

/** The state of the fleet. Counts go up to `MOST` and no further, so that they cost the same in any state. */
export interface Vitals {
  /** For how long the earliest work that can go on has been due, in ms; 0: nothing is due. */
  readonly lagMs: Readonly<Record<DueLane, number>>;
  /** Mails that may be claimed, by lane; paused ones included. */
  readonly due: Readonly<Record<'transactional' | 'bulk', number>>;
  /** Mails that are claimed, or handed over and without an outcome. */
  readonly open: Readonly<Record<'claimed' | 'handed', number>>;
  readonly held: Readonly<Record<HeldKind, number>>;
  /** Mails in doubt: those that wait for a person, and those that were taken as sent within the last day. */
  readonly unknown: Readonly<Record<'waiting' | 'assumed', number>>;
  readonly pauses: number;
  /** Domains to which no mail goes at present. */
  readonly domainHolds: number;
  /** Whether a scheduler acts: its lease holds. */
  readonly scheduled: boolean;
}

/** Nothing is counted further than this. */
export const MOST = 10_000;

/** At most so many rows of a table, by an index that has only such rows. */
function counted(name: string, label: string, from: string): string {
  return `select '${name}' as name, '${label}' as label,
    (select count(*) from (select 1 from ${from} limit ${MOST}) c)::float8 as value`;
}

function due(lane: string): string {
  return counted(
    'due',
    lane,
    `playbooks p cross join lateral (
       select 1 from sends t, clock
       where t.playbook_id = p.id and t.lane = '${lane}' and t.status = 'planned' and t.held_at is null
         and t.due_at <= clock.now limit ${MOST}) d`,
  );
}

/** They are kept for held customers only, of whom there are few. */
const HELD_EVENTS = `customers c
  cross join lateral (select 1 from held_events h where h.customer_id = c.id limit ${MOST}) h where c.held_at is not null`;
const OPEN = `status in ('claimed', 'handed')`;

/** The statement of `readVitals`: for the test that refuses sequential scans. */
export const VITALS = `
  with clock as (select coalesce(stepped_at, clock_timestamp()) as now from engine),
  lanes as (${EARLIEST_BY_LANE})
  select 'lag' as name, lane as label,
    coalesce(greatest(0, extract(epoch from clock.now - due_at) * 1000), 0)::float8 as value from lanes, clock
  union all ${due('transactional')}
  union all ${due('bulk')}
  union all ${counted('open', 'claimed', `sends where ${OPEN} and status = 'claimed'`)}
  union all ${counted('open', 'handed', `sends where ${OPEN} and status = 'handed'`)}
  union all ${counted('held', 'customer', 'customers where held_at is not null')}
  union all ${counted('held', 'enrolment', 'enrolments where held_at is not null')}
  union all ${counted('held', 'send', 'sends where held_at is not null')}
  union all ${counted('held', 'event', HELD_EVENTS)}
  union all ${counted('held', 'webhook', 'webhook_calls where held_at is not null')}
  union all ${counted('unknown', 'waiting', `sends where held_at is not null and status = 'unknown'`)}
  union all ${counted('unknown', 'assumed', `sends, clock where status = 'unknown' and settled_at > clock.now - interval '1 day' and held_at is null`)}
  union all ${counted('pauses', '', 'pauses')}
  union all ${counted('domainHolds', '', 'domain_holds, clock where until > clock.now')}
  union all ${counted('scheduled', '', `leases where name = 'scheduler' and until > clock_timestamp()`)}`;

/** Reads it, in one statement of a few milliseconds. */
export async function readVitals(db: Queryable): Promise<Vitals> {
  const { rows } = await db.query<{ name: string; label: string; value: number }>(VITALS);
  const values = new Map(rows.map(({ name, label, value }) => [`${name} ${label}`, value]));
  const of = (name: string, label = ''): number => values.get(`${name} ${label}`) ?? 0;
  return {
    lagMs: {
      advance: of('lag', 'advance'),
      transactional: of('lag', 'transactional'),
      bulk: of('lag', 'bulk'),
      runs: of('lag', 'runs'),
    },
    due: { transactional: of('due', 'transactional'), bulk: of('due', 'bulk') },
    open: { claimed: of('open', 'claimed'), handed: of('open', 'handed') },
    held: {
      customer: of('held', 'customer'),
      enrolment: of('held', 'enrolment'),
      send: of('held', 'send'),
      event: of('held', 'event'),
      webhook: of('held', 'webhook'),
    },
    unknown: { waiting: of('unknown', 'waiting'), assumed: of('unknown', 'assumed') },
    pauses: of('pauses'),
    domainHolds: of('domainHolds'),
    scheduled: of('scheduled') > 0,
  };
}
