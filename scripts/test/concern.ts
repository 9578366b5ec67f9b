/** Which tests changed files concern. */
import { splitLocale } from '../../engine/playbook/declarations.ts';
import { mailFileName, nameOf, textFileName } from '../../engine/playbook/layout.ts';
import type { SourceFile } from '../../engine/playbook/problem.ts';
import { namesOfStep } from '../../engine/playbook/tests/names.ts';
import type { PlaybookTest } from '../../engine/playbook/tests/types.ts';
import type { Release } from '../../engine/playbook/types.ts';

/** Paths of files that are new, gone or have another text. */
export function changedPaths(before: readonly SourceFile[], after: readonly SourceFile[]): readonly string[] {
  const [old, now] = [before, after].map((sources) => new Map(sources.map(({ path, text }) => [path, text])));
  const paths = new Set([...before, ...after].map(({ path }) => path));
  return [...paths].filter((path) => old?.get(path) !== now?.get(path));
}

const PLAYBOOK = /^playbooks\/[^/]+\.yaml$/;

/** Whether a changed file can change what a test comes to: what all mails or playbooks share concerns every test. */
export function concerns(path: string, test: PlaybookTest, release: Release): boolean {
  if (path.endsWith('.test.yaml')) return path === test.file;
  if (PLAYBOOK.test(path)) return test.playbooks.has(nameOf(path));
  const file = mailFileName(path) ?? textFileName(path);
  if (file === null) return true;
  const template = splitLocale(file).name;
  return [...test.playbooks].some((name) =>
    [...(release.byName.get(name)?.steps.values() ?? [])].some((step) => namesOfStep(step).includes(template)),
  );
}
