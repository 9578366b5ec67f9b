import { allConditions, type Role } from '../conditions.ts';
import { type Finding, findingAt, type LintContext, type Rule } from '../rule.ts';
import { parsed, verdictOf } from '../truth/verdict.ts';

/** What it means; null where an open end is written that way, and what it hides is said at what is hidden. */
const CONSEQUENCE: Readonly<Record<Role, readonly [consequence: string, fix: string] | null>> = {
  trigger: ['it leaves no event out', 'leave it out'],
  segment: [
    'it never turns true, so nothing starts this playbook',
    'write the condition that customers come to fulfil',
  ],
  audience: ['it leaves nobody out', 'leave it out'],
  exit: ['every enrolment ends before its first step', 'write when it is to end, or take the exit out'],
  'exit event': ['it leaves no event out', 'leave it out'],
  goal: ['it leaves no event out', 'leave it out'],
  guard: ['it never skips the step', 'leave it out'],
  branch: ['everybody goes into `then`', 'put its steps in the place of the `if`'],
  wait_for: ['it leaves no event out', 'leave it out'],
  arm: null,
  stage: null,
};

const GRAVE: ReadonlySet<Role> = new Set(['segment', 'exit']);

function* find(context: LintContext): Generator<Finding> {
  for (const { condition, text } of allConditions(context)) {
    const meaning = CONSEQUENCE[condition.role];
    const node = parsed(condition.source);
    if (meaning === null || node === null || verdictOf(node, context.world) !== 'always') continue;
    const [consequence, fix] = meaning;
    const message = `\`${condition.source.trim()}\` is always true: ${consequence}`;
    const level = GRAVE.has(condition.role) ? { level: 'warning' as const } : {};
    yield findingAt(text, { owner: condition.owner, key: condition.key }, { message, fix, ...level });
  }
}

/** Conditions that every customer fulfils. */
export const alwaysTrue: Rule = {
  code: 'always-true',
  level: 'hint',
  reason: 'A condition that everybody fulfils says nothing, or not what was meant.',
  find,
};
