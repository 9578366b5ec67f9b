/** Where customers are under way, and where a release would leave them (docs/playbooks.md, `in_flight`). */
import { carryNames, type StepNames } from '../playbook/identity.ts';
import type { Playbook, Release, Step } from '../playbook/types.ts';
import type { Queryable } from './database.ts';

/** A version of a playbook as its row stands. */
export interface VersionRecord {
  readonly [column: string]: unknown;
  readonly id: number;
  readonly playbook: string;
  readonly hash: string;
  readonly releaseId: string;
  readonly movedTo: number | null;
  readonly movedSteps: StepNames;
  readonly currentSteps: StepNames;
}

/** Active enrolments that stand on one step of one version. */
export interface Standing {
  readonly [column: string]: unknown;
  readonly playbook: string;
  readonly versionId: number;
  /** As that version calls it. */
  readonly step: string;
  /** Parked before the step; otherwise they are in it: in its wait, or waiting for its mail. */
  readonly ready: boolean;
  readonly enrolments: number;
  /** The keys of one or two of the customers. */
  readonly customers: readonly string[];
}

/** What a release makes of a version: see the columns of `playbook_versions`. */
export interface VersionChange {
  readonly id: number;
  readonly movedTo: 'latest' | number | null;
  readonly movedSteps: StepNames;
  readonly currentSteps: StepNames;
}

/** Where enrolments go on. `step` is null when it is gone there, or has become another kind of step. */
export interface Onward {
  readonly standing: Standing;
  readonly how: 'pin' | 'move';
  /** The playbook whose structure they follow. */
  readonly playbook: Playbook;
  readonly step: string | null;
  readonly lost: 'gone' | 'other kind' | null;
}

/** Finds the playbook of a version that is stored. */
export type PlaybookOfVersion = (version: VersionRecord) => Promise<Playbook>;

/** All versions that ever ran, of all playbooks, by id. */
export async function readVersions(tx: Queryable): Promise<ReadonlyMap<number, VersionRecord>> {
  const { rows } = await tx.query<VersionRecord>(
    `select v.id, p.name as playbook, v.hash, v.release_id as "releaseId", v.moved_to as "movedTo",
       v.moved_steps as "movedSteps", v.current_steps as "currentSteps"
     from playbook_versions v join playbooks p on p.id = v.playbook_id order by v.id`,
  );
  return new Map(rows.map((row) => [row.id, row]));
}

/** Counts who is under way in these playbooks. Reads every active enrolment of theirs once. */
export async function readStandings(tx: Queryable, playbooks: readonly string[]): Promise<readonly Standing[]> {
  const { rows } = await tx.query<Standing>(
    `with s as (
       select e.playbook_id, e.version_id, e.step, e.ready, count(*) as enrolments,
         min(e.customer_id) as first, max(e.customer_id) as last
       from enrolments e join playbooks p on p.id = e.playbook_id
       where e.status = 'active' and p.name = any($1) group by 1, 2, 3, 4)
     select p.name as playbook, s.version_id as "versionId", s.step, s.ready, s.enrolments,
       array(select c.key from customers c where c.id in (s.first, s.last) order by c.id) as customers
     from s join playbooks p on p.id = s.playbook_id order by p.name, s.version_id, s.step, s.ready`,
    [playbooks],
  );
  return rows;
}

/** What the release changes about the versions of one of its playbooks, of which `before` ran until now. */
export function versionChanges(
  versions: Iterable<VersionRecord>,
  before: Playbook | null,
  next: Playbook,
): readonly VersionChange[] {
  return [...versions]
    .filter(({ playbook }) => playbook === next.name)
    .map(({ id, hash, movedTo, movedSteps, currentSteps: known }) => {
      // Whoever is in the version that runs is called as it calls them, whatever was between.
      if (hash === next.version) return { id, movedTo: null, movedSteps: {}, currentSteps: {} };
      const currentSteps = carryNames(known, before, next);
      if (next.inFlight === 'move') return { id, movedTo: 'latest', movedSteps: currentSteps, currentSteps };
      return { id, movedTo, movedSteps, currentSteps };
    });
}

/**
 * Where these enrolments go on under the release. `changes` are those of all the playbooks that it changes; of the
 * others everybody goes on where they are.
 */
export async function onwardOf(
  standings: readonly Standing[],
  versions: ReadonlyMap<number, VersionRecord>,
  changes: ReadonlyMap<number, VersionChange>,
  release: Release,
  playbookOf: PlaybookOfVersion,
): Promise<readonly Onward[]> {
  const found: Onward[] = [];
  for (const standing of standings) {
    const version = known(versions, standing.versionId);
    const was = await playbookOf(known(versions, version.movedTo ?? version.id));
    const stepThen = (version.movedTo === null ? undefined : version.movedSteps[standing.step]) ?? standing.step;
    const change = changes.get(version.id);
    const next = release.byName.get(standing.playbook);
    if (change?.movedTo !== 'latest' || next === undefined) {
      const movedTo = change === undefined ? version.movedTo : change.movedTo;
      // Back in the version that runs, or where they were.
      const stays = movedTo === null || movedTo === 'latest' ? await playbookOf(version) : was;
      const step = movedTo === null ? standing.step : stepThen;
      found.push({ standing, how: 'pin', playbook: stays, step, lost: null });
      continue;
    }
    const target = change.movedSteps[standing.step] ?? standing.step;
    const lost = lostAt(was.steps.get(stepThen), next.steps.get(target), standing.ready);
    found.push({ standing, how: 'move', playbook: next, step: lost === null ? target : null, lost });
  }
  return found;
}

/** A wait under way keeps its end and a mail its outcome; neither means anything to a step of another kind. */
function lostAt(was: Step | undefined, now: Step | undefined, ready: boolean): Onward['lost'] {
  if (now === undefined) return 'gone';
  return ready || was?.kind === now.kind ? null : 'other kind';
}

function known(versions: ReadonlyMap<number, VersionRecord>, id: number): VersionRecord {
  const version = versions.get(id);
  if (version === undefined) throw new Error(`the database has no version number ${id}`);
  return version;
}

/** Writes what changed. `latest` are the row ids of the versions that run now, by playbook. */
export async function storeVersionChanges(
  tx: Queryable,
  changes: readonly VersionChange[],
  latestOf: (versionId: number) => number,
): Promise<void> {
  if (changes.length === 0) return;
  await tx.query(
    `update playbook_versions v set moved_to = w.moved_to, moved_steps = w.moved_steps, current_steps = w.current_steps
     from unnest($1::int[], $2::int[], $3::jsonb[], $4::jsonb[]) as w (id, moved_to, moved_steps, current_steps)
     where v.id = w.id and (v.moved_to, v.moved_steps, v.current_steps)
       is distinct from (w.moved_to, w.moved_steps, w.current_steps)`,
    [
      changes.map(({ id }) => id),
      changes.map(({ id, movedTo }) => (movedTo === 'latest' ? latestOf(id) : movedTo)),
      changes.map(({ movedSteps }) => JSON.stringify(movedSteps)),
      changes.map(({ currentSteps }) => JSON.stringify(currentSteps)),
    ],
  );
}
