/** Whose fault a failed transaction is. */
import { isNativeError } from 'node:util/types';
import { StoreError, type StoreErrorCode } from './errors.ts';

/**
 * - `contention`: another transaction was in the way; the same again may succeed.
 * - `poison`: something in these customers' data; the same again fails again.
 * - `too-slow`: the database ended it for the time that it took. Fewer customers may be worked on in that time; one
 *   alone who is not will not be the next time either.
 * - `fatal`: the database, the release or the program; nobody may be held for it.
 */
export type Failure = 'contention' | 'poison' | 'too-slow' | 'fatal';

/** serialization_failure, deadlock_detected, lock_not_available (PostgreSQL, appendix A). */
const CONTENTION: ReadonlySet<string> = new Set(['40001', '40P01', '55P03']);

/** query_canceled (by statement_timeout), idle_in_transaction_session_timeout: the time-outs of `openDatabase`. */
const TOO_SLOW: ReadonlySet<string> = new Set(['57014', '25P03']);

/** Data exceptions, integrity violations, program limits. Syntax errors and the like would fail for everyone alike. */
const POISONOUS_CLASSES: ReadonlySet<string> = new Set(['22', '23', '54']);

/** What is wrong for everyone, and no customer's fault. */
const OF_ALL: ReadonlySet<StoreErrorCode> = new Set(['no-release', 'broken-release', 'moved', 'newer-database']);

const SQLSTATE = /^[0-9A-Z]{5}$/;

/** System errors of a socket carry these, and pg's own errors of a lost connection carry no code. */
const SOCKET_CODE = /^E[A-Z_]+$/;
const CONNECTION_LOST = /connection (terminated|ended|error)|not queryable|timeout exceeded when trying to connect/i;

/** Whether the customers that a transaction was about may be the reason, so that a part of them may succeed. */
export function isOfCustomers(error: unknown): boolean {
  const failure = classifyFailure(error);
  return failure === 'poison' || failure === 'too-slow';
}

/** What a person reads of the failure for which something is held. */
export function heldMessage(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (classifyFailure(error) !== 'too-slow') return message;
  return `this took too long, although nothing else was worked on with it (the database says: ${message})`;
}

/** Tells whether to try again, to look for a culprit, or to give up. */
export function classifyFailure(error: unknown): Failure {
  // Not instanceof: an error of Node's own is of another realm when tests run this in a context of theirs.
  if (!isNativeError(error)) return 'poison';
  if (error instanceof StoreError) {
    return OF_ALL.has(error.code) ? 'fatal' : 'poison';
  }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : null;
  if (code !== null && CONTENTION.has(code)) return 'contention';
  if (code !== null && TOO_SLOW.has(code)) return 'too-slow';
  if (code !== null && SQLSTATE.test(code) && !SOCKET_CODE.test(code)) {
    return POISONOUS_CLASSES.has(code.slice(0, 2)) ? 'poison' : 'fatal';
  }
  if (code !== null && SOCKET_CODE.test(code)) return 'fatal';
  return CONNECTION_LOST.test(error.message) ? 'fatal' : 'poison';
}
