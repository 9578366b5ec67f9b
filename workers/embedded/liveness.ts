import { readFile } from 'node:fs/promises';
import process from 'node:process';

/**
 * Whether a process with this number runs, whoever owns it. One that has ended and waits for its parent to
 * notice (in a container whose first process never does, for good) does not.
 */
export async function isAlive(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return (await statFields(pid))?.[0] !== 'Z';
}

/**
 * When a process was started, in clock ticks since boot, which tells it from a later one with the same number;
 * null where the system does not say (no `/proc`, or no such process).
 */
export async function startTicks(pid: number): Promise<string | null> {
  return (await statFields(pid))?.[19] ?? null;
}

/** The fields of `/proc/<pid>/stat` from the third on (state); see proc(5). */
async function statFields(pid: number): Promise<string[] | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // The second field is the program's name in brackets and may itself hold spaces and brackets.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
}
