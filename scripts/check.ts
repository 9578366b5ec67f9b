/** `perennial check`: every mistake in playbooks, templates and `perennial.yaml`, with its place and what to do. */
import { Command } from 'commander';
import { type CheckedProject, checkProject } from '../engine/project/check.ts';
import { ProjectError } from '../engine/project/read.ts';
import { count, formatProblems, summarise } from './check/format.ts';

interface Options {
  readonly project: string;
  readonly json?: boolean;
}

function praise({ release, templates }: CheckedProject): string {
  const playbooks = count(release?.playbooks.length ?? 0, 'playbook');
  const launches = release?.launches.size ?? 0;
  const names = [playbooks, ...(launches === 0 ? [] : [launches === 1 ? '1 launch' : `${launches} launches`])];
  return `${names.join(', ')} and ${count(templates.names.length, 'template')}`;
}

function report(checked: CheckedProject & Awaited<ReturnType<typeof checkProject>>): string {
  const { problems, sources } = checked;
  const colour = process.stdout.isTTY && process.env['NO_COLOR'] === undefined;
  const list = formatProblems(problems, { colour, sources });
  const total = summarise(problems);
  const summary =
    checked.release === null ? total : `${total === 'no mistakes' ? 'No mistakes' : total} in ${praise(checked)}`;
  return `${list}${list === '' ? '' : '\n'}${summary}\n`;
}

async function check(options: Options): Promise<void> {
  try {
    const checked = await checkProject(options.project);
    process.stdout.write(options.json === true ? `${JSON.stringify(checked.problems, null, 2)}\n` : report(checked));
    if (checked.problems.some(({ level }) => level === 'error')) process.exitCode = 1;
  } catch (error) {
    if (!(error instanceof ProjectError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 2;
  }
}

/** The command. Exit code 1 when there are errors, 2 when the folder cannot be read, 0 otherwise. */
export function checkCommand(): Command {
  return new Command('check')
    .description('find every mistake in playbooks, templates and perennial.yaml')
    .option('--project <dir>', 'the company folder', '.')
    .option('--json', 'print the problems as one JSON array')
    .action(check);
}
