import type { CheckedText } from '../../checked.ts';
import { type Change, changesOf, entersAgain } from '../influence.ts';
import { shortestCircle, stronglyConnected } from '../graph.ts';
import { type Finding, findingAtKey, type LintContext, type Rule } from '../rule.ts';
import { type StepKind, stepsOf } from '../steps.ts';
import { canTurn, parsed } from '../truth/verdict.ts';
import type { World } from '../truth/variable.ts';

/** So many playbooks of a circle are named. */
const MOST_NAMED = 8;

/** How one playbook starts another. */
interface Edge {
  readonly from: string;
  readonly to: string;
  readonly step: object;
  readonly kind: StepKind;
}

/** The playbooks whose segments a change may turn to true or to false, by name. */
type Turned = (change: Change, to: boolean) => ReadonlySet<string>;

/** What a change does to a segment is worked out once for all steps that change the same. */
function turned(targets: readonly CheckedText[], world: World): Turned {
  const known = new Map<string, ReadonlySet<string>>();
  const segments = targets.map((text) => ({ name: text.name, source: segmentOf(text) ?? '' }));
  return (change, to) => {
    const key = `${String(to)} ${change.key}`;
    let found = known.get(key);
    if (found === undefined) {
      const turns = ({ source }: { readonly source: string }): boolean => {
        const condition = source.includes(change.word) ? parsed(source) : null;
        return condition !== null && canTurn(condition, change, !to, world);
      };
      found = new Set(segments.filter(turns).map(({ name }) => name));
      known.set(key, found);
    }
    return found;
  };
}

function segmentOf({ source }: CheckedText): string | undefined {
  return 'segment' in source.trigger ? source.trigger.segment : undefined;
}

function startEdges(text: CheckedText, names: { has(name: string): boolean }): readonly Edge[] {
  return stepsOf(text).flatMap((step) =>
    'start' in step && names.has(step.start) ? [{ from: text.name, to: step.start, step, kind: 'start' as const }] : [],
  );
}

function segmentEdges(text: CheckedText, turns: Turned): readonly Edge[] {
  const edges = new Map<string, Edge>();
  for (const change of changesOf(text)) {
    for (const to of turns(change, true)) {
      if (!edges.has(to)) edges.set(to, { from: text.name, to, step: change.step, kind: change.kind });
    }
  }
  return [...edges.values()];
}

/** A segment starts a playbook again only if its condition turns false in between: by one within the circle, then. */
function closed(edges: readonly Edge[], playbooks: ReadonlyMap<string, CheckedText>, turns: Turned): readonly Edge[] {
  const groupOf = new Map<string, ReadonlySet<string>>();
  const resets = new Set<string>();
  for (const group of stronglyConnected(edges)) {
    const changes = new Map<string, Change>();
    for (const name of group) {
      groupOf.set(name, group);
      const text = playbooks.get(name);
      if (text !== undefined) for (const change of changesOf(text)) changes.set(change.key, change);
    }
    for (const change of changes.values())
      for (const name of turns(change, false)) if (group.has(name)) resets.add(name);
  }
  const kept = edges.filter(
    ({ from, to, kind }) => groupOf.get(from)?.has(to) === true && (kind === 'start' || resets.has(to)),
  );
  return kept.length === edges.length ? kept : closed(kept, playbooks, turns);
}

function said(
  circle: readonly Edge[],
  playbooks: ReadonlyMap<string, CheckedText>,
): Pick<Finding, 'message' | 'fix' | 'level'> {
  const names = [...circle.map(({ from }) => from), circle[0]?.from ?? ''].map((name) => `\`${name}\``);
  const shown = names.length > MOST_NAMED ? [...names.slice(0, MOST_NAMED - 2), '…', ...names.slice(-1)] : names;
  const paced = circle.find(({ to }) => typeof playbooks.get(to)?.source.entry?.again === 'object');
  const message =
    circle.length === 1
      ? `${names[0]} starts itself again`
      : `playbooks start each other in a circle: ${shown.join(' → ')}`;
  const fix = 'give one of them `entry: { again: never }` or `again: after …`, or take the step out';
  if (paced === undefined) return { message: `${message}, without end`, fix };
  return { message: `${message}, slowed by \`entry.again\` of \`${paced.to}\` only`, fix, level: 'hint' };
}

/** What a playbook's own step turns comes while the customer is in it. */
function letsInMeanwhile({ from, to }: Edge, playbooks: ReadonlyMap<string, CheckedText>): boolean {
  return from !== to || (playbooks.get(to)?.source.entry?.if_active ?? 'ignore') !== 'ignore';
}

function* find({ playbooks, world }: LintContext): Generator<Finding> {
  // Who is let in once only ends every circle.
  const open = playbooks.filter(entersAgain);
  const byName = new Map(open.map((text) => [text.name, text]));
  const targets = open.filter((text) => segmentOf(text) !== undefined);
  const turns = turned(targets, world);
  const all = open.flatMap((text) => [...startEdges(text, byName), ...segmentEdges(text, turns)]);
  const possible = all.filter((edge) => letsInMeanwhile(edge, byName));
  const edges = closed(possible, byName, turns);
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
