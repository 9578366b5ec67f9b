/** What dead workers held goes back to the living. */
import type { ReleaseCache } from '../engine/store/context.ts';
import type { Database } from '../engine/store/database.ts';
import { expireLeases } from '../engine/store/expire.ts';
import type { Logger } from './log.ts';
import type { Metrics } from './monitoring/metrics.ts';

const MAX_AT_ONCE = 1_000;
/** After its own restart, the database hears from the living first. */
const GRACE_MS = 5_000;

/** Takes back claims, and resolves hand-overs, that have run out. Anyone may, at any time. */
export async function takeBack(parts: {
  readonly db: Database;
  readonly cache: ReleaseCache;
  readonly log: Logger;
  readonly metrics: Metrics;
}): Promise<void> {
  const { replanned, unknown, held } = await expireLeases(parts.db, parts.cache, MAX_AT_ONCE, { graceMs: GRACE_MS });
  parts.metrics.leftOpen.inc({ what: 'claim' }, replanned);
  parts.metrics.leftOpen.inc({ what: 'hand_over' }, unknown);
  if (unknown > 0) parts.log.warn({ replanned, unknown, held }, 'sends were left open by a crash');
}
