/**
 * What is due now, as customer ids: the scheduler's look at the database. It takes some rows of every playbook and
 * lane, so that a mass at the head of one starves no other, and goes on where it stopped instead of reading again what
 * it has just handed out. A hint may be wrong or doubled without harm: workers look again under the customer's lock.
 */
import { formatInstant } from '../time/text.ts';
import type { Instant } from '../time/types.ts';
import type { Queryable } from './database.ts';
import { nextDueAfter } from './due.ts';
import { fairly, type DueRow, type Walk } from './tick-fairness.ts';
import { SOURCES, type Source, type TickLane } from './tick-sources.ts';

/** Bounds of one tick. */
export interface TickLimits {
  /** Rows of one playbook and table in one tick, 1 or more. */
  readonly perPlaybook: number;
  /** Customers per lane in one tick: what the bound on outstanding hints leaves free. 0 leaves a lane out. */
  readonly room: Readonly<Record<TickLane, number>>;
  /** Where the last tick stopped: one object for the life of a scheduler. */
  readonly cursor: TickCursor;
  /** How long a row that was handed out has before it is handed out again, in ms of the database. Default 5,000. */
  readonly againAfterMs?: number;
}

/** What a tick found. */
export interface Ticked {
  readonly advance: readonly number[];
  readonly transactional: readonly number[];
  readonly bulk: readonly number[];
  /** Business time of the tick. */
  readonly now: Instant;
  /** Business now while more is due than was handed out; else the earliest instant after now at which anything is. */
  readonly next: Instant | null;
  /** All that may be left is in lanes without room: looking again is of no use before the fleet has taken some. */
  readonly awaitsRoom: boolean;
}

/** What ticks remember from one to the next. Memory is bounded by what is handed out in `againAfterMs`. */
export interface TickCursor {
  readonly walks: Map<string, { readonly place: Place | null; readonly startedMs: number }>;
  /** Rows handed out, oldest first, with the machine time at which they were. */
  readonly given: Map<string, number>;
}

interface Place {
  readonly dueAt: Instant;
  readonly customerId: number;
}

/** Pages of one table that a tick reads at most while it skips what is already handed out. */
const MAX_PAGES = 4;
const MIN_PAGE = 20;

/** A cursor for the first tick of a scheduler. */
export function newTickCursor(): TickCursor {
  return { walks: new Map(), given: new Map() };
}

/** Finds what is due now. Reads only; the cost is that of the rows taken, however many wait. */
export async function tick(db: Queryable, limits: TickLimits): Promise<Ticked> {
  const head = await readHead(db);
  const { cursor } = limits;
  const horizonMs = head.machineMs - (limits.againAfterMs ?? 5_000);
  forget(cursor, horizonMs);
  const walked = await Promise.all(SOURCES.map((source) => walk(db, source, head, limits, horizonMs)));
  const taken = LANES.map((lane) => {
    const walks = walked.filter((_, index) => SOURCES[index]?.lane === lane).flat();
    const { customerIds, more } = fairly(walks, limits.room[lane]);
    remember(cursor, walks, head.machineMs);
    return { customerIds, more };
  });
  const more = taken.some((one) => one.more);
  // Without room for a lane nobody looked: there may be more.
  const awaitsRoom = !more && LANES.some((lane) => limits.room[lane] <= 0);
  const [still, next] = await Promise.all([
    heldAmong(db, [...new Set(taken.flatMap(({ customerIds }) => customerIds))]),
    more || awaitsRoom ? head.now : nextDueAfter(db, head.now),
  ]);
  const [advance, transactional, bulk] = taken.map((one) => one.customerIds.filter((id) => !still.has(id)));
  return {
    advance: advance ?? [],
    transactional: transactional ?? [],
    bulk: bulk ?? [],
    now: head.now,
    next,
    awaitsRoom,
  };
}

const LANES: readonly TickLane[] = ['advance', 'transactional', 'bulk'];

interface Head {
  readonly now: Instant;
  readonly machineMs: number;
  readonly playbooks: readonly { readonly id: number; readonly live: boolean; readonly paused: boolean }[];
}

async function readHead(db: Queryable): Promise<Head> {
  const { rows } = await db.query<{ now: number; ms: number; id: number | null; live: boolean; paused: boolean }>(
    `select floor(extract(epoch from coalesce(engine.stepped_at, t.at)) * 1000)::bigint as now,
       floor(extract(epoch from t.at) * 1000)::bigint as ms, p.id, p.live,
       exists (select 1 from pauses where scope = '*' or scope = p.name) as paused
     from engine cross join (select clock_timestamp() as at) t left join playbooks p on true`,
  );
  const first = rows[0];
  if (first === undefined) throw new Error('the table "engine" has no row: run "perennial migrate"');
  const playbooks = rows.flatMap((row) => (row.id === null ? [] : [{ ...row, id: row.id }]));
  return { now: first.now, machineMs: first.ms, playbooks };
}

