/** Splits a mailbox file (mbox) into its mails. */

const LINE_FEED = 0x0a;
const SEPARATOR = Buffer.from('From ');
/** `From ADDRESS Thu Apr 29 23:34:45 2015`; the year keeps sentences that begin with "From" apart. */
const SEPARATOR_LINE = /^From \S+ +.*\b\d{4}\b/;

/** Whether the bytes are a mailbox file: its first line is a separator. */
export function isMailboxFile(bytes: Uint8Array): boolean {
  return SEPARATOR_LINE.test(lineAt(bytes, 0));
}

/**
 * The mails of a mailbox file; a file without separators is one mail. A separator stands at the beginning of the file or
 * after an empty line (RFC 4155); `>From ` in a body stays as it is: nothing that is read here begins so.
 */
export function splitMailbox(bytes: Uint8Array): readonly Uint8Array[] {
  if (!isMailboxFile(bytes)) return bytes.length === 0 ? [] : [bytes];
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const starts: number[] = [0];
  for (let at = buffer.indexOf(SEPARATOR, 1); at !== -1; at = buffer.indexOf(SEPARATOR, at + 1)) {
    if (isAfterEmptyLine(buffer, at) && SEPARATOR_LINE.test(lineAt(buffer, at))) starts.push(at);
  }
  return starts.map((start, index) => bytes.subarray(afterLine(bytes, start), starts[index + 1] ?? bytes.length));
}

function isAfterEmptyLine(bytes: Uint8Array, at: number): boolean {
  if (bytes[at - 1] !== LINE_FEED) return false;
  const before = bytes[at - 2] === 0x0d ? at - 3 : at - 2;
  return bytes[before] === LINE_FEED;
}

function afterLine(bytes: Uint8Array, start: number): number {
  const end = bytes.indexOf(LINE_FEED, start);
  return end === -1 ? bytes.length : end + 1;
}

function lineAt(bytes: Uint8Array, start: number): string {
  return new TextDecoder('latin1').decode(bytes.subarray(start, Math.min(afterLine(bytes, start), start + 200)));
}
