import { lintMails } from '../message/lint/lint.ts';
import { fixedText } from '../message/lint/page.ts';
import { knownVariables } from '../message/known.ts';
import { checkTexts } from '../message/short-text.ts';
import { compileTemplates, type CompileOptions, type TemplateSet } from '../message/templates.ts';
import type { CheckedSources } from '../playbook/checked.ts';
import { compileProject } from '../playbook/compile.ts';
import { splitLocale } from '../playbook/declarations.ts';
import { lint, type Standing, type TemplateFacts } from '../playbook/lint/lint.ts';
import type { Problem, SourceFile } from '../playbook/problem.ts';
import { compileTests, type TestFile } from '../playbook/tests/compile.ts';
import type { Release } from '../playbook/types.ts';
import { convertMjml } from './mjml.ts';
import { readSources } from './read.ts';
import { checkSurveyLinks } from './survey-links.ts';
import { checkTopics } from './topics.ts';

/**
 * A company folder, checked whole. Without a release, at least one problem is an error; mistakes in tests of playbooks
 * are problems too, and keep nothing from being released.
 */
export interface CheckedProject {
  readonly release: Release | null;
  readonly templates: TemplateSet;
  readonly tests: readonly TestFile[];
  readonly problems: readonly Problem[];
  /** As they were read. */
  readonly sources: readonly SourceFile[];
  /** What a linter looks at; null while `perennial.yaml` has mistakes. */
  readonly checked: CheckedSources | null;
}

function byPlace(a: Problem, b: Problem): number {
  return (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) || a.line - b.line || a.column - b.column;
}

/** Checks sources whole: playbooks and templates. The release is null when there is an error in either. */
export function checkSources(sources: readonly SourceFile[], options: CompileOptions = {}): CheckedProject {
  const compiled = compileProject(sources);
  const { templates, problems: templateProblems } = compileTemplates(sources, convertMjml, options);
  const textProblems = checkTexts(compiled.texts, knownVariables(sources));
  const linkProblems = checkSurveyLinks(compiled.mails, templates);
  const topics = compiled.checked?.company.names.topics ?? null;
  const topicProblems = topics === null ? [] : checkTopics(compiled.mails, templates, new Set(topics.keys()));
  const problems = [...compiled.problems, ...templateProblems, ...textProblems, ...linkProblems, ...topicProblems];
  const isSound = problems.every(({ level }) => level !== 'error');
  const release = isSound ? compiled.release : null;
  const { files, problems: inTests } = compileTests(sources, release);
  const all = [...problems, ...inTests].sort(byPlace);
  return { release, templates, tests: files, problems: all, sources, checked: compiled.checked };
}

function factsOf(templates: TemplateSet): readonly TemplateFacts[] {
  return templates.names.flatMap((name) =>
    (templates.get(name)?.bodies ?? []).flatMap((body) => {
      if (body === undefined) return [];
      const { file, reads, needs, parts } = body;
      return [{ ...splitLocale(name), file, reads, needs, fixed: fixedText(parts) }];
    }),
  );
}

/**
 * What the linter says of a company that was checked, by place: nothing about templates while one of them has a mistake,
 * since it would then be missed elsewhere. @param standing who is under way, from a database; null where none was asked.
 */
export function lintProject(
  { checked, templates, problems, sources }: CheckedProject,
  standing: readonly Standing[] | null = null,
): readonly Problem[] {
  if (checked === null) return [];
  const errors = problems.filter(({ level }) => level === 'error');
  const isKnown = !errors.some(({ file }) => file.startsWith('templates/'));
  const facts = {
    templates: isKnown ? factsOf(templates) : [],
    standing,
    isWhole: errors.length === 0,
    mails: lintMails(templates, sources),
  };
  return [...lint(checked, facts)].sort(byPlace);
}

/**
 * Reads, checks and lints a company folder; files that cannot be sources are problems too. Throws `ProjectError`.
 * @param standing who is under way, from a database; null where none was asked.
 */
export async function checkProject(dir: string, standing: readonly Standing[] | null = null): Promise<CheckedProject> {
  const { sources, problems: unreadable } = await readSources(dir);
  const checked = checkSources(sources);
  const linted = lintProject({ ...checked, problems: [...unreadable, ...checked.problems] }, standing);
  const isRefused = unreadable.length > 0 || linted.some(({ level }) => level === 'error');
  const problems = [...unreadable, ...checked.problems, ...linted].sort(byPlace);
  return { ...checked, release: isRefused ? null : checked.release, problems };
}
