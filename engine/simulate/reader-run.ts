/** What a simulation gives for one reader: the customers of one address, or one customer without a valid one. */
import type { Draft, OrderedLine } from '../journey/draft.ts';
import { compareItems } from '../journey/order.ts';
import type { Attempt } from '../journey/types.ts';

/** One reader, run to the end of the simulated time. */
export interface ReaderRun {
  /** The reader's customers as they are in the end; what was at the beginning is in their `state`. */
  readonly drafts: readonly Draft[];
  /** Every attempt to send, in order of time. */
  readonly attempts: readonly Attempt[];
}

/** The reader's lines, in the order of the language. */
export function linesOf({ drafts }: ReaderRun): readonly OrderedLine[] {
  return sortLines(drafts.flatMap((draft) => draft.lines));
}

/** Sorts into the order of the language. Lines of one item stay in the order in which they came: the sort is stable. */
export function sortLines(lines: OrderedLine[]): OrderedLine[] {
  return lines.sort((a, b) => compareItems(a.item, b.item));
}
