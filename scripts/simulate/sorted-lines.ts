/**
 * Lines in the order of the language, however many there are: what does not fit into memory waits in a temporary
 * folder, in sorted parts that are merged while they are read.
 */
import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { OrderedLine } from '../../engine/journey/draft.ts';
import { compareItems } from '../../engine/journey/order.ts';
import type { Line } from '../../engine/journey/types.ts';
import { openTemporaryFolder, type TemporaryFolder } from '../support/temporary-folder.ts';
import { sortLines } from '../../engine/simulate/reader-run.ts';

/** Takes lines in any order. */
export interface LineSorter {
  /** All lines of one reader: lines of one item keep the order they are given in. */
  add(lines: readonly OrderedLine[]): Promise<void>;
  /** All of them in order, some at a time; to be read once. */
  sorted(): AsyncIterable<readonly Line[]>;
  /** Removes what was put aside. */
  close(): void;
}

/** Some 100 MB. */
const KEPT = 200_000;
/** So many lines are read at a time from each part. */
const BLOCK = 500;

/** Begins to sort; `kept` lines are held in memory. */
export function openLineSorter(kept = KEPT): LineSorter {
  let lines: OrderedLine[] = [];
  let folder: TemporaryFolder | null = null;
  const parts: string[] = [];
  const putAside = async (): Promise<void> => {
    folder ??= openTemporaryFolder('perennial-simulate-');
    const file = path.join(folder.path, String(parts.length));
    await writeFile(file, rows(sortLines(lines)));
    parts.push(file);
    lines = [];
  };
  return {
    add: async (more) => {
      for (const line of more) lines.push(line);
      if (lines.length >= kept) await putAside();
    },
    sorted: () => merged([...parts.map(readPart), inMemory(sortLines(lines))]),
    close: () => folder?.remove(),
  };
}

type Block = readonly OrderedLine[];

/** A row of a part is a block of lines: reading and waiting line by line would cost more than the simulation. */
function* rows(lines: Block): Iterable<string> {
  for (let start = 0; start < lines.length; start += BLOCK) {
    yield `${JSON.stringify(lines.slice(start, start + BLOCK))}\n`;
  }
}

async function* readPart(file: string): AsyncGenerator<Block> {
  for await (const row of createInterface({ input: createReadStream(file) })) yield JSON.parse(row) as Block;
}

async function* inMemory(lines: Block): AsyncGenerator<Block> {
  if (lines.length > 0) yield lines;
}

/** A part, and where it is read. */
interface Head {
  readonly part: AsyncGenerator<Block>;
  block: Block;
  place: number;
  next: OrderedLine;
}

async function openHead(part: AsyncGenerator<Block>): Promise<readonly Head[]> {
  const { value, done } = await part.next();
  const next = done === true ? undefined : value[0];
  return done === true || next === undefined ? [] : [{ part, block: value, place: 0, next }];
}

/** Goes on by one line; false at the end of the part. Only a new block has to be waited for. */
function step(head: Head): boolean | Promise<boolean> {
  head.place += 1;
  const next = head.block[head.place];
  if (next === undefined) return nextBlock(head);
  head.next = next;
  return true;
}

async function nextBlock(head: Head): Promise<boolean> {
  const { value, done } = await head.part.next();
  const next = done === true ? undefined : value[0];
  if (done === true || next === undefined) return false;
  Object.assign(head, { block: value, place: 0, next });
  return true;
}

async function* merged(parts: readonly AsyncGenerator<Block>[]): AsyncGenerator<readonly Line[]> {
  const heads = (await Promise.all(parts.map(openHead))).flat();
  let batch: Line[] = [];
  for (;;) {
    let first = heads[0];
    if (first === undefined) break;
    for (const head of heads) if (compareItems(head.next.item, first.next.item) < 0) first = head;
    batch.push(first.next.line);
    const more = step(first);
    if (!(typeof more === 'boolean' ? more : await more)) heads.splice(heads.indexOf(first), 1);
    if (batch.length < BLOCK) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
