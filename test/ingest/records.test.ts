import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseCsv } from '../../engine/ingest/file/csv.ts';
import { RecordCutter, type RawRecord, type RecordFormat } from '../../engine/ingest/file/records.ts';
import { MAX_CALL_BYTES } from '../../engine/ingest/limits.ts';

const CSV: RecordFormat = { kind: 'csv', delimiter: ',' };
const LINES: RecordFormat = { kind: 'lines' };

/** Cuts `bytes`, handed over in pieces of the given lengths, again and again. */
function cut(bytes: Buffer | string, format: RecordFormat, pieces: readonly number[] = [1 << 20]): RawRecord[] {
  const all = Buffer.from(bytes);
  const cutter = new RecordCutter(format);
  const records: RawRecord[] = [];
  let at = 0;
  for (let turn = 0; at < all.length; turn += 1) {
    const next = at + (pieces[turn % pieces.length] ?? 1);
    records.push(...cutter.push(all.subarray(at, next)));
    at = next;
  }
  return [...records, ...cutter.end()];
}

const brief = (records: readonly RawRecord[]): readonly (readonly [number, string])[] =>
  records.map(({ line, text, fault }) => [line, fault === null ? text : `!${fault}`]);

describe('cutting lines', () => {
  it.each<[string, string, readonly (readonly [number, string])[]]>([
    ['an empty file', '', []],
    ['only blank lines', '\n \n\r\n', []],
    [
      'the last line without a break',
      'a\nb',
      [
        [1, 'a'],
        [2, 'b'],
      ],
    ],
    [
      'breaks of Windows',
      'a\r\nb\r\n',
      [
        [1, 'a'],
        [2, 'b'],
      ],
    ],
    [
      'a byte order mark',
      '\ufeffa\nb\n',
      [
        [1, 'a'],
        [2, 'b'],
      ],
    ],
    [
      'blank lines between',
      'a\n\n\nb\n',
      [
        [1, 'a'],
        [4, 'b'],
      ],
    ],
    [
      'quotation marks, which mean nothing',
      '"a\nb"\n',
      [
        [1, '"a'],
        [2, 'b"'],
      ],
    ],
  ])('reads %s', (_, text, expected) => {
    expect(brief(cut(text, LINES))).toEqual(expected);
    expect(brief(cut(text, LINES, [1]))).toEqual(expected);
  });

  it('gives up a line of a megabyte, holds little of it, and goes on', () => {
    const records = cut(`a\n${'x'.repeat(1 << 20)}\nb\n${'y'.repeat(1 << 20)}`, LINES, [65_536]);
    expect(records.map(({ line }) => line)).toEqual([1, 2, 3, 4]);
    expect(records[1]).toMatchObject({ fault: expect.stringContaining('longer than 32 KB') });
    expect(records[1]?.text).toHaveLength(1_000);
    expect(records[3]?.fault).toContain('longer than 32 KB');
  });

  it('takes a line of exactly the limit', () => {
    const line = 'x'.repeat(MAX_CALL_BYTES);
    expect(cut(`${line}\n${line}x\n`, LINES).map(({ fault }) => fault === null)).toEqual([true, false]);
  });

  it('refuses what is not UTF-8: a line in Latin-1 alone, UTF-16 as a whole', () => {
    const latin = Buffer.concat([Buffer.from('a\ncaf'), Buffer.from([0xe9]), Buffer.from('\nb\n')]);
    expect(brief(cut(latin, LINES))).toEqual([
      [1, 'a'],
      [2, '!is not UTF-8: save the file as UTF-8'],
      [3, 'b'],
    ]);
    expect(() => cut(Buffer.from('\ufeffa,b', 'utf16le'), CSV)).toThrow(/UTF-16; expected UTF-8/);
  });
});

describe('cutting CSV', () => {
  const unclosed = '!opens a quotation mark that is not closed within 32 KB, the most that one record may hold';
  it.each<[string, string, readonly (readonly [number, string])[]]>([
    [
      'a line break in quotation marks',
      'a,"b\nc"\nd,e\n',
      [
        [1, 'a,"b\nc"'],
        [3, 'd,e'],
      ],
    ],
    [
      'the same of Windows',
      'a,"b\r\nc"\r\nd,e\r\n',
      [
        [1, 'a,"b\r\nc"'],
        [3, 'd,e'],
      ],
    ],
    [
      'doubled marks',
      '"a ""b""\n",c\nd,e\n',
      [
        [1, '"a ""b""\n",c'],
        [3, 'd,e'],
      ],
    ],
    [
      'a mark within a field, which opens nothing',
      '5" pipe,a\n6" pipe,b\n',
      [
        [1, '5" pipe,a'],
        [2, '6" pipe,b'],
      ],
    ],
    [
      'a mark that nothing closes',
      'a,"b\nc,d\ne,f',
      [
        [1, unclosed],
        [2, 'c,d'],
        [3, 'e,f'],
      ],
    ],
    [
      'one in the last line',
      'a,b\nc,"d',
      [
        [1, 'a,b'],
        [2, unclosed],
      ],
    ],
    [
      'blank lines, but not those within marks',
      '\na,"\n\n"\n\nb,c\n',
      [
        [2, 'a,"\n\n"'],
        [6, 'b,c'],
      ],
    ],
  ])('reads %s', (_, text, expected) => {
    expect(brief(cut(text, CSV))).toEqual(expected);
    expect(brief(cut(text, CSV, [1]))).toEqual(expected);
  });

  it('reads on after a mark that nothing closes in a large file', () => {
    const rows = Array.from({ length: 5_000 }, (_, index) => `row ${index},some text`);
    const records = cut(['a,"never closed', ...rows].join('\n'), CSV, [65_536]);
    expect(records).toHaveLength(5_001);
    expect(records.filter(({ fault }) => fault !== null).map(({ line }) => line)).toEqual([1]);
  });

  it('gives every field back, however the bytes are handed over, and can go on after every record', () => {
    const field = fc.oneof(
      fc.string({ unit: fc.constantFrom('a', 'é', '"', ',', '\n', '\r', ' ', '🙂'), maxLength: 8 }),
      fc.string(),
    );
    // A first field that is never blank, so that no record is a blank line.
    const row = fc.tuple(fc.constantFrom('x', 'yes'), field, field);
    fc.assert(
      fc.property(
        fc.array(row, { maxLength: 12 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 }),
        fc.constantFrom('\n', '\r\n'),
        (rows, pieces, lineBreak) => {
          const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`;
          const file = Buffer.from(rows.map((fields) => fields.map(quote).join(',') + lineBreak).join(''));
          const records = cut(file, CSV, pieces);
          expect(parseCsv(records, ',')).toEqual(rows.map((fields) => ({ ok: true, fields })));
          for (const [index, record] of records.entries()) {
            const rest = new RecordCutter(CSV, { byte: record.endByte, line: record.nextLine });
            const after = [...rest.push(file.subarray(record.endByte)), ...rest.end()];
            expect(after).toEqual(records.slice(index + 1));
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it('finds the rows at fault among good ones', () => {
    const rows = parseCsv(cut('a,b\n5" pipe,"x"\n"y"z,c\nd,e\n', CSV), ',');
    expect(rows.map((parsed) => (parsed.ok ? parsed.fields : parsed.fault))).toEqual([
      ['a', 'b'],
      expect.stringContaining('quotation mark stands inside a field'),
      expect.stringContaining('text follows the closing quotation mark'),
      ['d', 'e'],
    ]);
  });
});
