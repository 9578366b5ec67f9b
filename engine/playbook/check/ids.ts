import type { Report } from '../read/report.ts';
import { allSteps, kindOf, type LooseStep } from './steps.ts';

/** A step's place in its playbook. */
export interface StepPlace {
  readonly id: string;
  /** In written order, from 0. */
  readonly index: number;
}

/** The default id (docs/playbooks.md). `number` counts all steps of the kind in written order, named ones too. */
function defaultId(step: LooseStep, kind: string, number: number): string {
  if ('email' in step && step.email !== undefined) return step.email.split('/').at(-1) ?? step.email;
  if ('split' in step && step.split !== undefined) return step.split;
  return `${kind}-${number}`;
}

function collision(step: LooseStep, other: LooseStep, id: string): { readonly message: string; readonly fix: string } {
  if ('id' in step && 'id' in other)
    return { message: `the id \`${id}\` is taken by another step`, fix: 'give each step an id of its own' };
  const how = 'email' in step && !('id' in step) ? ", made from its template's name," : '';
  return {
    message: `the id \`${id}\`${how} is taken by another step`,
    fix: `give this step an \`id:\` of its own, such as \`${id}-2\``,
  };
}

/** Gives every step its id and index, and reports ids that are taken. */
export function placeSteps(report: Report, steps: readonly (LooseStep | undefined)[]): ReadonlyMap<object, StepPlace> {
  const places = new Map<object, StepPlace>();
  const taken = new Map<string, LooseStep>();
  const numbers = new Map<string, number>();
  for (const step of allSteps(steps)) {
    const kind = kindOf(step);
    if (kind === null) continue;
    const number = (numbers.get(kind) ?? 0) + 1;
    numbers.set(kind, number);
    const id = step.id ?? defaultId(step, kind, number);
    const other = taken.get(id);
    if (other === undefined) taken.set(id, step);
    else report.at(step, 'id' in step ? 'id' : kind, { code: 'duplicate-id', ...collision(step, other, id) });
    places.set(step, { id, index: places.size });
  }
  return places;
}
