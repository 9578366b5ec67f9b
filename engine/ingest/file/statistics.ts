/** Keeps the planner's statistics up with an import. */
import type { Database } from '../../store/database.ts';

const FIRST_AT_LINES = 2_000;
/** Each time so many times as many lines are stored. */
const GROWTH = 4;

/**
 * Statements are prepared, and PostgreSQL keeps the plan of a prepared one: made while a table was empty, it reads the
 * whole of it when it is large. Autovacuum notices within a minute or so; an import makes a table large in seconds.
 * Analysing lets every session of the database, the fleet's too, plan anew.
 */
export class StatisticsKeeper {
  private lines = 0;
  private dueAt = FIRST_AT_LINES;

  /** Takes note of so many more lines, and analyses when they have become many. */
  async stored(db: Database, lines: number): Promise<void> {
    this.lines += lines;
    if (this.lines < this.dueAt) return;
    this.dueAt = this.lines * GROWTH;
    // A table that autovacuum is at just now is left to it.
    await db.query('analyze (skip_locked) customers, event_stats, event_keys, enrolments, timers, sends, suppressions');
  }
}
