/** Makes a message fit to be sent after DATA (RFC 5321 sections 2.3.8 and 4.5.2). */

/** What has to be changed: a line break that is not CRLF, or a line that begins with a dot. */
const TROUBLE = /\r(?!\n)|(?<!\r)\n|\n\.|^\./;
const LINE_BREAK = /\r\n|\r|\n/g;
const DOT_AT_START = /^\./gm;

/**
 * The message with CRLF line breaks only and its leading dots doubled; itself when there is nothing to do. A CR or LF
 * alone is made a line break: some servers take one for the end of a line, and then a dot for the end of the message.
 */
export function transparent(message: Buffer): Buffer {
  const text = message.toString('latin1');
  if (!TROUBLE.test(text)) return message;
  return Buffer.from(text.replace(LINE_BREAK, '\r\n').replace(DOT_AT_START, '..'), 'latin1');
}
