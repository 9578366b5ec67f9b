import type { DeclaredType } from '../cel/context.ts';
import { parseInstant, parseLocalDate, TimeSyntaxError } from '../../time/text.ts';
import { type Checks, hint } from './context.ts';

function parses(parse: () => unknown): boolean {
  try {
    parse();
    return true;
  } catch (error) {
    if (error instanceof TimeSyntaxError) return false;
    throw error;
  }
}

/** What a value of an attribute must look like, or null when it does. Null empties an attribute of any type. */
export function expectation(type: DeclaredType, value: unknown): string | null {
  if (value === null) return null;
  switch (type) {
    case 'any':
      return null;
    case 'string':
      return typeof value === 'string' ? null : 'text';
    case 'number':
      return typeof value === 'number' ? null : 'a number';
    case 'boolean':
      return typeof value === 'boolean' ? null : 'true or false';
    case 'list':
      return Array.isArray(value) ? null : 'a list';
    case 'date':
      return typeof value === 'string' && parses(() => parseLocalDate(value)) ? null : 'a date, such as 2026-12-24';
    case 'datetime':
      return typeof value === 'string' && parses(() => parseInstant(value))
        ? null
        : 'a time with an offset, such as 2026-12-24T09:00:00Z';
  }
}

/** Checks the attributes that a `set` step sets: declared, and of the declared type. */
export function checkSet({ report, names }: Checks, values: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(values)) {
    const type = names.attributes.get(name);
    if (type === undefined) {
      const isBuiltIn = names.customer.has(name);
      const message = isBuiltIn
        ? `\`${name}\` is kept by the engine; only attributes can be set`
        : `the attribute \`${name}\` is declared nowhere`;
      const fix = isBuiltIn
        ? null
        : hint(name, names.attributes.keys(), 'declare it under `attributes:` in perennial.yaml');
      report.atKey(values, name, { code: 'unknown-attribute', message, fix });
    } else if (value !== undefined) {
      const expected = expectation(type, value);
      if (expected !== null)
        report.at(values, name, {
          code: 'wrong-type',
          message: `\`${name}\` is declared as ${type}: expected ${expected}`,
        });
    }
  }
}
