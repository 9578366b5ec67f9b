/** What a simulation runs over, whether it comes from files or from the database. */
import type { ReaderRun } from '../../engine/simulate/reader-run.ts';
import { nearestAll } from '../../engine/playbook/nearest.ts';
import type { Release } from '../../engine/playbook/types.ts';
import type { Instant } from '../../engine/time/types.ts';

/** Customers to run, under one release or under several. */
export interface Source {
  /** What each reader is run under. */
  readonly releases: readonly Release[];
  readonly from: Instant;
  /** Exclusive. */
  readonly until: Instant;
  /** How many customers there are. */
  readonly customers: number;
  /** One reader after the other, run under each of the releases, in their order. To be read once. */
  readonly readers: AsyncIterable<readonly ReaderRun[]> | Iterable<readonly ReaderRun[]>;
  /** What people should know about it, one sentence each. */
  readonly notes: readonly string[];
}

/** Nothing is run: the input is wrong, and the message says what to do. Exit code 1. */
export class SourceError extends Error {
  override readonly name = 'SourceError';
}

/** Nobody has this id or address; `ids` are those there are. */
export function nobodyIs(idOrEmail: string, ids: Iterable<string>): SourceError {
  const near = nearestAll(idOrEmail, ids, 3);
  const hint = near.length === 0 ? '' : ` Nearest: ${near.join(', ')}`;
  return new SourceError(`There is no customer with the id or address "${idOrEmail}".${hint}`);
}
