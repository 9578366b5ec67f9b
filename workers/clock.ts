/**
 * The stepped business clock: it jumps to the next due instant when nothing is open. For demonstrations and for tests
 * that compare the real pipeline with a simulation; a real company runs on the database's own time.
 */
import type { Database } from '../engine/store/database.ts';
import { standing, type Standing } from '../engine/store/due.ts';
import type { Instant } from '../engine/time/types.ts';
import { formatInstant } from '../engine/time/text.ts';

/** Sets the business clock. It only goes forward. @throws Error when `at` is earlier than where it stands. */
export async function setSteppedClock(db: Database, at: Instant): Promise<void> {
  // One statement, and its commit need not reach the disk: after a crash of the database the clock is set anew.
  const { rowCount } = await db.query(
    `with quickly as materialized (select set_config('synchronous_commit', 'off', true))
     update engine set stepped_at = to_timestamp($1::float8 / 1000) from quickly
     where stepped_at is null or stepped_at <= to_timestamp($1::float8 / 1000)`,
    [at],
  );
  if (rowCount !== 1) throw new Error(`the stepped clock cannot go back to ${formatInstant(at)}`);
}

/** Puts the business clock back on the database's own time. */
export async function endSteppedClock(db: Database): Promise<void> {
  await db.query('update engine set stepped_at = null');
}

/** How the stepper learns that work may be over, and tells the engine that the clock has moved. */
export interface StepperSignals {
  /** Tells the scheduler to look now. */
  wake(): void;
  /** Resolves when some work was done since it was last called, to true, or after `timeoutMs`, to false. */
  worked(timeoutMs: number): Promise<boolean>;
}

/** Work of one instant that takes longer than this is stuck: a held row would not count as open. */
const STUCK_AFTER_MS = 60_000;
/** Work hints at what follows from it; the scheduler is asked only when nothing has happened for so long. */
const QUIET_MS = 50;

/** Waits until nothing is due and nothing is open at the present business time. @throws Error when it never comes. */
export async function untilIdle(db: Database, signals: StepperSignals): Promise<Standing> {
  const startedMs = performance.now();
  for (;;) {
    const now = await standing(db);
    if (now.idle) return now;
    if (performance.now() - startedMs > STUCK_AFTER_MS) {
      throw new Error(`work at the present business time is not done after ${STUCK_AFTER_MS / 1_000} s`);
    }
    if (!(await signals.worked(QUIET_MS))) signals.wake();
  }
}

/**
 * Steps from due instant to due instant up to and including `until`, and leaves the clock there.
 * `onStep` is called after each jump.
 */
export async function stepUntil(
  db: Database,
  signals: StepperSignals,
  until: Instant,
  onStep: (at: Instant) => void = () => undefined,
): Promise<void> {
  for (;;) {
    const { next } = await untilIdle(db, signals);
    if (next === null || next > until) break;
    await setSteppedClock(db, next);
    onStep(next);
    signals.wake();
    // Something is due now, so there is nothing to ask before some of it is done.
    await signals.worked(QUIET_MS);
  }
  await setSteppedClock(db, until);
}
