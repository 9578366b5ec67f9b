/** Partitions of `events`: one for each quarter, made when the first event of it comes. */
import type { Instant } from '../time/types.ts';
import type { Database } from './database.ts';
import { time } from './sql.ts';

/** Events from before then share one partition. */
const FIRST_YEAR = 2000;

const made = new WeakMap<Database, Set<string>>();

/**
 * Makes the partitions that events of these times need. Before the transaction that inserts: making one takes a lock
 * on the whole table, which must not be kept. What was made is remembered for the life of the process.
 * A function of the database makes them, since the role that runs the fleet may be one that cannot make tables.
 */
export async function ensurePartitions(db: Database, times: Iterable<Instant>): Promise<void> {
  const known = made.get(db) ?? new Set<string>();
  made.set(db, known);
  const needed = new Map([...times].map((at) => [partitionOf(at), at]));
  for (const [partition, at] of needed) {
    if (known.has(partition)) continue;
    await db.query('select make_events_partition($1)', [time(at)]);
    known.add(partition);
  }
}

function partitionOf(at: Instant): string {
  const date = new Date(at);
  const year = date.getUTCFullYear();
  return year < FIRST_YEAR ? 'before' : `${year} ${Math.floor(date.getUTCMonth() / 3)}`;
}
