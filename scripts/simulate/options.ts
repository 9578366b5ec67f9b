/** What is asked of `perennial simulate`. */
import type { Command } from 'commander';
import { parseInstant } from '../../engine/time/text.ts';
import type { Instant } from '../../engine/time/types.ts';
import type { FileInput } from './files.ts';
import type { Period } from './days.ts';
import type { LiveInput } from './live.ts';

/** The options as they are typed. */
export interface SimulateOptions {
  readonly project: string;
  readonly customers?: string;
  readonly events?: string;
  readonly from?: string;
  readonly until?: string;
  readonly live?: boolean;
  readonly days?: number;
  readonly withFiles?: boolean;
  readonly diff?: string;
  readonly by?: Period;
  readonly customer?: string;
  readonly timeline?: boolean;
  readonly json?: boolean;
}

/** The options, understood. */
export interface Wish {
  readonly input:
    | (FileInput & { readonly kind: 'files' })
    /** `deployed`: the release that runs decides, else the company folder. */
    | (LiveInput & { readonly kind: 'live'; readonly deployed: boolean });
  readonly show: 'report' | 'timeline' | 'customer' | 'json';
  readonly by: Period | null;
  /** `REV` against the company folder, or `REV..REV`; null: nothing is compared. */
  readonly diff: string | null;
}

const DEFAULT_DAYS = 30;

/** Understands the options; ends the program with exit code 2 where they make no sense. */
export function readWish(options: SimulateOptions, command: Command): Wish {
  const input = options.live === true ? liveInput(options, command) : fileInput(options, command);
  return { input, show: showOf(options, command), by: options.by ?? null, diff: options.diff ?? null };
}

function liveInput(options: SimulateOptions, command: Command): Wish['input'] {
  const { customers, events, from, until } = options;
  if ([customers, events, from, until].some((given) => given !== undefined)) {
    return misuse(command, '--live takes customers and time from the database: leave out files, --from and --until');
  }
  const { days = DEFAULT_DAYS, customer: only = null, withFiles } = options;
  return { kind: 'live', days, only, deployed: withFiles !== true };
}

function fileInput(options: SimulateOptions, command: Command): Wish['input'] {
  const { customers, from: fromText, until: untilText } = options;
  if (options.days !== undefined || options.withFiles !== undefined) {
    return misuse(command, '--days and --with-files are for --live');
  }
  if (customers === undefined || fromText === undefined || untilText === undefined) {
    return misuse(command, 'give --customers FILE with --from and --until, or --live');
  }
  const from = moment('--from', fromText, command);
  const until = moment('--until', untilText, command);
  if (until <= from) return misuse(command, `--until ${untilText} must be later than --from ${fromText}`);
  return { kind: 'files', customers, events: options.events ?? null, from, until, only: options.customer ?? null };
}

function showOf({ json, timeline, customer, by, diff }: SimulateOptions, command: Command): Wish['show'] {
  if (diff !== undefined && (timeline === true || by !== undefined)) {
    return misuse(command, '--diff shows what differs: leave out --timeline and --by');
  }
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
