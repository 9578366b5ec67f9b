/** Quoted-printable (RFC 2045 section 6.7) in one pass over the bytes. */

const LINE_LIMIT = 76;
const EQUALS = 0x3d;
const CR = 0x0d;
const LF = 0x0a;
const SPACE = 0x20;
const TAB = 0x09;
const HEX = Buffer.from('0123456789ABCDEF', 'latin1');

/** 1 for bytes that stand for themselves: printable ASCII but `=`. */
const LITERAL = Uint8Array.from({ length: 256 }, (_, byte) => (byte > SPACE && byte < 0x7f && byte !== EQUALS ? 1 : 0));

/** How far an encoding got: the output, its length, and the length of its last line. */
interface Cursor {
  readonly out: Buffer;
  at: number;
  column: number;
}

/**
 * Encodes a text as UTF-8 in quoted-printable with CRLF line ends and lines of at most 76 characters.
 * CRLF and LF are line breaks; a CR alone is kept as a character.
 */
export function encodeQuotedPrintable(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  // The worst case is three characters a byte and a soft break after each 24 of them.
  const cursor: Cursor = {
    out: Buffer.allocUnsafe(bytes.length * 3 + Math.ceil(bytes.length / 8) + 8),
    at: 0,
    column: 0,
  };
  const { length } = bytes;
  for (let i = 0; i < length; i += 1) {
    const byte = bytes[i] as number;
    const next = bytes[i + 1];
    if (LITERAL[byte] === 1) writeLiteral(cursor, byte);
    else if (byte === LF) breakLine(cursor);
    else if (byte === CR && next === LF) continue;
    else if ((byte === SPACE || byte === TAB) && !endsLine(bytes, i + 1)) writeLiteral(cursor, byte);
    else writeEscaped(cursor, byte);
  }
  return cursor.out.subarray(0, cursor.at);
}

/** Whether a line or the text ends at this offset: there white space would be lost on the way. */
function endsLine(bytes: Buffer, offset: number): boolean {
  const byte = bytes[offset];
  return byte === undefined || byte === LF || (byte === CR && bytes[offset + 1] === LF);
}

function writeLiteral(cursor: Cursor, byte: number): void {
  if (cursor.column >= LINE_LIMIT - 1) softBreak(cursor);
  cursor.out[cursor.at] = byte;
  cursor.at += 1;
  cursor.column += 1;
}

function writeEscaped(cursor: Cursor, byte: number): void {
  if (cursor.column > LINE_LIMIT - 4) softBreak(cursor);
  cursor.out[cursor.at] = EQUALS;
  cursor.out[cursor.at + 1] = HEX[byte >> 4] as number;
  cursor.out[cursor.at + 2] = HEX[byte & 15] as number;
  cursor.at += 3;
  cursor.column += 3;
}

function softBreak(cursor: Cursor): void {
  cursor.out[cursor.at] = EQUALS;
  cursor.at += 1;
  breakLine(cursor);
}

function breakLine(cursor: Cursor): void {
  cursor.out[cursor.at] = CR;
  cursor.out[cursor.at + 1] = LF;
  cursor.at += 2;
  cursor.column = 0;
}
