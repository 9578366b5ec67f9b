import { isNativeError } from 'node:util/types';

/**
 * Whether a request's body broke off: its sender hung up, or took too long and was cut off. Nobody hears the answer, and nothing
 * is wrong on this side, so it is no failure to be reported: anybody could fill a log with such.
 */
export function isCutOff(error: unknown): boolean {
  return isNativeError(error) && error.message === 'aborted' && 'code' in error && error.code === 'ECONNRESET';
}
