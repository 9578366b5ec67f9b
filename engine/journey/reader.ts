import type { Instant } from '../time/types.ts';
import type { Reader } from './types.ts';

/** More than any sensible cap allows; older hand-overs can no longer matter. */
const KEPT = 256;

/**
 * The hand-overs of one address, shared by all its customers: two records with one address are one reader.
 * `handedAt` is ascending. A cap of k looks at the k-th latest only, so old ones are dropped.
 */
export class ReaderLog implements Reader {
  readonly handedAt: Instant[];
  /** `PLAYBOOK/LAUNCH` taken by any customer with this address. */
  readonly launchesTaken = new Set<string>();

  constructor(handedAt: readonly Instant[] = []) {
    this.handedAt = [...handedAt].sort((a, b) => a - b);
  }

  /** Counts a hand-over. */
  add(at: Instant): void {
    let place = this.handedAt.length;
    while (place > 0 && (this.handedAt[place - 1] ?? 0) > at) place -= 1;
    this.handedAt.splice(place, 0, at);
    if (this.handedAt.length > KEPT) this.handedAt.shift();
  }

  /** Takes a hand-over back that is counted already; false when none at that instant is. */
  remove(at: Instant): boolean {
    const place = this.handedAt.lastIndexOf(at);
    if (place !== -1) this.handedAt.splice(place, 1);
    return place !== -1;
  }

  /** The k-th latest hand-over, k from 1; null when there are fewer. */
  latest(k: number): Instant | null {
    return this.handedAt[this.handedAt.length - k] ?? null;
  }
}

/** Customers in groups of one reader: their order within a group is kept, as is that of the groups' firsts. */
export function byReader<T extends { readonly reader: ReaderLog }>(drafts: readonly T[]): Iterable<readonly T[]> {
  const groups = new Map<ReaderLog, T[]>();
  for (const draft of drafts) {
    const group = groups.get(draft.reader);
    if (group === undefined) groups.set(draft.reader, [draft]);
    else group.push(draft);
  }
  return groups.values();
}
