/**
 * Moving everything from one database to another. Invariants:
 * - M1 At most one of the two lets a fleet start, at any moment and whatever is killed when: the old one says `moving` before anything is
 *   copied, and the new one is there with every row or not at all.
 *   Where it was to go is written beside it, and only there it may go on; giving that up looks there first.
 * - M2 What is written to the old one meanwhile waits, and then is refused: it is locked against writing while it is read.
 */
import type pg from 'pg';
import { writeAudit } from '../audit.ts';
import { businessNow, type Queryable } from '../database.ts';
import { fleetAtWork, placeOf, readWhereabouts } from '../home.ts';
import { requireMigrated } from '../migrate.ts';
import { OWN_TABLES } from './contents.ts';
import { asQueryable, fillDatabase, FillError } from './fill-database.ts';
import { prepareReading, readDatabase } from './read-database.ts';

/** What sessions of a move are called at both databases. */
export const MOVE_SESSION = 'perennial move';

/** What is asked for. The names of the two hold no secrets. */
export interface MoveRequest {
  readonly from: string;
  readonly to: string;
  readonly version: string;
  readonly by: string;
  readonly reason: string;
  readonly dryRun: boolean;
  /** Told of each table that has arrived. */
  readonly onTable?: (name: string, rows: number) => void;
}

/** What became of it. */
export type Moved =
  | { readonly outcome: 'moved'; readonly dryRun: boolean; readonly rows: Readonly<Record<string, number>> }
  /** An earlier move had been cut short after its last row: now it is done. */
  | { readonly outcome: 'completed' }
  | { readonly outcome: 'moved before'; readonly to: string | null }
  /** An earlier move to another database was cut short, and all may be there. */
  | OtherTarget
  | { readonly outcome: 'not recovered' }
  | { readonly outcome: 'same database' }
  | { readonly outcome: 'at work'; readonly signs: readonly string[] };

interface OtherTarget {
  readonly outcome: 'other target';
  readonly to: string | null;
}

const ANOTHER_MOVE = 'another "perennial move" is under way there';

/** Any fixed number that no other lock of ours has. Held by the session that moves, so that it goes with it. */
const MOVE_LOCK = 7_318_204_554;

async function lockMove(old: Queryable): Promise<boolean> {
  const { rows } = await old.query<{ locked: boolean }>('select pg_try_advisory_lock($1) as locked', [MOVE_LOCK]);
  return rows[0]?.locked === true;
}

/** Moves everything of `source` into `target`, which must be empty. @throws FillError, StoreError `not-migrated`, NewerDatabaseError. */
export async function moveDatabase(source: pg.Client, target: pg.Client, request: MoveRequest): Promise<Moved> {
  const old = asQueryable(source);
  await requireMigrated(old);
  if (!(await lockMove(old))) return { outcome: 'at work', signs: [ANOTHER_MOVE] };
  const { away, awayTo } = await readWhereabouts(old);
  if (away === 'moved') return { outcome: 'moved before', to: awayTo };
  if (away === 'restored') return { outcome: 'not recovered' };
  if (away === 'moving' && awayTo !== request.to) return { outcome: 'other target', to: awayTo };
  const [from, to] = [await placeOf(old), await placeOf(asQueryable(target))];
  if (from !== null && from === to) return { outcome: 'same database' };
  const signs = await fleetAtWork(old);
  if (signs.length > 0) return { outcome: 'at work', signs };
  const arrived = await hasArrived(old, asQueryable(target));
  if (arrived && away === 'moving') {
    if (!request.dryRun) await leave(old, request);
    return { outcome: 'completed' };
  }
  if (arrived) {
    throw new FillError(
      'not-empty',
      `${request.to} has a copy of this very database already: only an empty one can be filled`,
    );
  }
  if (request.dryRun) return { outcome: 'moved', dryRun: true, rows: await rehearse(source, target, request) };
  await old.query(`update engine set away = 'moving', away_to = $1`, [request.to]);
  return copyAll(source, target, to, request);
}

async function copyAll(
  source: pg.Client,
  target: pg.Client,
  place: string | null,
  request: MoveRequest,
): Promise<Moved> {
  const old = asQueryable(source);
  let committing = false;
  try {
    const rows = await copyInto(source, target, request);
    await arrive(asQueryable(target), place, request, rows);
    committing = true;
    await target.query('commit');
    await source.query('commit');
    await leave(old, request);
    return { outcome: 'moved', dryRun: false, rows };
  } catch (error) {
    // Whether the last word arrived, only the new database knows: the same command asks it.
    if (!committing) {
      await Promise.allSettled([source.query('rollback'), target.query('rollback')]);
      await old.query('update engine set away = null, away_to = null');
    }
    throw error;
  }
}

