/** Releases as they were: who deployed which when, what they said, and in which words. */
import type { SourceFile } from '../playbook/problem.ts';
import { type Quoter, quoterOf } from '../playbook/quote.ts';
import type { Release } from '../playbook/types.ts';
import type { Queryable } from '../store/database.ts';
import { StoreError } from '../store/errors.ts';
import { loadSources, type Compile } from '../store/releases.ts';
import type { Instant } from '../time/types.ts';
import type { Deployment } from './answer.ts';

/** The releases of one database, read as they are asked for. */
export interface Sources {
  /** What ran at an instant; null before the first deployment. */
  deployedAt(at: Instant): Deployment | null;
  /** The latest deployment of a release, not after `until` where that is given; null when none is on record. */
  deploymentOf(releaseId: string, until?: Instant): Deployment | null;
  /** @throws StoreError `broken-release` when this version of Perennial cannot run it any more. */
  release(releaseId: string): Promise<Release>;
  /** The words of one file; every quote is null when the release has no such file. */
  quoter(releaseId: string, path: string): Promise<Quoter>;
}

/** Opens the releases; `deployments` in the order in which they were made. */
export function openSources(db: Queryable, compile: Compile, deployments: readonly Deployment[]): Sources {
  const files = new Map<string, Promise<readonly SourceFile[]>>();
  const releases = new Map<string, Promise<Release>>();
  const filesOf = (releaseId: string): Promise<readonly SourceFile[]> =>
    remember(files, releaseId, async () => loadSources(db, releaseId));
  return {
    deployedAt: (at) => deployments.findLast((deployment) => deployment.at <= at) ?? null,
    deploymentOf: (releaseId, until = Number.POSITIVE_INFINITY) => {
      const own = deployments.filter((deployment) => deployment.releaseId === releaseId);
      return own.findLast((deployment) => deployment.at <= until) ?? own[0] ?? null;
    },
    release: async (releaseId) =>
      remember(releases, releaseId, async () => compiled(releaseId, await filesOf(releaseId), compile)),
    quoter: async (releaseId, path) => {
      const source = (await filesOf(releaseId)).find((file) => file.path === path);
      return quoterOf(source ?? { path, text: '' });
    },
  };
}

/** The path of a playbook's file. */
export function playbookFile(name: string): string {
  return `playbooks/${name}.yaml`;
}

function compiled(releaseId: string, sources: readonly SourceFile[], compile: Compile): Release {
  try {
    return compile(sources).release;
  } catch (cause) {
    const message = `the release ${releaseId.slice(0, 12)}, of which this is about, does not compile with this version of Perennial`;
    throw new StoreError('broken-release', message, { cause });
  }
}

function remember<T>(known: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  let value = known.get(key);
  if (value === undefined) known.set(key, (value = make()));
  return value;
}
