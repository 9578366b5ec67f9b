/** Steps as written, for rules: lists within lists, and what is asked of each. */
import { allSteps, branchesOf, kindOf, type StepKind } from '../check/steps.ts';
import type { CheckedText } from '../checked.ts';
import type { StepSource } from '../schema.ts';

export type { StepKind } from '../check/steps.ts';

/** A list of steps. */
export type Steps = readonly StepSource[];

const known = new WeakMap<object, readonly StepSource[]>();

/** All steps of a playbook in written order. Every rule asks for them. */
export function stepsOf({ source }: CheckedText): readonly StepSource[] {
  // A source without mistakes has no holes: what is loose is only the type.
  const found = known.get(source) ?? ([...allSteps(source.steps)] as unknown as readonly StepSource[]);
  known.set(source, found);
  return found;
}

/** The kind of a step. */
export function kindOfStep(step: StepSource): StepKind | null {
  return kindOf(step);
}

/** The lists inside a step, in written order. */
export function listsIn(step: StepSource): readonly Steps[] {
  return branchesOf(step) as unknown as readonly Steps[];
}

/** All lists of a playbook, the outermost first. */
export function listsOf(playbook: CheckedText): readonly Steps[] {
  return [playbook.source.steps, ...stepsOf(playbook).flatMap(listsIn)];
}

/** The condition that skips a step; undefined for one without, and for a branching `if`, which is none. */
export function guardOf(step: StepSource): string | undefined {
  return kindOfStep(step) === 'if' ? undefined : step.if;
}

/** A step's id. */
export function idOf({ places }: CheckedText, step: StepSource): string {
  return places.get(step)?.id ?? '';
}
