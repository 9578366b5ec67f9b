/** Partitions of `events`: one for each quarter, made when the first event of it comes. */
import type { Instant } from '../time/types.ts';
import type { Database } from './database.ts';

/** Events from before then share one partition. */
const FIRST_YEAR = 2000;
const PARTITION_LOCK = 7_318_204_553;

interface Quarter {
  readonly name: string;
  readonly from: string;
  readonly until: string;
}

const made = new WeakMap<Database, Set<string>>();

/**
 * Makes the partitions that events of these times need. Before the transaction that inserts: making one takes a lock
 * on the whole table, which must not be kept. What was made is remembered for the life of the process.
 */
export async function ensurePartitions(db: Database, times: Iterable<Instant>): Promise<void> {
  const known = made.get(db) ?? new Set<string>();
  made.set(db, known);
  const needed = new Map([...times].map(quarterOf).map((quarter) => [quarter.name, quarter]));
  for (const { name, from, until } of needed.values()) {
    if (known.has(name)) continue;
    await db.transaction(async (tx) => {
      // "if not exists" alone fails when two make the same one at once.
      await tx.query('select pg_advisory_xact_lock($1)', [PARTITION_LOCK]);
      await tx.query(`create table if not exists ${name} partition of events for values from (${from}) to (${until})`);
    });
    known.add(name);
  }
}

function quarterOf(at: Instant): Quarter {
  const date = new Date(at);
  const year = date.getUTCFullYear();
  if (year < FIRST_YEAR) return { name: 'events_before', from: 'minvalue', until: `'${FIRST_YEAR}-01-01T00:00Z'` };
  const quarter = Math.floor(date.getUTCMonth() / 3);
  const start = (of: number): string => `'${new Date(Date.UTC(year, of * 3, 1)).toISOString()}'`;
  return { name: `events_${year}_q${quarter + 1}`, from: start(quarter), until: start(quarter + 1) };
}
