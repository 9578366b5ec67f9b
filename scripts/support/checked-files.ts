/** The company folder, checked, for commands that need it whole. */
import type { SourceFile } from '../../engine/playbook/problem.ts';
import type { Release } from '../../engine/playbook/types.ts';
import { checkProject } from '../../engine/project/check.ts';
import { ProjectError } from '../../engine/project/read.ts';
import { formatProblems, summarise } from '../check/format.ts';
import type { Terminal } from './terminal.ts';
import { jsonLine } from './times.ts';

/** A folder without mistakes. */
export interface CheckedFiles {
  readonly release: Release;
  readonly sources: readonly SourceFile[];
}

/**
 * Checks the folder and says what is wrong with it, ending in `outcome`. Null when it cannot be used: then the exit code
 * is 1 for mistakes, and `unreadable` where there is no folder to read.
 */
export async function checkedFiles(
  terminal: Terminal,
  options: { readonly project: string; readonly json?: boolean },
  outcome: string,
  unreadable: 1 | 2,
): Promise<CheckedFiles | null> {
  const checked = await checkProject(options.project).catch((error: unknown) => {
    if (error instanceof ProjectError) return error;
    throw error;
  });
  if (checked instanceof ProjectError) {
    terminal.err(`${checked.message}\n`);
    terminal.setExitCode(unreadable);
    return null;
  }
  const { release, problems, sources } = checked;
  terminal.err(formatProblems(problems, { colour: terminal.colour, sources }));
  if (release !== null) return { release, sources };
  terminal.err(`${summarise(problems)}: ${outcome}.\n`);
  if (options.json === true) terminal.out(jsonLine({ outcome: 'mistakes', problems }));
  terminal.setExitCode(1);
  return null;
}
