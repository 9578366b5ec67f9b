/** Makes a message fit to be sent after DATA (RFC 5321 sections 2.3.8 and 4.5.2). */
import { isComposed } from '../message/compose.ts';

const CR = 0x0d;
const LF = 0x0a;
const DOT = 0x2e;
const LINE_BREAK = /\r\n|\r|\n/g;
const DOT_AT_START = /^\./gm;

/**
 * The message with CRLF line breaks only and its leading dots doubled; itself when there is nothing to do. A CR or LF
 * alone is made a line break: some servers take one for the end of a line, and then a dot for the end of the message.
 */
export function transparent(message: Buffer): Buffer {
  if (isComposed(message) || isFit(message)) return message;
  const text = message.toString('latin1');
  return Buffer.from(text.replace(LINE_BREAK, '\r\n').replace(DOT_AT_START, '..'), 'latin1');
}

/** Every CR is before an LF, every LF after a CR, and no line begins with a dot. */
function isFit(message: Buffer): boolean {
  const { length } = message;
  if (length > 0 && message[0] === DOT) return false;
  let before = 0;
  for (let i = 0; i < length; i += 1) {
    const byte = message[i] as number;
    if (before === CR ? byte !== LF : byte === LF) return false;
    if (byte === DOT && before === LF) return false;
    before = byte;
  }
  return before !== CR;
}
