/**
 * The stepped business clock: it jumps to the next due instant when nothing is open. For demonstrations and for tests
 * that compare the real pipeline with a simulation; a real company runs on the database's own time.
 */
import type { Database } from '../engine/store/database.ts';
import { isIdle, nextDueAt } from '../engine/store/due.ts';
import type { Instant } from '../engine/time/types.ts';
import { formatInstant } from '../engine/time/text.ts';

/** Sets the business clock. It only goes forward. @throws Error when `at` is earlier than where it stands. */
export async function setSteppedClock(db: Database, at: Instant): Promise<void> {
  const { rowCount } = await db.transaction(
    async (tx) =>
      tx.query(
        `update engine set stepped_at = to_timestamp($1::float8 / 1000)
         where stepped_at is null or stepped_at <= to_timestamp($1::float8 / 1000)`,
        [at],
      ),
    { durable: false },
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
  /** Resolves when some work was done since it was last called, or after `timeoutMs`. */
  worked(timeoutMs: number): Promise<void>;
}

/** Work of one instant that takes longer than this is stuck: a held row would not count as open. */
const STUCK_AFTER_MS = 60_000;

/** Waits until nothing is due and nothing is open at the present business time. @throws Error when it never comes. */
export async function untilIdle(db: Database, signals: StepperSignals): Promise<void> {
  const startedMs = performance.now();
  while (!(await isIdle(db))) {
    if (performance.now() - startedMs > STUCK_AFTER_MS) {
      throw new Error(`work at the present business time is not done after ${STUCK_AFTER_MS / 1_000} s`);
    }
    signals.wake();
    await signals.worked(50);
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
    await untilIdle(db, signals);
    const next = await nextDueAt(db);
    if (next === null || next > until) break;
    await setSteppedClock(db, next);
    onStep(next);
    signals.wake();
  }
  await setSteppedClock(db, until);
}
