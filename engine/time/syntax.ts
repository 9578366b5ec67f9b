/** A text that does not say a time, date or duration as it should. The message says what was written and what was expected. */
export class TimeSyntaxError extends Error {
  readonly code = 'time-syntax';
  /** What should stand there, with an example. */
  readonly expected: string;

  constructor(text: string, problem: string, expected: string) {
    super(`${JSON.stringify(text)} ${problem}: expected ${expected}`);
    this.name = 'TimeSyntaxError';
    this.expected = expected;
  }
}
