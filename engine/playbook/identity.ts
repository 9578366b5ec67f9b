/** A step's identity from one version of a playbook to the next: docs/playbooks.md, `renamed`. */
import type { Playbook } from './types.ts';

/** Step ids of an older version, and what those steps are called now. What is not named is called as it was. */
export type StepNames = Readonly<Record<string, string>>;

/** Follows `renamed` to an id that is none of its old ones; null in a circle. */
export function renamedTo(renamed: StepNames, id: string): string | null {
  const seen = new Set<string>();
  let current = id;
  while (Object.hasOwn(renamed, current)) {
    if (seen.has(current)) return null;
    seen.add(current);
    current = renamed[current] ?? current;
  }
  return current;
}

/**
 * What a step of the version `from` is called in `to`. An id that `to` has is kept. One that `to` renames follows. One
 * that `from` had renamed, and whose old id is back in `to`, goes back: so it is when a release is rolled back. Any
 * other is kept, and `to` may not have it.
 */
export function carryStep(from: Playbook | null, to: Playbook, step: string): string {
  if (to.steps.has(step)) return step;
  const renamed = renamedTo(to.renamed, step);
  if (renamed !== null && to.steps.has(renamed)) return renamed;
  const back = Object.keys(from?.renamed ?? {}).find(
    (old) => to.steps.has(old) && from !== null && renamedTo(from.renamed, old) === step,
  );
  return back ?? step;
}

/** The names of an older version's steps, carried on from the version `from` to the next one. */
export function carryNames(names: StepNames, from: Playbook | null, to: Playbook): StepNames {
  const olds = new Set([...Object.keys(names), ...Object.keys(to.renamed), ...Object.values(from?.renamed ?? {})]);
  const carried = [...olds].map((old) => [old, carryStep(from, to, names[old] ?? old)] as const);
  return Object.fromEntries(carried.filter(([old, now]) => old !== now));
}
