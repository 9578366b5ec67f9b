/**
 * What decides, besides the customer: read once per transaction, compiled once per release.
 *
 * A release never changes once stored (its id is its content), so what is compiled stays true. Names, ids and arming
 * times change only in a deployment, which raises `release_seq`; they are kept until it does.
 */
import type { Context } from '../journey/types.ts';
import type { TemplateSet } from '../message/templates.ts';
import type { SourceFile } from '../playbook/problem.ts';
import type { Playbook, Release } from '../playbook/types.ts';
import type { Instant } from '../time/types.ts';
import type { Queryable } from './database.ts';
import type { Doubt } from './restored.ts';
import { StoreError } from './errors.ts';
import { migrations } from './migrate.ts';
import { readPlaybookIds, type PlaybookIds } from './playbook-ids.ts';

/** A release, ready to run. */
export interface CompiledRelease {
  readonly release: Release;
  readonly templates: TemplateSet;
}

/** The context of one transaction. */
export interface StoreContext extends Context {
  /** Business time. */
  readonly now: Instant;
  readonly releaseId: string;
  /** Names this database in Message-IDs. */
  readonly installation: string;
  readonly templates: TemplateSet;
  readonly ids: PlaybookIds;
  /** Domains to which nothing goes at present, and until when. */
  readonly holds: ReadonlyMap<string, Instant>;
  /** Mail that may have gone out after the backup from which the database was restored; null: none. */
  readonly doubt: Doubt | null;
  /** Makes these versions known to `playbookOf`. @throws StoreError `unknown-version`. */
  prepareVersions(tx: Queryable, versionIds: Iterable<number>): Promise<void>;
}

/** Reads contexts of one database. One for each process is enough. */
export interface ReleaseCache {
  /** @throws StoreError `no-release`, `broken-release`, `moved` or `newer-database`. */
  context(tx: Queryable): Promise<StoreContext>;
}

/** Old releases are compiled for the versions that live enrolments keep; these stay. */
const KEPT_VERSIONS = 1_000;
const KEPT_RELEASES = 4;

/** The newest migration of a database says which versions may work on it. */
const KNOWN_SHAPES: ReadonlySet<string> = new Set(migrations.map(({ name }) => name));

const NO_HOLDS: ReadonlyMap<string, Instant> = new Map();

interface EngineRow extends Record<string, unknown> {
  readonly installation: string;
  readonly release_id: string | null;
  readonly release_seq: number;
  readonly now: number;
  readonly pauses: readonly string[];
  readonly holds: Readonly<Record<string, number>> | null;
  readonly gone: boolean;
  readonly shape: string;
  readonly doubt: Doubt | null;
}

/**
 * Opens a cache. `compile` makes a release of its sources and throws when they have errors; it is passed in, so that
 * the store depends on no parser and tests can run releases made by hand.
 */
export function openReleaseCache(compile: (sources: readonly SourceFile[]) => CompiledRelease): ReleaseCache {
  const releases = new Map<string, Promise<CompiledRelease>>();
  const versions = new Map<number, Playbook>();
  let ids: PlaybookIds | null = null;

  const compiled = (tx: Queryable, releaseId: string): Promise<CompiledRelease> => {
    const known = releases.get(releaseId);
    const release = known ?? compileStored(tx, releaseId, compile);
    releases.delete(releaseId);
    releases.set(releaseId, release);
    // One that failed is tried again by the next transaction: it may have been the connection.
    if (known === undefined) release.catch(() => releases.delete(releaseId));
    dropOldest(releases, KEPT_RELEASES);
    return release;
  };

  const pinned = async (tx: Queryable, of: PlaybookIds, versionId: number): Promise<Playbook> => {
    const { id, playbook, version, releaseId } = of.version(versionId);
    const known = versions.get(id);
    if (known !== undefined) {
      versions.delete(id);
      versions.set(id, known);
      return known;
    }
    const { release } = await compiled(tx, releaseId);
    const found = release.byName.get(playbook);
    if (found?.version !== version) throw unknownVersion(playbook, version);
    versions.set(id, found);
    dropOldest(versions, KEPT_VERSIONS);
    return found;
  };

  return {
    context: async (tx) => {
      const engine = await readEngine(tx);
      if (ids?.releaseSeq !== engine.release_seq) ids = await readPlaybookIds(tx);
      return makeContext(engine, await compiled(tx, engine.release_id), ids, pinned);
    },
  };
}

