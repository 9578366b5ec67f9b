import type { Expression } from '../../cel/syntax.ts';
import { nearest } from '../../nearest.ts';
import { allConditions, type Role } from '../conditions.ts';
import { type Finding, findingAt, type LintContext, type Rule } from '../rule.ts';
import { fieldOf, type World } from '../truth/variable.ts';
import { canHold, parsed, verdictOf } from '../truth/verdict.ts';

const CONSEQUENCE: Readonly<Record<Role, string>> = {
  trigger: 'no event starts this playbook',
  segment: 'no change starts this playbook',
  audience: 'nobody enters this playbook',
  exit: 'this exit never happens',
  'exit event': 'this exit never happens',
  goal: 'this goal is never reached',
  guard: 'this step is always skipped',
  branch: 'its `then` never runs',
  arm: 'this way is never taken',
  wait_for: 'no event ends this wait',
  stage: 'nobody is ever in this stage',
};

/** The smallest part that must hold and cannot. */
function culprit(node: Expression, world: World): Expression {
  if (node.op !== 'and') return node;
  const part = [node.left, node.right].find((side) => verdictOf(side, world) === 'never');
  return part === undefined ? node : culprit(part, world);
}

/** What to write instead, where the part itself tells. */
function advice(node: Expression, { stages }: World): string {
  const sides = node.op === 'binary' ? [node.left, node.right] : [];
  const isStage = sides.some((side) => fieldOf(side) === 'customer.stage');
  const name = sides.find((side) => side.op === 'literal');
  if (isStage && stages !== null && name?.op === 'literal' && typeof name.value === 'string') {
    const near = nearest(name.value, stages);
    return near === null ? `the stages are ${stages.join(', ')}` : `did you mean "${near}"?`;
  }
  const count = sides.map(fieldOf).find((field) => field === 'customer.orders' || field === 'trigger.count');
  if (count !== undefined && count !== null) return `\`${count}\` is a whole number from 0`;
  return 'correct the condition, or take out what hangs on it';
}

function* find(context: LintContext): Generator<Finding> {
  const { world } = context;
  for (const { condition, text } of allConditions(context)) {
    const node = parsed(condition.source);
    if (node === null || verdictOf(node, world) !== 'never') continue;
    const part = culprit(node, world);
    const shown = condition.source.slice(part.start, part.end).trim();
    yield findingAt(
      text,
      { owner: condition.owner, key: condition.key, inside: part.start },
      { message: `\`${shown}\` is never true: ${CONSEQUENCE[condition.role]}`, fix: advice(part, world) },
    );
  }
  yield* contradictions(context);
}

/** What starts the playbook and who may enter are asked at one moment. */
function* contradictions({ playbooks, world }: LintContext): Generator<Finding> {
  for (const text of playbooks) {
    const { trigger, audience } = text.source;
    const start = 'event' in trigger ? trigger.if : 'segment' in trigger ? trigger.segment : undefined;
    const [starts, enters] = [parsed(start), parsed(audience)];
    if (starts === null || enters === null) continue;
    if ([starts, enters].some((node) => verdictOf(node, world) === 'never')) continue;
    if (canHold([starts, enters], [], world)) continue;
    const message = `\`${audience ?? ''}\` is never true together with the trigger's \`${start ?? ''}\`: nobody enters by it`;
    yield findingAt(text, { owner: text.source, key: 'audience' }, { message, fix: 'correct one of the two' });
  }
}

/** Conditions that no customer can fulfil. */
export const neverTrue: Rule = {
  code: 'never-true',
  level: 'warning',
  reason: 'What hangs on a condition that no customer can fulfil never happens.',
  find,
};
