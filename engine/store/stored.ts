/** What the store remembers of a loaded customer while the rules work on its draft. */
import type { Draft } from '../journey/draft.ts';
import type { Changes, Enrolment } from '../journey/types.ts';
import type { StepNames } from '../playbook/identity.ts';
import type { Instant } from '../time/types.ts';

/** A planned send as its row stands. */
export interface StoredSend {
  readonly id: number;
  /** Kept out of claims: the mail or its enrolment is held. */
  readonly held: boolean;
  /** When it was handed over before, of a mail that is sent again although the reader may have it; else null. */
  readonly copyAt: Instant | null;
  /** When it was due before its pace put it off, while that holds; else null. */
  readonly pacedFrom: Instant | null;
}

/** An enrolment as its row stands. */
export interface StoredEnrolment {
  readonly id: number;
  readonly as: Enrolment;
  readonly held: boolean;
  /** Steps that its rows call otherwise, since a deployment moved it and it was not written since; null: none. */
  readonly renames: StepNames | null;
}

/** Carried in `draft.tag` from loading to recording. */
export interface Stored {
  readonly customerId: number;
  /** The normalised address: the key of the reader. Null: no valid address. */
  readonly address: string | null;
  /** Enrolments as loaded or last recorded, by `enrolmentKey`. */
  readonly enrolments: Map<string, StoredEnrolment>;
  /** Sends by `sendKey`. */
  readonly sends: Map<string, StoredSend>;
  /** Open launch runs that have not asked this customer, by `launchKey`. */
  readonly runs: ReadonlyMap<string, number>;
}

/** What the store knows of a draft. @throws Error when the draft was not loaded by the store. */
export function storedOf(draft: Draft): Stored {
  const { tag } = draft as { readonly tag: Stored | null };
  if (tag === null) throw new Error('a draft that was not loaded from the database cannot be recorded');
  return tag;
}

/** The row id of the customer. */
export function customerIdOf(draft: Draft): number {
  return storedOf(draft).customerId;
}

/** One customer's changes on their way to the tables. */
export interface Recording {
  readonly draft: Draft;
  readonly stored: Stored;
  readonly changes: Changes;
}
