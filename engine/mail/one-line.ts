/** What strangers say, as it may be kept and shown. */

/**
 * Words as one line of at most `max` UTF-16 units: control characters, with which terminals are steered and of which the database
 * cannot keep NUL, and line breaks become a space.
 */
export function oneLine(words: string, max: number): string {
  return words
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, max);
}
