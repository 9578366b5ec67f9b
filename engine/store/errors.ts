/** What the store finds wrong and cannot mend by itself. The message says what to do. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * - `no-release`: nothing is deployed yet.
 * - `broken-release`: the deployed sources do not compile (an upgrade of the engine, or a tampered database).
 * - `unknown-playbook`, `unknown-version`: a row or a decision names one that no stored release has.
 * - `lost-row`: a row that was loaded under the customer's lock is gone or changed; somebody wrote past the lock.
 * - `unknown-run`: a launch was asked for which no run is open.
 * - `moved`: everything was moved to another database, or is being moved.
 * - `newer-database`: a newer version has migrated the database under a process that runs.
 * - `not-migrated`: the database is of an older version, or empty, and whoever asks may only read.
 */
export type StoreErrorCode =
  | 'no-release'
  | 'broken-release'
  | 'unknown-playbook'
  | 'unknown-version'
  | 'lost-row'
  | 'unknown-run'
  | 'moved'
  | 'newer-database'
  | 'not-migrated';
