/** `perennial simulate`: who would get what, and when, from files alone. docs/playbooks.md. */
import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { checkProject } from '../engine/project/check.ts';
import { InputError, parseCustomers, parseEvents } from '../engine/simulate/input.ts';
import { simulate } from '../engine/simulate/simulate.ts';
import type { Line } from '../engine/journey/types.ts';
import type { Release } from '../engine/playbook/types.ts';
import { parseInstant } from '../engine/time/text.ts';
import { formatProblems } from './check/format.ts';
import { formatTimeline } from './simulate/timeline.ts';

interface Options {
  readonly project: string;
  readonly customers: string;
  readonly events?: string;
  readonly from: string;
  readonly until: string;
  readonly json?: boolean;
}

/** The command. Exit code 1 when the playbooks or the input have mistakes, 2 when it is used wrongly. */
export function simulateCommand(): Command {
  return new Command('simulate')
    .description('show who would get what, and when, without sending anything')
    .option('--project <dir>', 'the company folder', '.')
    .requiredOption('--customers <file>', 'customers, one JSON object a line')
    .option('--events <file>', 'events, one JSON object a line')
    .requiredOption('--from <time>', 'start, inclusive, with its offset: 2026-03-01T00:00:00Z')
    .requiredOption('--until <time>', 'end, exclusive, with its offset')
    .option('--json', 'one JSON object a line and nothing else')
    .action(async (options: Options, command: Command) => {
      const { release, problems, sources } = await checkProject(options.project);
      if (release === null) {
        process.stderr.write(formatProblems(problems, { colour: process.stderr.isTTY, sources }));
        process.exitCode = 1;
        return;
      }
      try {
        const lines = await run(options, release, command);
        const text =
          options.json === true
            ? lines.map((line) => `${JSON.stringify(ordered(line))}\n`).join('')
            : formatTimeline(lines, release.company.zone);
        await writeAll(text);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        process.stderr.write(`${error.message}\n`);
        process.exitCode = 1;
      }
    });
}

async function run(options: Options, release: Release, command: Command): Promise<readonly Line[]> {
  const from = moment('--from', options.from, command);
  const until = moment('--until', options.until, command);
  if (until <= from) command.error(`error: --until ${options.until} must be later than --from ${options.from}`);
  const customers = parseCustomers(await readText(options.customers, command), options.customers);
  const ids = new Set(customers.map((customer) => customer.profile.id));
  const eventsFile = options.events;
  const events = eventsFile === undefined ? [] : parseEvents(await readText(eventsFile, command), eventsFile, ids);
  return simulate({ release, customers, events, from, until });
}

/** Waits until a pipe has taken it all: a long timeline is larger than a pipe's buffer. */
async function writeAll(text: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    process.stdout.write(text, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

/** The key order of docs/playbooks.md. */
function ordered(line: Line): Record<string, string> {
  return {
    at: new Date(line.at).toISOString(),
    customer: line.customer,
    playbook: line.playbook,
    ...(line.step === undefined ? {} : { step: line.step }),
    do: line.do,
    ...(line.template === undefined ? {} : { template: line.template }),
    ...(line.reason === undefined ? {} : { reason: line.reason }),
  };
}

function moment(option: string, text: string, command: Command): number {
  try {
    return parseInstant(text);
  } catch (error) {
    return command.error(`error: ${option}: ${(error as Error).message}`);
  }
}

async function readText(file: string, command: Command): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    return command.error(`error: ${file} cannot be read: ${(error as Error).message}`);
  }
}
