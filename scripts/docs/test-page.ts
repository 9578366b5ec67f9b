/** The generated parts of docs/testing-playbooks.md. */
import { jsonSchema } from '../../engine/playbook/schema.ts';
import { keyTable, tableOfKeys } from './key-table.ts';
import { type JsonSchema, type KeyRow, rowsOf } from './schema-rows.ts';
import { markdownTable, withSection } from './section.ts';

/** Keys of a test that have sections of their own. */
const PARTS: Readonly<Record<string, string>> = {
  customer: 'a customer, below',
  customers: 'a list of customers',
  events: 'a list of events and changes, below',
  start: 'a start or a list of them, below',
  expect: 'a list of lines, below',
  not: 'a list of lines, below',
};
const OF_EVERY_LINE: readonly string[] = ['at', 'customer', 'playbook'];

function part(schema: JsonSchema | undefined, name: string): JsonSchema {
  const found = schema?.properties?.[name];
  if (found === undefined) throw new Error(`the schema of tests has no \`${name}\``);
  return found;
}

function testRows(test: JsonSchema): readonly KeyRow[] {
  return rowsOf(test)
    .filter(({ key }) => !/[.[]/.test(key))
    .map((row) => ({
      ...row,
      takes: PARTS[row.key] ?? row.takes,
      otherwise: row.key === 'customer' ? '' : row.otherwise,
    }));
}

/** What happens: each kind's rows, named by what they stand under; what a change may hold is said of the customer. */
function happeningRows(test: JsonSchema): readonly KeyRow[] {
  const kinds = part(test, 'events').items?.anyOf ?? [];
  const [start] = part(test, 'start').anyOf ?? [];
  const named = [
    ...kinds.map((kind) => ['events[]', kind] as const),
    ...(start === undefined ? [] : [['start', start] as const]),
  ];
  const rows = named.flatMap(([name, kind]) =>
    rowsOf(kind)
      .filter(({ key }) => !key.startsWith('change.'))
      .map((row) => ({ ...row, key: `${name}.${row.key}` })),
  );
  // Events and changes have their time and their customer in common.
  return rows.filter(({ key }, index) => rows.findIndex((other) => other.key === key) === index);
}

/** One row for each kind of line, with the keys that only some kinds have. */
function lineTable(lines: readonly JsonSchema[]): string {
  const rows = lines.map((line) => {
    const [kind = ''] = line.required ?? [];
    const own = rowsOf(line, new Set(OF_EVERY_LINE)).filter(({ key }) => !key.includes('.'));
    const [{ takes, means } = { takes: '', means: '' }] = own.filter(({ key }) => key === kind);
    const also = own.filter(({ key }) => key !== kind).map(({ key }) => `\`${key}\``);
    return [`\`${kind}\``, takes, also.join(', '), means];
  });
  return markdownTable(['kind', 'takes', 'may also have', 'what it says'], rows);
}

/** The keys that some kinds have, once each. */
function ofSomeLines(lines: readonly JsonSchema[]): readonly KeyRow[] {
  const rows = lines.flatMap((line) => {
    const omit = new Set([...OF_EVERY_LINE, ...(line.required ?? [])]);
    return rowsOf(line, omit);
  });
  return rows.filter(({ key }, index) => rows.findIndex((other) => other.key === key) === index);
}

/** The page with its tables made anew. @throws Error when a part is missing. */
export function renewTestPage(page: string): string {
  const schema: JsonSchema = jsonSchema('test');
  const test = part(schema, 'tests').items ?? {};
  const lines = schema.definitions?.['line']?.anyOf ?? [];
  const [first] = lines;
  const own = new Set(Object.keys(first?.properties ?? {}).filter((key) => !OF_EVERY_LINE.includes(key)));
  const ofEvery = rowsOf({ ...first, required: [] }, own);
  const sections: readonly (readonly [string, string])[] = [
    ['test', tableOfKeys(testRows(test))],
    ['customer', keyTable(part(test, 'customer'))],
    ['events', tableOfKeys(happeningRows(test))],
    ['lines', lineTable(lines)],
    ['keys of lines', tableOfKeys([...ofEvery, ...ofSomeLines(lines)])],
  ];
  return sections.reduce((text, [name, contents]) => withSection(text, `generated: ${name}`, contents), page);
}
