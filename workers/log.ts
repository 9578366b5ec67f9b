/** Structured logs: JSON lines, or readable ones on a terminal. Ids only: never addresses, bodies or secrets. */
import { isNativeError } from 'node:util/types';
import { pino, type Logger } from 'pino';
import pretty from 'pino-pretty';

export type { Logger } from 'pino';

/** Opens the log of one process on standard error, so that standard output stays a command's own. */
export function openLog(options: { readonly level: string; readonly name: string; readonly tty?: boolean }): Logger {
  const settings = {
    level: options.level,
    base: { process: options.name, pid: process.pid },
    serializers: { err: errorWithFrames },
  };
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

/**
 * What of an error may be logged: its kind, code and message, as far as that is ours or a server's about itself. What a driver
 * adds (`detail`, `response`, the row at fault) is a customer's.
 */
export function errorFields(error: unknown): { readonly error: string; readonly code?: string } {
  if (!isNativeError(error)) return { error: withoutAddresses(String(error)) };
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
  return { error: `${error.name}: ${messageOf(error)}`, ...code };
}

/** The same, with where it was thrown: for errors that nobody foresaw. */
function errorWithFrames(error: unknown): object {
  if (!isNativeError(error)) return errorFields(error);
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  const cause = error.cause === undefined ? {} : { cause: errorFields(error.cause) };
  return { ...errorFields(error), ...cause, frames };
}

/** PostgreSQL's data exceptions quote the value, and so does JSON's parser. */
const DATA_EXCEPTION = /^22[0-9A-Z]{3}$/;

function messageOf(error: Error): string {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (DATA_EXCEPTION.test(code)) return 'the database cannot take a value';
  if (error.name === 'SyntaxError') return 'a text could not be read';
  return withoutAddresses(error.message);
}

/** Addresses of readers in a server's words, and passwords before the host of a URL. */
function withoutAddresses(text: string): string {
  return text.replaceAll(/[^\s<>"'(),;:/]*(?::[^\s<>"'(),;/]*)?@[^\s<>"'(),;:/]+/g, '(address)');
}
