/**
 * What went wrong with the embedded PostgreSQL.
 *
 * - `no_binaries`: no package with PostgreSQL for this platform, or none that runs.
 * - `no_account`: this process is root and finds no unprivileged account to run the server as.
 * - `no_place`: no folder in which the data can live.
 * - `data_unusable`: there is data, but it cannot be used as it is (another owner, another version, gone).
 * - `start_failed`: the server did not start; the message quotes the end of its log.
 * - `lock_timeout`: another process kept the start lock for too long.
 */
export type EmbeddedErrorCode =
  'no_binaries' | 'no_account' | 'no_place' | 'data_unusable' | 'start_failed' | 'lock_timeout';

/** A failure of the embedded PostgreSQL, said so that a user knows what to do. */
export class EmbeddedPostgresError extends Error {
  override readonly name = 'EmbeddedPostgresError';
  readonly code: EmbeddedErrorCode;

  constructor(code: EmbeddedErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
