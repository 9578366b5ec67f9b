/** `perennial sample`: made-up customers and events of the sample company, to import or to simulate with. */
import path from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { addMonths, localDate, startOfDay } from '../engine/time/local.ts';
import { formatInstant, formatLocalDate, parseLocalDate } from '../engine/time/text.ts';
import type { Instant, LocalDate } from '../engine/time/types.ts';
import { zone } from '../engine/time/zone.ts';
import { generateSample } from './sample/generate.ts';
import type { Sample } from './sample/types.ts';
import { writeSample } from './sample/write.ts';
import { shellWord } from './support/shell-word.ts';

/** The zone of the sample company, in which the days of `--from` and `--until` are taken. */
const HOME_ZONE = 'Europe/London';
const MAX_CUSTOMERS = 200_000;

interface Options {
  readonly customers: number;
  readonly seed: number;
  readonly from?: LocalDate;
  readonly until?: LocalDate;
  readonly project: string;
  readonly out?: string;
  readonly force?: boolean;
}

/** The command. Exit code 1 when it is used wrongly or the files are there already. */
export function sampleCommand(): Command {
  return new Command('sample')
    .description('write made-up customers and their orders, visits and reviews as JSON lines')
    .option('--customers <n>', 'how many customers', wholeNumber(1, MAX_CUSTOMERS), 300)
    .option('--seed <n>', 'another seed gives other customers', wholeNumber(0, 0xffffffff), 7)
    .option('--from <day>', 'first day of the period (default: a year before its end)', day)
    .option('--until <day>', 'first day after it (default: today)', day)
    .option('--project <dir>', 'the company folder', '.')
    .option('--out <dir>', 'where customers.jsonl and events.jsonl go (default: .perennial/sample in the project)')
    .option('--force', 'replace files that are there already')
    .action(async (options: Options, command: Command) => {
      const home = zone(HOME_ZONE);
      if (home === null) throw new Error(`this machine does not know the zone ${HOME_ZONE}`);
      const { from: first, until: end } = periodOf(options, localDate(Date.now(), home));
      const [from, until] = [startOfDay(first, home), startOfDay(end, home)];
      if (until <= from) {
        command.error(`error: --until ${formatLocalDate(end)} must be later than --from ${formatLocalDate(first)}`);
      }
      const sample = generateSample({ seed: options.seed, customers: options.customers, from, until });
      const folder = options.out ?? path.join(options.project, '.perennial', 'sample');
      const written = await writeSample(folder, sample, options.force === true);
      if (!written.ok) {
        command.error(`error: ${written.file} exists already. Name another folder with --out, or add --force.`);
      }
      process.stdout.write(summary(folder, sample));
      process.stdout.write(nextSteps(folder, options.project, from, until));
    });
}

/** The year before today: what was, for whoever imports it, and never what is to come, which is refused. */
function periodOf(
  { from, until }: Pick<Options, 'from' | 'until'>,
  today: LocalDate,
): { readonly from: LocalDate; readonly until: LocalDate } {
  const end = until ?? today;
  return { from: from ?? addMonths(end, -12), until: end };
}

function nextSteps(folder: string, project: string, from: Instant, until: Instant): string {
  const customers = shellWord(path.join(folder, 'customers.jsonl'));
  const events = shellWord(path.join(folder, 'events.jsonl'));
  const where = project === '.' ? '' : ` --project ${shellWord(project)}`;
  return `
Who would get what, and when; nothing is sent:

  perennial simulate --customers ${customers} --events ${events} \\
    --from ${formatInstant(from)} --until ${formatInstant(until)}${where}

To bring them into the engine, as history that starts nothing:

  perennial import customers ${customers}${where}
  perennial import events ${events} --history${where}
`;
}

function summary(folder: string, { customers, events }: Sample): string {
  const count = (name: string): number => events.filter(({ event }) => event === name).length;
  return [
    `${path.join(folder, 'customers.jsonl')}  ${customers.length} customers`,
    `${path.join(folder, 'events.jsonl')}  ${events.length} events, ${count('order.placed')} of them orders`,
    '',
  ].join('\n');
}

function wholeNumber(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= low && value <= high) return value;
    throw new InvalidArgumentError(`Expected a whole number from ${low} to ${high}.`);
  };
}

function day(text: string): LocalDate {
  try {
    return parseLocalDate(text);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? `${error.message}.` : String(error));
  }
}
