/** What backup, restore and move have in common: how they answer. */
import { DatabaseAway } from '../../engine/store/home.ts';
import { StoreError } from '../../engine/store/errors.ts';
import { NewerDatabaseError } from '../../engine/store/migrate.ts';
import { FillError } from '../../engine/store/whole/fill-database.ts';
import { FileTrouble } from './file-trouble.ts';
import type { Answer, StaffOptions } from './staff.ts';
import type { Terminal } from './terminal.ts';
import { jsonLine } from './times.ts';

const EXPECTED = [DatabaseAway, FileTrouble, FillError, NewerDatabaseError, StoreError];

/** Prints what a command came to; what a person can mend is an answer as well. */
export async function answerOf(terminal: Terminal, options: StaffOptions, work: () => Promise<Answer>): Promise<void> {
  let result: Answer;
  try {
    result = await work();
  } catch (error) {
    if (!(error instanceof Error) || !EXPECTED.some((kind) => error instanceof kind)) throw error;
    const code = 'code' in error ? String(error.code) : error.name;
    result = {
      json: { outcome: code, message: error.message },
      text: `Nothing was done: ${error.message}${/[.?]$/.test(error.message) ? '' : '.'}\n`,
      failed: true,
    };
  }
  if (result.failed === true) terminal.setExitCode(1);
  if (options.json === true) terminal.out(jsonLine(result.json));
  else if (result.failed === true) terminal.err(result.text);
  else terminal.out(result.text);
}
