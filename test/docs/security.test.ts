/** docs/security.md: each of its lines names a test that exists. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from '@jest/globals';

const ROOT = resolve(import.meta.dirname, '../..');
const PAGE = readFileSync(join(ROOT, 'docs/security.md'), 'utf8');

/** Rows of tables, without their heads. */
const rows = PAGE.split('\n').filter((line) => line.startsWith('| ') && !/^\| (?:threat|-+) /.test(line));

it('names a test for every threat', () => {
  expect(rows.length).toBeGreaterThan(45);
  for (const row of rows) expect(row).toMatch(/^\| [^|]+ \| `test\/[\w/-]+\.test\.ts` "[^"|]+" +\|$/);
});

it.each(rows.map((row) => /`(test\/[^`]+)` "([^"]+)"/.exec(row)?.slice(1) ?? ['', '']))(
  '%s has "%s"',
  (file, title) => {
    expect([file, existsSync(join(ROOT, file ?? ''))]).toEqual([file, true]);
    const text = readFileSync(join(ROOT, file ?? ''), 'utf8');
    // As it is written in the source: a title with an apostrophe has other quotes.
    const written = [`'${title}'`, `"${title}"`].some((quoted) => text.includes(quoted));
    expect([title, written]).toEqual([title, true]);
  },
);

/** All sources of the program. */
function sources(): readonly (readonly [file: string, text: string])[] {
  return ['engine', 'workers', 'scripts'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => [join(folder, name), readFileSync(join(ROOT, folder, name), 'utf8')] as const),
  );
}

it('nothing writes CSV, whose cells a spreadsheet would run as formulas', () => {
  const writing = /csv-stringify|text\/csv|csvLine|toCsv|copy \(.*csv/i;
  expect(sources().filter(([, text]) => writing.test(text))).toEqual([]);
});

it('jobs hold numbers and nothing else', () => {
  const adding = sources().filter(([, text]) => /\bqueue\.add(?:Bulk)?\(/.test(text));
  expect(adding.map(([file]) => file)).toEqual(['engine/queue/queue.ts']);
  expect(adding[0]?.[1]).toContain('queue.add(JOB_NAME, { ids: customerIds }, JOB_OPTIONS)');
});

it('patterns of playbooks run on an engine of linear time, and on no other one', () => {
  const compiled = sources().filter(
    ([file, text]) => file.startsWith('engine/playbook/cel') && /new RegExp\(/.test(text),
  );
  expect(compiled).toEqual([]);
});
