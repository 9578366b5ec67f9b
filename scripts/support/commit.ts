/** Which git commit a company folder is at, for the audit record. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { COMPANY_FILE } from '../../engine/playbook/layout.ts';
import { SOURCE_FOLDERS } from '../../engine/project/read.ts';
import { harmless } from './terminal.ts';

/** Behind a commit that is not all of it, as in `git describe --dirty`. */
const DIRTY = '-dirty';
const TIMEOUT_MS = 5_000;
/** Enough of a commit's id to tell it from others. */
const SHORT_ID = 12;

/**
 * The full id of the commit, with `-dirty` behind it when the folder's sources are not as they were committed; null when
 * the folder is in no repository, or git is not there.
 */
export async function commitOf(dir: string): Promise<string | null> {
  const git = async (...args: readonly string[]): Promise<string> =>
    (await promisify(execFile)('git', [...args], { cwd: dir, timeout: TIMEOUT_MS })).stdout.trim();
  try {
    const commit = await git('rev-parse', 'HEAD');
    const changed = await git('status', '--porcelain', '--', COMPANY_FILE, ...SOURCE_FOLDERS);
    return changed === '' ? commit : `${commit}${DIRTY}`;
  } catch {
    // It only adds to the record; a company folder need not be a repository.
    return null;
  }
}

/** A recorded commit for people: `commit 6874cb486734`, and whether more was deployed than was committed. */
export function commitText(gitCommit: string): string {
  const isDirty = gitCommit.endsWith(DIRTY);
  const short = harmless(gitCommit.slice(0, isDirty ? -DIRTY.length : undefined)).slice(0, SHORT_ID);
  return `commit ${short}${isDirty ? ' and changes not committed' : ''}`;
}
