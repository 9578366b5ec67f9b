/** Rows put aside in numbered files of a temporary folder, and read again one file at a time. */
import { appendFileSync, existsSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { linesIn } from './lines.ts';
import { SourceError } from './source.ts';

/** Rows by part. A row is a text without line breaks. */
export interface Parts {
  add(part: number, row: string): void;
  /** The rows of a part in the order in which they were added; no rows may be added meanwhile. */
  read(part: number): Iterable<string>;
  /** Gives back the room that a part takes. */
  drop(part: number): void;
}

/** So many characters wait in memory, of all parts together: files are not kept open, so that there may be many. */
const WAITING = 4 << 20;

/** Begins to put rows aside in files of this name. */
export function openParts(folder: string, name: string): Parts {
  const fileOf = (part: number): string => path.join(folder, `${name}-${part}`);
  const waiting = new Map<number, string[]>();
  let size = 0;
  const putAside = (): void => {
    for (const [part, rows] of waiting) {
      inFolder(folder, () => appendFileSync(fileOf(part), `${rows.join('\n')}\n`));
    }
    waiting.clear();
    size = 0;
  };
  return {
    add: (part, row) => {
      const rows = waiting.get(part);
      if (rows === undefined) waiting.set(part, [row]);
      else rows.push(row);
      size += row.length;
      if (size >= WAITING) putAside();
    },
    read: (part) => {
      putAside();
      return rowsIn(fileOf(part));
    },
    drop: (part) => rmSync(fileOf(part), { force: true }),
  };
}

function* rowsIn(file: string): Iterable<string> {
  if (!existsSync(file)) return;
  for (const row of linesIn({ path: file, name: file })) if (row !== '') yield row;
}

/** @throws SourceError when the folder does not take what it should. */
export function inFolder<T>(folder: string | undefined, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const message =
      `The temporary folder ${folder ?? tmpdir()} cannot be used: ${(error as Error).message}. ` +
      'It takes about as much room as the input; TMPDIR names another place for it.';
    throw new SourceError(message, { cause: error });
  }
}
