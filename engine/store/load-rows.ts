/** The customers' own rows, table by table, each in one statement. */
import type { Enrolment, EntryRecord, EventStat, Position, Profile, Send, Timer } from '../journey/types.ts';
import type { StepNames } from '../playbook/identity.ts';
import type { Json } from '../playbook/types.ts';
import type { Instant } from '../time/types.ts';
import type { StoreContext } from './context.ts';
import type { Queryable } from './database.ts';
import { renameScores, STEP_TABLES } from './moved.ts';
import { unpackOrigin, type StoredOrigin } from './origin.ts';
import type { StoredSend } from './stored.ts';

/** A customer's row. */
export interface CustomerRow {
  readonly id: number;
  readonly address: string | null;
  readonly arrivedAt: Instant;
  readonly identified: boolean;
  readonly profile: Profile;
}

type Ids = readonly number[];

/** Profiles and facts, ascending by id. */
export async function loadCustomers(tx: Queryable, ids: Ids): Promise<readonly CustomerRow[]> {
  type Row = Omit<Profile, 'id'> &
    Pick<CustomerRow, 'address' | 'identified'> & { row_id: number; arrived_at: Instant; key: string };
  const { rows } = await tx.query<Row>(
    `select id as row_id, address, arrived_at, identified, key, email, name, first_name, last_name, timezone, locale, birthday,
       created_at, tags, attributes, orders, spent, first_order_at, last_order_at, last_seen_at, satisfaction
     from customers where id = any($1::bigint[])`,
    [ids],
  );
  const customers = rows.map(({ row_id: id, address, arrived_at: arrivedAt, identified, key, ...profile }) => ({
    id,
    address,
    arrivedAt,
    identified,
    profile: { ...profile, id: key },
  }));
  return customers.sort((a, b) => a.id - b.id);
}

/** Counts of events, by customer and event. */
export async function loadStats(tx: Queryable, ids: Ids): Promise<ReadonlyMap<number, Map<string, EventStat>>> {
  type Row = { customer_id: number; event: string; first_at: Instant; last_at: Instant; count: number };
  const { rows } = await tx.query<Row>(
    `select customer_id, event, first_at, last_at, count from event_stats where customer_id = any($1::bigint[])`,
    [ids],
  );
  return groupToMaps(rows, (row) => [row.event, { first: row.first_at, last: row.last_at, count: row.count }]);
}

interface EnrolmentRow extends Record<string, unknown> {
  readonly id: number;
  readonly customer_id: number;
  readonly playbook_id: number;
  readonly version_id: number;
  readonly entry_key: string;
  readonly started_at: Instant;
  readonly origin: StoredOrigin | null;
  readonly vars: Readonly<Record<string, Json>> | null;
  readonly step: string;
  readonly ready: boolean;
  readonly due_at: Instant | null;
  readonly held: boolean;
  readonly moved: boolean | null;
}

/** An active enrolment with what its row needs to be written again. */
export interface LoadedEnrolment {
  readonly enrolment: Enrolment;
  readonly id: number;
  readonly held: boolean;
  /** Steps that its rows call otherwise than it does; null: none. */
  readonly renames: StepNames | null;
}

/** Active enrolments, the older first, their versions prepared; each in the version to which deployments moved it. */
export async function loadEnrolments(
  tx: Queryable,
  ids: Ids,
  ctx: StoreContext,
): Promise<ReadonlyMap<number, LoadedEnrolment[]>> {
  const { rows } = await tx.query<EnrolmentRow>(
    `select id, customer_id, playbook_id, version_id, entry_key, started_at, origin, vars, step, ready, due_at,
       held_at is not null as held, moved
     from enrolments where customer_id = any($1::bigint[]) and status = 'active'`,
    [ids],
  );
  await ctx.prepareVersions(
    tx,
    rows.map((row) => row.version_id),
  );
  const done = await loadDone(tx, rows, ctx);
  return group(rows.sort(byId), (row) => ({
    id: row.id,
    held: row.held,
    renames: ctx.ids.renames(row.version_id),
    enrolment: enrolmentOf(row, ctx, done.get(row.id)),
  }));
}

/** What moved enrolments have done before, by enrolment; hardly ever is there one. */
async function loadDone(
  tx: Queryable,
  rows: readonly EnrolmentRow[],
  ctx: StoreContext,
): Promise<ReadonlyMap<number, ReadonlySet<string>>> {
  const moved = rows.filter((row) => row.moved === true || ctx.ids.renames(row.version_id) !== null);
  if (moved.length === 0) return new Map();
  const { rows: found } = await tx.query<{ id: number; step: string }>(
    STEP_TABLES.map(
      (table) => `select enrolment_id as id, step from ${table} where enrolment_id = any($1::bigint[])`,
    ).join(' union all '),
    [moved.map((row) => row.id)],
  );
  const versions = new Map(moved.map((row) => [row.id, row.version_id]));
  const done = new Map<number, Set<string>>();
  for (const { id, step } of found) {
    const now = ctx.ids.stepNow(versions.get(id) ?? 0, step);
    done.set(id, (done.get(id) ?? new Set()).add(now));
  }
  return done;
}

function enrolmentOf(row: EnrolmentRow, ctx: StoreContext, done: ReadonlySet<string> | undefined): Enrolment {
  const { playbook, version } = ctx.ids.version(row.version_id);
  const step = ctx.ids.stepNow(row.version_id, row.step);
  const renames = ctx.ids.renames(row.version_id);
  const vars = row.vars ?? {};
  const position: Position =
    row.due_at === null || row.held ? { on: 'mail', step } : { on: 'time', step, dueAt: row.due_at, ready: row.ready };
  return {
    ...(done === undefined ? {} : { done }),
    id: row.id,
    playbook,
    version,
    entryKey: row.entry_key,
    startedAt: row.started_at,
    origin: unpackOrigin(row.origin, row.entry_key, row.started_at),
    vars: renames === null ? vars : renameScores(vars, renames, ctx.playbookOf(playbook, version)),
    position,
  };
}

