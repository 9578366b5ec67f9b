/** The two sides of a comparison: a git revision against the company folder, or against another revision. */
import { checkProject, checkSources } from '../../engine/project/check.ts';
import { readRevision, RevisionError } from '../../engine/project/revision.ts';
import type { SourceFile } from '../../engine/playbook/problem.ts';
import type { Release } from '../../engine/playbook/types.ts';
import { formatProblems } from '../check/format.ts';
import type { Sides } from './diff.ts';
import { SourceError } from './source.ts';

/** Both releases, and how to call them. */
export interface Revisions {
  readonly before: Release;
  readonly after: Release;
  readonly sides: Sides;
}

interface Side {
  readonly release: Release;
  readonly sources: readonly SourceFile[];
  readonly name: string;
}

const RANGE = /^(.+?)\.\.(?!\.)(.+)$/;

/** Reads `REV` or `REV..REV`. @throws SourceError when a side cannot be read or has mistakes. */
export async function readRevisions(project: string, text: string): Promise<Revisions> {
  const [, first = text, second] = RANGE.exec(text) ?? [];
  const before = await sideOf(project, first);
  const after = second === undefined ? await folderSide(project) : await sideOf(project, second);
  const sides = { before: before.name, after: after.name, files: differing(before.sources, after.sources) };
  return { before: before.release, after: after.release, sides };
}

async function sideOf(project: string, revision: string): Promise<Side> {
  try {
    const { commit, sources, problems: unreadable } = await readRevision(project, revision);
    const name = `${revision} (${commit.slice(0, 8)})`;
    const { release, problems } = checkSources(sources, { isDeployed: true });
    if (release !== null && unreadable.length === 0) return { release, sources, name };
    throw mistakes(name, [...unreadable, ...problems], sources);
  } catch (error) {
    if (!(error instanceof RevisionError)) throw error;
    throw new SourceError(error.message, { cause: error });
  }
}

async function folderSide(project: string): Promise<Side> {
  const { release, problems, sources } = await checkProject(project);
  if (release !== null) return { release, sources, name: 'the company folder as it is' };
  throw mistakes('the company folder', problems, sources);
}

function mistakes(
  name: string,
  problems: Parameters<typeof formatProblems>[0],
  sources: readonly SourceFile[],
): SourceError {
  const text = formatProblems(problems, { colour: process.stderr.isTTY, sources });
  return new SourceError(`The playbooks of ${name} have mistakes, so nothing can be compared:\n${text}`);
}

function differing(before: readonly SourceFile[], after: readonly SourceFile[]): readonly string[] {
  const [was, is] = [before, after].map((files) => new Map(files.map(({ path, text }) => [path, text])));
  const paths = new Set([...(was?.keys() ?? []), ...(is?.keys() ?? [])]);
  return [...paths].filter((path) => was?.get(path) !== is?.get(path)).sort();
}
