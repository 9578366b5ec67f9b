/**
 * Conditions as formulas over independent variables, with the language's null rule: a part that is null counts as false.
 * What is not understood (text tests but `startsWith`, loops, dates) is a variable of its own, true or not; so the
 * analysis never takes for impossible what could be.
 */
import type { Expression } from '../../cel/syntax.ts';
import { keyOf, type Mentions, OTHER, type Value } from './variable.ts';

/** A value for each variable. */
export type Assignment = ReadonlyMap<string, Value>;

/** Whether the condition holds for these values. */
export type Formula = (values: Assignment) => boolean;

/** The variables of some formulas, with what they are compared to. */
export type Variables = Map<string, { readonly node: Expression; readonly mentions: Mentions }>;

type Binary = Expression & { readonly op: 'binary' };

function variable(variables: Variables, node: Expression, key = keyOf(node)): { key: string; mentions: Mentions } {
  let known = variables.get(key);
  if (known === undefined) {
    known = { node, mentions: { numbers: new Set(), texts: new Set(), isTruth: false, isOpaque: false } };
    variables.set(key, known);
  }
  return { key, mentions: known.mentions };
}

/** A part that is true or not, and about which nothing else is known. */
function opaque(variables: Variables, node: Expression): Formula {
  const { key, mentions } = variable(variables, node, `? ${keyOf(node)}`);
  mentions.isOpaque = true;
  return (values) => values.get(key) === true;
}

/** A value that is written out; undefined for what is none. */
function literalOf(node: Expression): string | number | boolean | null | undefined {
  if (node.op === 'literal') return node.value;
  const inner = node.op === 'minus' && node.of.op === 'literal' ? node.of.value : undefined;
  return typeof inner === 'number' ? -inner : undefined;
}

function mention(mentions: Mentions, value: string | number | boolean | null): void {
  if (typeof value === 'number') mentions.numbers.add(value);
  else if (typeof value === 'string') mentions.texts.add(value);
  else if (typeof value === 'boolean') mentions.isTruth = true;
}

const FLIPPED: Readonly<Record<string, string>> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' };

function ordered(operator: string, value: Value, than: number): boolean {
  if (typeof value !== 'number') return false;
  if (operator === '<') return value < than;
  if (operator === '<=') return value <= than;
  return operator === '>' ? value > than : value >= than;
}

/** A variable beside a literal. */
function compared(variables: Variables, whole: Binary, operator: string, of: Expression, literal: Value): Formula {
  if (literal === OTHER) return opaque(variables, whole);
  if (operator === '==' || operator === '!=') {
    const { key, mentions } = variable(variables, of);
    mention(mentions, literal);
    return (values) => (values.get(key) === literal) === (operator === '==');
  }
  if (typeof literal !== 'number') return opaque(variables, whole);
  const { key, mentions } = variable(variables, of);
  mention(mentions, literal);
  return (values) => ordered(operator, values.get(key) ?? null, literal);
}

/** `x in ["a", "b"]`; a list that is not written out is not looked into. */
function membership(variables: Variables, node: Binary): Formula {
  const items = node.right.op === 'list' ? node.right.items.map(literalOf) : [];
  const named = items.filter((item) => item !== undefined);
  if (node.right.op !== 'list' || named.length < items.length || literalOf(node.left) !== undefined)
    return opaque(variables, node);
  const { key, mentions } = variable(variables, node.left);
  for (const item of named) mention(mentions, item);
  return (values) => {
    const value = values.get(key) ?? null;
    return value !== null && value !== OTHER && named.includes(value);
  };
}

function binary(variables: Variables, node: Binary): Formula {
  const { operator } = node;
  if (operator === 'in') return membership(variables, node);
  const isComparison = operator === '==' || operator === '!=' || FLIPPED[operator] !== undefined;
  const [left, right] = [literalOf(node.left), literalOf(node.right)];
  if (!isComparison || (left === undefined) === (right === undefined)) return opaque(variables, node);
  if (right !== undefined) return compared(variables, node, operator, node.left, right);
  return compared(variables, node, FLIPPED[operator] ?? operator, node.right, left ?? null);
}

function startsWith(variables: Variables, node: Expression & { readonly op: 'method' }): Formula {
  const [argument] = node.args;
  const start = argument === undefined ? undefined : literalOf(argument);
  if (typeof start !== 'string') return opaque(variables, node);
  const { key, mentions } = variable(variables, node.on);
  mention(mentions, start);
  return (values) => {
    const value = values.get(key);
    return typeof value === 'string' && value.startsWith(start);
  };
}

/** `customer.vip` by itself: true only where it is true. */
function truth(variables: Variables, node: Expression): Formula {
  const { key, mentions } = variable(variables, node);
  mentions.isTruth = true;
  return (values) => values.get(key) === true;
}

/** The condition as a formula; its variables are added to `variables`. */
export function formulaOf(node: Expression, variables: Variables): Formula {
  switch (node.op) {
    case 'literal':
      return () => node.value === true;
    case 'and':
    case 'or': {
      const [left, right] = [formulaOf(node.left, variables), formulaOf(node.right, variables)];
      return node.op === 'and' ? (values) => left(values) && right(values) : (values) => left(values) || right(values);
    }
    case 'not': {
      const of = formulaOf(node.of, variables);
      return (values) => !of(values);
    }
    case 'choice': {
      const parts = [node.if, node.then, node.else].map((part) => formulaOf(part, variables));
      const [test, yes, no] = parts as [Formula, Formula, Formula];
      return (values) => (test(values) ? yes(values) : no(values));
    }
    case 'binary':
      return binary(variables, node);
    case 'method':
      return node.name === 'startsWith' ? startsWith(variables, node) : opaque(variables, node);
    case 'call': {
      const [of] = node.args;
      if (node.name !== 'has' || of === undefined) return opaque(variables, node);
      const { key } = variable(variables, of);
      return (values) => (values.get(key) ?? null) !== null;
    }
    case 'field':
    case 'index':
      return truth(variables, node);
    case 'name':
    case 'list':
    case 'map':
    case 'minus':
      return opaque(variables, node);
  }
}
