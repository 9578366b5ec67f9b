/** What a deployment would change, against the release that runs: `perennial plan`, and what `deploy` says first. */
import { changedKeys } from '../playbook/company-keys.ts';
import { COMPANY_FILE, nameOf, templateFileName } from '../playbook/layout.ts';
import type { SourceFile } from '../playbook/problem.ts';
import type { Playbook } from '../playbook/types.ts';
import type { Instant } from '../time/types.ts';
import { assess, loadSources, openStoredReleases, type Compile, type LeftBehind } from './assess.ts';
import type { CompiledRelease } from './context.ts';
import type { Queryable } from './database.ts';
import type { NeededTemplate } from './needed-templates.ts';
import type { Onward } from './onward.ts';
import { keepsRule } from './release-playbooks.ts';

/** Names that are new, have another text, or are gone. */
export interface Difference {
  readonly added: readonly string[];
  readonly altered: readonly string[];
  readonly removed: readonly string[];
}

/** Enrolments on one step of a playbook that changes or goes. */
export interface UnderWay {
  readonly step: string;
  readonly enrolments: number;
  /** `finish`: in the structure that they are in; `move`: at `to`; `lost`: nowhere, the step is gone. */
  readonly how: 'finish' | 'move' | 'lost';
  readonly to: string | null;
}

/** A playbook that is not as it was. */
export interface PlaybookPlan {
  readonly name: string;
  readonly change: 'added' | 'altered' | 'removed';
  /** Null for one that is gone. */
  readonly inFlight: Playbook['inFlight'] | null;
  /** The trigger is new or another one: it looks forward from the deployment. */
  readonly newTrigger: boolean;
  readonly underWay: readonly UnderWay[];
}

/** The release that runs. */
export interface RunningRelease {
  readonly id: string;
  readonly at: Instant;
  readonly author: string;
}

/** What a deployment would change. */
export interface ReleasePlan {
  readonly releaseId: string;
  readonly running: RunningRelease | null;
  readonly playbooks: readonly PlaybookPlan[];
  readonly templates: Difference;
  readonly launches: Difference;
  /** Top-level keys of perennial.yaml that change. */
  readonly company: readonly string[];
  readonly leftBehind: readonly LeftBehind[];
  readonly needed: readonly NeededTemplate[];
}

/** Plans a release; only reads. @throws what `compile` throws for releases that somebody is under way in. */
export async function planRelease(
  tx: Queryable,
  compile: Compile,
  sources: readonly SourceFile[],
  next: CompiledRelease,
): Promise<ReleasePlan> {
  const running = await runningRelease(tx);
  const before = running === null ? [] : await loadSources(tx, running.id);
  const { onward, leftBehind, needed } = await assess(tx, openStoredReleases(compile), running?.id ?? null, next, true);
  const files = (pattern: RegExp): Difference => differenceOf(named(before, pattern), named(sources, pattern));
  return {
    releaseId: next.release.id,
    running,
    playbooks: await playbookPlans(tx, next, files(/^playbooks\/[^/]+(?<!\.test)\.yaml$/), onward),
    templates: files(/^templates\/.+\.(?:hbs|mjml)$/),
    launches: files(/^playbooks\/launches\/[^/]+\.yaml$/),
    company: running === null ? [] : changedKeys(textOf(before, COMPANY_FILE), textOf(sources, COMPANY_FILE)),
    leftBehind,
    needed,
  };
}

async function runningRelease(tx: Queryable): Promise<RunningRelease | null> {
  const { rows } = await tx.query<{ id: string; at: Instant; author: string }>(
    `select r.id, r.deployed_at as at, r.author from engine e join releases r on r.id = e.release_id`,
  );
  return rows[0] ?? null;
}

async function playbookPlans(
  tx: Queryable,
  { release }: CompiledRelease,
  { added, altered, removed }: Difference,
  onward: readonly Onward[],
): Promise<readonly PlaybookPlan[]> {
  const { rows } = await tx.query<{ name: string; triggerHash: string; live: boolean }>(
    'select name, trigger_hash as "triggerHash", live from playbooks',
  );
  const before = new Map(rows.map((row) => [row.name, row]));
  const planOf = (name: string, change: PlaybookPlan['change']): PlaybookPlan => {
    const playbook = release.byName.get(name);
    return {
      name,
      change,
      inFlight: playbook?.inFlight ?? null,
      newTrigger: playbook !== undefined && !keepsRule(before.get(name), playbook),
      underWay: underWayOf(onward.filter(({ standing }) => standing.playbook === name)),
    };
  };
  const plans = [
    ...added.map((name) => planOf(name, 'added')),
    ...altered.map((name) => planOf(name, 'altered')),
    ...removed.map((name) => planOf(name, 'removed')),
  ];
  return plans.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function underWayOf(onward: readonly Onward[]): readonly UnderWay[] {
  const found = new Map<string, UnderWay>();
  for (const { standing, how, step: to, lost } of onward) {
    const what = lost !== null ? 'lost' : how === 'move' ? 'move' : 'finish';
    const one = { step: standing.step, how: what, to: what === 'move' ? to : null } as const;
    const key = JSON.stringify(one);
    found.set(key, { ...one, enrolments: standing.enrolments + (found.get(key)?.enrolments ?? 0) });
  }
  return [...found.values()];
}

function named(sources: readonly SourceFile[], pattern: RegExp): ReadonlyMap<string, string> {
  const chosen = sources.filter(({ path }) => pattern.test(path));
  return new Map(chosen.map(({ path, text }) => [templateFileName(path) ?? nameOf(path), text]));
}

function differenceOf(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): Difference {
  return {
    added: [...after.keys()].filter((name) => !before.has(name)).sort(),
    altered: [...after.keys()].filter((name) => before.has(name) && before.get(name) !== after.get(name)).sort(),
    removed: [...before.keys()].filter((name) => !after.has(name)).sort(),
  };
}

function textOf(sources: readonly SourceFile[], path: string): string {
  return sources.find((source) => source.path === path)?.text ?? '';
}
