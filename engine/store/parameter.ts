/** What stands for a value of a statement. */

/**
 * Whole numbers in an array, as nearly all arrays of the protocol hold them, joined to PostgreSQL's own way of writing one:
 * pg quotes and escapes them one by one. Anything else is pg's to write.
 */
export function parameter(value: unknown): unknown {
  return Array.isArray(value) && value.every(Number.isSafeInteger) ? `{${value.join(',')}}` : value;
}
