/** What an expression asks about: a value that is the same throughout one evaluation, and which values it may have. */
import type { Expression } from '../../cel/syntax.ts';

/** What is known of the company besides types. */
export interface World {
  /** The names of the stages; null leaves them open. */
  readonly stages: readonly string[] | null;
}

/** A value that is neither null nor of the kind that it is compared with. */
export const OTHER = Symbol('another value');

/** A value that a variable may have. */
export type Value = string | number | boolean | null | typeof OTHER;

/** What stands on the other side of comparisons with one variable. */
export interface Mentions {
  readonly numbers: Set<number>;
  readonly texts: Set<string>;
  /** Asked whether it is true or false. */
  isTruth: boolean;
  /** A part of the condition that is taken as it is: true or not. */
  isOpaque: boolean;
}

/** Text that no condition names: a value unlike all that are named. */
const UNLIKE = '\u0000';

/** The same text for the same expression, wherever it stands. */
export function keyOf(node: Expression): string {
  return JSON.stringify(node, (name, value: unknown) => (name === 'start' || name === 'end' ? undefined : value));
}

/** A field such as `customer.plan`; null for anything else. */
export function fieldOf(node: Expression): string | null {
  return node.op === 'field' && node.of.op === 'name' ? `${node.of.name}.${node.field}` : null;
}

/** A field without a declared type: a value of any kind may be in it. */
function isOpen(node: Expression): boolean {
  if (node.op === 'index') return true;
  if (node.op === 'call' && node.name === 'dyn') return true;
  return node.op === 'field' ? !/^(customer|event|trigger)\.\w+$/.test(fieldOf(node) ?? '') : node.op === 'name';
}

/** Whether it counts: whole numbers only. `days_since` and `days_until` count days. */
function isWhole(node: Expression): boolean {
  const field = fieldOf(node);
  if (field === 'customer.orders' || field === 'trigger.count') return true;
  return (node.op === 'call' || node.op === 'method') && /^(days_since|days_until|size)$/.test(node.name);
}

/** Whether it counts from 0. */
function isCount(node: Expression): boolean {
  return isWhole(node) && !(node.op === 'call' && node.name.startsWith('days_'));
}

/** The named numbers, one between each two, and one beyond each end: no comparison can tell others from these. */
function numbersAround(named: ReadonlySet<number>, node: Expression): readonly number[] {
  const sorted = [...named].sort((a, b) => a - b);
  const [first = 0] = sorted;
  const last = sorted.at(-1) ?? 0;
  const between = sorted.slice(1).map((high, i) => ((sorted[i] ?? high) + high) / 2);
  // Far enough out to differ from a named number of any size.
  const [below, above] = [first - Math.abs(first) - 1, last + Math.abs(last) + 1];
  const all = [below, ...sorted, ...between, above];
  if (!isWhole(node)) return all;
  const whole = all.flatMap((number) => [
    Math.floor(number) - 1,
    Math.floor(number),
    Math.ceil(number),
    Math.ceil(number) + 1,
  ]);
  return whole.filter((number) => !isCount(node) || number >= 0);
}

function textsAround(named: ReadonlySet<string>, node: Expression, { stages }: World): readonly string[] {
  if (fieldOf(node) === 'customer.stage' && stages !== null) return stages;
  return [UNLIKE, ...[...named].flatMap((text) => [text, text + UNLIKE])];
}

/** Values of which one behaves like any that the variable can have in a condition with these mentions. */
export function valuesOf(node: Expression, mentions: Mentions, world: World): readonly Value[] {
  if (mentions.isOpaque) return [true, false];
  const values: Value[] = [null];
  if (mentions.numbers.size > 0) values.push(...numbersAround(mentions.numbers, node));
  if (mentions.texts.size > 0) values.push(...textsAround(mentions.texts, node, world));
  if (mentions.isTruth) values.push(true, false);
  if (values.length === 1 || isOpen(node)) values.push(OTHER);
  return [...new Set(values)];
}