/** What earlier enrolments forbid, by customer and playbook. */
export async function loadEntries(
  tx: Queryable,
  ids: Ids,
  ctx: StoreContext,
): Promise<ReadonlyMap<number, Map<string, EntryRecord>>> {
  type Row = { customer_id: number; playbook_id: number; last_started_at: Instant; keys: string[] };
  const { rows } = await tx.query<Row>(
    `select customer_id, playbook_id, max(started_at) as last_started_at,
       coalesce(array_agg(entry_key) filter (where entry_key not like all ('{event:%,manual:%,start:%}')), '{}') as keys
     from enrolments where customer_id = any($1::bigint[]) group by customer_id, playbook_id`,
    [ids],
  );
  return groupToMaps(rows, (row) => [
    ctx.ids.playbookName(row.playbook_id),
    { lastStartedAt: row.last_started_at, keys: new Set(row.keys) },
  ]);
}

/** Timers by customer and playbook. */
export async function loadTimers(
  tx: Queryable,
  ids: Ids,
  ctx: StoreContext,
): Promise<ReadonlyMap<number, Map<string, Timer>>> {
  type Row = { customer_id: number; playbook_id: number; due_at: Instant | null; basis: string };
  const { rows } = await tx.query<Row>(
    `select customer_id, playbook_id, due_at, basis from timers where customer_id = any($1::bigint[])`,
    [ids],
  );
  return groupToMaps(rows, (row) => {
    const playbook = ctx.ids.playbookName(row.playbook_id);
    return [playbook, { playbook, dueAt: row.due_at, basis: row.basis }];
  });
}

/** Sends of active enrolments that are planned, or on their way. */
export async function loadSends(
  tx: Queryable,
  ids: Ids,
  ctx: StoreContext,
): Promise<ReadonlyMap<number, LoadedSend[]>> {
  type Row = SendRow & {
    customer_id: number;
    planned: boolean;
    held: boolean;
    handed_at: Instant | null;
    paced_from: Instant | null;
  };
  const { rows } = await tx.query<Row>(
    `select s.customer_id, s.handed_at, s.status = 'planned' as planned, ${SEND_COLUMNS},
       s.held_at is not null or e.held_at is not null as held,
       case when s.due_at = s.waits_until then s.paced_from end as paced_from
     from sends s join enrolments e on e.id = s.enrolment_id
     where s.customer_id = any($1::bigint[]) and s.status in ('planned', 'claimed', 'handed') and e.status = 'active'`,
    [ids],
  );
  return group(rows.sort(byId), (row) => ({
    send: sendOf(row, ctx),
    planned: row.planned,
    stored: { id: row.id, held: row.held, copyAt: row.handed_at, pacedFrom: row.paced_from },
  }));
}

/** An open send; `planned: false` is claimed or handed over. */
export interface LoadedSend {
  readonly send: Send;
  readonly planned: boolean;
  readonly stored: StoredSend;
}

/** The columns of `sends s` and `enrolments e` that make a Send. */
export const SEND_COLUMNS =
  's.id, s.playbook_id, e.entry_key, e.version_id, s.step, s.visit, s.template, s.topic, s.lane, s.ask, s.first_due_at, s.due_at';

/** A row of SEND_COLUMNS. */
export interface SendRow extends Record<string, unknown> {
  readonly id: number;
  readonly playbook_id: number;
  readonly entry_key: string;
  readonly version_id: number;
  readonly step: string;
  readonly visit: number;
  readonly template: string;
  readonly topic: string;
  readonly lane: 'transactional' | 'bulk';
  readonly ask: string | null;
  readonly first_due_at: Instant;
  readonly due_at: Instant;
}

/** The send of a row. */
export function sendOf(row: SendRow, ctx: Pick<StoreContext, 'ids'>): Send {
  return {
    id: row.id,
    playbook: ctx.ids.playbookName(row.playbook_id),
    entryKey: row.entry_key,
    step: ctx.ids.stepNow(row.version_id, row.step),
    visit: row.visit,
    template: row.template,
    topic: row.topic,
    transactional: row.lane === 'transactional',
    ask: row.ask,
    firstDueAt: row.first_due_at,
    dueAt: row.due_at,
  };
}

/** Sorted here: asked to sort, a planner may walk a whole primary key rather than look up a few hundred rows. */
function byId(a: { readonly id: number }, b: { readonly id: number }): number {
  return a.id - b.id;
}

function group<R extends { readonly customer_id: number }, T>(
  rows: readonly R[],
  make: (row: R) => T,
): ReadonlyMap<number, T[]> {
  const groups = new Map<number, T[]>();
  for (const row of rows) {
    const of = groups.get(row.customer_id);
    if (of === undefined) groups.set(row.customer_id, [make(row)]);
    else of.push(make(row));
  }
  return groups;
}

function groupToMaps<R extends { readonly customer_id: number }, T>(
  rows: readonly R[],
  make: (row: R) => readonly [string, T],
): ReadonlyMap<number, Map<string, T>> {
  const groups = new Map<number, Map<string, T>>();
  for (const row of rows) {
    const [key, value] = make(row);
    const of = groups.get(row.customer_id);
    if (of === undefined) groups.set(row.customer_id, new Map([[key, value]]));
    else of.set(key, value);
  }
  return groups;
}