/** Leaves the transactions of both open. */
async function copyInto(
  source: pg.Client,
  target: pg.Client,
  { version, onTable }: MoveRequest,
): Promise<Readonly<Record<string, number>>> {
  await source.query('begin isolation level repeatable read');
  await prepareReading(source);
  // Before the first read, which makes the snapshot: what is written under way is waited for and seen.
  await source.query(`set local lock_timeout = '20s'; lock table ${[...OWN_TABLES].join(', ')} in share mode`);
  const contents = await readDatabase(source, version);
  await target.query('begin');
  const tail = await fillDatabase(target, contents, onTable);
  return tail.rows;
}

/** All of it, and then nothing of it. */
async function rehearse(
  source: pg.Client,
  target: pg.Client,
  request: MoveRequest,
): Promise<Readonly<Record<string, number>>> {
  try {
    return await copyInto(source, target, request);
  } finally {
    await Promise.allSettled([source.query('rollback'), target.query('rollback')]);
  }
}

async function arrive(
  db: Queryable,
  place: string | null,
  { from, to, by, reason }: MoveRequest,
  rows: Readonly<Record<string, number>>,
): Promise<void> {
  await db.query('update engine set home = $1, away = null, away_to = null', [place]);
  await writeAudit(db, { businessAt: await businessNow(db), by, action: 'move', reason, detail: { from, to, rows } });
}

async function leave(db: Queryable, { from, to, by, reason }: MoveRequest): Promise<void> {
  const businessAt = await businessNow(db);
  await db.query(`update engine set away = 'moved', away_to = $1`, [to]);
  await writeAudit(db, { businessAt, by, action: 'move', reason, detail: { from, to } });
}

/** Whether the new database is this one, moved: it has its name, which is given once. */
async function hasArrived(old: Queryable, target: Queryable): Promise<boolean> {
  const { rows } = await target.query<{ there: boolean }>(`select to_regclass('engine') is not null as there`);
  if (rows[0]?.there !== true) return false;
  const nameOf = async (db: Queryable): Promise<string | undefined> =>
    (await db.query<{ installation: string }>('select installation from engine')).rows[0]?.installation;
  return (await nameOf(old)) === (await nameOf(target));
}

/** What became of giving up a move. Nothing but `cancelled` changes anything. */
export type MoveCancelled =
  | { readonly outcome: 'cancelled' }
  | { readonly outcome: 'no move' }
  | OtherTarget
  /** All is in the new database, and a fleet may start there, or has. */
  | { readonly outcome: 'arrived' }
  | { readonly outcome: 'at work'; readonly signs: readonly string[] };

/** Who gives up a move, and what is known of the database that it went to. */
export interface CancelRequest {
  readonly target: { readonly name: string; readonly client: pg.Client } | 'gone';
  readonly by: string;
  readonly reason: string;
}

/** Gives up a move that was cut short, where the other side cannot start: it is looked at, or a person says that it is gone for good. */
export async function cancelMove(source: pg.Client, { target, by, reason }: CancelRequest): Promise<MoveCancelled> {
  const old = asQueryable(source);
  if (!(await lockMove(old))) return { outcome: 'at work', signs: [ANOTHER_MOVE] };
  const { away, awayTo } = await readWhereabouts(old);
  if (away !== 'moving') return { outcome: 'no move' };
  if (target !== 'gone') {
    if (target.name !== awayTo) return { outcome: 'other target', to: awayTo };
    const there = asQueryable(target.client);
    // First: what that session has sent may be committed once it is killed, and then it is seen.
    if (await isMoving(there)) return { outcome: 'at work', signs: [ANOTHER_MOVE] };
    if (await hasArrived(old, there)) return { outcome: 'arrived' };
  }
  await old.query('update engine set away = null, away_to = null');
  await writeAudit(old, {
    businessAt: await businessNow(old),
    by,
    action: 'move.cancel',
    reason,
    detail: { to: awayTo, gone: target === 'gone' },
  });
  return { outcome: 'cancelled' };
}

async function isMoving(target: Queryable): Promise<boolean> {
  const { rows } = await target.query<{ moving: boolean }>(
    `select exists (select from pg_stat_activity
       where datname = current_database() and application_name = $1 and pid <> pg_backend_pid()) as moving`,
    [MOVE_SESSION],
  );
  return rows[0]?.moving === true;
}
