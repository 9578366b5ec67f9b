/** What an answer to "why?" is made of. */
import type { Json } from '../playbook/types.ts';
import type { Quote } from '../playbook/quote.ts';
import type { Instant } from '../time/types.ts';

/** A release that was deployed at some time, and by whom. */
export interface Deployment {
  readonly releaseId: string;
  readonly at: Instant;
  readonly by: string;
  readonly gitCommit: string | null;
}

/** One fact of the record. */
export interface Evidence {
  readonly text: string;
  /** When it happened, or will. */
  readonly at?: Instant;
  /** The words of the playbook that decided. */
  readonly quote?: Quote | null;
  /** What a condition read, by name, as stored. */
  readonly values?: Readonly<Record<string, Json>>;
  /** The release in which the words stand. */
  readonly release?: Deployment | null;
}

/** A command that helps on, and what for. */
export interface NextStep {
  readonly command: string;
  readonly why: string;
}

/** An answer: one sentence, what shows it, and what can be done. `code` is stable, for programs. */
export interface Answer {
  readonly code: string;
  readonly answer: string;
  readonly evidence: readonly Evidence[];
  readonly next: readonly NextStep[];
}
