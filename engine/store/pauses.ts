/**
 * Pausing holds a playbook, or all of them, from the next claim and hand-over on; what is due waits where it stands,
 * and triggers go on enrolling. Resuming sends no flood: it leaves what is late to be skipped and spreads the rest.
 */
import type { ReleaseCache } from './context.ts';
import { writeAudit } from './audit.ts';
import { businessNow, type Database, type Queryable } from './database.ts';
import { lockFleet } from './lock.ts';
import { patientTransaction } from './patience.ts';
import { revokeFromPlaybook } from './revoke.ts';
import { defaultSpreadMs, heldBack, redate, type HeldBack } from './spread.ts';
import { time } from './sql.ts';

/** `ALL`, or a playbook's name. */
export type PauseScope = string;

/** Every playbook. */
export const ALL: PauseScope = '*';

/** A pause in force. */
export interface Pause {
  readonly scope: PauseScope;
  readonly at: number;
  readonly by: string;
  readonly reason: string;
}

/** What resuming did. */
export type Resumed =
  | { readonly outcome: 'not paused' }
  /** `*` is paused as well: nothing goes on until that is resumed. */
  | { readonly outcome: 'still paused'; readonly by: Pause }
  | {
      readonly outcome: 'resumed';
      /** Given a new time. */
      readonly sends: number;
      readonly enrolments: number;
      /** Left at their old time, since they are overdue for longer than `late_after`: their mails are skipped. */
      readonly late: number;
      readonly spreadMs: number;
    };

/** Pauses in force, by scope. */
export async function listPauses(db: Queryable): Promise<readonly Pause[]> {
  const { rows } = await db.query<Pause & { [column: string]: unknown }>(
    'select scope, at, by, reason from pauses order by scope',
  );
  return rows;
}

/**
 * Pauses; once this has returned, no mail of the scope is handed over. False when it was paused already.
 *
 * Two transactions, since the fleet lock is to be had only when every chunk under way has ended, which may take them as
 * long as a statement may (30 s). From the first commit on, the pause holds for everyone who looks: a hand-over, a
 * claim or an advance that begins later reads it. The second is for those who looked before. A hand-over that had begun
 * finds its row revoked or locked, and refuses, or has the row first and is waited for; a claim that had begun has
 * committed once the fleet is ours, and is revoked. So docs/architecture.md P3 holds from the return at the latest (see hand.ts), and
 * for all but the hand-overs of that very moment from the first commit. Killed in between, it is paused all the same:
 * what was claimed by then is refused by what hand-overs read. To pause again repeats the second part.
 */
export async function pause(db: Database, scope: PauseScope, by: string, reason: string): Promise<boolean> {
  const isNew = await patientTransaction(db, async (tx) => {
    const now = await businessNow(tx);
    const { rowCount } = await tx.query(
      'insert into pauses (scope, at, by, reason) values ($1, $2, $3, $4) on conflict (scope) do nothing',
      [scope, time(now), by, reason],
    );
    if (rowCount !== 1) return false;
    const playbook = scope === ALL ? null : scope;
    await writeAudit(tx, { businessAt: now, by, action: 'pause', playbook, reason });
    return true;
  });
  await patientTransaction(db, async (tx) => {
    await lockFleet(tx);
    await revokeFromPlaybook(tx, scope);
  });
  return isNew;
}

/**
 * Resumes. Sends and enrolments that came due in the meantime are first spread evenly over the next `spreadMs`
 * (default: 10 minutes for every 10,000 of them, 0 for fewer than 100), in their order, while the pause still holds;
 * killed half-way, it stays paused and can be resumed again.
 */
export async function resume(
  db: Database,
  cache: ReleaseCache,
  scope: PauseScope,
  by: string,
  reason: string,
  options: { readonly spreadMs?: number } = {},
): Promise<Resumed> {
  const pauses = new Map((await listPauses(db)).map((pause) => [pause.scope, pause]));
  if (!pauses.has(scope)) return { outcome: 'not paused' };
  const all = pauses.get(ALL);
  if (scope !== ALL && all !== undefined) {
    await lift(db, scope, by, reason, {});
    return { outcome: 'still paused', by: all };
  }
  const found = await heldBack(db, cache, (playbook) => (scope === ALL ? !pauses.has(playbook) : playbook === scope));
  const spreadMs = options.spreadMs ?? defaultSpreadMs(found.sends.length + found.enrolments.length);
  const moved = await spread(db, found, spreadMs);
  await lift(db, scope, by, reason, { ...moved, late: found.late, spreadMs });
  return { outcome: 'resumed', ...moved, late: found.late, spreadMs };
}

async function spread(
  db: Database,
  found: HeldBack,
  spreadMs: number,
): Promise<{ readonly sends: number; readonly enrolments: number }> {
  const now = await businessNow(db);
  return {
    sends: await redate(db, 'sends', found.sends, now, spreadMs),
    enrolments: await redate(db, 'enrolments', found.enrolments, now, spreadMs),
  };
}

async function lift(
  db: Database,
  scope: PauseScope,
  by: string,
  reason: string,
  detail: Readonly<Record<string, unknown>>,
): Promise<void> {
  await db.transaction(async (tx) => {
    const now = await businessNow(tx);
    await tx.query('delete from pauses where scope = $1', [scope]);
    const playbook = scope === ALL ? null : scope;
    await writeAudit(tx, { businessAt: now, by, action: 'resume', playbook, reason, detail });
  });
}
