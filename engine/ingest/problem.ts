/** What is wrong with something that came in, said so that the sender can mend it. */

/**
 * - `missing`: a field that is needed is not there.
 * - `wrong-type`: a field is of another type than expected or declared.
 * - `invalid`: of the right type, but no such thing exists or is possible.
 * - `forbidden-key`: a name that would reach into the engine's own objects.
 * - `too-deep`, `too-large`: past a limit of `limits.ts`.
 */
export type InputProblemCode = 'missing' | 'wrong-type' | 'invalid' | 'forbidden-key' | 'too-deep' | 'too-large';

/** One mistake in one call or line. */
export interface InputProblem {
  readonly code: InputProblemCode;
  /** A whole sentence: what is wrong, and what was expected. */
  readonly message: string;
  /** Where, e.g. `properties.total`; empty for the call as a whole. */
  readonly path: string;
  /** What would have been right, e.g. `a number`; null where the message says it all. */
  readonly expected: string | null;
}

/** A value that is not as expected. The message is made from where it is, what it is, and what was expected. */
export function unexpected(code: InputProblemCode, path: string, value: unknown, expected: string): InputProblem {
  const found = value === undefined ? 'is missing' : `is ${describe(value)}`;
  return { code, path, expected, message: `${path === '' ? 'the call' : `"${path}"`} ${found}; expected ${expected}` };
}

/** A short picture of a value for a message: its kind, and the value itself where that is short. */
export function describe(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'string')
    return `the text ${JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)}`;
  return `the ${typeof value} ${JSON.stringify(value) ?? 'nothing'}`;
}

/** A path one level further down. */
export function within(path: string, key: string | number): string {
  if (typeof key === 'number') return `${path}[${key}]`;
  return path === '' ? key : `${path}.${key}`;
}
