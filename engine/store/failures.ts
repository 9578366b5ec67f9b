/** Whose fault a failed transaction is. */
import { isNativeError } from 'node:util/types';
import { StoreError } from './errors.ts';

/**
 * - `contention`: another transaction was in the way; the same again may succeed.
 * - `poison`: something in these customers' data; the same again fails again.
 * - `fatal`: the database, the release or the program; nobody may be held for it.
 */
export type Failure = 'contention' | 'poison' | 'fatal';

/** serialization_failure, deadlock_detected, lock_not_available (PostgreSQL, appendix A). */
const CONTENTION: ReadonlySet<string> = new Set(['40001', '40P01', '55P03']);

/** Data exceptions, integrity violations, program limits. Syntax errors and the like would fail for everyone alike. */
const POISONOUS_CLASSES: ReadonlySet<string> = new Set(['22', '23', '54']);

const SQLSTATE = /^[0-9A-Z]{5}$/;

/** System errors of a socket carry these, and pg's own errors of a lost connection carry no code. */
const SOCKET_CODE = /^E[A-Z_]+$/;
const CONNECTION_LOST = /connection (terminated|ended|error)|not queryable|timeout exceeded when trying to connect/i;

/** Tells whether to try again, to look for a culprit, or to give up. */
export function classifyFailure(error: unknown): Failure {
  // Not instanceof: an error of Node's own is of another realm when tests run this in a context of theirs.
  if (!isNativeError(error)) return 'poison';
  if (error instanceof StoreError) {
    return error.code === 'no-release' || error.code === 'broken-release' ? 'fatal' : 'poison';
  }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : null;
  if (code !== null && CONTENTION.has(code)) return 'contention';
  if (code !== null && SQLSTATE.test(code) && !SOCKET_CODE.test(code)) {
    return POISONOUS_CLASSES.has(code.slice(0, 2)) ? 'poison' : 'fatal';
  }
  if (code !== null && SOCKET_CODE.test(code)) return 'fatal';
  return CONNECTION_LOST.test(error.message) ? 'fatal' : 'poison';
}
