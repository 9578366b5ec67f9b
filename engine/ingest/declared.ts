/** Fields that `perennial.yaml` declares, checked against their types. docs/playbooks.md. */
import type { FieldType } from '../playbook/types.ts';
import { parseInstant, parseLocalDate, TimeSyntaxError } from '../time/text.ts';
import { unexpected, within, type InputProblem } from './problem.ts';
import type { Fields } from './json.ts';

/** What to send for a field of each type, as messages say it. */
export const EXPECTED: Readonly<Record<FieldType, string>> = {
  string: 'a text',
  number: 'a number',
  boolean: 'true or false',
  date: 'a day of the calendar as YYYY-MM-DD, such as "2026-12-24"',
  datetime: 'a time with its offset, such as "2026-03-02T09:15:00Z" or "2026-03-02T10:15:00+01:00"',
  list: 'a list of texts, numbers, or true and false',
};

/**
 * Checks one value against its declared type; null, for "not known", fits every type. Nothing is converted: a number
 * in quotes is a text.
 */
export function checkDeclared(type: FieldType, value: unknown, path: string): InputProblem | null {
  if (value === null || isOfType(type, value)) return null;
  const expected = EXPECTED[type];
  const readable = typeof value === 'string' && (type === 'date' || type === 'datetime');
  return unexpected(readable ? 'invalid' : 'wrong-type', path, value, expected);
}

/** Checks the fields of `data` that are declared; others are let through. */
export function checkDeclaredFields(
  declared: Readonly<Record<string, FieldType>>,
  data: Fields,
  path: string,
): readonly InputProblem[] {
  const problems: InputProblem[] = [];
  for (const [name, type] of Object.entries(declared)) {
    const value = data[name];
    const problem = value === undefined ? null : checkDeclared(type, value, within(path, name));
    if (problem !== null) problems.push(problem);
  }
  return problems;
}

function isOfType(type: FieldType, value: unknown): boolean {
  switch (type) {
    case 'string':
    case 'number':
    case 'boolean':
      return typeof value === type;
    case 'date':
      return typeof value === 'string' && reads(parseLocalDate, value);
    case 'datetime':
      return typeof value === 'string' && reads(parseInstant, value);
    case 'list':
      return Array.isArray(value) && value.every(isScalar);
  }
}

function isScalar(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

/** Whether a parser of engine/time takes the text. */
export function reads(parse: (text: string) => unknown, text: string): boolean {
  try {
    parse(text);
    return true;
  } catch (error) {
    if (error instanceof TimeSyntaxError) return false;
    throw error;
  }
}
