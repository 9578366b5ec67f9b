import { daysSince } from '../../time/local.ts';
import type { Scope } from '../types.ts';
import { ANY, BOOLEAN, NUMBER, SPAN, STRING, TIME, type ValueType } from './type.ts';
import { anyMoment, finite, sizeOf } from './value.ts';

/** The kind of a type, without what is in it. */
export type Kind = ValueType['kind'];

/** A function or method: what it takes (a method's receiver first), gives, and does with values that are not null. */
export interface Definition {
  readonly takes: readonly (readonly Kind[])[];
  readonly gives: ValueType;
  readonly usesTime?: true;
  /** What comes of it when a value is missing: false for a test of text (docs/playbooks.md), else null. */
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
export function spanMs(value: unknown): number | null {
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

/** CEL's functions that conditions have, and the two of our own. */
export const FUNCTIONS: ReadonlyMap<string, Definition> = new Map<string, Definition>([
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

/** CEL's methods that conditions have, but for those over lists and `matches`. */
export const METHODS: ReadonlyMap<string, Definition> = new Map<string, Definition>([
  ['startsWith', textTest((text, start) => text.startsWith(start))],
  ['endsWith', textTest((text, end) => text.endsWith(end))],
  ['contains', textTest((text, part) => text.includes(part))],
  ['lowerAscii', textChange((text) => text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase()))],
  ['upperAscii', textChange((text) => text.replaceAll(/[a-z]/g, (letter) => letter.toUpperCase()))],
  ['trim', textChange((text) => text.trim())],
  ['size', { takes: [['string', 'list', 'map']], gives: NUMBER, ofNull: null, apply: ([value]) => sizeOf(value) }],
]);
