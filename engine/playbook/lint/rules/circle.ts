import type { CheckedText } from '../../checked.ts';
import { changesOf, entersAgain } from '../influence.ts';
import { shortestCircle, stronglyConnected } from '../graph.ts';
import { type Finding, findingAtKey, type LintContext, type Rule } from '../rule.ts';
import { type StepKind, stepsOf } from '../steps.ts';
import { canTurn, parsed } from '../truth/verdict.ts';
import type { World } from '../truth/variable.ts';

/** How one playbook starts another. */
interface Edge {
  readonly from: string;
  readonly to: string;
  readonly step: object;
  readonly kind: StepKind;
}

/** Whether one of a playbook's steps turns a segment's condition to `to`; the first that does. */
function turns(
  text: CheckedText,
  segment: string,
  to: boolean,
  world: World,
): ReturnType<typeof changesOf>[number] | undefined {
  const condition = parsed(segment);
  if (condition === null) return undefined;
  return changesOf(text).find((change) => segment.includes(change.word) && canTurn(condition, change, !to, world));
}

function segmentOf({ source }: CheckedText): string | undefined {
  return 'segment' in source.trigger ? source.trigger.segment : undefined;
}

/** What of a condition a step could change is asked for many pairs of playbooks, and is the same for most. */
function memoised(world: World): typeof turns {
  const known = new Map<string, ReturnType<typeof turns>>();
  return (text, segment, to) => {
    const key = `${text.name}\n${String(to)}\n${segment}`;
    const found = known.has(key) ? known.get(key) : turns(text, segment, to, world);
    known.set(key, found);
    return found;
  };
}

function startEdges(text: CheckedText, names: ReadonlySet<string>): readonly Edge[] {
  return stepsOf(text).flatMap((step) =>
    'start' in step && names.has(step.start) ? [{ from: text.name, to: step.start, step, kind: 'start' as const }] : [],
  );
}

function segmentEdges(
  text: CheckedText,
  targets: readonly CheckedText[],
  asked: typeof turns,
  world: World,
): readonly Edge[] {
  if (changesOf(text).length === 0) return [];
  return targets.flatMap((target) => {
    const change = asked(text, segmentOf(target) ?? '', true, world);
    return change === undefined ? [] : [{ from: text.name, to: target.name, step: change.step, kind: change.kind }];
  });
}

/** A segment starts a playbook again only if its condition turns false in between: within the circle, or not by it. */
function closed(
  edges: readonly Edge[],
  playbooks: ReadonlyMap<string, CheckedText>,
  asked: typeof turns,
  world: World,
): readonly Edge[] {
  const groups = stronglyConnected(edges);
  const kept = edges.filter(({ from, to, kind }) => {
    const group = groups.find((names) => names.has(from) && names.has(to));
    if (group === undefined) return false;
    const segment = playbooks.get(to);
    if (kind === 'start' || segment === undefined) return true;
    const members = [...group].map((name) => playbooks.get(name)).filter((text) => text !== undefined);
    return members.some((text) => asked(text, segmentOf(segment) ?? '', false, world) !== undefined);
  });
  return kept.length === edges.length ? kept : closed(kept, playbooks, asked, world);
}

function said(
  circle: readonly Edge[],
  playbooks: ReadonlyMap<string, CheckedText>,
): Pick<Finding, 'message' | 'fix' | 'level'> {
  const names = [...circle.map(({ from }) => from), circle[0]?.from ?? ''].map((name) => `\`${name}\``);
  const paced = circle.find(({ to }) => typeof playbooks.get(to)?.source.entry?.again === 'object');
  const message =
    circle.length === 1
      ? `${names[0]} starts itself again`
      : `playbooks start each other in a circle: ${names.join(' → ')}`;
  const fix = 'give one of them `entry: { again: never }` or `again: after …`, or take the step out';
  if (paced === undefined) return { message: `${message}, without end`, fix };
  return { message: `${message}, slowed by \`entry.again\` of \`${paced.to}\` only`, fix, level: 'hint' };
}

function* find({ playbooks, world }: LintContext): Generator<Finding> {
  // Who is let in once only ends every circle.
  const open = playbooks.filter(entersAgain);
  const byName = new Map(open.map((text) => [text.name, text]));
  const targets = open.filter((text) => segmentOf(text) !== undefined);
  const asked = memoised(world);
  const all = open.flatMap((text) => [
    ...startEdges(text, new Set(byName.keys())),
    ...segmentEdges(text, targets, asked, world),
  ]);
  const edges = closed(all, byName, asked, world);
  for (const group of stronglyConnected(edges)) {
    const circle = shortestCircle(edges.filter(({ from, to }) => group.has(from) && group.has(to)));
    const [first] = circle;
    const text = byName.get(first?.from ?? '');
    if (first !== undefined && text !== undefined)
      yield findingAtKey(text, first.step, first.kind, said(circle, byName));
  }
}

/** Playbooks that start each other for ever. */
export const circle: Rule = {
  code: 'circle',
  level: 'warning',
  reason: 'Playbooks that start each other in a circle never leave a customer alone.',
  find,
};
