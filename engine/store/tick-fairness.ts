/** How a tick shares its room among playbooks. */
import type { Instant } from '../time/types.ts';

/** A due row, for the tick's purposes. */
export interface DueRow {
  readonly customerId: number;
  readonly dueAt: Instant;
}

/** One playbook's due rows in one table, as far as a tick has read them. */
export interface Walk {
  readonly key: string;
  readonly playbookId: number;
  readonly startedMs: number;
  /** Where the tick began to read. */
  readonly from: DueRow | null;
  readTo: DueRow | null;
  atEnd: boolean;
  /** Not handed out lately, in order. */
  readonly fresh: DueRow[];
  /** How many of `fresh` the tick hands out, from the first. */
  taken: number;
}

/**
 * Takes rows in turn from every walk until `room` distinct customers are found or nothing is left; sets `taken`.
 * `more` tells that something due was left behind.
 */
export function fairly(
  walks: readonly Walk[],
  room: number,
): { readonly customerIds: readonly number[]; readonly more: boolean } {
  const customerIds = new Set<number>();
  let open = walks.filter((walk) => walk.fresh.length > 0);
  while (open.length > 0 && customerIds.size < room) {
    for (const walk of open) {
      const row = walk.fresh[walk.taken];
      if (row === undefined) continue;
      if (customerIds.size >= room && !customerIds.has(row.customerId)) continue;
      customerIds.add(row.customerId);
      walk.taken += 1;
    }
    open = open.filter((walk) => walk.taken < walk.fresh.length);
  }
  const more = walks.some((walk) => walk.taken < walk.fresh.length || !walk.atEnd);
  return { customerIds: [...customerIds], more };
}
