/** The ways through a playbook: which arms lead to a step, and what can still be reached. */
import { splitArm } from '../journey/split.ts';
import type { Condition, Playbook, Step } from '../playbook/types.ts';

/** One way on from a step that has several. */
export interface Arm {
  /** In the words of the language: `then`, `else`, `arm 2`, `otherwise`. */
  readonly label: string;
  readonly first: string | null;
  /** What must be true to take it; null where something else decides. */
  readonly condition: Condition | null;
  /** From the step to the words of the condition. */
  readonly path: readonly (string | number)[];
}

/** A step with several ways on, and the one of them in which another step stands. */
export interface Fork {
  readonly step: Step;
  readonly arm: Arm;
}

/** The ways on from a step; none where it has one only. */
export function armsOf(step: Step): readonly Arm[] {
  switch (step.kind) {
    case 'if':
      return [
        { label: 'then', first: step.then, condition: step.when, path: ['if'] },
        { label: 'else', first: step.else, condition: null, path: ['if'] },
      ];
    case 'choose':
      return step.arms.map((arm, index) => ({
        label: arm.when === null ? 'otherwise' : `arm ${index + 1}`,
        first: arm.first,
        condition: arm.when,
        path: ['choose', index, arm.when === null ? 'otherwise' : 'when'],
      }));
    case 'wait_for':
    case 'survey':
      return [
        { label: 'then', first: step.then, condition: null, path: [step.kind] },
        { label: 'else', first: step.else, condition: null, path: [step.kind] },
      ];
    case 'split':
      return step.arms.map(({ name, first }) => ({ label: name, first, condition: null, path: ['arms', name] }));
    case 'email':
    case 'wait':
    case 'task':
    case 'webhook':
    case 'coupon':
    case 'start':
    case 'set':
    case 'tag':
    case 'untag':
    case 'exit':
      return [];
  }
}

/** The steps of one arm: all that come from its first on before what comes after the whole step. */
function stepsOf(playbook: Playbook, step: Step, arm: Arm): ReadonlySet<string> {
  return arm.first === step.next ? new Set() : reach(playbook, arm.first, step.next);
}

function reach(playbook: Playbook, from: string | null, stopAt: string | null): ReadonlySet<string> {
  const seen = new Set<string>();
  const open = [from];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (id === null || id === stopAt || seen.has(id)) continue;
    seen.add(id);
    const step = playbook.steps.get(id);
    if (step !== undefined) open.push(step.next, ...armsOf(step).map((arm) => arm.first));
  }
  return seen;
}

/** Whether somebody who stands at `from` can still come to `to`. */
export function canReach(playbook: Playbook, from: string, to: string): boolean {
  return from !== to && reach(playbook, from, null).has(to);
}

/** The forks on the way to a step, the outermost first, each with the arm that leads to it. */
export function forksTo(playbook: Playbook, stepId: string): readonly Fork[] {
  return [...playbook.steps.values()].flatMap((step) =>
    armsOf(step).flatMap((arm) => (stepsOf(playbook, step, arm).has(stepId) ? [{ step, arm }] : [])),
  );
}

/**
 * The arm of a step that is taken: of a split, the one in which the customer lands (by the company's own id); of others,
 * by the steps of which there is a trace. Null where nothing tells.
 */
export function armTaken(
  playbook: Playbook,
  step: Step,
  by: { readonly customer: string; readonly traced: ReadonlySet<string> },
): Arm | null {
  const arms = armsOf(step);
  if (step.kind === 'split') {
    const { name } = splitArm(playbook.name, step.id, by.customer, step.arms);
    return arms.find(({ label }) => label === name) ?? null;
  }
  const taken = arms.filter((arm) => [...stepsOf(playbook, step, arm)].some((id) => by.traced.has(id)));
  return taken.length === 1 ? (taken[0] ?? null) : null;
}
