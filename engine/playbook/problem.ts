/** A file of a company folder. `path` is relative to the folder, with forward slashes. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** A mistake or a doubt in a source file, said so that its author can mend it. */
export interface Problem {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
  readonly level: 'error' | 'warning' | 'hint';
  /** Stable and short, e.g. `unknown-key`, `cel-type`. */
  readonly code: string;
  /** What is wrong and what was expected. */
  readonly message: string;
  /** What to do, e.g. `did you mean "order.placed"?`; null when nothing is known. */
  readonly fix: string | null;
}
