/** Lines of JSON, read with their places: what the files of a simulation are made of. */

/** A line that cannot be used: says the file, the line, what is wrong and what was expected. */
export class InputError extends Error {
  override readonly name = 'InputError';
  constructor(file: string, line: number, message: string) {
    super(`${file}:${line}: ${message}`);
  }
}

/** What a line says, by name. */
export type Fields = Readonly<Record<string, unknown>>;

/** One line of a file, numbered from 1. */
export interface Row {
  readonly line: number;
  readonly text: string;
}

/** A file's text, or its lines one after the other; numbered where they are not all of them. */
export type Lines = string | Iterable<string | Row>;

/** Refuses a line. @throws InputError always. */
export type Fail = (message: string) => never;

/** How to refuse a line of a file. */
export function failAt(file: string, line: number): Fail {
  return (message) => {
    throw new InputError(file, line, message);
  };
}

/** The objects of a file, empty lines left out. @throws InputError at the first line that is no JSON object. */
export function* objects(text: Lines, file: string): Iterable<{ readonly fields: Fields; readonly row: Row }> {
  let line = 0;
  for (const next of typeof text === 'string' ? text.split('\n') : text) {
    line += 1;
    const row = typeof next === 'string' ? { line, text: next } : next;
    if (row.text.trim() !== '') yield { fields: fieldsOf(row.text, failAt(file, row.line)), row };
  }
}

function fieldsOf(text: string, fail: Fail): Fields {
  const value = tryJson(text, fail);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  return fail('expected one JSON object a line');
}

function tryJson(text: string, fail: Fail): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    return fail(`not JSON: ${(error as Error).message}; expected one object a line`);
  }
}

/** A field that may be missing or null. @throws InputError when it is there and not what is expected. */
export function optional<T>(
  fields: Fields,
  name: string,
  expected: string,
  is: (value: unknown) => value is T,
  fail: Fail,
): T | null {
  const value = fields[name];
  if (value === undefined || value === null) return null;
  return is(value) ? value : fail(`"${name}" must be ${expected}`);
}

/** What `parse` gives; what it throws is put down to the field. @throws InputError */
export function tryParse<T>(parse: () => T, name: string, fail: Fail): T {
  try {
    return parse();
  } catch (error) {
    return fail(`"${name}": ${(error as Error).message}`);
  }
}
