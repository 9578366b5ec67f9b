/** Commands of the command line, run in this process as a reader in Berlin would. */
import type { Command } from 'commander';
import { zone } from '../../engine/time/zone.ts';
import type { Zone } from '../../engine/time/types.ts';
import type { Terminal } from '../../scripts/support/terminal.ts';

/** What a command printed, and its exit code. */
export interface Printed {
  readonly out: string;
  readonly err: string;
  readonly code: number;
}

/** Runs one command on the project in this folder. */
export async function runCommand(
  make: (terminal: Terminal) => Command,
  args: readonly string[],
  project: string,
): Promise<Printed> {
  const printed = { out: '', err: '', code: 0 };
  const terminal: Terminal = {
    out: (text) => {
      printed.out += text;
    },
    err: (text) => {
      printed.err += text;
    },
    colour: false,
    zone: zone('Europe/Berlin') as Zone,
    setExitCode: (code) => {
      printed.code = code;
    },
  };
  await make(terminal).parseAsync([...args, '--project', project], { from: 'user' });
  return printed;
}
