import { type Finding, findingAt, type LintContext, type Rule } from '../rule.ts';

function* find({ playbooks }: LintContext): Generator<Finding> {
  for (const text of playbooks) {
    const { trigger, goal, entry } = text.source;
    if (goal === undefined || !('event' in trigger) || trigger.event !== goal.event) continue;
    // A playbook that is entered once, or not again soon, ends at its goal and stays ended.
    if (trigger.first === true || (entry?.again !== undefined && entry.again !== 'always')) continue;
    if (goal.if !== undefined && goal.if.trim() !== trigger.if?.trim()) continue;
    const message = `each further \`${goal.event}\` reaches the goal and starts the playbook anew at once`;
    const fix = 'write `first: true` in the trigger or `entry: { again: never }`, or give the goal an `if` of its own';
    yield findingAt(text, { owner: goal, key: 'event' }, { message, fix });
  }
}

/** Goals that start what they end. */
export const goalIsTrigger: Rule = {
  code: 'goal-is-trigger',
  level: 'warning',
  reason: 'A goal that also starts the playbook counts a success and begins the same conversation again.',
  find,
};
