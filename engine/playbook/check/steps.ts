import type { ConditionEnv } from '../cel/context.ts';
import { type Loose, namesOf } from '../read/walk.ts';
import type { StepSource } from '../schema.ts';
import { nameOf } from '../layout.ts';
import { type Checks, checkCondition, checkEvent, checkMoment, hint, withEvent } from './context.ts';
import { checkSet } from './attributes.ts';

export type LooseStep = Loose<StepSource>;
type LooseSteps = readonly (LooseStep | undefined)[];

/** The kinds of steps by the key that says so; `if` last, since it is also every other step's guard. */
export const STEP_KINDS = [
  'email',
  'wait',
  'wait_for',
  'choose',
  'split',
  'set',
  'tag',
  'untag',
  'task',
  'coupon',
  'survey',
  'webhook',
  'start',
  'exit',
  'if',
] as const;
export type StepKind = (typeof STEP_KINDS)[number];

/** Which kind of step it is; null for one whose own key is misspelt. */
export function kindOf(step: LooseStep): StepKind | null {
  return STEP_KINDS.find((key) => key in step) ?? null;
}

/** The steps inside a step, list by list, in the order in which they are written. */
export function branchesOf(step: LooseStep): readonly LooseSteps[] {
  const branches: LooseSteps[] = [];
  for (const [key, value] of Object.entries(step)) {
    if ((key === 'then' || key === 'else') && value !== undefined) branches.push(value as LooseSteps);
    if (key === 'choose' || key === 'arms') {
      const arms = (value ?? {}) as Readonly<Record<string, { readonly steps?: LooseSteps } | undefined>>;
      for (const name of namesOf(arms)) {
        const steps = arms[name]?.steps;
        if (steps !== undefined) branches.push(steps);
      }
    }
  }
  return branches;
}

/** All steps in written order, those inside of steps right after them. */
export function* allSteps(steps: LooseSteps): Generator<LooseStep> {
  for (const step of steps) {
    if (step === undefined) continue;
    yield step;
    for (const branch of branchesOf(step)) yield* allSteps(branch);
  }
}

/** What the checks of steps need besides. */
interface StepChecks extends Checks {
  readonly env: ConditionEnv;
  /** The playbook's own topic, or undefined. */
  readonly topic: string | undefined;
}

function checkTemplate({ report, names }: Checks, owner: object, key: string, template: string | undefined): void {
  if (template === undefined || names.templates.has(template)) return;
  const fix = hint(template, names.templates, `write templates/${template}.hbs`);
  report.at(owner, key, { code: 'unknown-template', message: `there is no template \`${template}\``, fix });
}

/** Checks the name of a topic under a key, if one is given. */
export function checkTopic({ report, names }: Checks, owner: object, topic: string | undefined): void {
  if (topic === undefined || names.topics.has(topic)) return;
  const fix = hint(topic, names.topics.keys(), 'declare it under `topics:` in perennial.yaml');
  report.at(owner, 'topic', { code: 'unknown-topic', message: `the topic \`${topic}\` is declared nowhere`, fix });
}

function checkEmail(checks: StepChecks, step: LooseStep): void {
  if ('survey' in step) {
    if (step.survey !== undefined) checkTemplate(checks, step.survey, 'email', step.survey.email);
    if (checks.topic === undefined) reportNoTopic(checks, step, 'survey');
    return;
  }
  if (!('email' in step)) return;
  checkTemplate(checks, step, 'email', step.email);
  checkTopic(checks, step, step.topic);
  if (!('topic' in step) && checks.topic === undefined) reportNoTopic(checks, step, 'email');
}

function reportNoTopic(checks: StepChecks, step: LooseStep, kind: 'email' | 'survey'): void {
  const topics = [...checks.names.topics.keys()].map((name) => `\`topic: ${name}\``).join(' or ');
  const message =
    kind === 'email' ? "a mail needs a topic: of its own, or the playbook's" : "a survey needs a topic: the playbook's";
  checks.report.atKey(step, kind, { code: 'missing-topic', message, fix: topics === '' ? null : `add ${topics}` });
}

function checkWaits(checks: StepChecks, step: LooseStep): void {
  if ('wait' in step && step.wait !== undefined && 'until' in step.wait && step.wait.until !== undefined) {
    const owner = 'kind' in step.wait ? step : step.wait;
    checkMoment(checks, owner, owner === step ? 'wait' : 'until', step.wait.until, checks.env);
  }
  if (!('wait_for' in step) || step.wait_for === undefined) return;
  const { event } = step.wait_for;
  const seen = withEvent(checks.env, event, checkEvent(checks, step.wait_for, 'event', event));
  checkCondition(checks, step.wait_for, 'if', seen);
}

function checkChoose(checks: StepChecks, step: LooseStep): void {
  if (!('choose' in step)) return;
  const arms = step.choose ?? [];
  for (const [i, arm] of arms.entries()) {
    if (arm === undefined) continue;
    if ('when' in arm) checkCondition(checks, arm, 'when', checks.env);
    if ('otherwise' in arm && i < arms.length - 1) {
      checks.report.atKey(arm, 'otherwise', {
        code: 'bad-order',
        message: 'nothing after `otherwise` can be chosen',
        fix: 'move it to the end',
      });
    }
  }
}

function checkReferences(checks: StepChecks, step: LooseStep): void {
  const { report, names } = checks;
  if (!('start' in step) || step.start === undefined) return;
  if (!names.playbooks.has(step.start)) {
    const fix = hint(step.start, names.playbooks, `write playbooks/${step.start}.yaml`);
    report.at(step, 'start', { code: 'unknown-playbook', message: `there is no playbook \`${step.start}\``, fix });
  } else if (step.start === nameOf(report.file)) {
    const message = 'a playbook does not start itself';
    const fix = 'name another one; who may come back is what `entry: { again: … }` says';
    report.at(step, 'start', { code: 'starts-itself', message, fix });
  }
}

function checkSplit({ report }: Checks, step: LooseStep): void {
  if (!('split' in step) || step.arms === undefined || namesOf(step.arms).length > 0) return;
  const fix = 'write one arm at least, such as `arms: { warm: { share: 50, steps: [ … ] } }`';
  report.at(step, 'arms', { code: 'too-few', message: 'a split without arms leads nowhere', fix });
}

function checkStep(checks: StepChecks, step: LooseStep): void {
  checkCondition(checks, step, 'if', checks.env);
  checkEmail(checks, step);
  checkWaits(checks, step);
  checkChoose(checks, step);
  checkSplit(checks, step);
  checkReferences(checks, step);
  if (!('set' in step) || step.set === undefined) return;
  checkSet(checks, step.set);
  if (Object.keys(step.set).length > 0) return;
  const fix = 'name an attribute and its value, such as `set: { plan: gold }`, or take the step out';
  checks.report.at(step, 'set', { code: 'nothing-set', message: 'this step sets nothing', fix });
}

/** Checks all steps of a playbook but for their ids. */
export function checkSteps(checks: StepChecks, steps: LooseSteps): void {
  for (const step of allSteps(steps)) checkStep(checks, step);
}
