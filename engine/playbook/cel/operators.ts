import { type Checked, type Checking, fail, type Run } from './context.ts';
import type { BinaryOperator, Expression } from './syntax.ts';
import { ANY, BOOLEAN, describeType, NUMBER, SPAN, STRING, TIME, unify, type ValueType } from './type.ts';
import { asType, finite, holds, same } from './value.ts';

type Binary = Expression & { readonly op: 'binary' };
type Ordering = '<' | '<=' | '>' | '>=';
type Arithmetic = '+' | '-' | '*' | '/' | '%';

const ORDERED: ReadonlySet<ValueType['kind']> = new Set(['any', 'null', 'number', 'string', 'time', 'span', 'boolean']);

/** Where one side has a type only at run time, it is taken for the other side's. */
function alike(left: Checked, right: Checked): readonly [Run, Run] {
  return [coerced(left, right.type), coerced(right, left.type)];
}

function coerced(side: Checked, other: ValueType): Run {
  if (side.type.kind !== 'any' || other.kind === 'any' || other.kind === 'null') return side.run;
  return (scope, locals) => asType(side.run(scope, locals), other, scope.zone);
}

function mismatch(checking: Checking, node: Binary, left: ValueType, right: ValueType): Checked {
  const message = `\`${node.operator}\` cannot go between ${describeType(left)} and ${describeType(right)}`;
  return fail(checking, node.start, 'cel-type', message, mismatchFix(node, left, right));
}

function mismatchFix(node: Binary, left: ValueType, right: ValueType): string | null {
  const sides = [
    { side: node.left, type: left, other: right },
    { side: node.right, type: right, other: left },
  ];
  for (const { side, type, other } of sides) {
    if (side.op !== 'literal' || typeof side.value !== 'string' || type.kind !== 'string') continue;
    if (other.kind === 'time') return `write timestamp("${side.value}")`;
    if (other.kind === 'number' && Number.isFinite(Number(side.value)) && side.value.trim() !== '')
      return `write ${side.value} without quotes`;
    if (other.kind === 'boolean' && /^(true|false)$/.test(side.value)) return `write ${side.value} without quotes`;
  }
  if (left.kind === 'time' && right.kind === 'number')
    return 'compare days_since(…) or days_until(…) with a number of days';
  return null;
}

function checkEquality(checking: Checking, node: Binary, left: Checked, right: Checked): Checked {
  if (unify(left.type, right.type) === null) return mismatch(checking, node, left.type, right.type);
  const [a, b] = alike(left, right);
  const run: Run =
    node.operator === '=='
      ? (scope, locals) => same(a(scope, locals), b(scope, locals))
      : (scope, locals) => !same(a(scope, locals), b(scope, locals));
  return { type: BOOLEAN, run };
}

/** Null in an ordering is false (docs/playbooks.md), and so are two values of different types. */
function ordering(operator: Ordering, a: Run, b: Run): Run {
  const comparable = (x: unknown, y: unknown): x is number =>
    x !== null && typeof x === typeof y && typeof x !== 'object';
  switch (operator) {
    case '<':
      return (scope, locals) => {
        const x = a(scope, locals);
        const y = b(scope, locals);
        return comparable(x, y) && x < (y as number);
      };
    case '<=':
      return (scope, locals) => {
        const x = a(scope, locals);
        const y = b(scope, locals);
        return comparable(x, y) && x <= (y as number);
      };
    case '>':
      return (scope, locals) => {
        const x = a(scope, locals);
        const y = b(scope, locals);
        return comparable(x, y) && x > (y as number);
      };
    case '>=':
      return (scope, locals) => {
        const x = a(scope, locals);
        const y = b(scope, locals);
        return comparable(x, y) && x >= (y as number);
      };
  }
}

function checkOrdering(checking: Checking, node: Binary, operator: Ordering, left: Checked, right: Checked): Checked {
  const type = unify(left.type, right.type);
  if (type === null || !ORDERED.has(left.type.kind) || !ORDERED.has(right.type.kind)) {
    return mismatch(checking, node, left.type, right.type);
  }
  return { type: BOOLEAN, run: ordering(operator, ...alike(left, right)) };
}

function checkMembership(checking: Checking, node: Binary, left: Checked, right: Checked): Checked {
  const { type } = right;
  if (type.kind === 'string') {
    return fail(checking, node.start, 'cel-type', '`in` looks into a list, not into text', 'write text.contains("…")');
  }
  if (type.kind !== 'list' && type.kind !== 'map' && type.kind !== 'any' && type.kind !== 'null') {
    return mismatch(checking, node, left.type, type);
  }
  const wanted = type.kind === 'list' ? type.of : type.kind === 'map' ? STRING : ANY;
  if (unify(left.type, wanted) === null) return mismatch(checking, node, left.type, type);
  return { type: BOOLEAN, run: (scope, locals) => holds(right.run(scope, locals), left.run(scope, locals)) };
}

function numeric(operator: Arithmetic): (x: number, y: number) => number {
  switch (operator) {
    case '+':
      return (x, y) => x + y;
    case '-':
      return (x, y) => x - y;
    case '*':
      return (x, y) => x * y;
    case '/':
      return (x, y) => x / y;
    case '%':
      return (x, y) => x % y;
  }
}

/** The result's type where both sides have one, or null where the operator does not go between them. */
function arithmeticType(operator: Arithmetic, left: ValueType, right: ValueType): ValueType | null {
  const pair = `${left.kind} ${right.kind}`;
  if (pair === 'number number') return NUMBER;
  if (operator === '+') {
    if (pair === 'string string') return STRING;
    if (pair === 'list list') return unify(left, right);
    if (pair === 'time span' || pair === 'span time') return TIME;
    if (pair === 'span span') return SPAN;
  }
  if (operator === '-') {
    if (pair === 'time time' || pair === 'span span') return SPAN;
    if (pair === 'time span') return TIME;
  }
  return null;
}

function calculate(operator: Arithmetic, a: Run, b: Run): Run {
  const of = numeric(operator);
  return (scope, locals) => {
    const x = a(scope, locals) ?? null;
    const y = b(scope, locals) ?? null;
    if (typeof x === 'number' && typeof y === 'number') return finite(of(x, y));
    if (operator !== '+') return null;
    if (typeof x === 'string' && typeof y === 'string') return x + y;
    return Array.isArray(x) && Array.isArray(y) ? [...(x as unknown[]), ...(y as unknown[])] : null;
  };
}

function checkArithmetic(
  checking: Checking,
  node: Binary,
  operator: Arithmetic,
  left: Checked,
  right: Checked,
): Checked {
  const open = (type: ValueType): boolean => type.kind === 'any' || type.kind === 'null';
  const isOpen = open(left.type) || open(right.type);
  const type = isOpen ? ANY : arithmeticType(operator, left.type, right.type);
  if (type === null) return mismatch(checking, node, left.type, right.type);
  return { type, run: calculate(operator, left.run, right.run) };
}

/** Checks a comparison, `in`, or arithmetic. Numbers are one type; division by zero is null. */
export function checkBinary(checking: Checking, node: Binary): Checked {
  const left = checking.check(node.left);
  const right = checking.check(node.right);
  const { operator }: { readonly operator: BinaryOperator } = node;
  switch (operator) {
    case '==':
    case '!=':
      return checkEquality(checking, node, left, right);
    case '<':
    case '<=':
    case '>':
    case '>=':
      return checkOrdering(checking, node, operator, left, right);
    case 'in':
      return checkMembership(checking, node, left, right);
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
      return checkArithmetic(checking, node, operator, left, right);
  }
}
