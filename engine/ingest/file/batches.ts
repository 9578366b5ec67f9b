/** The records of a file in batches that one transaction takes, each line checked. */
import type { Company } from '../../playbook/types.ts';
import { checkLine, type CheckedLine, type LineContext } from './check.ts';
import { parseCsv } from './csv.ts';
import { fieldsOf, rowAsFields, type ImportKind } from './fields.ts';
import { fitMapping, MappingError, passes, type Mapping, type MappingOptions } from './mapping.ts';
import { cutRecords, START, type Place, type RawRecord } from './records.ts';
import type { Reject } from './rejects.ts';
import type { Source } from './source.ts';

/** How a file is written. */
export type FileFormat = { readonly kind: 'jsonl' } | { readonly kind: 'csv'; readonly mapping: MappingOptions };

/** Lines that go in. */
export type GoodLine = Extract<CheckedLine, { readonly ok: true }> & { readonly raw: RawRecord };

/** Some lines of the file, checked. */
export interface Batch {
  readonly good: readonly GoodLine[];
  readonly rejects: readonly Reject[];
  /** Rows that a filter passed over. */
  readonly filtered: number;
  /** Where the next batch begins. */
  readonly end: Place;
}

/** A file, opened for reading its lines. */
export interface OpenFile {
  /** Columns that nothing uses; none for JSON lines. */
  readonly unusedColumns: readonly string[];
  batches(context: LineContext): AsyncGenerator<Batch, void, undefined>;
}

/** Large enough to share round trips, small enough for a transaction of well under a second. */
const LINES_PER_BATCH = 1_000;

/**
 * Opens a file at `place`. The first line of a CSV file names its columns, wherever reading goes on.
 * @throws MappingError when the options do not fit the columns; FileFormatError when the file cannot be read.
 */
export async function openFile(
  source: Source,
  kind: ImportKind,
  format: FileFormat,
  place: Place | null,
  company: Company,
): Promise<OpenFile> {
  if (format.kind === 'jsonl') {
    const records = cutRecords(source.read(place?.byte ?? 0), { kind: 'lines' }, place ?? START);
    return { unusedColumns: [], batches: (context) => inBatches(records, (raw) => checkJson(raw, kind, context)) };
  }
  const { delimiter } = format.mapping;
  const cut = (from: Place): AsyncGenerator<RawRecord, void, undefined> =>
    cutRecords(source.read(from.byte), { kind: 'csv', delimiter }, from);
  let records = cut(START);
  const first = await records.next();
  if (place !== null) {
    await records.return();
    records = cut(place);
  }
  const mapping = first.done === true ? null : mappingOf(first.value, kind, format.mapping, company);
  return {
    unusedColumns: mapping?.unused ?? [],
    batches: (context) => inBatches(records, (raw) => checkRows(raw, kind, mapping, delimiter, context)),
  };
}

function mappingOf(header: RawRecord, kind: ImportKind, options: MappingOptions, company: Company): Mapping {
  const [parsed] = header.fault === null ? parseCsv([header], options.delimiter) : [];
  if (parsed?.ok !== true) {
    const fault = header.fault ?? (parsed?.ok === false ? parsed.fault : 'is empty');
    throw new MappingError(`the first line should name the columns, but it ${fault}`);
  }
  return fitMapping(parsed.fields, options, fieldsOf(kind, company));
}

/** One line looked at: checked, set aside, or passed over by a filter (null). */
type Looked = CheckedLine | { readonly ok: false; readonly fault: string } | null;

async function* inBatches(
  records: AsyncGenerator<RawRecord, void, undefined>,
  look: (readable: readonly RawRecord[]) => readonly Looked[],
): AsyncGenerator<Batch, void, undefined> {
  let some: RawRecord[] = [];
  for await (const record of records) {
    some.push(record);
    if (some.length < LINES_PER_BATCH) continue;
    yield batchOf(some, look);
    some = [];
  }
  if (some.length > 0) yield batchOf(some, look);
}

function batchOf(raw: readonly RawRecord[], look: (readable: readonly RawRecord[]) => readonly Looked[]): Batch {
  const readable = raw.filter((record) => record.fault === null);
  const looked = look(readable);
  const good: GoodLine[] = [];
  const rejects: Reject[] = raw
    .filter((record) => record.fault !== null)
    .map((record) => rejectOf(record, `the line ${record.fault}`));
  let filtered = 0;
  for (const [index, record] of readable.entries()) {
    const result = looked[index] ?? null;
    if (result === null) filtered += 1;
    else if (result.ok) good.push({ ...result, raw: record });
    else rejects.push(rejectOf(record, reasonOf(result)));
  }
  const last = raw[raw.length - 1];
  return { good, rejects, filtered, end: { byte: last?.endByte ?? 0, line: last?.nextLine ?? 1 } };
}

function reasonOf(result: Exclude<Looked, null> & { readonly ok: false }): string {
  return 'fault' in result ? `the line ${result.fault}` : result.problems.map((problem) => problem.message).join('; ');
}

/** A line that is set aside. */
export function rejectOf(record: RawRecord, reason: string): Reject {
  return { line: record.line, reason, text: record.text };
}

function checkJson(records: readonly RawRecord[], kind: ImportKind, context: LineContext): readonly Looked[] {
  return records.map((record) => {
    let value: unknown;
    try {
      value = JSON.parse(record.text);
    } catch (error) {
      return { ok: false, fault: `is not JSON: ${(error as SyntaxError).message}; expected one object a line` };
    }
    return checkLine(kind, value, context);
  });
}

function checkRows(
  records: readonly RawRecord[],
  kind: ImportKind,
  mapping: Mapping | null,
  delimiter: string,
  context: LineContext,
): readonly Looked[] {
  if (mapping === null) return [];
  return parseCsv(records, delimiter).map((row) => {
    if (!row.ok) return row;
    if (row.fields.length !== mapping.columns.length) {
      const fault = `has ${row.fields.length} fields, but the first line names ${mapping.columns.length} columns`;
      return { ok: false, fault };
    }
    if (!passes(row.fields, mapping.filters)) return null;
    return checkLine(kind, rowAsFields(kind, row.fields, mapping, context.company), context);
  });
}
