/**
 * Releases: what a company's folder said at one time, stored by content, and which one runs. A deploy is one
 * transaction; the fleet switches with its commit, since every transaction reads its release once.
 */
import { createHash } from 'node:crypto';
import { releaseSources } from '../playbook/layout.ts';
import type { SourceFile } from '../playbook/problem.ts';
import { formatInstant } from '../time/text.ts';
import type { Instant } from '../time/types.ts';
import { writeAudit } from './audit.ts';
import type { CompiledRelease } from './context.ts';
import { businessNow, type Database, type Queryable } from './database.ts';
import { lockFleet } from './lock.ts';
import { neededTemplates, type NeededTemplate } from './needed-templates.ts';
import { switchPlaybooks } from './release-playbooks.ts';

/** A template's name is its path without folder and ending. */
const TEMPLATE = /^templates\/(.+)\.hbs$/;

/** Makes a release of sources that were checked; throws when they hold errors. */
export type Compile = (sources: readonly SourceFile[]) => CompiledRelease;

/** Who deploys, and why. `at` is the business time of the deploy; by default business now. */
export interface DeployNote {
  readonly author: string;
  readonly note: string | null;
  readonly gitCommit: string | null;
  readonly at?: Instant;
}

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
  /** Nothing was changed: live enrolments still need templates that the release lacks. */
  | {
      readonly outcome: 'refused';
      readonly releaseId: string;
      readonly changed: false;
      readonly needed: readonly NeededTemplate[];
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
  return db.transaction(async (tx) => {
    await tx.query('set local statement_timeout = 0');
    await tx.query(`set local lock_timeout = '30s'`);
    // No chunk that decided by the old release may commit after the new one, or it could need what is gone.
    await lockFleet(tx);
    const { rows } = await tx.query<{ release_id: string | null }>('select release_id from engine');
    const previousId = rows[0]?.release_id ?? null;
    const releaseId = compiled.release.id;
    if (previousId === releaseId) {
      return { outcome: 'deployed', releaseId, changed: false, added: [], altered: [], removed: [] };
    }
    const needed = await templatesTakenAway(tx, compile, previousId, compiled);
    if (needed.length > 0) return { outcome: 'refused', releaseId, changed: false, needed };

    const now = note.at ?? (await businessNow(tx));
    await storeSources(tx, releaseId, sources, note, now);
    const difference = await switchPlaybooks(tx, compiled.release, previousId, now);
    await tx.query('update engine set release_id = $1, release_seq = release_seq + 1', [releaseId]);
    await writeAudit(tx, {
      businessAt: now,
      by: note.author,
      action: 'deploy',
      reason: note.note,
      detail: { releaseId, previousId, gitCommit: note.gitCommit, ...difference },
    });
    return { outcome: 'deployed', releaseId, changed: true, ...difference };
  });
}

/** The sources of a stored release, by path. @throws when there is no such release. */
export async function loadSources(db: Queryable, releaseId: string): Promise<readonly SourceFile[]> {
  const { rows } = await db.query<{ path: string; text: string }>(
    `select f.path, b.text from release_files f join blobs b on b.hash = f.hash where f.release_id = $1
     order by f.path collate "C"`,
    [releaseId],
  );
  if (rows.length === 0) throw new Error(`the database has no release "${releaseId}"`);
  return rows;
}

/** By induction the running release has all that is needed, so only what it has and the new one lacks can be missing. */
async function templatesTakenAway(
  tx: Queryable,
  compile: Compile,
  previousId: string | null,
  next: CompiledRelease,
): Promise<readonly NeededTemplate[]> {
  if (previousId === null) return [];
  const has = new Set(next.templates.names);
  const had = (await pathsOf(tx, previousId)).flatMap((path) => TEMPLATE.exec(path)?.[1] ?? []);
  const missing = new Set(had.filter((name) => !has.has(name)));
  if (missing.size === 0) return [];
  const compiled = new Map<string, CompiledRelease>();
  return neededTemplates(tx, missing, async (name, releaseId) => {
    const known = compiled.get(releaseId) ?? compile(await loadSources(tx, releaseId));
    compiled.set(releaseId, known);
    const playbook = known.release.byName.get(name);
    if (playbook === undefined) throw new Error(`release "${releaseId}" has no playbook "${name}"`);
    return playbook;
  });
}

async function pathsOf(tx: Queryable, releaseId: string): Promise<readonly string[]> {
  const { rows } = await tx.query<{ path: string }>('select path from release_files where release_id = $1', [
    releaseId,
  ]);
  return rows.map((row) => row.path);
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
