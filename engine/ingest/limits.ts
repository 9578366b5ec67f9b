/** How much one call, batch or line may hold. The figures for calls are those of Segment's HTTP API. */

/** One call, or one record of a file, in bytes. */
export const MAX_CALL_BYTES = 32 * 1024;
/** The body of one batch, in bytes. */
export const MAX_BATCH_BYTES = 500 * 1024;
/** The calls in one batch. */
export const MAX_BATCH_CALLS = 1_000;
/** Objects and lists within each other, the call itself included. */
export const MAX_DEPTH = 8;
/** A customer's id, an event's id or an event's name, in characters: these are keys of indexes. */
export const MAX_KEY_LENGTH = 255;
