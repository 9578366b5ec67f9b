/** Which releases ran, in which order: the record that `perennial releases` shows and `rollback` goes back by. */
import type { Instant } from '../time/types.ts';
import type { Queryable } from './database.ts';
import type { PlaybookDifference } from './release-playbooks.ts';

/** One deployment, as it is on record. */
export interface Deployment {
  readonly [column: string]: unknown;
  readonly seq: number;
  readonly kind: 'deploy' | 'rollback';
  readonly releaseId: string;
  readonly previousId: string | null;
  /** Business time. */
  readonly at: Instant;
  readonly author: string;
  readonly note: string | null;
  readonly gitCommit: string | null;
  readonly changes: PlaybookDifference;
  /** This is the one whose release runs now. */
  readonly current: boolean;
}

/** The latest deployments, newest first. `limit` is a whole number from 1. */
export async function listDeployments(db: Queryable, limit: number): Promise<readonly Deployment[]> {
  const { rows } = await db.query<Deployment>(
    `select seq, kind, release_id as "releaseId", previous_id as "previousId", at, author, note,
       git_commit as "gitCommit", changes, seq = max(seq) over () as current
     from deployments order by seq desc limit $1`,
    [limit],
  );
  return rows;
}

/** The release to go back to, or why there is none. */
export type RollbackTarget =
  | { readonly outcome: 'found'; readonly releaseId: string }
  | { readonly outcome: 'nothing before' }
  | { readonly outcome: 'unknown release' }
  | { readonly outcome: 'ambiguous release'; readonly candidates: readonly string[] };

/**
 * The release that is named by the beginning of its id; without a name the one that ran before the one that runs now
 * was first put in its place. A rollback is no step of that way, so that going back twice goes back two releases.
 */
export async function rollbackTarget(db: Queryable, name: string | null): Promise<RollbackTarget> {
  if (name !== null) {
    const { rows } = await db.query<{ id: string }>(
      'select id from releases where starts_with(id, $1) order by seq desc limit 5',
      [name.toLowerCase()],
    );
    const [first] = rows;
    if (first === undefined) return { outcome: 'unknown release' };
    if (rows.length > 1) return { outcome: 'ambiguous release', candidates: rows.map(({ id }) => id) };
    return { outcome: 'found', releaseId: first.id };
  }
  const { rows } = await db.query<{ previousId: string | null }>(
    `select d.previous_id as "previousId" from deployments d join engine e on e.release_id = d.release_id
     where d.kind = 'deploy' order by d.seq desc limit 1`,
  );
  const releaseId = rows[0]?.previousId ?? null;
  return releaseId === null ? { outcome: 'nothing before' } : { outcome: 'found', releaseId };
}
