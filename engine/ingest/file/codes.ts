/** Coupon codes from a file: one a line, or a column of a CSV file with a header. Of any size; nothing is kept. */
import { nearest } from '../../playbook/nearest.ts';
import { parseCsv } from './csv.ts';
import { FileFormatError, RecordCutter, type RawRecord, type RecordFormat } from './records.ts';
import type { Source } from './source.ts';

/** How the file is written. `column`: the name of a column in the header. */
export type CodesFormat =
  { readonly kind: 'lines' } | { readonly kind: 'csv'; readonly column: string; readonly delimiter: string };

/** Some of a file's codes, and lines in which there is none that can be used. */
export interface CodesRead {
  readonly codes: readonly string[];
  readonly rejected: readonly { readonly line: number; readonly reason: string }[];
}

/** Longer ones are something else that stands in the file. */
const MAX_LENGTH = 100;
/** Visible characters: a code is typed by a customer, who sees no other. */
const CODE = /^[^\p{C}\s]+(?: [^\p{C}\s]+)*$/u;

/** Reads codes in their order, chunk by chunk. @throws FileFormatError when the file cannot be read as what it should be. */
export async function* readCodes(source: Source, format: CodesFormat): AsyncGenerator<CodesRead, void, undefined> {
  const shape: RecordFormat = format.kind === 'csv' ? { kind: 'csv', delimiter: format.delimiter } : format;
  const cutter = new RecordCutter(shape);
  let column: number | null = null;
  const take = (records: readonly RawRecord[]): CodesRead => {
    if (format.kind === 'lines') return judge(records.map(({ line, text, fault }) => ({ line, text, fault })));
    const rest = column === null ? records.slice(1) : records;
    const [header] = records;
    if (column === null && header !== undefined) column = columnIn(header, format);
    return judge(cellsOf(rest, column ?? 0, format.delimiter));
  };
  for await (const chunk of source.read(0)) yield take(cutter.push(chunk));
  yield take(cutter.end());
}

interface Cell {
  readonly line: number;
  readonly text: string;
  readonly fault: string | null;
}

function columnIn(header: RawRecord, format: CodesFormat & { readonly kind: 'csv' }): number {
  const [names] = parseCsv([header], format.delimiter);
  if (names === undefined || !names.ok) throw new FileFormatError('the first line is no CSV header');
  const found = names.fields.findIndex((name) => name.trim() === format.column);
  if (found >= 0) return found;
  const near = nearest(format.column, names.fields);
  const advice = near === null ? 'name one with --column' : `did you mean "${near}"?`;
  throw new FileFormatError(`there is no column "${format.column}"; there are ${names.fields.join(', ')}: ${advice}`);
}

function cellsOf(records: readonly RawRecord[], column: number, delimiter: string): readonly Cell[] {
  const rows = parseCsv(
    records.map((record) => (record.fault === null ? record : { ...record, text: '' })),
    delimiter,
  );
  return records.map(({ line, fault }, index) => {
    const row = rows[index];
    if (row?.ok !== true) return { line, text: '', fault: fault ?? row?.fault ?? 'is no CSV' };
    return { line, text: row.fields[column] ?? '', fault };
  });
}

function judge(cells: readonly Cell[]): CodesRead {
  const codes: string[] = [];
  const rejected: { readonly line: number; readonly reason: string }[] = [];
  for (const { line, text, fault } of cells) {
    const code = text.trim();
    const reason = fault ?? whyNot(code);
    if (reason === null) codes.push(code);
    else rejected.push({ line, reason });
  }
  return { codes, rejected };
}

function whyNot(code: string): string | null {
  if (code === '') return 'has no code';
  if (code.length > MAX_LENGTH) return `is longer than ${MAX_LENGTH} characters`;
  return CODE.test(code) ? null : 'holds characters that nobody can type';
}