/** The name of this database among others, made with it: ten characters of 0-9 and a-f. */
export async function installationOf(db: Queryable): Promise<string> {
  const { rows } = await db.query<{ installation: string }>('select installation from engine');
  const installation = rows[0]?.installation;
  if (installation === undefined) throw new Error('the table "engine" has no row: run "perennial migrate"');
  return installation;
}

async function readEngine(tx: Queryable): Promise<EngineRow & { readonly release_id: string }> {
  const { rows } = await tx.query<EngineRow>(
    `select installation, release_id, release_seq,
       floor(extract(epoch from coalesce(stepped_at, clock_timestamp())) * 1000)::bigint as now,
       array(select scope from pauses) as pauses,
       (select json_object_agg(domain, floor(extract(epoch from until) * 1000)) from domain_holds
        where until > coalesce(engine.stepped_at, clock_timestamp())) as holds,
       coalesce(away in ('moving', 'moved'), false) as gone,
       (select max(name) from migrations) as shape,
       case when doubt_until is not null then json_build_object('from', floor(extract(epoch from doubt_from) * 1000),
         'until', floor(extract(epoch from doubt_until) * 1000), 'mail', doubt_mail) end as doubt
     from engine`,
  );
  const [engine] = rows;
  if (engine === undefined) throw new Error('the table "engine" has no row: run "perennial migrate"');
  const { release_id: releaseId } = engine;
  if (!KNOWN_SHAPES.has(engine.shape)) {
    throw new StoreError(
      'newer-database',
      `a newer version of Perennial has brought the database up to date ("${engine.shape}") while this process ran: ` +
        'it does nothing more; end it, and start the new version',
    );
  }
  if (engine.gone) throw new StoreError('moved', 'this database was moved: nothing is done here any more');
  if (releaseId === null) throw new StoreError('no-release', 'no playbooks are deployed yet: run "perennial deploy"');
  return { ...engine, release_id: releaseId };
}

function makeContext(
  engine: EngineRow & { readonly release_id: string },
  { release, templates }: CompiledRelease,
  ids: PlaybookIds,
  pinned: (tx: Queryable, ids: PlaybookIds, versionId: number) => Promise<Playbook>,
): StoreContext {
  const paused = new Set(engine.pauses);
  const prepared = new Map<string, Playbook>();
  const holds = engine.holds === null ? NO_HOLDS : new Map(Object.entries(engine.holds));
  return {
    holds,
    doubt: engine.doubt,
    release,
    templates,
    ids,
    now: engine.now,
    releaseId: engine.release_id,
    installation: engine.installation,
    playbookOf: (name, version) => {
      const current = release.byName.get(name);
      const playbook = current?.version === version ? current : prepared.get(`${name}\n${version}`);
      if (playbook === undefined) throw unknownVersion(name, version);
      return playbook;
    },
    armedFrom: (playbook) => ids.armedFrom(playbook),
    isPaused: (playbook) => paused.has('*') || paused.has(playbook),
    prepareVersions: async (tx, versionIds) => {
      for (const versionId of new Set(versionIds)) {
        const { playbook, version } = ids.version(versionId);
        if (release.byName.get(playbook)?.version === version) continue;
        prepared.set(`${playbook}\n${version}`, await pinned(tx, ids, versionId));
      }
    },
  };
}

async function compileStored(
  tx: Queryable,
  releaseId: string,
  compile: (sources: readonly SourceFile[]) => CompiledRelease,
): Promise<CompiledRelease> {
  const { rows } = await tx.query<{ path: string; text: string }>(
    'select f.path, b.text from release_files f join blobs b using (hash) where f.release_id = $1 order by f.path',
    [releaseId],
  );
  try {
    return compile(rows);
  } catch (cause) {
    throw new StoreError(
      'broken-release',
      `the stored release ${releaseId.slice(0, 12)} does not compile with this version of Perennial: ` +
        `${cause instanceof Error ? cause.message : String(cause)}; run "perennial check" and deploy again`,
      { cause },
    );
  }
}

function unknownVersion(playbook: string, version: string): StoreError {
  return new StoreError(
    'unknown-version',
    `no stored release has the version ${version.slice(0, 12)} of playbook "${playbook}", with which somebody is under way`,
  );
}

/** A Map keeps its order of insertion, so the first is the one that was used least lately. */
function dropOldest<K>(map: Map<K, unknown>, kept: number): void {
  for (const key of map.keys()) {
    if (map.size <= kept) return;
    map.delete(key);
  }
}
