/** The relaxed forms of RFC 6376 section 3.4, in which a mail is signed: white space may change on the way. */

const CR = 0x0d;
const LF = 0x0a;
const SPACE = 0x20;
const TAB = 0x09;

/** A header field, without the line break at its end. */
export interface Field {
  /** As it is written. */
  readonly name: string;
  /** With its folds. */
  readonly value: string;
}

/** The fields of a message's head, in their order. */
export function fieldsOf(head: string): readonly Field[] {
  const lines = head.split(/\r\n(?![ \t])/).filter((line) => line !== '');
  return lines.map((line) => {
    const colon = line.indexOf(':');
    return { name: line.slice(0, colon).trimEnd(), value: line.slice(colon + 1) };
  });
}

/** Section 3.4.2: without folds, with single spaces, without spaces at the edges. No line break at its end. */
export function relaxedField({ name, value }: Field): string {
  const unfolded = value.replaceAll('\r\n', '').replaceAll(/[ \t]+/g, ' ');
  return `${name.toLowerCase()}:${unfolded.replace(/^ | $/g, '')}`;
}

/** The bytes of the mail at work. It is hashed before anything else can run, so one place serves all mails. */
const workspace = Buffer.allocUnsafeSlow(512 * 1024);

/**
 * Section 3.4.4: no white space at the end of lines, single spaces within, no empty lines at the end. The result is to be
 * used at once: the next call writes over it. Line breaks must be CRLF.
 */
export function relaxedBody(body: Buffer): Buffer {
  const { length } = body;
  const out = length + 2 <= workspace.length ? workspace : Buffer.allocUnsafe(length + 2);
  let at = 0;
  let breaks = 0;
  let hasSpace = false;
  // Plain numbers and one pass: every byte of every mail comes by.
  for (let i = 0; i < length; i += 1) {
    const byte = body[i] as number;
    if (byte === SPACE || byte === TAB) {
      hasSpace = true;
    } else if (byte === CR && body[i + 1] === LF) {
      i += 1;
      breaks += 1;
      hasSpace = false;
    } else {
      for (; breaks > 0; breaks -= 1) {
        out[at] = CR;
        out[at + 1] = LF;
        at += 2;
      }
      if (hasSpace) out[at++] = SPACE;
      hasSpace = false;
      out[at++] = byte;
    }
  }
  if (at === 0) return out.subarray(0, 0);
  out[at] = CR;
  out[at + 1] = LF;
  return out.subarray(0, at + 2);
}
