/**
 * Named statements. Planning one of the protocol's statements takes several times as long as running it, so texts that
 * come again and again are prepared once for each connection.
 */
import { createHash } from 'node:crypto';

/** Texts that the protocol uses: a few dozen. A program that made up ever new texts must not fill the server's memory. */
const MOST = 300;
/** A text is prepared from this use on: acts of staff and migrations come once. */
const FROM_USE = 3;
const PREPARABLE = /^\s*(?:--[^\n]*\n\s*)*(?:select|with|insert|update|delete)\b/i;

const uses = new Map<string, { count: number; readonly name: string }>();

/**
 * The name under which a text is prepared; undefined while it is not. The name changes with the 4th, 16th, 64th … use:
 * the server keeps a plan until its tables are analysed, and one made for tables that were empty reads them whole while
 * an import fills them.
 */
export function preparedName(text: string): string | undefined {
  const known = uses.get(text);
  if (known !== undefined) {
    known.count += 1;
    return known.count >= FROM_USE ? `${known.name}_${Math.floor(Math.log2(known.count) / 2)}` : undefined;
  }
  if (uses.size < MOST && PREPARABLE.test(text)) {
    const name = `p${createHash('sha256').update(text).digest('hex').slice(0, 24)}`;
    uses.set(text, { count: 1, name });
  }
  return undefined;
}
