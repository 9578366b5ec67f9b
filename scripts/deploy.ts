/** `perennial deploy`: checks the company folder, stores it as a release and makes the fleet run it. */
import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { planAndDeploy } from './deploy/release.ts';
import { checkedFiles } from './support/checked-files.ts';
import { commitOf } from './support/commit.ts';
import { answer, notBlank, staffCommand, type StaffOptions } from './support/staff.ts';
import { processTerminal, type Terminal } from './support/terminal.ts';

interface Options extends StaffOptions {
  readonly by: string;
  readonly note?: string;
}

/** The command. Exit code 1 when the folder has mistakes or the release is refused, 2 when it cannot be read. */
export function deployCommand(terminal: Terminal = processTerminal()): Command {
  return staffCommand('deploy', 'check playbooks and templates, and make them the ones that run')
    .option('--by <name>', 'who deploys, for the audit record', notBlank, userInfo().username)
    .option('--note <text>', 'what changes, for the audit record', notBlank)
    .action(async (options: Options) => deploy(terminal, options));
}

async function deploy(terminal: Terminal, options: Options): Promise<void> {
  const checked = await checkedFiles(terminal, options, 'nothing was deployed', 2);
  if (checked === null) return;
  const note = { author: options.by, note: options.note ?? null, gitCommit: await commitOf(options.project) };
  await answer(terminal, options, (context) => planAndDeploy(terminal, options.json === true, context, checked, note));
}
