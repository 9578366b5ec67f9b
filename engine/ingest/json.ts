/** What any value from outside must keep to before its fields are looked at: it can be stored, and harms nothing. */
import { MAX_DEPTH } from './limits.ts';
import { within, type InputProblem } from './problem.ts';

/** An object with fields, as JSON has it. */
export type Fields = Readonly<Record<string, unknown>>;

/** Whoever copies objects key by key must not meet these: they reach the prototype that all objects share. */
const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** PostgreSQL's text and jsonb hold neither a NUL nor half of a surrogate pair. */
// oxlint-disable-next-line no-control-regex
const NOT_STORABLE = /[\u0000\p{Surrogate}]/u;

/** True for what JSON calls an object. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Looks through a value that came out of `JSON.parse` and gives the first thing that cannot be taken: a forbidden
 * key, text that cannot be stored, a number beyond all bounds (`1e400`), or more than `MAX_DEPTH` levels. Null when
 * all is well.
 */
export function faultOf(value: unknown, path = '', depth = 1): InputProblem | null {
  if (typeof value === 'string') return NOT_STORABLE.test(value) ? unstorable(path) : null;
  if (typeof value === 'number') return Number.isFinite(value) ? null : beyondBounds(path);
  return typeof value === 'object' && value !== null ? faultInside(value, path, depth) : null;
}

function beyondBounds(path: string): InputProblem {
  const expected = 'a number up to 1.8e308';
  return { code: 'invalid', path, expected, message: `"${path}" is a number beyond all bounds; expected ${expected}` };
}

function faultInside(value: object, path: string, depth: number): InputProblem | null {
  if (depth > MAX_DEPTH) {
    const expected = `at most ${MAX_DEPTH} levels of objects and lists`;
    return { code: 'too-deep', path, expected, message: `"${path}" lies too deep; expected ${expected}` };
  }
  for (const [key, inner] of Object.entries(value)) {
    const at = within(path, Array.isArray(value) ? Number(key) : key);
    const fault = faultOfKey(key, at) ?? faultOf(inner, at, depth + 1);
    if (fault !== null) return fault;
  }
  return null;
}

function faultOfKey(key: string, path: string): InputProblem | null {
  if (NOT_STORABLE.test(key)) return unstorable(path);
  if (!FORBIDDEN_KEYS.has(key)) return null;
  const expected = 'another name';
  return { code: 'forbidden-key', path, expected, message: `"${path}": no field may be called "${key}"` };
}

function unstorable(path: string): InputProblem {
  const expected = 'Unicode text without NUL and without half characters';
  return {
    code: 'invalid',
    path,
    expected,
    message: `"${path}" holds a character that cannot be stored; expected ${expected}`,
  };
}
