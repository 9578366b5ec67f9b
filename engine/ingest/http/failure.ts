/** A request that is not carried out, and what its sender is told. */

/** The statuses with which a request can fail. */
export type FailureStatus = 400 | 401 | 404 | 405 | 413 | 415 | 500 | 503;

/** What went wrong, for the sender: becomes `{ error: { code, message, expected? } }`. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly status: FailureStatus;
  readonly code: string;
  readonly expected: string | null;

  constructor(status: FailureStatus, code: string, message: string, expected: string | null, options?: ErrorOptions) {
    super(expected === null ? message : `${message}; expected ${expected}`, options);
    this.status = status;
    this.code = code;
    this.expected = expected;
  }
}
