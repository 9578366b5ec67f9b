/** `perennial check`: every mistake and doubt in playbooks, templates and `perennial.yaml`, with its place and what to do. */
import { posix, relative, resolve, sep } from 'node:path';
import { Command, Option } from 'commander';
import { type CheckedProject, checkProject } from '../engine/project/check.ts';
import { ProjectError } from '../engine/project/read.ts';
import type { Problem } from '../engine/playbook/problem.ts';
import { readStanding } from '../engine/store/standing.ts';
import { count, formatProblems, summarise } from './check/format.ts';
import { githubCommands } from './check/github.ts';
import { sarifLog } from './check/sarif.ts';
import { withDatabase } from './support/database.ts';
import { jsonText, processTerminal, type Terminal } from './support/terminal.ts';

const FORMATS = ['text', 'json', 'github', 'sarif'] as const;

interface Options {
  readonly project: string;
  readonly format: (typeof FORMATS)[number];
  readonly json?: boolean;
  readonly strict?: boolean;
  readonly database?: boolean;
}

function praise({ release, templates, tests: files }: CheckedProject): string {
  const launches = release?.launches.size ?? 0;
  const tests = files.reduce((sum, file) => sum + (file.tests?.length ?? 0), 0);
  const names = [
    count(release?.playbooks.length ?? 0, 'playbook'),
    ...(launches === 0 ? [] : [launches === 1 ? '1 launch' : `${launches} launches`]),
    count(templates.names.length, 'template'),
    ...(tests === 0 ? [] : [count(tests, 'test')]),
  ];
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`;
}

function textOf(checked: CheckedProject, colour: boolean): string {
  const { problems, sources } = checked;
  const list = formatProblems(problems, { colour, sources });
  const total = summarise(problems);
  const summary = checked.release === null || total !== 'no mistakes' ? total : `No mistakes in ${praise(checked)}`;
  return `${list}${list === '' ? '' : '\n'}${summary}\n`;
}

/** A source's path as seen from where the command runs, which is where the repository's root is in automation. */
function pathFrom(project: string): (file: string) => string {
  const folder = relative('.', resolve(project)).split(sep).join('/');
  return (file) => posix.join(folder, file);
}

function shown(checked: CheckedProject, options: Options, { colour }: Terminal, version: string): string {
  const { problems } = checked;
  switch (options.json === true ? 'json' : options.format) {
    case 'text':
      return textOf(checked, colour);
    case 'json':
      return `${jsonText(problems, 2)}\n`;
    case 'github':
      return githubCommands(problems, pathFrom(options.project));
    case 'sarif':
      return `${jsonText(sarifLog(problems, pathFrom(options.project), version), 2)}\n`;
  }
}

function fails(problems: readonly Problem[], isStrict: boolean): boolean {
  return problems.some(({ level }) => level === 'error' || (isStrict && level === 'warning'));
}

async function check(terminal: Terminal, options: Options, version: string): Promise<void> {
  try {
    const standing = options.database === true ? await withDatabase(options, async ({ db }) => readStanding(db)) : null;
    const checked = await checkProject(options.project, standing);
    terminal.out(shown(checked, options, terminal, version));
    if (fails(checked.problems, options.strict === true)) terminal.setExitCode(1);
  } catch (error) {
    if (!(error instanceof ProjectError)) throw error;
    terminal.err(`${error.message}\n`);
    terminal.setExitCode(2);
  }
}

/**
 * The command. Exit code 1 when there are errors (or warnings, with `--strict`), 2 when the folder cannot be read,
 * 0 otherwise.
 */
export function checkCommand(terminal: Terminal = processTerminal()): Command {
  return new Command('check')
    .description('find every mistake in playbooks, templates and perennial.yaml')
    .option('--project <dir>', 'the company folder', '.')
    .addOption(new Option('--format <format>', 'how the problems are printed').choices(FORMATS).default('text'))
    .option('--json', 'the same as --format json: one array')
    .option('--strict', 'fail with warnings too')
    .option('--database', 'ask the database who is under way on steps that are gone')
    .action(async (options: Options, command: Command) => {
      await check(terminal, options, command.parent?.version() ?? '');
    });
}
