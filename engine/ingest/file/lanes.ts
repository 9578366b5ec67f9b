/** Stores a batch in two transactions side by side, so that this process decides while the database works. */
import type { ReleaseCache } from '../../store/context.ts';
import type { Database } from '../../store/database.ts';
import { ingest } from '../../store/ingest.ts';
import { rejectOf, type GoodLine } from './batches.ts';
import type { Reject } from './rejects.ts';

/** What became of the lines of a batch that were right in themselves. */
export interface StoredBatch {
  /** Events that were known before. */
  readonly duplicates: number;
  readonly refused: readonly Reject[];
}

const LANES = 2;
/** A transaction has its fixed costs: fewer lines are not worth two. */
const WORTH_PARTING = 200;

/** Stores lines. All lines of one customer are in one lane, in their order. */
export async function storeInLanes(
  db: Database,
  cache: ReleaseCache,
  lines: readonly GoodLine[],
  history: boolean,
): Promise<StoredBatch> {
  const results = await Promise.all(part(lines).map(async (lane) => storeLane(db, cache, lane, history)));
  return {
    duplicates: results.reduce((sum, { duplicates }) => sum + duplicates, 0),
    refused: results.flatMap(({ refused }) => refused),
  };
}

async function storeLane(
  db: Database,
  cache: ReleaseCache,
  lines: readonly GoodLine[],
  history: boolean,
): Promise<StoredBatch> {
  const incoming = lines.map((line) => line.incoming);
  const { duplicates, rejected } = await ingest(db, cache, incoming, { history });
  const refused = rejected.flatMap(({ index, code, message }) => {
    const line = lines[index];
    const advice =
      code === 'unknown-customer' ? `${message}, or create them from the events: --create-customers` : message;
    return line === undefined ? [] : [rejectOf(line.raw, advice)];
  });
  return { duplicates, refused };
}

function part(lines: readonly GoodLine[]): readonly (readonly GoodLine[])[] {
  if (lines.length === 0) return [];
  if (lines.length < WORTH_PARTING) return [lines];
  const lanes: GoodLine[][] = Array.from({ length: LANES }, () => []);
  for (const line of lines) lanes[laneOf(line.incoming.customer)]?.push(line);
  return lanes.filter((lane) => lane.length > 0);
}

/** Any hash does: it only has to be the same for the same customer (FNV-1a). */
function laneOf(customer: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < customer.length; index += 1) {
    hash = Math.imul(hash ^ customer.charCodeAt(index), 0x01000193);
  }
  return (hash >>> 8) % LANES;
}
