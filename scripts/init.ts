/** `perennial init`: a new company folder, ready to check, simulate and start. */
import path from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { nameProblem } from './init/company.ts';
import { createProject } from './init/create.ts';
import { findPackageRoot } from './init/package-root.ts';
import { shellWord } from './support/shell-word.ts';

/** The command. Exit code 1 when the folder cannot be used. */
export function initCommand(): Command {
  return new Command('init')
    .description('make a new company folder with two playbooks, their mails and everything they need')
    .argument('<dir>', 'a folder that does not exist yet, or is empty')
    .option('--name <name>', "the company's name", companyName, 'Your Company')
    .action(async (dir: string, { name }: { readonly name: string }, command: Command) => {
      const packageRoot = await findPackageRoot(import.meta.dirname);
      // The zone of whoever makes the company is the best guess at the company's; it is there to be changed.
      const timezone = new Intl.DateTimeFormat().resolvedOptions().timeZone;
      const outcome = await createProject({ dir, name, timezone, packageRoot }).catch((cause: unknown) => {
        if (!(cause instanceof Error && 'syscall' in cause)) throw cause;
        return command.error(`error: ${dir} cannot be made: ${cause.message}. Nothing was left behind.`);
      });
      switch (outcome.kind) {
        case 'not-empty':
          return command.error(
            `error: ${dir} is not empty (${outcome.found.join(', ')}). Name a folder that does not exist yet; nothing was changed.`,
          );
        case 'not-a-folder':
          return command.error(`error: ${dir} is a file. Name a folder that does not exist yet; nothing was changed.`);
        case 'created':
          process.stdout.write(nextSteps(dir, name, timezone));
      }
    });
}

function companyName(text: string): string {
  const problem = nameProblem(text);
  if (problem !== null) throw new InvalidArgumentError(`Expected a company's name: ${problem}.`);
  return text.trim();
}

function nextSteps(dir: string, name: string, timezone: string): string {
  return `${name} is ready in ${path.resolve(dir)}

Put the postal address and the web site into perennial.yaml, and see whether the zone is right (${timezone}).
Then:

  cd ${shellWord(dir)}
  perennial check     is everything right?
  perennial start     the engine, with a local inbox

README.md there has the next steps. If the shell does not know perennial, it says how to run it as well.
`;
}
