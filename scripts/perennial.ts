/** The command line `perennial`: one file a command, gathered here. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Command } from 'commander';
import { ConfigError } from '../workers/config.ts';
import { ProjectError } from '../engine/project/read.ts';
import { QueueUnavailable, QueueUnsuitable } from '../engine/queue/queue.ts';
import { cancelCommand } from './cancel.ts';
import { checkCommand } from './check.ts';
import { customerCommand } from './customer.ts';
import { demoCommand } from './demo.ts';
import { deployCommand } from './deploy.ts';
import { heldCommand } from './held.ts';
import { importCommand } from './import.ts';
import { inboxCommand } from './inbox.ts';
import { initCommand } from './init.ts';
import { findPackageRoot } from './init/package-root.ts';
import { migrateCommand } from './migrate.ts';
import { pauseCommand, resumeCommand } from './pause.ts';
import { sampleCommand } from './sample.ts';
import { schemaCommand } from './schema.ts';
import { simulateCommand } from './simulate.ts';
import { startCommand, workCommand } from './start.ts';
import { triggerCommand } from './trigger.ts';

/** What a person can mend: the message is enough. Anything else is a bug and shows its stack. */
const EXPECTED = [ConfigError, ProjectError, QueueUnavailable, QueueUnsuitable];

async function main(): Promise<void> {
  const root = await findPackageRoot(import.meta.dirname);
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { readonly version: string };
  const program = new Command('perennial')
    .description("Keeps the conversation with a company's customers alive after the sale.")
    .version(version)
    .helpCommand(false)
    .showHelpAfterError('(--help shows how it is used)');
  const groups: readonly [string, readonly Command[]][] = [
    ['Playbooks:', [initCommand(), checkCommand(), schemaCommand(), simulateCommand(), deployCommand()]],
    ['Running:', [startCommand(), workCommand(), migrateCommand(), demoCommand()]],
    [
      'Support:',
      [triggerCommand(), customerCommand(), cancelCommand(), pauseCommand(), resumeCommand(), heldCommand()],
    ],
    ['Data and mail:', [importCommand(), sampleCommand(), inboxCommand()]],
  ];
  for (const [heading, commands] of groups) {
    for (const command of commands) program.addCommand(command.helpGroup(heading));
  }
  await program.parseAsync();
}

try {
  await main();
} catch (error) {
  const expected = EXPECTED.some((kind) => error instanceof kind);
  process.stderr.write(
    `${expected ? (error as Error).message : error instanceof Error ? error.stack : String(error)}\n`,
  );
  process.exitCode = 1;
}
