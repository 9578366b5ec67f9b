/** Header fields: encoding of any language (RFC 2047), folding (RFC 5322 section 2.2.3), and refusal of injection. */

/** A mail that cannot be written as a correct message. `field` is the header or part at fault. */
export class ComposeError extends Error {
  readonly code: 'line-break' | 'bad-address' | 'bad-header-name' | 'reserved-header' | 'too-long';
  readonly field: string;

  constructor(code: ComposeError['code'], field: string, message: string) {
    super(message);
    this.name = 'ComposeError';
    this.code = code;
    this.field = field;
  }
}

/** RFC 5322 section 2.1.1: a line should have at most 78 characters, and must not have more than 998. */
const FOLD_AT = 78;
const LONGEST_WORD = 900;
/** Bytes in one encoded-word: `=?UTF-8?B?` + 60 + `?=` stays under the 75 characters of RFC 2047 section 2. */
const ENCODED_WORD_BYTES = 45;
/** The same section: how long a line with an encoded-word may be. */
const ENCODED_LINE = 76;
/** What an encoded-word has besides its text. */
const ENCODED_WORD_FRAME = '=?UTF-8?B??='.length;
/** Of UTF-8. */
const LONGEST_CHARACTER_BYTES = 4;
/**
 * Of one field, in bytes as it is written. Postfix cuts off what goes beyond its header_size_limit (102,400) without a word,
 * others refuse: a name or a subject of that size is a mistake in the data.
 */
const LARGEST_FIELD = 64 * 1024;

// eslint-disable-next-line no-control-regex -- control characters are exactly what is looked for
const FORBIDDEN = /[\r\n\0]/;
const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;
const ATOMS = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+( [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;

/**
 * A whole header line with its CRLF, folded. Text that is not plain ASCII goes out as encoded-words.
 * @throws {ComposeError} `line-break` when the value holds CR, LF or NUL, `too-long` for one of more than 64 KB.
 */
export function unstructuredHeader(name: string, value: string): string {
  refuseUnwritable(name, value);
  if (isPlain(value)) {
    if (name.length + 2 + value.length <= FOLD_AT) return `${name}: ${value}\r\n`;
    if (longestWord(value) <= LONGEST_WORD) {
      return bounded(name, `${foldAtSpaces(`${name}: ${value}`, name.length + 2)}\r\n`);
    }
  }
  return bounded(name, `${name}:${encodedWords(value, name.length + 1)}\r\n`);
}

/**
 * A header line whose value is a structure (a URL in brackets, a token): ASCII only, folded at spaces, never encoded.
 * @throws {ComposeError} `line-break`, or `too-long` for a word that no line can hold.
 */
export function structuredHeader(name: string, value: string): string {
  refuseUnwritable(name, value);
  if (longestWord(value) > LONGEST_WORD) {
    throw new ComposeError('too-long', name, `${name} has a word of more than ${LONGEST_WORD} characters; shorten it`);
  }
  return bounded(name, `${foldAtSpaces(`${name}: ${value}`, name.length + 2)}\r\n`);
}

/**
 * A header line with one mailbox. `address` must already be valid.
 * @throws {ComposeError} `line-break` when the display name holds CR, LF or NUL, `too-long` for one of more than 64 KB.
 */
export function mailboxHeader(name: string, displayName: string | null, address: string): string {
  refuseUnwritable(name, displayName ?? '');
  refuseUnwritable(name, address);
  if (displayName === null || displayName.trim() === '') return `${name}: ${address}\r\n`;
  const phrase = encodePhrase(displayName, name.length + 1);
  const line = `${name}:${phrase} <${address}>`;
  const lastLine = line.length - (line.lastIndexOf('\n') + 1);
  // The bracketed address goes to a line of its own when the name leaves no room.
  return bounded(name, lastLine <= ENCODED_LINE ? `${line}\r\n` : `${name}:${phrase}\r\n <${address}>\r\n`);
}

/** Whether a value needs no encoding: printable ASCII, no look-alike of an encoded-word, no space at its edges. */
export function isPlain(value: string): boolean {
  return PRINTABLE_ASCII.test(value) && !value.includes('=?') && value === value.trim() && value !== '';
}

function encodePhrase(displayName: string, used: number): string {
  if (isPlain(displayName) && displayName.length <= FOLD_AT) {
    return ATOMS.test(displayName) ? ` ${displayName}` : ` "${displayName.replace(/["\\]/g, '\\$&')}"`;
  }
  return encodedWords(displayName, used);
}

/**
 * RFC 2047 base64 words joined by folds, after a space or a fold; no character is split between two (section 5).
 * `used`: the characters that the first line has already.
 */
function encodedWords(value: string, used: number): string {
  if (value === '') return ' ';
  const room = Math.floor((ENCODED_LINE - used - 1 - ENCODED_WORD_FRAME) / 4) * 3;
  const words: string[] = [];
  let chunk = '';
  let bytes = 0;
  let limit = room < LONGEST_CHARACTER_BYTES ? ENCODED_WORD_BYTES : Math.min(room, ENCODED_WORD_BYTES);
  for (const character of value) {
    const size = Buffer.byteLength(character);
    if (bytes + size > limit) {
      words.push(chunk);
      limit = ENCODED_WORD_BYTES;
      chunk = '';
      bytes = 0;
    }
    chunk += character;
    bytes += size;
  }
  words.push(chunk);
  const encoded = words.map((word) => `=?UTF-8?B?${Buffer.from(word, 'utf8').toString('base64')}?=`).join('\r\n ');
  return room < LONGEST_CHARACTER_BYTES ? `\r\n ${encoded}` : ` ${encoded}`;
}

function bounded(field: string, line: string): string {
  if (line.length <= LARGEST_FIELD) return line;
  throw tooLong(field, line.length);
}

function tooLong(field: string, length: number): ComposeError {
  return new ComposeError(
    'too-long',
    field,
    `${field} has ${length} characters; ${LARGEST_FIELD} arrive whole, shorten it`,
  );
}

/** Folds before single spaces, so that unfolding gives the same text back. `from` is where the value begins. */
function foldAtSpaces(line: string, from: number): string {
  if (line.length <= FOLD_AT) return line;
  const lines: string[] = [];
  let start = 0;
  let lastSpace = -1;
  for (let i = from; i < line.length; i += 1) {
    const mayFold = line[i] === ' ' && line[i + 1] !== ' ' && line[i - 1] !== ' ' && i > from;
    if (!mayFold) continue;
    if (i - start > FOLD_AT && lastSpace > start) {
      lines.push(line.slice(start, lastSpace));
      start = lastSpace;
    }
    lastSpace = i;
  }
  if (line.length - start > FOLD_AT && lastSpace > start) {
    lines.push(line.slice(start, lastSpace));
    start = lastSpace;
  }
  lines.push(line.slice(start));
  return lines.join('\r\n');
}

/** The longest stretch that offers no place to fold: runs of spaces count as part of a word. */
function longestWord(value: string): number {
  let longest = 0;
  for (const word of value.split(/(?<! ) (?! )/)) longest = Math.max(longest, word.length);
  return longest;
}

function refuseUnwritable(field: string, value: string): void {
  // Before it is encoded, which takes its time.
  if (value.length > LARGEST_FIELD) throw tooLong(field, value.length);
  if (!FORBIDDEN.test(value)) return;
  throw new ComposeError('line-break', field, `${field} holds a line break or a NUL; a header must be one line`);
}
