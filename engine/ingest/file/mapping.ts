/** How the columns of a CSV file become fields: `--map`, `--set` and `--where`. */
import { nearest } from '../../playbook/nearest.ts';
import type { FieldType } from '../../playbook/types.ts';

/** A filter: rows that do not fulfil it are passed over. */
export interface Filter {
  readonly column: string;
  readonly operator: '=' | '!=' | '>' | '>=' | '<' | '<=';
  readonly value: string;
}

/** What the options say, before the file is seen. */
export interface MappingOptions {
  readonly map: readonly { readonly field: string; readonly column: string }[];
  readonly set: readonly { readonly field: string; readonly value: string }[];
  readonly where: readonly Filter[];
  /** One ASCII character. */
  readonly delimiter: string;
}

/** The options fitted to a header. */
export interface Mapping {
  readonly columns: readonly string[];
  readonly fields: readonly (
    { readonly field: string; readonly index: number } | { readonly field: string; readonly value: string }
  )[];
  readonly filters: readonly (Filter & { readonly index: number })[];
  /** Columns that nothing uses. */
  readonly unused: readonly string[];
}

/** The options do not fit the file, or are no options: the message says what to do. */
export class MappingError extends Error {
  override readonly name = 'MappingError';
  readonly code = 'bad-mapping';
}

const FILTER = /^(.+?)\s*(!=|>=|<=|=|>|<)\s*(.*)$/s;
const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;

/** Reads `column=value`, `amount>0` and the like. @throws MappingError. */
export function parseFilter(text: string): Filter {
  const [, column, operator, value] = FILTER.exec(text) ?? [];
  if (column === undefined || operator === undefined || value === undefined) {
    throw new MappingError(`"${text}" is no filter; expected a column, one of = != > >= < <= and a value: "amount>0"`);
  }
  const filter = { column, operator: operator as Filter['operator'], value };
  if (operator !== '=' && operator !== '!=' && !NUMBER.test(value)) {
    throw new MappingError(`"${text}": ${operator} compares numbers, and "${value}" is none`);
  }
  return filter;
}

/** Reads `field=column` or `field=value`. @throws MappingError. */
export function parseAssignment(text: string, what: 'column' | 'value'): readonly [field: string, right: string] {
  const at = text.indexOf('=');
  if (at < 1 || (what === 'column' && at === text.length - 1)) {
    throw new MappingError(`"${text}" is no assignment; expected field=${what}`);
  }
  const several = what === 'column' && /^[^=,]+=[^=,]+(,[^=,]+=[^=,]+)+$/.test(text);
  if (several) {
    const apart = text.split(',').map((part) => `--map ${part.trim()}`);
    throw new MappingError(`"${text}" is more than one assignment; give each its own --map: ${apart.join(' ')}`);
  }
  return [text.slice(0, at), text.slice(at + 1)];
}

/**
 * Fits the options to the header. Without any `map`, a column whose name is that of a field is that field; with one,
 * only what is mapped is read. `isField` knows the fields, `fields` are those that can be listed.
 * @throws MappingError for a column that the file lacks, a field that is not known, one that is given twice, or one
 * that every line must have and none can.
 */
export function fitMapping(
  header: readonly string[],
  options: MappingOptions,
  fields: {
    readonly known: readonly string[];
    readonly required: readonly string[];
    readonly isField: (name: string) => boolean;
  },
): Mapping {
  const columns = header.map((name) => name.trim());
  const indexOf = (column: string): number => findColumn(columns, column, options.delimiter);
  const constant = new Set(options.set.map(({ field }) => field));
  const given =
    options.map.length > 0
      ? options.map
      : columns
          .filter((name) => fields.isField(name) && !constant.has(name))
          .map((name) => ({ field: name, column: name }));
  const assigned = [...given.map(({ field }) => field), ...constant];
  for (const field of assigned) checkField(field, assigned, fields);
  const mapped = given.map(({ field, column }) => ({ field, index: indexOf(column) }));
  const filters = options.where.map((filter) => ({ ...filter, index: indexOf(filter.column) }));
  checkRequired(columns, assigned, fields.required, options.delimiter);
  const used = new Set([...mapped, ...filters].map(({ index }) => index));
  return {
    columns,
    fields: [...mapped, ...options.set],
    filters,
    unused: columns.filter((name, index) => name !== '' && !used.has(index)),
  };
}

