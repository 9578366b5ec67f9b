/** `perennial test`: runs the tests of playbooks on a virtual clock. docs/testing-playbooks.md. */
import { writeFile } from 'node:fs/promises';
import { checkProject } from '../engine/project/check.ts';
import { codeOf } from '../engine/project/errors.ts';
import { ProjectError } from '../engine/project/read.ts';
import { watchProject } from '../engine/project/watch.ts';
import type { Problem, SourceFile } from '../engine/playbook/problem.ts';
import type { PlaybookTest } from '../engine/playbook/tests/types.ts';
import type { Release } from '../engine/playbook/types.ts';
import type { Command } from 'commander';
import { formatProblems, summarise } from './check/format.ts';
import { bareCommand } from './support/staff.ts';
import { processTerminal, type Terminal } from './support/terminal.ts';
import { changedPaths, concerns } from './test/concern.ts';
import { junitXml, type UnusableFile } from './test/junit.ts';
import { formatResults, formatTotals, jsonResults, type Totals } from './test/report.ts';
import { isWanted, runTests } from './test/run.ts';

interface Options {
  readonly project: string;
  readonly watch?: boolean;
  readonly junit?: string;
  readonly json?: boolean;
}

/** The file of `--junit` cannot be written. */
class UnwritableResults extends Error {
  readonly code = 'unwritable-results';
}

/** The command. Exit code 0 when all passed, 1 when some failed, 2 when files have mistakes or there is nothing to run. */
export function testCommand(terminal: Terminal = processTerminal()): Command {
  return bareCommand('test', 'run the tests of playbooks (playbooks/NAME.test.yaml) on a virtual clock')
    .argument('[filter...]', 'only tests whose file or name contains one of these')
    .option('--project <dir>', 'the company folder', '.')
    .option('--watch', 'run again what changed files concern, until interrupted')
    .option('--junit <file>', 'also write the results as JUnit XML, for CI servers')
    .option('--json', 'print one JSON object a line instead of text')
    .action(async (filters: readonly string[], options: Options) => {
      try {
        const sources = await round(terminal, filters, options, null);
        if (options.watch === true) await follow(terminal, filters, options, sources);
      } catch (error) {
        if (!(error instanceof ProjectError) && !(error instanceof UnwritableResults)) throw error;
        terminal.err(`${error.message}\n`);
        terminal.setExitCode(2);
      }
    });
}

/** Runs what there is; after a change of files, what it concerns. Gives the sources as they were. */
async function round(
  terminal: Terminal,
  filters: readonly string[],
  options: Options,
  before: { readonly sources: readonly SourceFile[]; readonly sound: boolean } | null,
): Promise<{ readonly sources: readonly SourceFile[]; readonly sound: boolean }> {
  const started = performance.now();
  const { release, templates, tests: files, problems, sources } = await checkProject(options.project);
  const changed = before === null ? null : changedPaths(before.sources, sources);
  if (changed?.length === 0) return { sources, sound: release !== null };
  if (changed !== null) tellChange(terminal, options, changed);
  if (release === null) {
    tellProblems(terminal, problems, sources);
    terminal.err(`${summarise(problems)}: no test was run.\n`);
    terminal.setExitCode(2);
    return { sources, sound: false };
  }
  const mistaken = files.filter(({ tests }) => tests === null);
  const unusable = mistaken.filter(({ path }) => filters.length === 0 || hasWord(path, filters));
  const all = files.flatMap(({ tests }) => tests ?? []).filter((test) => isWanted(test, filters));
  const wanted = changed === null || before?.sound !== true ? all : concerned(all, changed, release);
  tellProblems(
    terminal,
    problems.filter(({ file }) => file.endsWith('.test.yaml') || file.endsWith('.test.yml')),
    sources,
  );
  if (wanted.length + unusable.length === 0) tellNothing(terminal, filters, changed, files.length);
  else await runAndTell(terminal, options, { wanted, unusable, release, templates, started });
  return { sources, sound: true };
}

interface Run {
  readonly wanted: readonly PlaybookTest[];
  readonly unusable: readonly UnusableFile[];
  readonly release: Release;
  readonly templates: Parameters<typeof runTests>[2];
  readonly started: number;
}

async function runAndTell(terminal: Terminal, options: Options, run: Run): Promise<void> {
  const { wanted, unusable, release, templates, started } = run;
  const { zone } = release.company;
  const results = runTests(wanted, release, templates, () => performance.now());
  const passed = results.filter((result) => result.passed).length;
  const failed = results.length - passed;
  const totals: Totals = {
    tests: results.length,
    passed,
    failed,
    unusable: unusable.length,
    tookMs: performance.now() - started,
  };
  if (options.json === true) terminal.out(jsonResults(results, totals));
  else terminal.out(`${formatResults(terminal, results, zone)}\n${formatTotals(terminal, totals)}`);
  if (options.junit !== undefined) await writeResults(options.junit, junitXml(results, unusable, zone));
  if (unusable.length > 0) terminal.setExitCode(2);
  else if (failed > 0) terminal.setExitCode(1);
}

async function writeResults(file: string, xml: string): Promise<void> {
  try {
    await writeFile(file, xml);
  } catch (error) {
    const code = codeOf(error);
    if (code === null) throw error;
    const message = `--junit: ${file} cannot be written (${code}): name a file in a folder that exists`;
    throw new UnwritableResults(message, { cause: error });
  }
}

function hasWord(path: string, filters: readonly string[]): boolean {
  return filters.some((filter) => path.toLowerCase().includes(filter.toLowerCase()));
}

function concerned(
  tests: readonly PlaybookTest[],
  changed: readonly string[],
  release: Release,
): readonly PlaybookTest[] {
  return tests.filter((test) => changed.some((path) => concerns(path, test, release)));
}

function tellProblems(terminal: Terminal, problems: readonly Problem[], sources: readonly SourceFile[]): void {
  if (problems.length > 0) terminal.err(`${formatProblems(problems, { colour: terminal.colour, sources })}\n`);
}

/** What a run in a watch is about; programs read results only. */
function tellChange(terminal: Terminal, options: Options, changed: readonly string[]): void {
  const more = changed.length > 3 ? `, and ${changed.length - 3} more` : '';
  if (options.json !== true) terminal.out(`\n${changed.slice(0, 3).join(', ')}${more} changed\n`);
}

/** A run without tests must not pass for a run that found nothing wrong. */
function tellNothing(
  terminal: Terminal,
  filters: readonly string[],
  changed: readonly string[] | null,
  files: number,
): void {
  if (changed !== null) {
    terminal.err('No test is concerned.\n');
    return;
  }
  const looked = filters.map((filter) => `"${filter}"`).join(' or ');
  const found = files === 0 ? 'There are no tests: write playbooks/NAME.test.yaml beside playbooks/NAME.yaml.' : null;
  terminal.err(`${found ?? `No test has ${looked} in its name or its file's name.`}\n`);
  terminal.setExitCode(2);
}

async function follow(
  terminal: Terminal,
  filters: readonly string[],
  options: Options,
  first: Awaited<ReturnType<typeof round>>,
): Promise<void> {
  let last = first;
  const watching = await watchProject(options.project, {
    onChange: async () => {
      const next = await round(terminal, filters, options, last);
      last = next;
    },
    onError: (error) => terminal.err(`Changes can no longer be seen: ${error.message}\n`),
  });
  const started = 'Watching for changes; Ctrl-C ends it.\n';
  if (options.json === true) terminal.err(started);
  else terminal.out(started);
  await new Promise<void>((resolve) => process.once('SIGINT', () => resolve()));
  watching.close();
}
