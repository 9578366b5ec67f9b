import { knownVariables } from '../message/known.ts';
import { checkTexts } from '../message/short-text.ts';
import { compileTemplates, type TemplateSet } from '../message/templates.ts';
import { compileProject } from '../playbook/compile.ts';
import type { Problem, SourceFile } from '../playbook/problem.ts';
import { compileTests, type TestFile } from '../playbook/tests/compile.ts';
import type { Release } from '../playbook/types.ts';
import { readSources } from './read.ts';

/**
 * A company folder, checked whole. Without a release, at least one problem is an error; mistakes in tests of playbooks
 * are problems too, and keep nothing from being released.
 */
export interface CheckedProject {
  readonly release: Release | null;
  readonly templates: TemplateSet;
  readonly tests: readonly TestFile[];
  readonly problems: readonly Problem[];
}

function byPlace(a: Problem, b: Problem): number {
  return (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) || a.line - b.line || a.column - b.column;
}

/** Checks sources whole: playbooks and templates. The release is null when there is an error in either. */
export function checkSources(sources: readonly SourceFile[]): CheckedProject {
  const compiled = compileProject(sources);
  const { templates, problems: templateProblems } = compileTemplates(sources);
  const textProblems = checkTexts(compiled.texts, knownVariables(sources));
  const problems = [...compiled.problems, ...templateProblems, ...textProblems];
  const isSound = problems.every(({ level }) => level !== 'error');
  const release = isSound ? compiled.release : null;
  const { files, problems: inTests } = compileTests(sources, release);
  return { release, templates, tests: files, problems: [...problems, ...inTests].sort(byPlace) };
}

/** Reads and checks a company folder; files that cannot be sources are problems too. Throws `ProjectError`. */
export async function checkProject(dir: string): Promise<CheckedProject & { readonly sources: readonly SourceFile[] }> {
  const { sources, problems: unreadable } = await readSources(dir);
  const checked = checkSources(sources);
  const problems = [...unreadable, ...checked.problems].sort(byPlace);
  return { ...checked, release: unreadable.length > 0 ? null : checked.release, problems, sources };
}