/** Without such a field every single line would be set aside. */
function checkRequired(
  columns: readonly string[],
  assigned: readonly string[],
  required: readonly string[],
  delimiter: string,
): void {
  const missing = required.filter((field) => !assigned.includes(field));
  if (missing.length === 0) return;
  const advice = missing.map((field) => `--map ${field}=COLUMN`).join(' ');
  throw new MappingError(
    `nothing gives the ${missing.length === 1 ? 'field' : 'fields'} ${missing.join(', ')}, which every line must have; ` +
      `the first line names ${columns.join(', ')}. Say which column it is: ${advice}` +
      ` (or --set FIELD=VALUE for all lines)${oneColumn(columns, delimiter)}`,
  );
}

function oneColumn(columns: readonly string[], delimiter: string): string {
  return columns.length === 1 ? `. The whole first line is one column: is "${delimiter}" the delimiter?` : '';
}

function findColumn(columns: readonly string[], column: string, delimiter: string): number {
  const index = columns.indexOf(column);
  if (index >= 0 && columns.indexOf(column, index + 1) >= 0) {
    throw new MappingError(`the file has several columns "${column}"; give each its own name in the first line`);
  }
  if (index >= 0) return index;
  const close = nearest(column, columns);
  const hint = close === null ? '' : ` Did you mean "${close}"?`;
  const only = columns.length === 1 ? ` The whole first line is one column: is "${delimiter}" the delimiter?` : '';
  throw new MappingError(
    `the file has no column "${column}"; its first line names ${columns.join(', ')}.${hint}${only}`,
  );
}

function checkField(
  field: string,
  assigned: readonly string[],
  fields: { readonly known: readonly string[]; readonly isField: (name: string) => boolean },
): void {
  if (assigned.indexOf(field) !== assigned.lastIndexOf(field)) {
    throw new MappingError(`the field "${field}" is given twice; expected one column or one value for it`);
  }
  if (fields.isField(field)) return;
  const close = nearest(field, fields.known);
  const hint = close === null ? '' : ` Did you mean "${close}"?`;
  throw new MappingError(`there is no field "${field}"; expected one of ${fields.known.join(', ')}.${hint}`);
}

/** Whether a row fulfils all filters. What is no number is neither greater nor less than one. */
export function passes(row: readonly string[], filters: Mapping['filters']): boolean {
  return filters.every(({ index, operator, value }) => {
    const text = (row[index] ?? '').trim();
    if (operator === '=') return text === value;
    if (operator === '!=') return text !== value;
    const [left, right] = [NUMBER.test(text) ? Number(text) : Number.NaN, Number(value)];
    switch (operator) {
      case '>':
        return left > right;
      case '>=':
        return left >= right;
      case '<':
        return left < right;
      case '<=':
        return left <= right;
    }
  });
}

/** The texts of a row by field. An empty cell says nothing and is left out. */
export function textsOf(row: readonly string[], mapping: Mapping): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (const entry of mapping.fields) {
    const text = 'value' in entry ? entry.value : (row[entry.index] ?? '').trim();
    if (text !== '') texts.set(entry.field, text);
  }
  return texts;
}

/**
 * Reads a cell as the type that its field has. What cannot be read stays a text, so that the check of the field says
 * what was expected. A list is divided by semicolons.
 */
export function readCell(text: string, type: FieldType | null): unknown {
  switch (type) {
    case 'number':
      return NUMBER.test(text) ? Number(text) : text;
    case 'boolean':
      return /^(true|false)$/i.test(text) ? text.toLowerCase() === 'true' : text;
    case 'list':
      return text
        .split(';')
        .map((part) => part.trim())
        .filter((part) => part !== '');
    case 'string':
    case 'date':
    case 'datetime':
    case null:
      return text;
  }
}
