/** Links steps that were checked: from nested lists to one map in which every step says what comes after it. */
import { kindOf, type StepKind } from '../check/steps.ts';
import type { StepPlace } from '../check/ids.ts';
import { namesOf } from '../read/walk.ts';
import type { StepSource } from '../schema.ts';
import type { Condition, FieldRef, Json, Step, Topic, WaitRule } from '../types.ts';

/** What linking needs to know of a playbook. */
export interface Linking {
  placeOf(step: StepSource): StepPlace;
  conditionOf(owner: object, key: string): Condition;
  fieldOf(owner: object): FieldRef;
  topicOf(name: string | undefined): Topic;
  readonly steps: Map<string, Step>;
}

type Source<K extends string> = Extract<StepSource, Readonly<Record<K, unknown>>>;
type Base = Pick<Step, 'id' | 'index' | 'guard' | 'next'>;

function waitRule(linking: Linking, step: Source<'wait'>): WaitRule {
  const { wait } = step;
  if (!('kind' in wait)) {
    return {
      kind: 'field',
      field: linking.fieldOf(wait),
      offset: wait.offset ?? null,
      at: wait.at ?? null,
      ifPast: wait.if_past ?? 'continue',
    };
  }
  if (wait.kind !== 'field') return wait;
  return { kind: 'field', field: linking.fieldOf(step), offset: null, at: null, ifPast: 'continue' };
}

function linkBranches(
  linking: Linking,
  step: { readonly then?: readonly StepSource[] | undefined; readonly else?: readonly StepSource[] | undefined },
  next: string | null,
) {
  return { then: linkSteps(linking, step.then ?? [], next), else: linkSteps(linking, step.else ?? [], next) };
}

function linkWaitFor(linking: Linking, base: Base, step: Source<'wait_for'>): Step {
  const { wait_for: awaited } = step;
  const condition = awaited.if === undefined ? null : linking.conditionOf(awaited, 'if');
  return {
    ...base,
    kind: 'wait_for',
    event: awaited.event,
    if: condition,
    upTo: awaited.up_to,
    ...linkBranches(linking, step, base.next),
  };
}

function linkChoose(linking: Linking, base: Base, step: Source<'choose'>): Step {
  const arms = step.choose.map((arm) => ({
    when: 'when' in arm ? linking.conditionOf(arm, 'when') : null,
    first: linkSteps(linking, arm.steps, base.next),
  }));
  return { ...base, kind: 'choose', arms };
}

function linkSplit(linking: Linking, base: Base, step: Source<'split'>): Step {
  const arms = namesOf(step.arms).flatMap((name) => {
    const arm = step.arms[name];
    return arm === undefined ? [] : [{ name, share: arm.share, first: linkSteps(linking, arm.steps, base.next) }];
  });
  return { ...base, kind: 'split', arms };
}

function linkBranch(linking: Linking, base: Base, step: Source<'if' | 'then'>): Step {
  const when = linking.conditionOf(step, 'if');
  return { ...base, guard: null, kind: 'if', when, ...linkBranches(linking, step, base.next) };
}

function linkSurvey(linking: Linking, base: Base, step: Source<'survey'>): Step {
  const { email: template, ask, up_to: upTo } = step.survey;
  const topic = linking.topicOf(undefined);
  return { ...base, kind: 'survey', template, topic, ask, upTo, ...linkBranches(linking, step, base.next) };
}

function taskStep(base: Base, { task }: Source<'task'>): Step {
  return { ...base, kind: 'task', title: task.title, to: task.to ?? null, within: task.within ?? null };
}

function webhookStep(base: Base, { webhook }: Source<'webhook'>): Step {
  return { ...base, kind: 'webhook', url: webhook.url, body: (webhook.body ?? null) as Json };
}

function link(linking: Linking, step: StepSource, kind: StepKind | null, base: Base): Step {
  if ('email' in step) return { ...base, kind: 'email', template: step.email, topic: linking.topicOf(step.topic) };
  if ('wait' in step) return { ...base, kind: 'wait', wait: waitRule(linking, step) };
  if ('wait_for' in step) return linkWaitFor(linking, base, step);
  if ('choose' in step) return linkChoose(linking, base, step);
  if ('split' in step) return linkSplit(linking, base, step);
  if ('start' in step) return { ...base, kind: 'start', playbook: step.start };
  if ('set' in step) return { ...base, kind: 'set', values: step.set };
  if ('tag' in step) return { ...base, kind: 'tag', tag: step.tag };
  if ('untag' in step) return { ...base, kind: 'untag', tag: step.untag };
  if ('survey' in step) return linkSurvey(linking, base, step);
  if ('coupon' in step) return { ...base, kind: 'coupon', pool: step.coupon.pool, as: step.coupon.as };
  if ('webhook' in step) return webhookStep(base, step);
  if ('task' in step) return taskStep(base, step);
  if ('exit' in step) return { ...base, kind: 'exit', reason: step.exit };
  if (kind === 'if') return linkBranch(linking, base, step);
  throw new Error(`a step of the kind ${kind ?? 'unknown'} was let through`);
}

/** Links a list of steps; gives the first one's id, or `next` for an empty list. */
export function linkSteps(linking: Linking, steps: readonly StepSource[], next: string | null): string | null {
  for (const [i, step] of steps.entries()) {
    const after = steps[i + 1];
    const { id, index } = linking.placeOf(step);
    const kind = kindOf(step);
    const guard = kind !== 'if' && step.if !== undefined ? linking.conditionOf(step, 'if') : null;
    const base: Base = { id, index, guard, next: after === undefined ? next : linking.placeOf(after).id };
    linking.steps.set(id, link(linking, step, kind, base));
  }
  const [first] = steps;
  return first === undefined ? next : linking.placeOf(first).id;
}
