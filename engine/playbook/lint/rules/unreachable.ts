import type { CheckedText } from '../../checked.ts';
import type { Expression } from '../../cel/syntax.ts';
import type { StepSource } from '../../schema.ts';
import { type Finding, findingAt, findingAtKey, type LintContext, type Rule } from '../rule.ts';
import { guardOf, listsOf, type Steps, stepsOf } from '../steps.ts';
import { canHold, parsed, verdictOf } from '../truth/verdict.ts';
import type { World } from '../truth/variable.ts';

/** Beyond so many ways nobody sees through them anyway, and each is judged against all before it. */
const MOST_WAYS = 50;

const ENDED = 'take it out, or move it before what ends the enrolment';

/** Whether nobody comes out of a list. */
function ends(steps: Steps | undefined, world: World): boolean {
  return steps?.some((step) => endsAt(step, world)) ?? false;
}

function endsAt(step: StepSource, world: World): boolean {
  const guard = parsed(guardOf(step));
  if (guard !== null && verdictOf(guard, world) !== 'always') return false;
  if ('exit' in step) return true;
  if ('choose' in step) {
    const last = step.choose.at(-1);
    const isOpen = last !== undefined && 'otherwise' in last;
    return isOpen && step.choose.every((arm) => ends(arm.steps, world));
  }
  if ('split' in step) {
    const arms = Object.values(step.arms);
    return arms.length > 0 && arms.every((arm) => ends(arm.steps, world));
  }
  // A survey whose mail is skipped takes neither of its ways.
  if ('survey' in step) return false;
  return 'then' in step && ends(step.then, world) && ends(step.else, world);
}

function* afterTheEnd(text: CheckedText, world: World): Generator<Finding> {
  for (const steps of listsOf(text)) {
    const at = steps.findIndex((step) => endsAt(step, world));
    const [end, after] = [steps[at], steps[at + 1]];
    if (end === undefined || after === undefined) continue;
    const what =
      'exit' in end ? 'the step before ends the enrolment' : 'every way through the step before ends the enrolment';
    yield findingAt(text, { owner: after, key: null }, { message: `nothing comes here: ${what}`, fix: ENDED });
  }
}

/** Ways that are asked one after the other, at one moment. */
interface Way {
  readonly owner: object;
  readonly key: string;
  readonly when: Expression | null;
}

/** The first of the ways that those before it leave nobody for. What can never be true by itself is said elsewhere. */
function* hidden(
  text: Pick<CheckedText, 'report'>,
  ways: readonly Way[],
  world: World,
  what: string,
): Generator<Finding> {
  const before: Expression[] = [];
  for (const { owner, key, when } of ways.slice(0, MOST_WAYS)) {
    const all = when === null ? [] : [when];
    const isPossible = when === null || verdictOf(when, world) !== 'never';
    if (before.length > 0 && isPossible && !canHold(all, before, world)) {
      const message = `nobody comes here: one of the ${what} before it always holds`;
      yield findingAtKey(text, owner, key, { message, fix: 'take it out, or move it before them' });
    }
    if (when !== null) before.push(when);
  }
}

function* hiddenWays(text: CheckedText, world: World): Generator<Finding> {
  for (const step of stepsOf(text)) {
    if ('choose' in step) {
      const ways = step.choose.map((arm): Way => {
        return 'when' in arm
          ? { owner: arm, key: 'when', when: parsed(arm.when) }
          : { owner: arm, key: 'otherwise', when: null };
      });
      yield* hidden(text, ways, world, 'conditions');
    }
    if ('split' in step || !('then' in step) || step.then === undefined) continue;
    yield* endedBefore(text, step);
  }
}

/** Goals and exits come before `wait_for`: an event that always ends the enrolment never reaches `then`. */
function* endedBefore(text: CheckedText, step: StepSource): Generator<Finding> {
  const { exit = [], goal } = text.source;
  const event = 'wait_for' in step ? step.wait_for.event : 'survey' in step ? 'survey.answered' : null;
  if (event === null || !('then' in step) || (step.then ?? []).length === 0) return;
  const isExit = exit.some((end) => 'event' in end && end.event === event && end.if === undefined);
  const isGoal = goal?.event === event && goal.if === undefined && goal.within === undefined;
  if (!isExit && !isGoal) return;
  const message = `nobody comes here: \`${event}\` is ${isGoal ? 'the goal' : 'an exit'}, which ends the enrolment first`;
  const fix = `take \`then\` out, or give the ${isGoal ? 'goal' : 'exit'} a condition with \`if\``;
  yield findingAtKey(text, step, 'then', { message, fix });
}

function* find({ company, playbooks, world }: LintContext): Generator<Finding> {
  const stages = company.source.stages ?? [];
  const ways = stages.map((stage) => ({ owner: stage, key: 'when', when: parsed(stage.when) }));
  yield* hidden(company, ways, world, 'stages');
  for (const text of playbooks) {
    yield* afterTheEnd(text, world);
    yield* hiddenWays(text, world);
  }
}

/** Steps, ways and stages that nobody comes to. */
export const unreachable: Rule = {
  code: 'unreachable',
  level: 'warning',
  reason: 'Steps, ways and stages that nobody comes to are there by mistake.',
  find,
};
