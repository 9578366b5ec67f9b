/** `perennial sample`: made-up customers and events of the sample company, to import or to simulate with. */
import path from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { startOfDay } from '../engine/time/local.ts';
import { formatLocalDate, parseLocalDate } from '../engine/time/text.ts';
import type { LocalDate } from '../engine/time/types.ts';
import { zone } from '../engine/time/zone.ts';
import { generateSample } from './sample/generate.ts';
import type { Sample } from './sample/types.ts';
import { writeSample } from './sample/write.ts';

/** The zone of the sample company, in which the days of `--from` and `--until` are taken. */
const HOME_ZONE = 'Europe/London';
const MAX_CUSTOMERS = 200_000;

interface Options {
  readonly customers: number;
  readonly seed: number;
  readonly from: LocalDate;
  readonly until: LocalDate;
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
    .addOption(dayOption('--from <day>', 'first day of the period', '2026-01-01'))
    .addOption(dayOption('--until <day>', 'first day after it', '2027-01-01'))
    .option('--project <dir>', 'the company folder', '.')
    .option('--out <dir>', 'where customers.jsonl and events.jsonl go (default: .perennial/sample in the project)')
    .option('--force', 'replace files that are there already')
    .action(async (options: Options, command: Command) => {
      const home = zone(HOME_ZONE);
      if (home === null) throw new Error(`this machine does not know the zone ${HOME_ZONE}`);
      const [from, until] = [startOfDay(options.from, home), startOfDay(options.until, home)];
      if (until <= from) {
        command.error(`error: --until ${formatLocalDate(options.until)} must be later than --from`);
      }
      const sample = generateSample({ seed: options.seed, customers: options.customers, from, until });
      const folder = options.out ?? path.join(options.project, '.perennial', 'sample');
      const written = await writeSample(folder, sample, options.force === true);
      if (!written.ok) {
        command.error(`error: ${written.file} exists already. Name another folder with --out, or add --force.`);
      }
      process.stdout.write(summary(folder, sample));
    });
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

function dayOption(flags: string, description: string, otherwise: string): Option {
  return new Option(flags, description).argParser(day).default(parseLocalDate(otherwise), otherwise);
}

function day(text: string): LocalDate {
  try {
    return parseLocalDate(text);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? `${error.message}.` : String(error));
  }
}
