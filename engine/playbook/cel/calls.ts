import { nearest } from '../nearest.ts';
import { type Checked, type Checking, didYouMean, fail, type Run } from './context.ts';
import { type Definition, FUNCTIONS, type Kind, METHODS, spanMs } from './functions.ts';
import { isLoop, checkLoop, LOOPS } from './loops.ts';
import { checkPattern } from './pattern.ts';
import type { Expression } from './syntax.ts';
import { ANY, BOOLEAN, describeType, mayBe } from './type.ts';
import { anyMoment } from './value.ts';

/** Null runs through every function and method to null, but a test of text is false (docs/playbooks.md). */
function applied(definition: Definition, runs: readonly Run[]): Run {
  const [first, second] = runs;
  if (first !== undefined && second === undefined) {
    return (scope, locals) => {
      const value = first(scope, locals) ?? null;
      return value === null ? definition.ofNull : definition.apply([value], scope);
    };
  }
  return (scope, locals) => {
    const values = runs.map((run) => run(scope, locals) ?? null);
    return values.includes(null) ? definition.ofNull : definition.apply(values, scope);
  };
}

function kindsText(kinds: readonly Kind[]): string {
  return kinds
    .map((kind) => describeType(kind === 'list' || kind === 'map' ? { kind, of: ANY } : { kind }))
    .join(' or ');
}

function checkDefined(
  checking: Checking,
  node: Expression,
  name: string,
  definition: Definition,
  parts: readonly Expression[],
): Checked {
  if (parts.length !== definition.takes.length) {
    const wanted = definition.takes.length - (node.op === 'method' ? 1 : 0);
    return fail(
      checking,
      node.start,
      'cel-type',
      `\`${name}\` takes ${wanted === 0 ? 'nothing' : `${wanted} value`} between its brackets`,
    );
  }
  const checked = parts.map((part) => checking.check(part));
  for (const [i, { type }] of checked.entries()) {
    const kinds = definition.takes[i] ?? [];
    if (!mayBe(type, ...kinds)) {
      const at = parts[i]?.start ?? node.start;
      return fail(checking, at, 'cel-type', `\`${name}\` needs ${kindsText(kinds)} here, not ${describeType(type)}`);
    }
  }
  const wrong = wrongLiteral(name, parts[0]);
  if (wrong !== null) return fail(checking, parts[0]?.start ?? node.start, 'cel-type', wrong);
  if (definition.usesTime) checking.usesTime = true;
  return {
    type: definition.gives,
    run: applied(
      definition,
      checked.map((part) => part.run),
    ),
  };
}

const UTC_LIKE = { name: 'UTC', offsetAt: () => 0 };

/** A written-out time or duration that can be seen to be none. */
function wrongLiteral(name: string, argument: Expression | undefined): string | null {
  if (argument?.op !== 'literal' || typeof argument.value !== 'string') return null;
  if (name === 'timestamp' && anyMoment(argument.value, UTC_LIKE) === null) {
    return `"${argument.value}" is no time; expected such as "2026-12-24", "2026-12-24T09:00" or "2026-12-24T09:00:00Z"`;
  }
  if (name === 'duration' && spanMs(argument.value) === null)
    return `"${argument.value}" is no CEL duration; expected such as "36h" or "1h30m"`;
  return null;
}

function unknownCall(
  checking: Checking,
  node: Expression & { op: 'call' | 'method' },
  names: readonly string[],
): Checked {
  const what = node.op === 'call' ? 'function' : 'method';
  const message = `there is no ${what} \`${node.name}\`; there are ${names.join(', ')}`;
  return fail(checking, node.start, 'cel-unknown', message, didYouMean(nearest(node.name, names)));
}

function checkHas(checking: Checking, node: Expression, args: readonly Expression[]): Checked {
  const [of] = args;
  if (args.length !== 1 || of === undefined || (of.op !== 'field' && of.op !== 'index')) {
    return fail(checking, node.start, 'cel-type', '`has` asks for one field, such as has(customer.birthday)');
  }
  const { run } = checking.check(of);
  return { type: BOOLEAN, run: (scope, locals) => (run(scope, locals) ?? null) !== null };
}

/** Checks a call such as `days_since(customer.last_order_at)`. */
export function checkCall(checking: Checking, node: Expression & { op: 'call' }): Checked {
  if (node.name === 'has') return checkHas(checking, node, node.args);
  const definition = FUNCTIONS.get(node.name);
  if (definition === undefined) return unknownCall(checking, node, [...FUNCTIONS.keys(), 'has']);
  return checkDefined(checking, node, node.name, definition, node.args);
}

/** Checks a method call such as `customer.locale.startsWith("en")`. */
export function checkMethod(checking: Checking, node: Expression & { op: 'method' }): Checked {
  if (isLoop(node.name)) return checkLoop(checking, node, node.name);
  if (node.name === 'matches') return checkPattern(checking, node);
  const definition = METHODS.get(node.name);
  if (definition === undefined) return unknownCall(checking, node, [...METHODS.keys(), 'matches', ...LOOPS]);
  return checkDefined(checking, node, node.name, definition, [node.on, ...node.args]);
}
