/** Structured logs: JSON lines, or readable ones on a terminal. Ids only: never addresses, bodies or secrets. */
import { pino, type Logger } from 'pino';
import pretty from 'pino-pretty';

export type { Logger } from 'pino';

/** Opens the log of one process on standard error, so that standard output stays a command's own. */
export function openLog(options: { readonly level: string; readonly name: string; readonly tty?: boolean }): Logger {
  const settings = { level: options.level, base: { process: options.name, pid: process.pid } };
  if (options.tty ?? process.stderr.isTTY) {
    const stream = pretty({
      colorize: true,
      destination: 2,
      sync: true,
      singleLine: true,
      ignore: 'pid,hostname,process',
    });
    return pino(settings, stream);
  }
  return pino(settings, pino.destination({ dest: 2, sync: true }));
}

/** What of an error may be logged: its kind, code and message; a driver's detail can hold a customer's data. */
export function errorFields(error: unknown): { readonly error: string; readonly code?: string } {
  if (!(error instanceof Error)) return { error: String(error) };
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
  return { error: `${error.name}: ${error.message}`, ...code };
}
