/** Aligned columns and small bars, measured in characters. */
import { count } from '../import/words.ts';
import { harmless } from '../support/terminal.ts';

/** A cell: text stands left, numbers stand right. */
export type Cell = string | number;

function textOf(cell: Cell): string {
  return typeof cell === 'number' ? count(cell) : harmless(cell);
}

/** `1 mail`, `2 mails`. */
export function many(value: number, what: string): string {
  return `${count(value)} ${what}${value === 1 ? '' : 's'}`;
}

/**
 * Rows as lines, each ended by a line break. A column whose first row below the head is a number is set to the right,
 * its head too.
 */
export function columns(head: readonly string[], rows: readonly (readonly Cell[])[], indent = ''): string {
  const widths = head.map((name, index) =>
    Math.max(name.length, ...rows.map((row) => textOf(row[index] ?? '').length)),
  );
  const isNumber = head.map((_, index) => typeof rows[0]?.[index] === 'number');
  return [head, ...rows]
    .map((row) => {
      const cells = widths.map((width, index) => {
        const text = textOf(row[index] ?? '');
        return isNumber[index] === true ? text.padStart(width) : text.padEnd(width);
      });
      return `${`${indent}${cells.join('  ')}`.trimEnd()}\n`;
    })
    .join('');
}

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const;

/** A bar of `value` out of `most`, at most `width` characters; what is more than nothing shows. Padded to `width`. */
export function bar(value: number, most: number, width: number): string {
  if (value <= 0 || most <= 0) return ' '.repeat(width);
  const eighths = Math.max(1, Math.round((value / most) * width * 8));
  return ('█'.repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? '')).padEnd(width);
}

/** `a 3, b 2`, the most first, on as many lines of at most `width` characters as that takes. */
export function ranking(counts: ReadonlyMap<string, number>, width: number): readonly string[] {
  const sorted = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const lines: string[] = [];
  let line = '';
  for (const [index, [name, value]] of sorted.entries()) {
    const part = `${harmless(name)} ${count(value)}${index === sorted.length - 1 ? '' : ','}`;
    if (line !== '' && line.length + 1 + part.length > width) {
      lines.push(line);
      line = part;
    } else line += line === '' ? part : ` ${part}`;
  }
  return line === '' ? lines : [...lines, line];
}

/** What was counted, after `start` and below it: lines, each ended by a line break. */
export function rankingAfter(start: string, counts: ReadonlyMap<string, number>, width: number): string {
  const [first = '', ...more] = ranking(counts, width - start.length);
  const indent = ' '.repeat(start.length);
  return [`${start}${first}`, ...more.map((line) => `${indent}${line}`)].map((line) => `${line.trimEnd()}\n`).join('');
}

const HOUR_MS = 3_600_000;

/** `2 d 4 h`, or hours and minutes below a day. */
export function spanText(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  const hours = Math.round(ms / HOUR_MS);
  if (hours >= 24) return `${Math.floor(hours / 24)} d ${hours % 24} h`;
  return minutes >= 60 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : `${minutes} min`;
}
