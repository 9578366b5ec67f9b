/** Conditions on `sends` for mails past the hand-over, each the predicate of a partial index, word for word. */

/** They are settled: the index `sends_settled`. */
export const SETTLED = `status in ('sent', 'failed', 'unknown')`;

/** A worker has them: the index `sends_lease`, which is small. */
export const ON_ITS_WAY = `status in ('claimed', 'handed') and status = 'handed'`;
