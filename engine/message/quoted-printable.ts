/** Quoted-printable (RFC 2045 section 6.7) in one pass over the bytes. */

const LINE_LIMIT = 76;
const EQUALS = 0x3d;
const CR = 0x0d;
const LF = 0x0a;
const SPACE = 0x20;
const TAB = 0x09;
const DOT = 0x2e;
const HEX = Buffer.from('0123456789ABCDEF', 'latin1');

/** 1 for bytes that stand for themselves within a line: printable ASCII but `=`, space and tab. */
const PLAIN = Uint8Array.from({ length: 256 }, (_, byte) =>
  (byte >= SPACE && byte < 0x7f && byte !== EQUALS) || byte === TAB ? 1 : 0,
);

/** The bytes of the text at work. Encoding never yields, so one place serves all mails; a large text gets its own. */
const workspace = Buffer.allocUnsafeSlow(256 * 1024);

/** How many bytes {@link writeQuotedPrintable} writes at most: three a byte, and a soft break after each 24 of them. */
export function quotedPrintableLimit(text: string): number {
  const bytes = text.length * 3;
  return bytes * 3 + Math.ceil(bytes / 8) + 8;
}

/**
 * Writes a text as UTF-8 in quoted-printable with CRLF line ends and lines of at most 76 characters; gives the offset
 * behind it. CRLF and LF are line breaks; a CR alone is kept as a character. No line begins with a dot, so that
 * nothing is left to be doubled for SMTP. `out` must have room for {@link quotedPrintableLimit} bytes from `offset`.
 */
export function writeQuotedPrintable(text: string, out: Buffer, offset: number): number {
  const bytes = text.length * 3 <= workspace.length ? workspace : Buffer.allocUnsafe(text.length * 3);
  const length = bytes.write(text, 'utf8');
  // Plain local numbers, and a loop of its own for the usual byte: every byte of every mail passes here.
  let at = offset;
  let lineStart = offset;
  let i = 0;
  while (i < length) {
    const lineEnd = lineStart + LINE_LIMIT - 1;
    if (at === lineStart && bytes[i] === DOT) {
      at = writeEscaped(DOT, out, at);
      i += 1;
    }
    while (i < length && at < lineEnd && PLAIN[bytes[i] as number] === 1) {
      out[at] = bytes[i] as number;
      at += 1;
      i += 1;
    }
    const isEnd = i === length;
    const byte = isEnd ? LF : (bytes[i] as number);
    const isBreak = byte === LF || (byte === CR && i + 1 < length && bytes[i + 1] === LF);
    if (isBreak) {
      if (at > lineStart) at = keepSpace(out, at, lineEnd);
      if (isEnd) break;
      i += byte === CR ? 2 : 1;
      at = breakLine(out, at, false);
      lineStart = at;
    } else if (at + (PLAIN[byte] === 1 ? 1 : 3) > lineEnd) {
      at = breakLine(out, at, true);
      lineStart = at;
    } else {
      at = writeEscaped(byte, out, at);
      i += 1;
    }
  }
  return at;
}

/** White space at the end of a line or of the text would be lost on the way. */
function keepSpace(out: Buffer, at: number, lineEnd: number): number {
  const last = out[at - 1] as number;
  if (last !== SPACE && last !== TAB) return at;
  return writeEscaped(last, out, at + 2 > lineEnd ? breakLine(out, at - 1, true) : at - 1);
}

function writeEscaped(byte: number, out: Buffer, at: number): number {
  out[at] = EQUALS;
  out[at + 1] = HEX[byte >> 4] as number;
  out[at + 2] = HEX[byte & 15] as number;
  return at + 3;
}

function breakLine(out: Buffer, at: number, soft: boolean): number {
  let end = at;
  if (soft) {
    out[end] = EQUALS;
    end += 1;
  }
  out[end] = CR;
  out[end + 1] = LF;
  return end + 2;
}

/** The same as bytes of its own. */
export function encodeQuotedPrintable(text: string): Buffer {
  const out = Buffer.allocUnsafe(quotedPrintableLimit(text));
  return Buffer.from(out.subarray(0, writeQuotedPrintable(text, out, 0)));
}
