/** Lines that were set aside: `FILE.rejects.jsonl`, one object a line, in the order of the file. */
import { open, rm, truncate, type FileHandle } from 'node:fs/promises';
import { createReadStream } from 'node:fs';
import { codeOf } from '../error-code.ts';

/** One line that was not taken in. */
export interface Reject {
  /** The physical line of the file, from 1. */
  readonly line: number;
  readonly reason: string;
  /** The line itself, or its beginning where it could not be read. */
  readonly text: string;
}

/** Collects rejects; the file exists only when there are some. */
export class RejectsFile {
  readonly path: string;
  private handle: FileHandle | null = null;

  constructor(path: string) {
    this.path = path;
  }

  /** An import that starts over has no rejects yet. */
  async clear(): Promise<void> {
    await rm(this.path, { force: true });
  }

  /**
   * Goes on after line `linesDone`. What a killed run wrote of later lines is cut off: they are read again.
   */
  async resume(linesDone: number): Promise<void> {
    const keep = await bytesUpTo(this.path, linesDone);
    if (keep !== null) await truncate(this.path, keep);
  }

  /** Adds rejects, ascending by line, and waits until the system has them. */
  async add(rejects: readonly Reject[]): Promise<void> {
    if (rejects.length === 0) return;
    // They are lines about customers.
    this.handle ??= await open(this.path, 'a', 0o600);
    await this.handle.appendFile(rejects.map((reject) => `${JSON.stringify(reject)}\n`).join(''));
    // The checkpoint that follows says that these lines are done: a power cut must not lose them either.
    await this.handle.datasync();
  }

  async close(): Promise<void> {
    await this.handle?.close();
    this.handle = null;
  }
}

/** How many bytes of the file are of lines up to `linesDone`; null when there is no file. */
async function bytesUpTo(path: string, linesDone: number): Promise<number | null> {
  let kept = 0;
  let pending = '';
  try {
    for await (const chunk of createReadStream(path, 'utf8') as AsyncIterable<string>) {
      const rows = (pending + chunk).split('\n');
      pending = rows.pop() ?? '';
      for (const row of rows) {
        if (!isOfLineUpTo(row, linesDone)) return kept;
        kept += Buffer.byteLength(row) + 1;
      }
    }
    return kept;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

function isOfLineUpTo(row: string, linesDone: number): boolean {
  const [, line] = /^\{"line":(\d+),.*\}$/s.exec(row) ?? [];
  return line !== undefined && Number(line) <= linesDone;
}
