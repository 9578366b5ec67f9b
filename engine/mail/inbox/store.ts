/**
 * The local inbox's files: one mail each, named by its number.
 *
 * 1. A mail has its number only once it is whole: it is written under another name, then linked.
 * 2. Numbers are given once, also among processes that keep one folder: linking to a taken name fails.
 */
import { randomUUID } from 'node:crypto';
import { linkSync, readdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { mkdir, open, readFile, readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type InboxEntry, type ReceivedMail, readEntry, readWholeMail } from './mail.ts';

export type { InboxEntry, ReceivedMail } from './mail.ts';

/** Numbers below ten digits sort as text. */
const DIGITS = 9;
const NAME = /^(\d{9})\.eml$/;
const INCOMING = '.incoming-';
const ABANDONED_MS = 10 * 60_000;
/** Taken numbers that are passed by one by one. */
const PROBES = 32;
/** Headers are looked for in this many bytes at the head of a file. */
const HEAD_BYTES = 16 * 1024;

/** The mails of a folder, oldest first: the last `limit` that were sent to `to`. An absent folder is an empty inbox. */
export async function listInbox(
  dir: string,
  filter: { readonly to?: string; readonly limit?: number } = {},
): Promise<readonly InboxEntry[]> {
  const wanted = filter.to?.trim().toLowerCase();
  const limit = filter.limit ?? Number.POSITIVE_INFINITY;
  const found: InboxEntry[] = [];
  for (const number of (await numbersIn(dir)).toReversed()) {
    if (found.length >= limit) break;
    const entry = await readEntry(number, await headOf(fileOf(dir, number)));
    if (wanted === undefined || entry.to.toLowerCase() === wanted) found.push(entry);
  }
  return found.toReversed();
}

/** One mail whole; null when there is none of that number. */
export async function readMail(dir: string, number: number): Promise<ReceivedMail | null> {
  if (!(await numbersIn(dir)).includes(number)) return null;
  return readWholeMail(number, await readFile(fileOf(dir, number)));
}

/** The least and the greatest number, and how many there are; null for an empty inbox. */
export async function inboxRange(
  dir: string,
): Promise<{ readonly first: number; readonly last: number; readonly count: number } | null> {
  const numbers = await numbersIn(dir);
  const [first, last] = [numbers[0], numbers.at(-1)];
  return first === undefined || last === undefined ? null : { first, last, count: numbers.length };
}

/** Keeps mails in a folder, which it makes if need be. */
export class InboxWriter {
  readonly #dir: string;
  #next: number;

  private constructor(dir: string, next: number) {
    this.#dir = dir;
    this.#next = next;
  }

  static async open(dir: string): Promise<InboxWriter> {
    // Mails are nobody's business but their owner's.
    await mkdir(dir, { recursive: true, mode: 0o700 });
    await sweep(dir);
    return new InboxWriter(dir, lastOf(await namesIn(dir)) + 1);
  }

  /**
   * Stores a mail, and returns its number when the file has its name. Synchronous: a mail is small and the thread
   * pool's five turns for it cost five times as much as the work.
   */
  add(message: Buffer): number {
    const temporary = join(this.#dir, `${INCOMING}${randomUUID()}`);
    writeFileSync(temporary, message, { flag: 'wx', mode: 0o600 });
    try {
      return this.#name(temporary);
    } finally {
      unlinkSync(temporary);
    }
  }

  #name(temporary: string): number {
    for (let tries = 1; ; tries += 1) {
      const number = this.#next;
      this.#next += 1;
      try {
        linkSync(temporary, fileOf(this.#dir, number));
        return number;
      } catch (error) {
        if (codeOf(error) !== 'EEXIST') throw error;
        // Another process writes here too, as a rule a few mails ahead; only when it is many, the folder is read.
        if (tries % PROBES === 0) this.#next = Math.max(this.#next, lastOf(readdirSync(this.#dir)) + 1);
      }
    }
  }
}

function lastOf(names: readonly string[]): number {
  return numbersOf(names).at(-1) ?? 0;
}

function numbersOf(names: readonly string[]): readonly number[] {
  return names
    .flatMap((name) => NAME.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

async function numbersIn(dir: string): Promise<readonly number[]> {
  return numbersOf(await namesIn(dir));
}

async function namesIn(dir: string): Promise<readonly string[]> {
  try {
    return await readdir(dir);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** What a process left half-written when it was killed. */
async function sweep(dir: string): Promise<void> {
  for (const name of await namesIn(dir)) {
    if (!name.startsWith(INCOMING)) continue;
    const file = join(dir, name);
    try {
      if (Date.now() - (await stat(file)).mtimeMs > ABANDONED_MS) await unlink(file);
    } catch (error) {
      // Its process, or another sweep, was quicker.
      if (codeOf(error) !== 'ENOENT') throw error;
    }
  }
}

async function headOf(file: string): Promise<Buffer> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    const head = buffer.subarray(0, bytesRead);
    const end = head.indexOf('\r\n\r\n');
    return end < 0 ? head : head.subarray(0, end + 4);
  } finally {
    await handle.close();
  }
}

function fileOf(dir: string, number: number): string {
  return join(dir, `${String(number).padStart(DIGITS, '0')}.eml`);
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : null;
}
