/** `perennial plan`: what a deployment of the company folder would change, against the database. Nothing is written. */
import { InvalidArgumentError, type Command } from 'commander';
import { lookOnly } from '../engine/store/look.ts';
import { planRelease } from '../engine/store/plan.ts';
import { compileSources } from '../workers/parts.ts';
import { formatInstant } from '../engine/time/text.ts';
import { entriesAhead } from './plan/entries.ts';
import { decisionsOf, decisionsText, entriesText, planText } from './plan/text.ts';
import { openProgress } from './simulate/progress.ts';
import { checkedFiles, type CheckedFiles } from './support/checked-files.ts';
import type { CommandContext } from './support/database.ts';
import { answer, staffCommand, type Answer, type StaffOptions } from './support/staff.ts';
import { processTerminal, type Terminal } from './support/terminal.ts';

interface Options extends StaffOptions {
  readonly days: number;
}

const MAX_DAYS = 366;

/** The command. Exit code 0 when nothing needs a decision, 2 when something does, 1 for mistakes. */
export function planCommand(terminal: Terminal = processTerminal()): Command {
  return staffCommand('plan', 'show what a deployment would change, and what becomes of customers under way')
    .option('--days <n>', 'who would enter in so many days; 0 leaves it out', wholeDays, 7)
    .action(async (options: Options) => {
      const checked = await checkedFiles(terminal, options, 'nothing was planned', 1);
      if (checked === null) return;
      await answer(terminal, { ...options, readOnly: true }, (context) => plan(terminal, options, checked, context));
    });
}

async function plan(
  terminal: Terminal,
  { days }: Options,
  { release, sources }: CheckedFiles,
  context: CommandContext,
): Promise<Answer> {
  const next = compileSources(sources);
  const planned = await lookOnly(context.db, async (tx) => planRelease(tx, compileSources, sources, next));
  const decisions = decisionsOf(planned);
  if (decisions.length > 0) terminal.setExitCode(2);
  const progress = openProgress({ stream: process.stderr, now: () => performance.now() });
  // Before the first deployment nobody knows how triggers of time stand: nothing is armed yet.
  const entries = days === 0 || planned.running === null ? null : await entriesAhead(context, release, days, progress);
  progress.end();
  const { zone } = release.company;
  const text = [
    planText(planned, terminal, zone),
    entries === null ? '' : entriesText(entries, zone),
    decisionsText(decisions, terminal),
    decisions.length === 0 ? '\nNothing needs a decision: "perennial deploy" makes it the release that runs.\n' : '',
  ].join('');
  const ahead =
    entries === null ? null : { ...entries, from: formatInstant(entries.from), until: formatInstant(entries.until) };
  return { json: { ...planned, entries: ahead, decisions }, text };
}

function wholeDays(text: string): number {
  const days = Number(text);
  if (/^\d+$/.test(text) && days <= MAX_DAYS) return days;
  throw new InvalidArgumentError(`It must be a whole number from 0 to ${MAX_DAYS}.`);
}
