/** Every condition of the sources, with what hangs on it. */
import type { CheckedText } from '../checked.ts';
import type { Report } from '../read/report.ts';
import type { CompanySource } from '../schema.ts';
import { kindOfStep, stepsOf } from './steps.ts';

/** What a condition decides. */
export type Role =
  | 'trigger'
  | 'segment'
  | 'audience'
  | 'exit'
  | 'exit event'
  | 'goal'
  | 'guard'
  | 'branch'
  | 'arm'
  | 'wait_for'
  | 'stage';

/** A condition where it stands. */
export interface Placed {
  readonly role: Role;
  readonly owner: object;
  readonly key: string;
  readonly source: string;
}

function* under(role: Role, owner: object | undefined, key: string): Generator<Placed> {
  const source = (owner as Readonly<Record<string, unknown>> | undefined)?.[key];
  if (owner !== undefined && typeof source === 'string') yield { role, owner, key, source };
}

/** All conditions of a playbook. */
export function* conditionsOf(playbook: CheckedText): Generator<Placed> {
  const { source } = playbook;
  yield* under('trigger', source.trigger, 'if');
  yield* under('segment', source.trigger, 'segment');
  yield* under('audience', source, 'audience');
  for (const exit of source.exit ?? []) yield* under('event' in exit ? 'exit event' : 'exit', exit, 'if');
  yield* under('goal', source.goal, 'if');
  for (const step of stepsOf(playbook)) {
    yield* under(kindOfStep(step) === 'if' ? 'branch' : 'guard', step, 'if');
    if ('wait_for' in step) yield* under('wait_for', step.wait_for, 'if');
    if ('choose' in step) for (const arm of step.choose) yield* under('arm', arm, 'when');
  }
}

/** A condition and the file that it stands in. */
export interface InFile {
  readonly condition: Placed;
  readonly text: { readonly report: Report };
}

/** All conditions of the company: its stages, and those of its playbooks. */
export function* allConditions({
  company,
  playbooks,
}: {
  readonly company: { readonly source: CompanySource; readonly report: Report };
  readonly playbooks: readonly CheckedText[];
}): Generator<InFile> {
  for (const stage of company.source.stages ?? [])
    for (const condition of under('stage', stage, 'when')) yield { condition, text: company };
  for (const text of playbooks) for (const condition of conditionsOf(text)) yield { condition, text };
}
