/** Generated parts of a page: what stands between `<!-- NAME -->` and `<!-- /NAME -->`. */

/**
 * The page with the contents of that part replaced. @throws Error when the page has no such part, or more than one:
 * a marker was lost in editing.
 */
export function withSection(page: string, name: string, contents: string): string {
  const [open, close] = [`<!-- ${name} -->\n`, `<!-- /${name} -->`];
  const parts = page.split(open);
  const [before, rest, ...more] = parts;
  const end = rest?.indexOf(close) ?? -1;
  if (before === undefined || rest === undefined || more.length > 0 || end < 0) {
    throw new Error(`expected exactly one part between "${open.trim()}" and "${close}", on lines of their own`);
  }
  return `${before}${open}\n${contents.trim()}\n\n${rest.slice(end)}`;
}

/** A table in Markdown, its columns aligned as the project's formatter aligns them. Bars within cells are escaped. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const escaped = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll('|', String.raw`\|`)));
  const widths = head.map((_, column) => Math.max(3, ...escaped.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const [first = [], ...others] = escaped;
  return [line(first), line(widths.map((width) => '-'.repeat(width))), ...others.map(line)].join('\n');
}
