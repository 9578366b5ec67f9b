/** What the answer page says: one language is one file beside this. */

/** In one language. */
export interface Words {
  readonly language: string;
  /** Asks for `nps`. */
  readonly recommend: (company: string) => string;
  /** Asks for everything else. */
  readonly satisfied: (company: string) => string;
  /** Beside the lowest and the highest score. */
  readonly recommendEnds: readonly [string, string];
  readonly satisfiedEnds: readonly [string, string];
  readonly comment: string;
  readonly send: string;
  readonly thanks: string;
  readonly thanksText: (company: string) => string;
  readonly before: string;
  readonly beforeText: string;
  readonly invalid: string;
  readonly invalidText: string;
  readonly gone: string;
  readonly goneText: string;
  readonly trouble: string;
  readonly troubleText: string;
  readonly choose: string;
}
