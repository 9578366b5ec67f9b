/** When a mail that could not be delivered is tried again. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Quick at first for a server that restarts, then slower: 41 hours in all, as RFC 5321 section 4.5.4.1 allows. */
const UNREACHABLE_MS: readonly number[] = [MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 4 * HOUR, 12 * HOUR, 24 * HOUR];
/** For a soft bounce: slower, since the server has spoken. A seventh wait would go beyond 72 hours. */
const REFUSED_MS: readonly number[] = [15 * MINUTE, HOUR, 4 * HOUR, 12 * HOUR, 24 * HOUR, 24 * HOUR];
/** 65 hours and a tenth more stay below 72. */
const JITTER = 0.1;

/**
 * Milliseconds until the next attempt, or null to give up and record the mail as failed.
 * `attempts` counts those already made, from 1; `random` is in [0, 1) and spreads retries by 10 % either way; `scope`
 * says what refused: the whole connection, or only this mail or its domain.
 * @throws RangeError for less than one attempt
 */
export function retryDelayMs(
  attempts: number,
  random: number,
  scope: 'message' | 'domain' | 'connection',
): number | null {
  if (!Number.isInteger(attempts) || attempts < 1) {
    throw new RangeError(`attempts must be a whole number from 1, not ${attempts}`);
  }
  const delay = (scope === 'connection' ? UNREACHABLE_MS : REFUSED_MS)[attempts - 1];
  return delay === undefined ? null : Math.round(delay * (1 - JITTER + 2 * JITTER * random));
}
