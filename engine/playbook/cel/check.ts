import { checkCall, checkMethod } from './calls.ts';
import { type Checked, type Checking, type ConditionEnv, fail, type Run } from './context.ts';
import { checkField, checkName } from './field.ts';
import { checkBinary } from './operators.ts';
import type { Expression } from './syntax.ts';
import { ANY, BOOLEAN, describeType, mayBe, NULL, NUMBER, SPAN, STRING, unify, type ValueType } from './type.ts';
import { entryOf, finite } from './value.ts';

function literal(value: string | number | boolean | null): Checked {
  const type =
    value === null ? NULL : typeof value === 'string' ? STRING : typeof value === 'number' ? NUMBER : BOOLEAN;
  return { type, run: () => value };
}

/** Checks an operand of `!`, `&&`, `||` or `?:`; null counts as false there, so callers compare with true. */
function operand(checking: Checking, node: Expression, operator: string): Run {
  const { type, run } = checking.check(node);
  if (!mayBe(type, 'boolean')) {
    fail(checking, node.start, 'cel-type', `\`${operator}\` needs true or false here, not ${describeType(type)}`);
  }
  return run;
}

function checkAccess(checking: Checking, of: Checked, key: Checked | string, node: Expression): Checked {
  const { type } = of;
  if (typeof key !== 'string' && type.kind === 'list' && !mayBe(key.type, 'number')) {
    return fail(checking, node.start, 'cel-type', `a list is asked by a number, not by ${describeType(key.type)}`);
  }
  if (typeof key === 'string' ? !mayBe(type, 'map') : !mayBe(type, 'map', 'list')) {
    return fail(checking, node.start, 'cel-type', `${describeType(type)} has no fields`);
  }
  const result = 'of' in type ? type.of : ANY;
  if (typeof key === 'string') return { type: result, run: (scope, locals) => entryOf(of.run(scope, locals), key) };
  return { type: result, run: (scope, locals) => entryOf(of.run(scope, locals), key.run(scope, locals)) };
}

function checkIndex(checking: Checking, node: Expression & { op: 'index' }): Checked {
  const { of, at } = node;
  const field = at.op === 'literal' && typeof at.value === 'string' ? checkField(checking, of, at.value, node) : null;
  return field ?? checkAccess(checking, checking.check(of), checking.check(at), node);
}

function checkList(checking: Checking, items: readonly Expression[]): Checked {
  const checked = items.map((item) => checking.check(item));
  let of: ValueType = NULL;
  for (const [i, item] of checked.entries()) {
    const both = unify(of, item.type);
    if (both === null)
      return fail(
        checking,
        items[i]?.start ?? 0,
        'cel-type',
        `a list holds one type: ${describeType(item.type)} stands beside ${describeType(of)}`,
      );
    of = both;
  }
  const runs = checked.map((item) => item.run);
  return {
    type: { kind: 'list', of: of.kind === 'null' ? ANY : of },
    run: (scope, locals) => runs.map((run) => run(scope, locals)),
  };
}

function checkMap(checking: Checking, node: Expression & { op: 'map' }): Checked {
  let of: ValueType = NULL;
  const entries: (readonly [unknown, Run])[] = [];
  for (const [key, value] of node.entries) {
    if (key.op !== 'literal') return fail(checking, key.start, 'cel-type', 'the keys of a map are written out');
    const checked = checking.check(value);
    of = unify(of, checked.type) ?? ANY;
    entries.push([key.value, checked.run]);
  }
  const run: Run = (scope, locals) => new Map(entries.map(([key, value]) => [key, value(scope, locals)]));
  return { type: { kind: 'map', of: of.kind === 'null' ? ANY : of }, run };
}

function checkChoice(checking: Checking, node: Expression & { op: 'choice' }): Checked {
  const condition = operand(checking, node.if, '?');
  const yes = checking.check(node.then);
  const no = checking.check(node.else);
  const type = unify(yes.type, no.type);
  if (type === null)
    return fail(
      checking,
      node.else.start,
      'cel-type',
      `both sides of \`:\` need one type: ${describeType(yes.type)} stands beside ${describeType(no.type)}`,
    );
  return {
    type,
    run: (scope, locals) => (condition(scope, locals) === true ? yes.run(scope, locals) : no.run(scope, locals)),
  };
}

function checkMinus(checking: Checking, of: Expression): Checked {
  const { type, run } = checking.check(of);
  if (!mayBe(type, 'number', 'span'))
    return fail(checking, of.start, 'cel-type', `\`-\` needs a number here, not ${describeType(type)}`);
  const negated: Run = (scope, locals) => {
    const value = finite(run(scope, locals));
    return value === null ? null : 0 - value;
  };
  return { type: type.kind === 'span' ? SPAN : NUMBER, run: negated };
}

function checkLogic(checking: Checking, node: Expression & { op: 'and' | 'or' }): Checked {
  const operator = node.op === 'and' ? '&&' : '||';
  const a = operand(checking, node.left, operator);
  const b = operand(checking, node.right, operator);
  const run: Run =
    node.op === 'and'
      ? (scope, locals) => a(scope, locals) === true && b(scope, locals) === true
      : (scope, locals) => a(scope, locals) === true || b(scope, locals) === true;
  return { type: BOOLEAN, run };
}

function checkExpression(checking: Checking, node: Expression): Checked {
  switch (node.op) {
    case 'literal':
      return literal(node.value);
    case 'name':
      return checkName(checking, node.name, node.start);
    case 'field':
      return (
        checkField(checking, node.of, node.field, node) ??
        checkAccess(checking, checking.check(node.of), node.field, node)
      );
    case 'index':
      return checkIndex(checking, node);
    case 'call':
      return checkCall(checking, node);
    case 'method':
      return checkMethod(checking, node);
    case 'list':
      return checkList(checking, node.items);
    case 'map':
      return checkMap(checking, node);
    case 'choice':
      return checkChoice(checking, node);
    case 'and':
    case 'or':
      return checkLogic(checking, node);
    case 'not': {
      const run = operand(checking, node.of, '!');
      return { type: BOOLEAN, run: (scope, locals) => run(scope, locals) !== true };
    }
    case 'minus':
      return checkMinus(checking, node.of);
    case 'binary':
      return checkBinary(checking, node);
  }
}

/** Checks an expression at its place; mistakes are in `errors` of what comes back. */
export function check(expression: Expression, env: ConditionEnv): Checking & { readonly checked: Checked } {
  const checking: Checking = {
    env,
    errors: [],
    reads: new Set(),
    locals: new Map(),
    usesTime: false,
    localCount: 0,
    check: (part) => checkExpression(checking, part),
  };
  const checked = checking.check(expression);
  return Object.assign(checking, { checked });
}
