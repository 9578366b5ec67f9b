/** What is asked of `perennial simulate`. */
import type { Command } from 'commander';
import { parseInstant } from '../../engine/time/text.ts';
import type { Instant } from '../../engine/time/types.ts';
import type { FileInput } from './files.ts';
import type { Period } from './days.ts';

/** The options as they are typed. */
export interface SimulateOptions {
  readonly project: string;
  readonly customers?: string;
  readonly events?: string;
  readonly from?: string;
  readonly until?: string;
  readonly by?: Period;
  readonly customer?: string;
  readonly timeline?: boolean;
  readonly json?: boolean;
}

/** The options, understood. */
export interface Wish extends FileInput {
  readonly show: 'report' | 'timeline' | 'customer' | 'json';
  readonly by: Period | null;
}

/** Understands the options; ends the program with exit code 2 where they make no sense. */
export function readWish(options: SimulateOptions, command: Command): Wish {
  const { customers, from: fromText, until: untilText } = options;
  if (customers === undefined || fromText === undefined || untilText === undefined) {
    return misuse(command, 'give --customers FILE with --from and --until');
  }
  const from = moment('--from', fromText, command);
  const until = moment('--until', untilText, command);
  if (until <= from) return misuse(command, `--until ${untilText} must be later than --from ${fromText}`);
  return {
    customers,
    events: options.events ?? null,
    from,
    until,
    only: options.customer ?? null,
    show: showOf(options, command),
    by: options.by ?? null,
  };
}

function showOf({ json, timeline, customer, by }: SimulateOptions, command: Command): Wish['show'] {
  const isReport = json !== true && timeline !== true && customer === undefined;
  if (by !== undefined && !isReport) return misuse(command, '--by is for the calendar alone');
  if (json === true && timeline === true) return misuse(command, '--json and --timeline are two ways to show the same');
  if (json === true) return 'json';
  if (timeline === true) return 'timeline';
  return customer === undefined ? 'report' : 'customer';
}

function misuse(command: Command, message: string): never {
  return command.error(`error: ${message}`, { exitCode: 2 });
}

function moment(option: string, text: string, command: Command): Instant {
  try {
    return parseInstant(text);
  } catch (error) {
    return misuse(command, `${option}: ${(error as Error).message}`);
  }
}
