/** `perennial simulate`: who would get what, and when. docs/simulating.md. */
import { Option, type Command } from 'commander';
import { checkProject } from '../engine/project/check.ts';
import { InputError } from '../engine/simulate/input.ts';
import type { Release } from '../engine/playbook/types.ts';
import { formatProblems } from './check/format.ts';
import { openFiles } from './simulate/files.ts';
import { readWish, type SimulateOptions, type Wish } from './simulate/options.ts';
import { writeCustomer, writeJson, writeReport, writeTimeline, type Looks, type Write } from './simulate/output.ts';
import { openProgress, type Progress } from './simulate/progress.ts';
import { SourceError, type Source } from './simulate/source.ts';
import { bareCommand, notBlank } from './support/staff.ts';
import { paint, processTerminal, type Terminal } from './support/terminal.ts';

/** The command. Exit code 1 when the playbooks or the input have mistakes, 2 when it is used wrongly. */
export function simulateCommand(terminal: Terminal = processTerminal()): Command {
  return bareCommand('simulate', 'show who would get what, and when, without sending anything')
    .option('--project <dir>', 'the company folder', '.')
    .option('--customers <file>', 'customers, one JSON object a line')
    .option('--events <file>', 'events, one JSON object a line')
    .option('--from <time>', 'start, inclusive, with its offset: 2026-03-01T00:00:00Z')
    .option('--until <time>', 'end, exclusive, with its offset')
    .addOption(
      new Option('--by <period>', 'rows of the calendar (default: what fits)').choices(['day', 'week', 'month']),
    )
    .option('--customer <id-or-email>', "one customer's time, in the customer's own zone", notBlank)
    .option('--timeline', 'everything that happens, day by day')
    .option('--json', 'one JSON object a line and nothing else')
    .action(async (options: SimulateOptions, command: Command) => {
      const wish = readWish(options, command);
      const { release, problems, sources } = await checkProject(options.project);
      if (release === null) {
        process.stderr.write(formatProblems(problems, { colour: process.stderr.isTTY, sources }));
        terminal.setExitCode(1);
        return;
      }
      try {
        await run(wish, release, terminal);
      } catch (error) {
        if (!(error instanceof InputError) && !(error instanceof SourceError)) throw error;
        terminal.err(`${error.message}\n`);
        terminal.setExitCode(1);
      }
    });
}

async function run(wish: Wish, release: Release, terminal: Terminal): Promise<void> {
  const progress = openProgress({ stream: process.stderr, now: () => performance.now() });
  const source = await openFiles(wish, [release]);
  progress.total = source.customers;
  try {
    await show(source, wish, terminal, progress);
  } finally {
    progress.end();
  }
}

async function show(source: Source, wish: Wish, terminal: Terminal, progress: Progress): Promise<void> {
  switch (wish.show) {
    case 'json':
      return writeJson(source, writeAll, progress);
    case 'timeline':
      return writeTimeline(source, writeAll, progress);
    case 'customer':
      return writeCustomer(source, wish.only ?? '', writeAll);
    case 'report':
      return writeReport(source, wish.by, { write: writeAll, progress, looks: looksOf(terminal) });
  }
}

const NARROWEST = 60;
const WIDEST = 160;

function looksOf(terminal: Terminal): Looks {
  const width = Math.min(WIDEST, Math.max(NARROWEST, process.stdout.columns ?? 80));
  return { width, heading: (text) => paint(terminal, 'bold', text) };
}

/** Waits until a pipe has taken it all: a long timeline is larger than a pipe's buffer. */
const writeAll: Write = async (text) =>
  new Promise<void>((resolve, reject) => {
    process.stdout.write(text, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
