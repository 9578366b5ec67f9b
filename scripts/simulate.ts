/** `perennial simulate`: who would get what, and when. docs/simulating.md. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import { checkProject } from '../engine/project/check.ts';
import { InputError } from '../engine/simulate/input.ts';
import type { Release } from '../engine/playbook/types.ts';
import { StoreError } from '../engine/store/errors.ts';
import { formatProblems } from './check/format.ts';
import { withFiles } from './simulate/files.ts';
import { writeDiff, writeDiffJson, type Sides } from './simulate/diff.ts';
import { withLive } from './simulate/live.ts';
import { readWish, type SimulateOptions, type Wish } from './simulate/options.ts';
import { writeCustomer, writeJson, writeReport, writeTimeline, type Looks, type Write } from './simulate/output.ts';
import { openProgress, type Progress } from './simulate/progress.ts';
import { readRevisions } from './simulate/revisions.ts';
import { SourceError, type Source } from './simulate/source.ts';
import { withDatabase } from './support/database.ts';
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
    .option('--live', 'the customers of the database, from now on; nothing is written')
    .option('--days <n>', 'with --live: so many days (default: 30)', wholeDays)
    .option('--with-files', 'with --live: as if the company folder were deployed now')
    .option('--diff <rev>', 'what changed since a git revision, or between two: REV..REV', notBlank)
    .addOption(
      new Option('--by <period>', 'rows of the calendar (default: what fits)').choices(['day', 'week', 'month']),
    )
    .option('--customer <id-or-email>', "one customer's time, in the customer's own zone", notBlank)
    .option('--timeline', 'everything that happens, day by day')
    .option('--json', 'one JSON object a line and nothing else')
    .action(async (options: SimulateOptions, command: Command) => {
      const wish = readWish(options, command);
      // What goes wrong with a write is told to whoever writes.
      process.stdout.on('error', () => undefined);
      try {
        await run(wish, options.project, terminal);
      } catch (error) {
        if (error instanceof ReaderGone) return;
        if (!EXPECTED.some((kind) => error instanceof kind)) throw error;
        terminal.err(`${(error as Error).message.trimEnd()}\n`);
        terminal.setExitCode(1);
      }
    });
}

/** What a person can mend: the message is enough. */
const EXPECTED = [InputError, SourceError, StoreError];

async function run(wish: Wish, project: string, terminal: Terminal): Promise<void> {
  const { input, diff } = wish;
  const progress = openProgress({ stream: process.stderr, now: () => performance.now() });
  const revisions = diff === null ? null : await readRevisions(project, diff);
  const work = async (source: Source): Promise<void> => {
    progress.total = source.customers;
    if (revisions === null) await present(source, wish, terminal, progress);
    else await presentDiff(source, revisions.sides, wish, terminal, progress);
  };
  try {
    const compared = revisions === null ? null : [revisions.before, revisions.after];
    if (input.kind === 'files') {
      const releases = compared ?? [await checkedRelease(project)];
      return await withFiles(input, releases, work, { onProgress: (share) => progress.reading(share) });
    }
    const releases = compared ?? [input.deployed ? null : await checkedRelease(project)];
    return await withDatabase({ project, readOnly: true }, async (context) => withLive(context, input, releases, work));
  } finally {
    progress.end();
  }
}

async function presentDiff(
  source: Source,
  sides: Sides,
  wish: Wish,
  terminal: Terminal,
  progress: Progress,
): Promise<void> {
  if (wish.show === 'json') return writeDiffJson(source, writeAll, progress);
  return writeDiff(source, sides, { write: writeAll, progress, looks: looksOf(terminal) });
}

/** @throws SourceError with all the mistakes of the folder. */
async function checkedRelease(project: string): Promise<Release> {
  const { release, problems, sources } = await checkProject(project);
  if (release !== null) return release;
  throw new SourceError(formatProblems(problems, { colour: process.stderr.isTTY, sources }));
}

async function present(source: Source, wish: Wish, terminal: Terminal, progress: Progress): Promise<void> {
  switch (wish.show) {
    case 'json':
      return writeJson(source, writeAll, progress);
    case 'timeline':
      return writeTimeline(source, writeAll, progress);
    case 'customer':
      return writeCustomer(source, wish.input.only ?? '', writeAll);
    case 'report':
      return writeReport(source, wish.by, { write: writeAll, progress, looks: looksOf(terminal) });
  }
}

const MOST_DAYS = 3_660;

function wholeDays(text: string): number {
  const days = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (days >= 1 && days <= MOST_DAYS) return days;
  throw new InvalidArgumentError(`Expected a whole number of days from 1 to ${MOST_DAYS}.`);
}

const NARROWEST = 60;
const WIDEST = 160;

function looksOf(terminal: Terminal): Looks {
  const width = Math.min(WIDEST, Math.max(NARROWEST, process.stdout.columns ?? 80));
  return { width, heading: (text) => paint(terminal, 'bold', text) };
}

/** Whoever read the output has enough, as `head` does after some lines. */
class ReaderGone extends Error {
  override readonly name = 'ReaderGone';
}

/** Waits until a pipe has taken it all: a long timeline is larger than a pipe's buffer. */
const writeAll: Write = async (text) =>
  new Promise<void>((resolve, reject) => {
    process.stdout.write(text, (error) => {
      if (error === null || error === undefined) resolve();
      else reject('code' in error && error.code === 'EPIPE' ? new ReaderGone('nobody reads any more') : error);
    });
  });
