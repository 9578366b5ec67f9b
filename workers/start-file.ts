/** One `perennial start` for each project with an embedded database: the second is told of the first. */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { codeOf } from '../engine/ingest/error-code.ts';
import { withFileLock } from './embedded/file-lock.ts';
import { isAlive, startTicks } from './embedded/liveness.ts';

const LOCK_TIMEOUT_MS = 10_000;

/** Who has started; `ticks` tells the process from a later one of the same number, where the system says them. */
interface Starter {
  readonly pid: number;
  readonly ticks: string | null;
}

/** The engine of this project runs already, in the process `pid`. */
export class AlreadyRunning extends Error {
  override readonly name = 'AlreadyRunning';
  readonly code = 'already_running';
  readonly pid: number;

  constructor(pid: number, projectDir: string) {
    super(
      `already running here (pid ${pid}): one "perennial start" does all the work of ${projectDir}. ` +
        `To start it anew, end that one first (kill ${pid}, or Ctrl-C where it runs).`,
    );
    this.pid = pid;
  }
}

/**
 * Notes in `.perennial/start.json` that this process is the project's engine; gives how to take that back. A note of a
 * process that has ended, killed for instance, counts for nothing. @throws AlreadyRunning.
 */
export async function noteStart(projectDir: string): Promise<() => Promise<void>> {
  const dir = path.join(projectDir, '.perennial');
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const file = path.join(dir, 'start.json');
  const locked = async (body: () => Promise<void>): Promise<void> =>
    withFileLock(path.join(dir, 'start.lock'), LOCK_TIMEOUT_MS, body);
  const own: Starter = { pid: process.pid, ticks: await startTicks(process.pid) };
  await locked(async () => {
    const known = await readStarter(file);
    if (known !== null && (await runs(known))) throw new AlreadyRunning(known.pid, projectDir);
    await writeFile(`${file}.new`, `${JSON.stringify(own)}\n`, { mode: 0o600 });
    await rename(`${file}.new`, file);
  });
  return async () =>
    locked(async () => {
      const known = await readStarter(file);
      if (known?.pid === own.pid) await rm(file, { force: true });
    });
}

async function runs({ pid, ticks }: Starter): Promise<boolean> {
  return pid !== process.pid && (await isAlive(pid)) && (await startTicks(pid)) === ticks;
}

/** Null when there is none, or one that says nothing: it holds nothing that would be lost. */
async function readStarter(file: string): Promise<Starter | null> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
  const [, pid, ticks] = /^\{"pid":(\d+),"ticks":(?:null|"(\d*)")\}\s*$/.exec(text) ?? [];
  return pid === undefined ? null : { pid: Number(pid), ticks: ticks ?? null };
}
