/**
 * A lock between processes that outlives no holder: when its holder is killed, the next one takes it over.
 *
 * A folder holds numbered claims. Invariants:
 * - I1 A claim is made by linking a complete file to its number, so exactly one process makes a number.
 * - I2 The highest claim is the lock's state; its holder has it while it runs and has not put `<n>.free` beside it.
 * - I3 The highest claim is never removed, only lower ones by a holder. So whoever makes a number that a holder
 *   had removed meanwhile finds a higher one when it looks again, and has not got the lock.
 */
import { randomBytes } from 'node:crypto';
import { link, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { EmbeddedPostgresError } from './error.ts';
import { isAlive, startTicks } from './liveness.ts';

const RETRY_MS = 20;

/**
 * Runs `body` while holding the lock of a folder (made when missing), which no other process and no other call
 * holds at that time. Not re-entrant.
 * @throws EmbeddedPostgresError `lock_timeout` when a living process keeps the lock for `timeoutMs`.
 */
export async function withFileLock<T>(dir: string, timeoutMs: number, body: () => Promise<T>): Promise<T> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const claim = await acquire(dir, timeoutMs);
  try {
    return await body();
  } finally {
    await writeFile(path.join(dir, `${claim}.free`), '');
  }
}

async function acquire(dir: string, timeoutMs: number): Promise<number> {
  for (let waitedMs = 0; ; waitedMs += RETRY_MS) {
    const highest = await highestClaim(dir);
    const holder = highest === 0 ? null : await holderOf(dir, highest);
    if (holder === null) {
      if ((await claim(dir, highest + 1)) && (await highestClaim(dir)) === highest + 1) {
        await removeBelow(dir, highest + 1);
        return highest + 1;
      }
    } else if (waitedMs >= timeoutMs) {
      throw new EmbeddedPostgresError(
        'lock_timeout',
        `Process ${holder} has been starting or stopping the embedded PostgreSQL for ${timeoutMs / 1000} s (lock: ${dir}). ` +
          'Look whether it hangs, end it, and try again.',
      );
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

async function highestClaim(dir: string): Promise<number> {
  const names = await readdir(dir);
  return Math.max(0, ...names.filter((name) => /^\d+$/.test(name)).map(Number));
}

/** The pid of the living process that holds a claim; null when the claim is free, abandoned or gone. */
async function holderOf(dir: string, claim: number): Promise<number | null> {
  const names = await readdir(dir);
  if (names.includes(`${claim}.free`)) return null;
  const text = await readFile(path.join(dir, String(claim)), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return null;
  const [pid = '', ticks = ''] = text.trim().split(' ');
  if (!(await isAlive(Number(pid)))) return null;
  const now = await startTicks(Number(pid));
  return now === null || now === ticks ? Number(pid) : null;
}

/** Makes a claim; false when another process made it first. */
async function claim(dir: string, number: number): Promise<boolean> {
  const draft = path.join(dir, `draft-${randomBytes(6).toString('hex')}`);
  await writeFile(draft, `${process.pid} ${(await startTicks(process.pid)) ?? ''}\n`);
  try {
    await link(draft, path.join(dir, String(number)));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

async function removeBelow(dir: string, number: number): Promise<void> {
  for (const name of await readdir(dir)) {
    const claimed = Number(/^(\d+)(\.free)?$/.exec(name)?.[1] ?? number);
    if (claimed < number) await rm(path.join(dir, name), { force: true });
  }
}
