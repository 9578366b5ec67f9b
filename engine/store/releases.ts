/**
 * Releases: what a company's folder said at one time, stored by content, and which one runs. A deploy is one
 * transaction; the fleet switches with its commit, since every transaction reads its release once.
 */
import { createHash } from 'node:crypto';
import { releaseSources } from '../playbook/layout.ts';
import type { SourceFile } from '../playbook/problem.ts';
import type { Release } from '../playbook/types.ts';
import { formatInstant } from '../time/text.ts';
import type { Instant } from '../time/types.ts';
import { writeAudit } from './audit.ts';
import { assess, openStoredReleases, type Compile, type LeftBehind } from './assess.ts';
import { businessNow, type Database, type Queryable } from './database.ts';
import { lockFleet } from './lock.ts';
import type { NeededTemplate } from './needed-templates.ts';
import { switchPlaybooks, type PlaybookDifference } from './release-playbooks.ts';
import { readVersions, storeVersionChanges, type VersionChange } from './onward.ts';

/** Who deploys, and why. `at` is the business time of the deploy; by default business now. */
export interface DeployNote {
  readonly author: string;
  readonly note: string | null;
  readonly gitCommit: string | null;
  readonly at?: Instant;
  /** Whether people go back to an earlier release. Default: `deploy`. */
  readonly kind?: 'deploy' | 'rollback';
}

export { loadSources, type Compile } from './assess.ts';

/** What a deploy did. Playbooks are named; `changed` tells whether another release runs now than before. */
export type Deployed =
  | {
      readonly outcome: 'deployed';
      readonly releaseId: string;
      readonly changed: boolean;
      readonly added: readonly string[];
      readonly altered: readonly string[];
      readonly removed: readonly string[];
    }
  /** Nothing was changed: see `Assessment`. */
  | {
      readonly outcome: 'refused';
      readonly releaseId: string;
      readonly changed: false;
      readonly needed: readonly NeededTemplate[];
      readonly leftBehind: readonly LeftBehind[];
    };

/**
 * Checks a release against what is under way, stores it and switches to it. The same content changes nothing. An
 * earlier release may be deployed again. @throws what `compile` throws.
 */
export async function deployRelease(
  db: Database,
  compile: Compile,
  files: readonly SourceFile[],
  note: DeployNote,
): Promise<Deployed> {
  const sources = releaseSources(files);
  const compiled = compile(sources);
  const releases = openStoredReleases(compile);
  // Outside of the lock: what ran before takes its time to compile.
  const running = await runningRelease(db);
  if (running !== null && running !== compiled.release.id) await releases.usable(db, running);
  return db.transaction(async (tx) => {
    await tx.query('set local statement_timeout = 0');
    await tx.query(`set local lock_timeout = '30s'`);
    // Who is under way is counted over the whole table, for which no index is kept.
    await tx.query('set local enable_seqscan = on');
    // No chunk that decided by the old release may commit after the new one, or it could need what is gone.
    await lockFleet(tx);
    const previousId = await runningRelease(tx);
    const releaseId = compiled.release.id;
    if (previousId === releaseId) {
      return { outcome: 'deployed', releaseId, changed: false, added: [], altered: [], removed: [] };
    }
    const { needed, leftBehind, changes } = await assess(tx, releases, previousId, compiled);
    if (needed.length > 0 || leftBehind.length > 0) {
      return { outcome: 'refused', releaseId, changed: false, needed, leftBehind };
    }

    const now = note.at ?? (await businessNow(tx));
    await storeSources(tx, releaseId, sources, note, now);
    const difference = await switchPlaybooks(tx, compiled.release, previousId, now);
    await moveVersions(tx, compiled.release, changes);
    await tx.query('update engine set release_id = $1, release_seq = release_seq + 1', [releaseId]);
    await writeAudit(tx, {
      businessAt: now,
      by: note.author,
      action: note.kind ?? 'deploy',
      reason: note.note,
      detail: { releaseId, previousId, gitCommit: note.gitCommit, ...difference },
    });
    await noteDeployment(tx, releaseId, previousId, note, now, difference);
    return { outcome: 'deployed', releaseId, changed: true, ...difference };
  });
}

/** The release that runs; null when none was ever deployed. */
export async function runningRelease(db: Queryable): Promise<string | null> {
  const { rows } = await db.query<{ release_id: string | null }>('select release_id from engine');
  return rows[0]?.release_id ?? null;
}

async function noteDeployment(
  tx: Queryable,
  releaseId: string,
  previousId: string | null,
  note: DeployNote,
  now: Instant,
  changes: PlaybookDifference,
): Promise<void> {
  await tx.query(
    `insert into deployments (kind, release_id, previous_id, at, author, note, git_commit, changes)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      note.kind ?? 'deploy',
      releaseId,
      previousId,
      formatInstant(now),
      note.author,
      note.note,
      note.gitCommit,
      JSON.stringify(changes),
    ],
  );
}

/** Who was under way in an earlier version goes on in the one that runs now, where it says so. */
async function moveVersions(
  tx: Queryable,
  release: Release,
  changes: ReadonlyMap<number, VersionChange>,
): Promise<void> {
  const versions = await readVersions(tx);
  const latest = new Map(
    [...versions.values()]
      .filter(({ playbook, hash }) => release.byName.get(playbook)?.version === hash)
      .map(({ playbook, id }) => [playbook, id]),
  );
  await storeVersionChanges(tx, [...changes.values()], (versionId) => {
    const id = latest.get(versions.get(versionId)?.playbook ?? '');
    if (id === undefined) throw new Error(`version number ${versionId} has no successor`);
    return id;
  });
}

async function storeSources(
  tx: Queryable,
  releaseId: string,
  sources: readonly SourceFile[],
  note: DeployNote,
  now: Instant,
): Promise<void> {
  const hashes = sources.map((source) => createHash('sha256').update(source.text).digest('hex'));
  await tx.query(
    `insert into blobs (hash, text) select * from unnest($1::text[], $2::text[]) as b (hash, text) on conflict do nothing`,
    [hashes, sources.map((source) => source.text)],
  );
  await tx.query(
    `insert into releases (id, deployed_at, author, note, git_commit) values ($1, $2, $3, $4, $5)
     on conflict (id) do update set deployed_at = excluded.deployed_at, author = excluded.author,
       note = excluded.note, git_commit = excluded.git_commit`,
    [releaseId, formatInstant(now), note.author, note.note, note.gitCommit],
  );
  await tx.query(
    `insert into release_files (release_id, path, hash) select $1, f.path, f.hash
     from unnest($2::text[], $3::text[]) as f (path, hash) on conflict do nothing`,
    [releaseId, sources.map((source) => source.path), hashes],
  );
}
