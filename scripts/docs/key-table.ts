import { type JsonSchema, type KeyRow, rowsOf } from './schema-rows.ts';
import { markdownTable } from './section.ts';

/** A table of keys. */
export function tableOfKeys(rows: readonly KeyRow[]): string {
  const cells = rows.map(({ key, takes, otherwise, means }) => [`\`${key}\``, takes, otherwise, means]);
  return markdownTable(['key', 'takes', 'default', 'what it says'], cells);
}

/** The keys of an object and of all objects within it; not those of `omit`. */
export function keyTable(schema: JsonSchema, omit: ReadonlySet<string> = new Set()): string {
  return tableOfKeys(rowsOf(schema, omit));
}
