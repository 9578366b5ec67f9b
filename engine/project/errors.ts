/** The code of a system's error, such as `ENOENT`; null for errors that have none. */
export function codeOf(error: unknown): string | null {
  // Asked by shape: an error of the system need not be of this realm's class.
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : null;
}
