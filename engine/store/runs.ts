/**
 * Mass work: asking everyone at a launch, arming everyone for a new trigger of time (docs/architecture.md section 3).
 *
 * 1. A run goes through the customers by id; its cursor moves in the transaction of the chunk.
 * 2. What the chunk does is what an advance of these customers does, so a customer who is met earlier by other work is
 *    asked then, in the logical time of the launch, and noted in `run_asked`.
 * 3. Who is held while a launch goes past is noted in `run_owed`, and asked when released (load-readers.ts). Timers need
 *    no such note: whoever is touched has theirs armed.
 * 4. Killed anywhere, a run goes on from its cursor; two schedulers at once only do the same twice to no effect.
 */
import { runDue } from '../journey/run.ts';
import type { Instant } from '../time/types.ts';
import { withCustomers } from './chunk.ts';
import type { ReleaseCache } from './context.ts';
import type { Database, Queryable } from './database.ts';
import type { Held } from './hold.ts';
import { lockCustomers, lockFleet } from './lock.ts';
import { patientTransaction } from './patience.ts';
import { recordAll } from './record.ts';
import { time } from './sql.ts';

/** How much one call does. */
export interface RunOptions {
  /** Customers of one transaction, 1 to some hundred. */
  readonly chunk: number;
  /** Chunks of one call at most; a scheduler has other things to do in between. Default 4. */
  readonly chunks?: number;
  readonly onHeld?: (held: Held) => void;
}

/** What one call did. `more`: a run is due and not yet done. */
export interface RunsWorked {
  readonly customers: number;
  /** Runs that came to their end. */
  readonly finished: number;
  readonly more: boolean;
}

type DueRun = {
  readonly id: number;
  readonly kind: 'launch' | 'arm';
  readonly dueAt: Instant;
  readonly status: 'planned' | 'running';
  readonly cursorId: number;
  readonly untilId: number | null;
};

/** Works on the runs that are due, the earliest first. @throws what `withCustomers` throws. */
export async function workRuns(db: Database, cache: ReleaseCache, options: RunOptions): Promise<RunsWorked> {
  let customers = 0;
  let finished = 0;
  for (let chunks = options.chunks ?? 4; chunks > 0; chunks -= 1) {
    const run = await nextRun(db);
    if (run === null) return { customers, finished, more: false };
    const untilId = run.untilId ?? (await start(db, run.id));
    const ids = await nextCustomers(db, run, untilId, options.chunk);
    if (ids.length > 0) await workChunk(db, cache, run, ids, options);
    customers += ids.length;
    if (ids.length < options.chunk) {
      if (await finish(db, run.id, ids.at(-1) ?? run.cursorId)) finished += 1;
    }
  }
  return { customers, finished, more: (await nextRun(db)) !== null };
}

async function nextRun(db: Queryable): Promise<DueRun | null> {
  const { rows } = await db.query<DueRun>(
    `select r.id, r.kind, r.due_at as "dueAt", r.status, r.cursor_id as "cursorId", r.until_id as "untilId"
     from runs r, engine
     where r.status <> 'done' and r.due_at <= coalesce(engine.stepped_at, clock_timestamp())
     order by r.due_at, r.id limit 1`,
  );
  return rows[0] ?? null;
}

/** Fixes the last customer concerned. Whoever is being created at this moment has committed once the fleet is ours. */
async function start(db: Database, runId: number): Promise<number> {
  return db.transaction(async (tx) => {
    await lockFleet(tx);
    const { rows } = await tx.query<{ until_id: number }>(
      `update runs set status = 'running', until_id = coalesce(until_id, (select coalesce(max(id), 0) from customers))
       where id = $1 returning until_id`,
      [runId],
    );
    // Taken back by a deploy in the meantime: then nobody is concerned.
    return rows[0]?.until_id ?? 0;
  });
}

/** Held customers too: only under their locks is it certain that they are, and that the launch is owed to them. */
async function nextCustomers(db: Queryable, run: DueRun, untilId: number, limit: number): Promise<number[]> {
  const { rows } = await db.query<{ id: number }>(
    `select id from customers
     where id > $1 and id <= $2 and erased_at is null and merged_into is null
       and ($3::timestamptz is null or arrived_at <= $3)
     order by id limit $4`,
    [run.cursorId, untilId, run.kind === 'launch' ? time(run.dueAt) : null, limit],
  );
  return rows.map((row) => row.id);
}

async function workChunk(
  db: Database,
  cache: ReleaseCache,
  run: DueRun,
  ids: readonly number[],
  options: RunOptions,
): Promise<void> {
  const { results } = await withCustomers(
    db,
    cache,
    ids,
    async (tx, drafts, ctx, asked) => {
      runDue(drafts, ctx.now, ctx);
      await recordAll(tx, drafts, ctx);
      const isWhole = asked.length === ids.length;
      if (isWhole) await moveCursor(tx, run, ids);
      return isWhole;
    },
    { recordsItself: true, mail: false, ...(options.onHeld === undefined ? {} : { onHeld: options.onHeld }) },
  );
  // A chunk with a culprit was done in parts; each has noted whom it asked, so the cursor may follow later.
  if (results.includes(true)) return;
  await patientTransaction(db, async (tx) => {
    await lockCustomers(tx, ids);
    await moveCursor(tx, run, ids);
  });
}

/**
 * Moves the cursor past these customers, whose locks the transaction has: each was asked, or is held and noted as owed.
 * Behind the cursor nobody needs to be remembered as asked.
 */
async function moveCursor(tx: Queryable, run: DueRun, ids: readonly number[]): Promise<void> {
  const to = ids.at(-1) ?? run.cursorId;
  const { rowCount } = await tx.query('update runs set cursor_id = $3 where id = $1 and cursor_id = $2', [
    run.id,
    run.cursorId,
    to,
  ]);
  if (rowCount !== 1) return;
  if (run.kind === 'launch') {
    await tx.query(
      `insert into run_owed (run_id, customer_id)
       select $1, c.id from customers c where c.id = any($2::bigint[]) and c.held_at is not null
         and not exists (select from run_asked a where a.run_id = $1 and a.customer_id = c.id)
       on conflict do nothing`,
      [run.id, ids],
    );
  }
  await tx.query('delete from run_asked where run_id = $1 and customer_id <= $2', [run.id, to]);
}

/** Only at the cursor that was seen: a deploy may have begun the run anew. */
async function finish(db: Database, runId: number, cursorId: number): Promise<boolean> {
  return db.transaction(async (tx) => {
    const { rowCount } = await tx.query(
      `update runs set status = 'done' where id = $1 and cursor_id = $2 and status = 'running'`,
      [runId, cursorId],
    );
    if (rowCount === 1) await tx.query('delete from run_asked where run_id = $1', [runId]);
    return rowCount === 1;
  });
}
