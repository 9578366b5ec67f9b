/**
 * Cuts a stream of bytes into records: lines, or CSV records whose quoted fields may hold line breaks (RFC 4180).
 *
 * Kept true throughout:
 * 1. No more is held than one record's limit and the chunk in hand, whatever the file holds.
 * 2. Every byte belongs to exactly one record; `endByte` of a record is where the next one begins.
 * 3. A record that cannot be read costs itself only: after a line that is too long, or a quotation mark that nothing
 *    closes, the next physical line is read anew.
 */
import { isUtf8 } from 'node:buffer';
import { MAX_CALL_BYTES } from '../limits.ts';

/** One record as it stands in the file. */
export interface RawRecord {
  /** The physical line on which it begins, from 1. */
  readonly line: number;
  /** Its text without the line break; the beginning of it where `fault` says that it cannot be read. */
  readonly text: string;
  /** Why it cannot be read; null when it can. */
  readonly fault: string | null;
  /** Where the next record begins: bytes from the start, and the physical line. */
  readonly endByte: number;
  readonly nextLine: number;
}

/** Where in the file reading begins. */
export interface Place {
  /** Bytes from the start, after decompression. */
  readonly byte: number;
  /** The physical line that begins there, from 1. */
  readonly line: number;
}

export const START: Place = { byte: 0, line: 1 };

/** How records are told apart. `delimiter` is one ASCII character. */
export type RecordFormat = { readonly kind: 'lines' } | { readonly kind: 'csv'; readonly delimiter: string };

const LF = 0x0a;
const CR = 0x0d;
const QUOTE = 0x22;
const BOM = Buffer.from([0xef, 0xbb, 0xbf]);
const UTF16_MARKS: readonly Buffer[] = [Buffer.from([0xff, 0xfe]), Buffer.from([0xfe, 0xff])];
/** How much of a record that cannot be read is kept for the report. */
const KEPT_TEXT = 1_000;
const TOO_LONG = `is longer than ${MAX_CALL_BYTES / 1024} KB, the most that one record may hold`;
const UNCLOSED = `opens a quotation mark that is not closed within ${MAX_CALL_BYTES / 1024} KB, the most that one record may hold`;

/** The file cannot be read at all. */
export class FileFormatError extends Error {
  override readonly name = 'FileFormatError';
  readonly code = 'unreadable-file';
}

/** Cuts one file; blank lines are passed over. */
export class RecordCutter {
  private readonly quoted: boolean;
  private readonly delimiter: number;
  private pending: Buffer = Buffer.alloc(0);
  /** How far `pending` has been looked through, and the state of quotation there. */
  private scanned = 0;
  private state: 'start' | 'plain' | 'quoted' | 'closing' = 'start';
  private lineBreaks = 0;
  private byte: number;
  private line: number;
  /** Inside a line that is too long: its first part, until the line ends. */
  private overlong: Buffer | null = null;

  constructor(format: RecordFormat, place: Place = START) {
    this.quoted = format.kind === 'csv';
    this.delimiter = format.kind === 'csv' ? format.delimiter.charCodeAt(0) : 0;
    this.byte = place.byte;
    this.line = place.line;
  }

  /** Takes the next bytes; gives the records that are complete. @throws FileFormatError for UTF-16. */
  push(chunk: Buffer): readonly RawRecord[] {
    this.pending = this.pending.length === 0 ? chunk : Buffer.concat([this.pending, chunk]);
    if (this.byte === 0 && !this.dropMark()) return [];
    return this.cutAll(false);
  }

  /** The bytes are over: gives what is left. */
  end(): readonly RawRecord[] {
    return this.cutAll(true);
  }

  /** A byte order mark says how the file is written and belongs to no record. False: too few bytes to tell. */
  private dropMark(): boolean {
    if (this.overlong !== null) return true;
    const { pending } = this;
    if (UTF16_MARKS.some((mark) => pending.subarray(0, 2).equals(mark))) {
      throw new FileFormatError(
        'the file is in UTF-16; expected UTF-8: save it as "CSV UTF-8" or convert it with iconv',
      );
    }
    if (pending.length < BOM.length && BOM.subarray(0, pending.length).equals(pending)) return false;
    if (pending.subarray(0, BOM.length).equals(BOM)) {
      this.pending = pending.subarray(BOM.length);
      this.byte = BOM.length;
    }
    return true;
  }

