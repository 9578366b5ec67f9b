/** Short ids of playbooks and their versions, as rows carry them. */
import type { StepNames } from '../playbook/identity.ts';
import type { Instant } from '../time/types.ts';
import type { Queryable } from './database.ts';
import { StoreError } from './errors.ts';

/** One version of a playbook, and the release in which it first appeared. */
export interface VersionRow {
  readonly id: number;
  readonly playbook: string;
  readonly version: string;
  readonly releaseId: string;
}

/** Names and ids, as of one deployment. Every look-up throws StoreError for what no deployment ever had. */
export interface PlaybookIds {
  readonly releaseSeq: number;
  playbookId(name: string): number;
  playbookName(id: number): string;
  armedFrom(name: string): Instant;
  versionId(playbook: string, version: string): number;
  /** The version that enrolments of this one are in: itself, or the one to which a deployment moved them. */
  version(id: number): VersionRow;
  /** What a step of this version is called in the one that its enrolments are in. */
  stepNow(id: number, step: string): string;
  /** Steps of this version that are called otherwise where its enrolments are in; null: they are in this one. */
  renames(id: number): StepNames | null;
}

type StoredVersion = readonly [
  id: number,
  playbookId: number,
  hash: string,
  releaseId: string,
  movedTo: number | null,
  movedSteps: StepNames,
];

interface Stored extends Record<string, unknown> {
  readonly release_seq: number;
  readonly playbooks: readonly (readonly [id: number, name: string, armedFrom: Instant])[];
  readonly versions: readonly StoredVersion[];
}

/** Reads all of them in one statement, so that they fit together and to `releaseSeq`. */
export async function readPlaybookIds(tx: Queryable): Promise<PlaybookIds> {
  const { rows } = await tx.query<Stored>(
    `select release_seq,
       (select coalesce(json_agg(json_build_array(
          id, name, floor(extract(epoch from armed_from) * 1000)::bigint)), '[]') from playbooks) as playbooks,
       (select coalesce(json_agg(json_build_array(
          id, playbook_id, hash, release_id, moved_to, moved_steps)), '[]')
          from playbook_versions) as versions
     from engine`,
  );
  const [stored] = rows;
  if (stored === undefined) throw new Error('the table "engine" has no row: run "perennial migrate"');
  return indexIds(stored);
}

function indexIds(stored: Stored): PlaybookIds {
  const names = new Map(stored.playbooks.map(([id, name]) => [id, name]));
  const byName = new Map(stored.playbooks.map(([id, name, armedFrom]) => [name, { id, armedFrom }]));
  const versions = new Map<number, VersionRow>();
  const versionIds = new Map<string, number>();
  const moves = new Map<number, { readonly to: number; readonly steps: StepNames }>();
  for (const [id, playbookId, version, releaseId, movedTo, movedSteps] of stored.versions) {
    const playbook = found(names.get(playbookId), 'unknown-playbook', `playbook number ${playbookId}`);
    versions.set(id, { id, playbook, version, releaseId });
    if (movedTo !== null) moves.set(id, { to: movedTo, steps: movedSteps });
    versionIds.set(`${playbook}\n${version}`, id);
  }
  const named = (name: string): { id: number; armedFrom: Instant } =>
    found(byName.get(name), 'unknown-playbook', `playbook "${name}"`);
  return {
    releaseSeq: stored.release_seq,
    playbookId: (name) => named(name).id,
    playbookName: (id) => found(names.get(id), 'unknown-playbook', `playbook number ${id}`),
    armedFrom: (name) => named(name).armedFrom,
    versionId: (playbook, version) =>
      found(
        versionIds.get(`${playbook}\n${version}`),
        'unknown-version',
        `version ${version.slice(0, 12)} of playbook "${playbook}"`,
      ),
    version: (id) => found(versions.get(moves.get(id)?.to ?? id), 'unknown-version', `version number ${id}`),
    stepNow: (id, step) => moves.get(id)?.steps[step] ?? step,
    renames: (id) => moves.get(id)?.steps ?? null,
  };
}

function found<T>(value: T | undefined, code: 'unknown-playbook' | 'unknown-version', what: string): T {
  if (value === undefined) throw new StoreError(code, `the database knows no ${what}: was it deployed?`);
  return value;
}
