/** Where a command writes: passed in, so that tests read what people read. */
import { zone, utc } from '../../engine/time/zone.ts';
import type { Zone } from '../../engine/time/types.ts';

/** One person's terminal. */
export interface Terminal {
  /** Results, to standard output. */
  out(text: string): void;
  /** Complaints, to standard error. */
  err(text: string): void;
  /** ANSI colours may be used. */
  readonly colour: boolean;
  /** The reader's own zone. */
  readonly zone: Zone;
  /** 1: it could not be done; 2: the command was used wrongly; 75: try again later (EX_TEMPFAIL of sysexits.h). */
  setExitCode(code: 1 | 2 | 75): void;
}

/** The terminal of this process; coloured only on a TTY, and never with NO_COLOR set (no-color.org). */
export function processTerminal(): Terminal {
  return {
    out: (text) => {
      process.stdout.write(shown(text));
    },
    err: (text) => {
      process.stderr.write(shown(text));
    },
    colour: process.stdout.isTTY && process.env['NO_COLOR'] === undefined,
    zone: zone(Intl.DateTimeFormat().resolvedOptions().timeZone) ?? utc,
    setExitCode: (code) => {
      process.exitCode = code;
    },
  };
}

const STYLES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 } as const;

/** Paints text where the terminal takes colours. */
export function paint(terminal: Pick<Terminal, 'colour'>, style: keyof typeof STYLES, text: string): string {
  return terminal.colour ? `\u001B[${STYLES[style]}m${text}\u001B[0m` : text;
}

/** Text from the data, without what a terminal would act upon: control characters, and turns of the writing direction. */
export function harmless(text: string): string {
  return text.replaceAll(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, '·');
}

/**
 * The same for a whole output, with its line breaks and the colours of this program: so that a place that forgot
 * `harmless` lets nothing through.
 */
export function shown(text: string): string {
  // oxlint-disable-next-line no-control-regex
  const pattern = /\u001b\[(?:[012]|3[1236])m|\r?\n|\t|[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;
  return text.replaceAll(pattern, (found) => (found.length > 1 || found === '\n' || found === '\t' ? found : '·'));
}

/** JSON that means the same and holds nothing that a terminal would act upon: JSON itself escapes only the older half of it. */
export function jsonText(value: unknown, indent = 0): string {
  return JSON.stringify(value, null, indent).replaceAll(
    /[\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/**
 * Rows as aligned columns, each line ended by a line break; trailing spaces are left out. Colours go around whole
 * lines only, since they would count as width.
 */
export function table(rows: readonly (readonly string[])[], indent = ''): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, harmless(cell).length);
  }
  return rows
    .map((row) => `${indent}${row.map((cell, index) => harmless(cell).padEnd(widths[index] ?? 0)).join('  ')}`)
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}
