/**
 * Lines in the order of the language, however many there are: what does not fit into memory waits in a temporary
 * folder, in sorted parts that are merged while they are read.
 */
import { createReadStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { OrderedLine } from '../../engine/journey/draft.ts';
import { compareItems } from '../../engine/journey/order.ts';
import type { Line } from '../../engine/journey/types.ts';
import { sortLines } from '../../engine/simulate/reader-run.ts';

/** Takes lines in any order. */
export interface LineSorter {
  /** All lines of one reader: lines of one item keep the order they are given in. */
  add(lines: readonly OrderedLine[]): Promise<void>;
  /** All of them in order; to be read once. */
  sorted(): AsyncIterable<Line>;
  /** Removes what was put aside. */
  close(): Promise<void>;
}

/** Some 100 MB. */
const KEPT = 200_000;

/** Begins to sort; `kept` lines are held in memory. */
export function openLineSorter(kept = KEPT): LineSorter {
  let lines: OrderedLine[] = [];
  let folder: string | null = null;
  const parts: string[] = [];
  const putAside = async (): Promise<void> => {
    folder ??= await mkdtemp(path.join(tmpdir(), 'perennial-simulate-'));
    const file = path.join(folder, String(parts.length));
    await writeFile(file, rows(sortLines(lines)));
    parts.push(file);
    lines = [];
  };
  return {
    add: async (more) => {
      for (const line of more) lines.push(line);
      if (lines.length >= kept) await putAside();
    },
    sorted: () => merged([...parts.map((file) => readPart(file)), inMemory(sortLines(lines))]),
    close: async () => {
      if (folder !== null) await rm(folder, { recursive: true, force: true });
    },
  };
}

function* rows(lines: readonly OrderedLine[]): Iterable<string> {
  for (const line of lines) yield `${JSON.stringify(line)}\n`;
}

async function* readPart(file: string): AsyncGenerator<OrderedLine> {
  for await (const row of createInterface({ input: createReadStream(file) })) yield JSON.parse(row) as OrderedLine;
}

async function* inMemory(lines: readonly OrderedLine[]): AsyncGenerator<OrderedLine> {
  yield* lines;
}

async function* merged(parts: readonly AsyncGenerator<OrderedLine>[]): AsyncGenerator<Line> {
  const heads: { readonly part: AsyncGenerator<OrderedLine>; next: OrderedLine }[] = [];
  for (const part of parts) {
    const { value, done } = await part.next();
    if (done !== true) heads.push({ part, next: value });
  }
  for (;;) {
    let first = heads[0];
    if (first === undefined) return;
    for (const head of heads) if (compareItems(head.next.item, first.next.item) < 0) first = head;
    yield first.next.line;
    const { value, done } = await first.part.next();
    if (done === true) heads.splice(heads.indexOf(first), 1);
    else first.next = value;
  }
}
