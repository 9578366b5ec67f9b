/** What a release would do to what is under way: asked by `plan`, and by a deployment before it changes anything. */
import { mailFileName } from '../playbook/layout.ts';
import type { SourceFile } from '../playbook/problem.ts';
import type { Playbook, Release } from '../playbook/types.ts';
import type { CompiledRelease } from './context.ts';
import type { Queryable } from './database.ts';
import { neededTemplates, type NeededTemplate } from './needed-templates.ts';
import {
  onwardOf,
  readStandings,
  readVersions,
  versionChanges,
  type Onward,
  type VersionChange,
  type VersionRecord,
} from './onward.ts';

/** Makes a release of sources that were checked; throws when they hold errors. */
export type Compile = (sources: readonly SourceFile[]) => CompiledRelease;

/** Releases of the database, compiled when they are asked for and kept. */
export interface StoredReleases {
  /** @throws what `compile` throws. */
  compiled(tx: Queryable, releaseId: string): Promise<CompiledRelease>;
  /** Null when this version of Perennial can no longer compile it: a deployment must be able to replace it. */
  usable(tx: Queryable, releaseId: string): Promise<CompiledRelease | null>;
}

/** Somebody on a step that is gone in the version into which they would move. */
export interface LeftBehind {
  readonly playbook: string;
  readonly step: string;
  readonly because: 'gone' | 'other kind';
  readonly enrolments: number;
  readonly customers: readonly string[];
}

/** The answer. A release with anybody `leftBehind`, or templates `needed`, must not run. */
export interface Assessment {
  readonly changes: ReadonlyMap<number, VersionChange>;
  /** Everybody under way in the playbooks that were asked for. */
  readonly onward: readonly Onward[];
  readonly leftBehind: readonly LeftBehind[];
  readonly needed: readonly NeededTemplate[];
}

/** Opens the releases of one database for a command. */
export function openStoredReleases(compile: Compile): StoredReleases {
  const known = new Map<string, CompiledRelease | Error>();
  const attempt = async (tx: Queryable, releaseId: string): Promise<CompiledRelease | Error> => {
    const before = known.get(releaseId);
    if (before !== undefined) return before;
    const sources = await loadSources(tx, releaseId);
    const compiled = compiledOrError(compile, sources);
    known.set(releaseId, compiled);
    return compiled;
  };
  return {
    compiled: async (tx, releaseId) => {
      const compiled = await attempt(tx, releaseId);
      if (compiled instanceof Error) throw compiled;
      return compiled;
    },
    usable: async (tx, releaseId) => {
      const compiled = await attempt(tx, releaseId);
      return compiled instanceof Error ? null : compiled;
    },
  };
}

function compiledOrError(compile: Compile, sources: readonly SourceFile[]): CompiledRelease | Error {
  try {
    return compile(sources);
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
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

/**
 * Asks what `next` would do in place of the release `previousId`. Looks at enrolments only of playbooks that need it;
 * with `everybody`, of all that it changes or removes.
 */
export async function assess(
  tx: Queryable,
  releases: StoredReleases,
  previousId: string | null,
  next: CompiledRelease,
  everybody = false,
): Promise<Assessment> {
  if (previousId === null) return { changes: new Map(), onward: [], leftBehind: [], needed: [] };
  const { release } = next;
  const before = (await releases.usable(tx, previousId))?.release.byName ?? new Map<string, Playbook>();
  const versions = await readVersions(tx);
  const altered = release.playbooks.filter(({ name, version }) => before.get(name)?.version !== version);
  const changes = new Map(
    altered
      .flatMap((playbook) => versionChanges(versions.values(), before.get(playbook.name) ?? null, playbook))
      .map((change) => [change.id, change]),
  );
  const missing = await templatesTakenAway(tx, previousId, next);
  const concerned = namesOf({ versions, release, altered, all: missing.size > 0, everybody });
  const standings = concerned.length === 0 ? [] : await readStandings(tx, concerned);
  const playbookOf = async (version: VersionRecord): Promise<Playbook> => {
    const { release: stored } = await releases.compiled(tx, version.releaseId);
    const playbook = stored.byName.get(version.playbook);
    if (playbook === undefined) {
      throw new Error(`release "${version.releaseId}" has no playbook "${version.playbook}"`);
    }
    return playbook;
  };
  const onward = await onwardOf(standings, versions, changes, release, playbookOf);
  const needed = missing.size === 0 ? [] : await neededTemplates(tx, missing, onward);
  return { changes, onward, leftBehind: leftBehindOf(onward), needed };
}

function namesOf(of: {
  readonly versions: ReadonlyMap<number, VersionRecord>;
  readonly release: Release;
  readonly altered: readonly Playbook[];
  readonly all: boolean;
  readonly everybody: boolean;
}): readonly string[] {
  const known = [...new Set([...of.versions.values()].map(({ playbook }) => playbook))];
  if (of.all) return known;
  const altered = of.altered.filter(({ inFlight }) => of.everybody || inFlight === 'move').map(({ name }) => name);
  return of.everybody ? [...altered, ...known.filter((name) => !of.release.byName.has(name))] : altered;
}

/** By induction the running release has all that is needed, so only what it has and the new one lacks can be missing. */
async function templatesTakenAway(
  tx: Queryable,
  previousId: string,
  next: CompiledRelease,
): Promise<ReadonlySet<string>> {
  const has = new Set(next.templates.names);
  const { rows } = await tx.query<{ path: string }>('select path from release_files where release_id = $1', [
    previousId,
  ]);
  const had = rows.flatMap(({ path }) => mailFileName(path) ?? []);
  return new Set(had.filter((name) => !has.has(name)));
}

function leftBehindOf(onward: readonly Onward[]): readonly LeftBehind[] {
  const found = new Map<string, LeftBehind>();
  for (const { standing, lost } of onward) {
    if (lost === null) continue;
    const { playbook, step, enrolments, customers } = standing;
    const key = `${playbook}\n${step}\n${lost}`;
    const known = found.get(key);
    found.set(key, {
      playbook,
      step,
      because: lost,
      enrolments: enrolments + (known?.enrolments ?? 0),
      customers: [...new Set([...(known?.customers ?? []), ...customers])].slice(0, 5),
    });
  }
  return [...found.values()];
}
