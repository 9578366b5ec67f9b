import { daysSince } from '../../time/local.ts';
import { nearest } from '../nearest.ts';
import type { Scope } from '../types.ts';
import { type Checked, type Checking, didYouMean, fail, type Run } from './context.ts';
import { isLoop, checkLoop, LOOPS } from './loops.ts';
import { checkPattern } from './pattern.ts';
import type { Expression } from './syntax.ts';
import { ANY, BOOLEAN, describeType, mayBe, NUMBER, SPAN, STRING, TIME, type ValueType } from './type.ts';
import { anyMoment, finite, sizeOf } from './value.ts';

type Kind = ValueType['kind'];

/** A function or method: what it takes (a method's receiver first), gives, and does with values that are not null. */
interface Definition {
  readonly takes: readonly (readonly Kind[])[];
  readonly gives: ValueType;
  readonly usesTime?: true;
  /** What comes of it when a value is missing: false for a test of text (PLAYBOOKS section 8), else null. */
  readonly ofNull: null | false;
  readonly apply: (values: readonly unknown[], scope: Scope) => unknown;
}

const MOMENT = ['time'] as const;

function days(value: unknown, scope: Scope): number | null {
  const at = anyMoment(value, scope.zone);
  return at === null ? null : daysSince(at, scope.now, scope.zone);
}

const SPAN_UNITS_MS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 };

/** A CEL duration such as "1h30m" in milliseconds; null for anything else. */
function spanMs(value: unknown): number | null {
  if (typeof value !== 'string' || !/^-?(\d+(\.\d+)?(h|ms|m|s))+$/.test(value)) return null;
  let ms = 0;
  for (const [, amount, unit] of value.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g))
    ms += Number(amount) * (SPAN_UNITS_MS[unit ?? ''] ?? 0);
  return value.startsWith('-') ? -ms : ms;
}

function toNumber(value: unknown): number | null {
  return typeof value === 'string' ? (value.trim() === '' ? null : finite(Number(value))) : finite(value);
}

function toWhole(value: unknown): number | null {
  const number = toNumber(value);
  return number === null ? null : Math.trunc(number);
}

function toBoolean(value: unknown): boolean | null {
  return typeof value === 'boolean' ? value : value === 'true' ? true : value === 'false' ? false : null;
}

function isPlain(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

const FUNCTIONS: ReadonlyMap<string, Definition> = new Map<string, Definition>([
  [
    'days_since',
    { takes: [MOMENT], gives: NUMBER, ofNull: null, usesTime: true, apply: ([t], scope) => days(t, scope) },
  ],
  [
    'days_until',
    {
      takes: [MOMENT],
      gives: NUMBER,
      ofNull: null,
      usesTime: true,
      apply: ([t], scope) => {
        const since = days(t, scope);
        return since === null ? null : 0 - since;
      },
    },
  ],
  ['size', { takes: [['string', 'list', 'map']], gives: NUMBER, ofNull: null, apply: ([value]) => sizeOf(value) }],
  ['int', { takes: [['number', 'string']], gives: NUMBER, ofNull: null, apply: ([value]) => toWhole(value) }],
  ['double', { takes: [['number', 'string']], gives: NUMBER, ofNull: null, apply: ([value]) => toNumber(value) }],
  ['bool', { takes: [['boolean', 'string']], gives: BOOLEAN, ofNull: null, apply: ([value]) => toBoolean(value) }],
  [
    'string',
    {
      takes: [['number', 'string', 'boolean']],
      gives: STRING,
      ofNull: null,
      apply: ([value]) => (isPlain(value) ? String(value) : null),
    },
  ],
  [
    'timestamp',
    { takes: [['string', 'time']], gives: TIME, ofNull: null, apply: ([value], scope) => anyMoment(value, scope.zone) },
  ],
  [
    'duration',
    {
      takes: [['string', 'span']],
      gives: SPAN,
      ofNull: null,
      apply: ([value]) => (typeof value === 'number' ? value : spanMs(value)),
    },
  ],
  [
    'dyn',
    {
      takes: [['boolean', 'number', 'string', 'time', 'span', 'list', 'map']],
      gives: ANY,
      ofNull: null,
      apply: ([value]) => value,
    },
  ],
]);

/** A method on text with one text as argument. */
function textTest(test: (text: string, argument: string) => boolean): Definition {
  return {
    takes: [['string'], ['string']],
    gives: BOOLEAN,
    ofNull: false,
    apply: ([text, argument]) => typeof text === 'string' && typeof argument === 'string' && test(text, argument),
  };
}

function textChange(change: (text: string) => string): Definition {
  return {
    takes: [['string']],
    gives: STRING,
    ofNull: null,
    apply: ([text]) => (typeof text === 'string' ? change(text) : null),
  };
}

const METHODS: ReadonlyMap<string, Definition> = new Map<string, Definition>([
  ['startsWith', textTest((text, start) => text.startsWith(start))],
  ['endsWith', textTest((text, end) => text.endsWith(end))],
  ['contains', textTest((text, part) => text.includes(part))],
  ['lowerAscii', textChange((text) => text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase()))],
  ['upperAscii', textChange((text) => text.replaceAll(/[a-z]/g, (letter) => letter.toUpperCase()))],
  ['trim', textChange((text) => text.trim())],
  ['size', { takes: [['string', 'list', 'map']], gives: NUMBER, ofNull: null, apply: ([value]) => sizeOf(value) }],
]);

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
