/** Programs of others that some suites need. */
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import process from 'node:process';

/** Where Debian keeps servers, which is not on everybody's PATH. */
const SYSTEM_DIRS = ['/usr/sbin', '/usr/local/sbin'];

/**
 * The path of a program; null when it is not installed, after a line that names the suites that are skipped. In CI (`CI` is set)
 * that is an error, so that they cannot go missing unseen.
 */
export function installedProgram(name: string, suites: string): string | null {
  const dirs = [...(process.env['PATH'] ?? '').split(path.delimiter), ...SYSTEM_DIRS].filter((dir) => dir !== '');
  const found = dirs.map((dir) => path.join(dir, name)).find(isExecutable);
  if (found !== undefined) return found;
  if (process.env['CI']) throw new Error(`There is no ${name}, and in CI its suites must run: install it.`);
  process.stderr.write(`${suites} skipped: no ${name}\n`);
  return null;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    // The answer to the question: it is not there, or not for us.
    return false;
  }
}