/** Reads on in one table, for all playbooks at once, until each has enough that is new or has come to its end. */
async function walk(
  db: Queryable,
  source: Source,
  head: Head,
  limits: TickLimits,
  horizonMs: number,
): Promise<readonly Walk[]> {
  const { cursor, perPlaybook } = limits;
  if (limits.room[source.lane] <= 0) return [];
  const walks = head.playbooks
    .filter((playbook) => (source.playbooks === 'live' ? playbook.live : !playbook.paused))
    .map((playbook) => openWalk(cursor, `${source.name}:${playbook.id}`, playbook.id, head.machineMs, horizonMs));
  const room = limits.room[source.lane];
  let hungry = walks;
  for (let page = 0; page < MAX_PAGES && hungry.length > 0; page += 1) {
    // A share of the room for each, so that many busy playbooks do not each read what only one may hand out.
    const limit = Math.min(perPlaybook, Math.max(MIN_PAGE, Math.ceil(room / hungry.length)));
    const byPlaybook = await readPage(db, source, hungry, head.now, limit);
    for (const one of hungry) {
      const rows = byPlaybook.get(one.playbookId) ?? [];
      one.atEnd = rows.length < limit;
      one.readTo = rows.at(-1) ?? one.readTo;
      one.fresh.push(...rows.filter((row) => !cursor.given.has(rowKey(one, row))));
    }
    if (walks.reduce((sum, one) => sum + one.fresh.length, 0) >= room) break;
    hungry = hungry.filter((one) => !one.atEnd && one.fresh.length < perPlaybook);
  }
  return walks;
}

function openWalk(cursor: TickCursor, key: string, playbookId: number, nowMs: number, horizonMs: number): Walk {
  const known = cursor.walks.get(key);
  // Rows can appear behind the place (a deferred mail, an earlier date): begin again now and then.
  const goesOn = known !== undefined && known.startedMs > horizonMs;
  const place = goesOn ? known.place : null;
  return {
    key,
    playbookId,
    startedMs: goesOn ? known.startedMs : nowMs,
    from: place,
    readTo: place,
    atEnd: false,
    fresh: [],
    taken: 0,
  };
}

async function readPage(
  db: Queryable,
  source: Source,
  walks: readonly Walk[],
  now: Instant,
  limit: number,
): Promise<ReadonlyMap<number, readonly DueRow[]>> {
  const { rows } = await db.query<DueRow & { playbookId: number; [column: string]: unknown }>(source.sql, [
    walks.map((one) => one.playbookId),
    walks.map((one) => (one.readTo === null ? '-infinity' : formatInstant(one.readTo.dueAt))),
    walks.map((one) => one.readTo?.customerId ?? 0),
    now,
    limit,
  ]);
  const byPlaybook = new Map<number, DueRow[]>();
  for (const row of rows) {
    const known = byPlaybook.get(row.playbookId);
    if (known === undefined) byPlaybook.set(row.playbookId, [row]);
    else known.push(row);
  }
  return byPlaybook;
}

function rowKey(one: Walk, row: DueRow): string {
  return `${one.key}:${row.customerId}:${row.dueAt}`;
}

function forget(cursor: TickCursor, horizonMs: number): void {
  for (const [key, givenMs] of cursor.given) {
    if (givenMs > horizonMs) return;
    cursor.given.delete(key);
  }
}

function remember(cursor: TickCursor, walks: readonly Walk[], machineMs: number): void {
  for (const one of walks) {
    for (const row of one.fresh.slice(0, one.taken)) cursor.given.set(rowKey(one, row), machineMs);
    const tookAll = one.taken === one.fresh.length;
    // At its end a walk begins again with the next tick; what it has handed out is remembered row by row.
    if (tookAll && one.atEnd) cursor.walks.delete(one.key);
    else {
      const place = tookAll ? one.readTo : (one.fresh[one.taken - 1] ?? one.from);
      cursor.walks.set(one.key, { place, startedMs: one.startedMs });
    }
  }
}

/** Those who stand still: held, erased or merged into another. */
async function heldAmong(db: Queryable, customerIds: readonly number[]): Promise<ReadonlySet<number>> {
  if (customerIds.length === 0) return new Set();
  const { rows } = await db.query<{ id: number }>(
    `select id from customers where id = any($1) and (held_at is not null or erased_at is not null or merged_into is not null)`,
    [customerIds],
  );
  return new Set(rows.map((row) => row.id));
}
