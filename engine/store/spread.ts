/** What a pause held back, and giving it new times. */
import { addDuration } from '../time/duration.ts';
import { zone } from '../time/zone.ts';
import type { Instant } from '../time/types.ts';
import type { ReleaseCache, StoreContext } from './context.ts';
import type { Database, Queryable } from './database.ts';
import { patientTransaction } from './patience.ts';
import { time } from './sql.ts';

/** A row to be given a new time. */
export interface HeldBackRow {
  readonly id: number;
  readonly customerId: number;
}

/** All that is due and waits for a pause to end, the longest overdue first within each playbook. */
export interface HeldBack {
  readonly sends: readonly HeldBackRow[];
  readonly enrolments: readonly HeldBackRow[];
  /** How many are overdue for longer than their playbook's `late_after`. */
  readonly late: number;
}

/** Fewer than these go out at once. */
const SMALL = 100;
/** 10 minutes for 10,000. */
const SPREAD_MS_PER_ROW = 60;
const PAGE = 5_000;
/** Rows re-dated in one transaction, and customers locked by it. */
const CHUNK = 1_000;

/** Over how long so many rows are spread, in ms: 10 minutes for every 10,000, nothing for fewer than 100. */
export function defaultSpreadMs(rows: number): number {
  return rows < SMALL ? 0 : rows * SPREAD_MS_PER_ROW;
}

type DueRow = {
  readonly id: number;
  readonly customer_id: number;
  readonly version_id: number;
  readonly due_at: Instant;
  readonly timezone: string | null;
};

/** Finds what is due in the playbooks that `isConcerned` names, and tells late from not late as the claim will. */
export async function heldBack(
  db: Database,
  cache: ReleaseCache,
  isConcerned: (playbook: string) => boolean,
): Promise<HeldBack> {
  const found = { sends: [] as HeldBackRow[], enrolments: [] as HeldBackRow[], late: 0 };
  const ctx = await cache.context(db);
  const { rows } = await db.query<{ id: number; name: string }>('select id, name from playbooks order by id');
  for (const { id } of rows.filter((row) => isConcerned(row.name))) {
    for (const table of ['sends', 'enrolments'] as const) {
      for await (const page of duePages(db, table, id, ctx.now)) {
        await ctx.prepareVersions(
          db,
          page.map((row) => row.version_id),
        );
        for (const row of page) {
          if (isLate(row, ctx)) found.late += 1;
          else found[table].push({ id: row.id, customerId: row.customer_id });
        }
      }
    }
  }
  return found;
}

/** docs/playbooks.md `late_after`: as `decide` in engine/journey asks it. */
function isLate(row: DueRow, ctx: StoreContext): boolean {
  const { playbook, version } = ctx.ids.version(row.version_id);
  const { lateAfter } = ctx.playbookOf(playbook, version);
  const own = row.timezone === null ? null : zone(row.timezone);
  return ctx.now > addDuration(row.due_at, lateAfter, own ?? ctx.release.company.zone);
}

const DUE: Readonly<Record<'sends' | 'enrolments', string>> = {
  sends: `select t.id, t.customer_id, e.version_id, t.due_at, c.timezone
    from sends t join enrolments e on e.id = t.enrolment_id join customers c on c.id = t.customer_id
    where t.playbook_id = $1 and t.lane in ('transactional', 'bulk') and t.status = 'planned' and t.held_at is null`,
  enrolments: `select t.id, t.customer_id, t.version_id, t.due_at, c.timezone
    from enrolments t join customers c on c.id = t.customer_id
    where t.playbook_id = $1 and t.due_at is not null and t.held_at is null`,
};

async function* duePages(
  db: Queryable,
  table: 'sends' | 'enrolments',
  playbookId: number,
  now: Instant,
): AsyncGenerator<readonly DueRow[]> {
  let after: { readonly dueAt: string; readonly id: number } = { dueAt: '-infinity', id: 0 };
  for (;;) {
    const { rows } = await db.query<DueRow>(
      `${DUE[table]} and t.due_at < $2 and (t.due_at, t.id) > ($3::timestamptz, $4::bigint)
       order by t.due_at, t.id limit $5`,
      [playbookId, time(now), after.dueAt, after.id, PAGE],
    );
    if (rows.length > 0) yield rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return;
    after = { dueAt: time(last.due_at), id: last.id };
  }
}

/** Gives the rows times from `now` on, evenly over `spreadMs`, in their order; returns how many were still due. */
export async function redate(
  db: Database,
  table: 'sends' | 'enrolments',
  rows: readonly HeldBackRow[],
  now: Instant,
  spreadMs: number,
): Promise<number> {
  const isOpen = table === 'sends' ? `t.status = 'planned'` : `t.status = 'active' and t.due_at is not null`;
  let moved = 0;
  for (let first = 0; first < rows.length; first += CHUNK) {
    const chunk = rows.slice(first, first + CHUNK);
    const times = chunk.map((_, index) => time(now + Math.floor(((first + index) * spreadMs) / rows.length)));
    moved += await patientTransaction(db, async (tx) => {
      await lockForRedating(tx, chunk);
      const { rowCount } = await tx.query(
        `update ${table} t set due_at = w.due_at from unnest($1::bigint[], $2::timestamptz[]) as w (id, due_at)
         where t.id = w.id and t.due_at < $3 and ${isOpen}`,
        [chunk.map((row) => row.id), times, time(now)],
      );
      return rowCount ?? 0;
    });
  }
  return moved;
}

/** Customers before enrolments and sends, ascending, as everywhere; their addresses do not matter here. */
async function lockForRedating(tx: Queryable, rows: readonly HeldBackRow[]): Promise<void> {
  await tx.query('select id from customers where id = any($1::bigint[]) order by id for no key update', [
    rows.map((row) => row.customerId),
  ]);
}
