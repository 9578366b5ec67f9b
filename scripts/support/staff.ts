/** What the commands for support staff have in common. */
import { Command, InvalidArgumentError, type CommanderError } from 'commander';
import type { Found } from '../../engine/store/people.ts';
import { StoreError } from '../../engine/store/errors.ts';
import { formatInstant } from '../../engine/time/text.ts';
import { withDatabase, type CommandContext } from './database.ts';
import { harmless, table, type Terminal } from './terminal.ts';
import { jsonLine } from './times.ts';

/** Options that every such command has. */
export interface StaffOptions {
  readonly project: string;
  readonly json?: boolean;
}

/** Who acts, and why: asked for by everything that changes something. */
export interface ActOptions extends StaffOptions {
  readonly by: string;
  readonly reason: string;
}

/** A command without options. Used wrongly, it ends with exit code 2. */
export function bareCommand(name: string, description: string): Command {
  return new Command(name).description(description).exitOverride(endOnMisuse);
}

/** A command with `--project` and `--json`. */
export function staffCommand(name: string, description: string): Command {
  return bareCommand(name, description)
    .option('--project <dir>', 'the company folder', '.')
    .option('--json', 'print one JSON object instead of text');
}

/** The same, with `--by` and `--reason`. */
export function actCommand(name: string, description: string): Command {
  return staffCommand(name, description)
    .requiredOption('--by <name>', 'who does this, for the audit record', notBlank)
    .requiredOption('--reason <text>', 'why, for the audit record', notBlank);
}

/** An option's value that says something. */
export function notBlank(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('It must not be empty.');
  return text.trim();
}

function endOnMisuse(error: CommanderError): never {
  process.exit(error.exitCode === 0 ? 0 : 2);
}

/** What a command came to: its JSON object, its text, and whether that is a failure. */
export interface Answer {
  readonly json: object;
  readonly text: string;
  readonly failed?: boolean;
}

/** Runs one command on the company's database and prints its answer. */
export async function answer(
  terminal: Terminal,
  options: StaffOptions & { readonly readOnly?: boolean },
  work: (context: CommandContext) => Promise<Answer>,
): Promise<void> {
  let result: Answer;
  try {
    result = await withDatabase(options, work);
  } catch (error) {
    // Nothing is deployed, or what is deployed cannot be run: the message says what to do.
    if (!(error instanceof StoreError)) throw error;
    result = { json: { outcome: error.code, message: error.message }, text: `${error.message}\n`, failed: true };
  }
  if (result.failed === true) terminal.setExitCode(1);
  if (options.json === true) terminal.out(jsonLine(result.json));
  else if (result.failed === true) terminal.err(result.text);
  else terminal.out(result.text);
}

/** The answer when a customer was not found, or more than one was. */
export function notFound(found: Exclude<Found, { readonly outcome: 'found' }>, typed: string): Answer {
  const name = `"${harmless(typed)}"`;
  switch (found.outcome) {
    case 'unknown': {
      const text =
        found.erasedAt === undefined
          ? `There is no customer with the id or address ${name}.\n${nearestText(found.nearest)}`
          : `The customer with the id or address ${name} was erased on ${formatInstant(found.erasedAt)}: nothing is kept of them.\n`;
      return { json: { ...found, outcome: 'unknown customer' }, text, failed: true };
    }
    case 'ambiguous': {
      const rows = found.candidates.map(({ key, email }) => [key, email ?? '']);
      const text = `Several customers have the address ${name}. Give one of these ids instead:\n${table(rows, '  ')}`;
      return { json: { ...found, outcome: 'ambiguous customer' }, text, failed: true };
    }
  }
}

/** `Nearest: a, b`, or nothing. */
export function nearestText(nearest: readonly string[]): string {
  return nearest.length === 0 ? '' : `Nearest: ${nearest.map(harmless).join(', ')}\n`;
}

/** `"name"`, or with an address `"name" (address)`. */
export function personText({ key, email }: { readonly key: string; readonly email: string | null }): string {
  return email === null ? `"${harmless(key)}"` : `"${harmless(key)}" (${harmless(email)})`;
}

/** The answer for a customer whom nothing can be done for at present. */
export function notWorkable(customer: { readonly key: string; readonly email: string | null }): Answer {
  const text =
    `Customer ${personText(customer)} is held, erased or merged into another, so nothing was done.\n` +
    'See "perennial held"; a held customer is released by "perennial held retry".\n';
  return { json: { outcome: 'not workable', customer }, text, failed: true };
}