  private cutAll(atEnd: boolean): readonly RawRecord[] {
    const records: RawRecord[] = [];
    for (;;) {
      const record = this.cut(atEnd);
      if (record === 'more') break;
      if (record !== 'blank') records.push(record);
    }
    return records;
  }

  private cut(atEnd: boolean): RawRecord | 'blank' | 'more' {
    if (this.overlong !== null) return this.skipOverlong(this.overlong, atEnd);
    const end = this.quoted ? this.findQuotedEnd() : this.findEnd();
    if (end > MAX_CALL_BYTES || (end < 0 && this.pending.length > MAX_CALL_BYTES)) return this.giveUp();
    if (end >= 0) return this.take(end, end + 1, null);
    if (!atEnd || this.pending.length === 0) return 'more';
    return this.state === 'quoted' ? this.giveUp() : this.take(this.pending.length, this.pending.length, null);
  }

  private findEnd(): number {
    const end = this.pending.indexOf(LF, this.scanned);
    this.scanned = end < 0 ? this.pending.length : end;
    return end;
  }

  /** The line break that ends the record: the first one outside quotation marks. */
  private findQuotedEnd(): number {
    const { pending, delimiter } = this;
    let { state } = this;
    for (let at = this.scanned; at < pending.length; at += 1) {
      const byte = pending[at];
      if (state === 'quoted') {
        if (byte === QUOTE) state = 'closing';
        else if (byte === LF) this.lineBreaks += 1;
      } else if (byte === LF) {
        this.scanned = at;
        this.state = state;
        return at;
      } else if (byte === QUOTE && state !== 'plain') {
        // Straight after a closing mark, another one stands for a mark itself (RFC 4180, 2.7).
        state = 'quoted';
      } else {
        state = byte === delimiter ? 'start' : 'plain';
      }
    }
    this.scanned = pending.length;
    this.state = state;
    return -1;
  }

  /** The record at hand cannot be read: gives its first physical line away, to go on after it. */
  private giveUp(): RawRecord | 'more' | 'blank' {
    const lineBreak = this.pending.indexOf(LF);
    const end = lineBreak < 0 ? this.pending.length : lineBreak;
    if (end > MAX_CALL_BYTES) {
      this.overlong = Buffer.from(this.pending.subarray(0, KEPT_TEXT));
      return this.skipOverlong(this.overlong, false);
    }
    this.lineBreaks = 0;
    return this.take(end, lineBreak < 0 ? end : end + 1, UNCLOSED);
  }

  private skipOverlong(beginning: Buffer, atEnd: boolean): RawRecord | 'more' {
    const end = this.pending.indexOf(LF);
    if (end < 0 && !atEnd) {
      this.byte += this.pending.length;
      this.pending = Buffer.alloc(0);
      return 'more';
    }
    const next = end < 0 ? this.pending.length : end + 1;
    this.overlong = null;
    this.lineBreaks = 0;
    return this.advance(next, beginning.toString('utf8'), TOO_LONG);
  }

  private take(end: number, next: number, fault: string | null): RawRecord | 'blank' {
    const bytes = this.pending.subarray(0, end > 0 && this.pending[end - 1] === CR ? end - 1 : end);
    const wrong = fault ?? (isUtf8(bytes) ? null : 'is not UTF-8: save the file as UTF-8');
    const text = bytes.toString('utf8', 0, wrong === null ? bytes.length : Math.min(bytes.length, KEPT_TEXT));
    const record = this.advance(next, text, wrong);
    return wrong === null && text.trim() === '' ? 'blank' : record;
  }

  private advance(next: number, text: string, fault: string | null): RawRecord {
    const { line } = this;
    this.line += this.lineBreaks + 1;
    this.byte += next;
    this.pending = this.pending.subarray(next);
    this.lineBreaks = 0;
    this.scanned = 0;
    this.state = 'start';
    return { line, text, fault, endByte: this.byte, nextLine: this.line };
  }
}

/** Cuts everything that a stream of bytes brings, from `place` on. */
export async function* cutRecords(
  chunks: AsyncIterable<Buffer>,
  format: RecordFormat,
  place: Place = START,
): AsyncGenerator<RawRecord, void, undefined> {
  const cutter = new RecordCutter(format, place);
  for await (const chunk of chunks) yield* cutter.push(chunk);
  yield* cutter.end();
}
