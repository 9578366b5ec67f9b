/**
 * A whole database as a stream of bytes: gzip, and within it lines of text. The first is JSON (ContentsHead), the last is JSON
 * (ContentsTail); between them each table as `COPY NAME (COLUMNS) FROM stdin;`, its rows, and `\.`, as `psql` reads it.
 *
 * gzip's checksum says whether a byte has changed, and the last line whether the end is missing.
 */
import { Readable } from 'node:stream';
import { isNativeError } from 'node:util/types';
import { createGunzip, createGzip, constants } from 'node:zlib';
import { z } from 'zod';
import type { Contents, ContentsHead, ContentsTail, TableShape } from './contents.ts';
import { FillError } from './fill-database.ts';

/** Of the lines; raised when an older program could not read them any more. */
const FORMAT = 1;
const LINE_END = 0x0a;
const TABLE_END = Buffer.from('\\.\n');
const TABLE_END_INSIDE = Buffer.from('\n\\.\n');
/** A line that is no row: of all column names, or all counts. */
const MAX_LINE_BYTES = 4_194_304;

const headSchema = z.object({
  perennial: z.literal('backup'),
  format: z.number(),
  version: z.string(),
  migrations: z.array(z.string()),
  installation: z.string(),
  takenAt: z.number(),
  partitions: z.array(z.string()),
  tables: z.array(z.object({ name: z.string(), columns: z.array(z.string()) })),
});
const tailSchema = z.object({
  rows: z.record(z.string(), z.number()),
  sequences: z.array(
    z.object({ table: z.string(), column: z.string(), last: z.string().regex(/^\d+$/), called: z.boolean() }),
  ),
});

/** The bytes of a backup. */
export function writeContents(contents: Contents, onTable: (name: string) => void = () => undefined): Readable {
  // Text of this kind shrinks to a tenth at any level; the lowest takes a third of the time.
  const packed = createGzip({ level: constants.Z_BEST_SPEED });
  const lines = Readable.from(linesOf(contents, onTable), { objectMode: false });
  lines.on('error', (error) => packed.destroy(error));
  return lines.pipe(packed);
}

async function* linesOf(contents: Contents, onTable: (name: string) => void): AsyncGenerator<Buffer> {
  yield Buffer.from(`${JSON.stringify({ perennial: 'backup', format: FORMAT, ...contents.head })}\n`);
  for await (const { shape, rows } of contents.tables()) {
    onTable(shape.name);
    yield Buffer.from(`${copyLine(shape)}\n`);
    yield* rows;
    yield TABLE_END;
  }
  yield Buffer.from(`${JSON.stringify(await contents.tail())}\n`);
}

function copyLine({ name, columns }: TableShape): string {
  return `COPY ${name} (${columns.map((column) => `"${column}"`).join(', ')}) FROM stdin;`;
}

/** Reads a backup from its bytes. @throws FillError `damaged` when they are none, or not whole: at once or on the way. */
export async function readContents(bytes: Readable): Promise<Contents> {
  const unpacked = createGunzip();
  bytes.on('error', (error) => unpacked.destroy(error));
  const lines = new Lines(bytes.pipe(unpacked));
  const head = parse(headSchema, await lines.next(), 'is no backup of Perennial');
  if (head.format !== FORMAT) {
    throw new FillError(
      'damaged',
      `the backup is of format ${head.format}, which this version does not read: take the version ${head.version} or a later one`,
    );
  }
  const { version, migrations, installation, takenAt, partitions, tables } = head;
  const known: ContentsHead = { version, migrations, installation, takenAt, partitions, tables };
  return {
    head: known,
    tables: async function* () {
      for (const shape of tables) {
        if ((await lines.next()) !== copyLine(shape))
          throw new FillError('damaged', `the rows of "${shape.name}" are not there`);
        yield { shape, rows: lines.rows() };
      }
    },
    tail: async (): Promise<ContentsTail> => {
      const tail = parse(tailSchema, await lines.next(), 'has no end');
      await lines.end();
      return tail;
    },
  };
}

function parse<T>(schema: z.ZodType<T>, line: string, otherwise: string): T {
  try {
    return schema.parse(JSON.parse(line));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError)
      throw new FillError('damaged', `the file ${otherwise}`);
    throw error;
  }
}

/** Lines of a stream, and rows up to the end of their table in pieces of any size. */
class Lines {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(stream: Readable) {
    this.#chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  async next(): Promise<string> {
    for (;;) {
      const end = this.#rest.indexOf(LINE_END);
      if (end >= 0) {
        const line = this.#rest.toString('utf8', 0, end);
        this.#rest = this.#rest.subarray(end + 1);
        return line;
      }
      if (this.#rest.length > MAX_LINE_BYTES) throw new FillError('damaged', 'the file is no backup of Perennial');
      if (!(await this.#more())) throw new FillError('damaged', 'the file ends in the middle');
    }
  }

  async *rows(): AsyncGenerator<Buffer> {
    // What is kept always begins a line.
    for (;;) {
      if (this.#rest.indexOf(TABLE_END) === 0) {
        this.#rest = this.#rest.subarray(TABLE_END.length);
        return;
      }
      const end = this.#rest.indexOf(TABLE_END_INSIDE);
      const upTo = (end >= 0 ? end : this.#rest.lastIndexOf(LINE_END)) + 1;
      if (upTo > 0) {
        yield this.#rest.subarray(0, upTo);
        this.#rest = this.#rest.subarray(upTo);
      }
      if (end < 0 && !(await this.#more())) throw new FillError('damaged', 'the file ends in the middle');
    }
  }

  /** Reads to the end, so that the checksum is looked at. */
  async end(): Promise<void> {
    if (this.#rest.length > 0 || (await this.#more()))
      throw new FillError('damaged', 'the file goes on behind its end');
  }

  async #more(): Promise<boolean> {
    const { value, done } = await this.#pull();
    if (done === true) return false;
    this.#rest = this.#rest.length === 0 ? value : Buffer.concat([this.#rest, value]);
    return true;
  }

  async #pull(): Promise<IteratorResult<Buffer>> {
    try {
      return await this.#chunks.next();
    } catch (error) {
      const code = isNativeError(error) && 'code' in error ? String(error.code) : '';
      if (!code.startsWith('Z_')) throw error;
      throw new FillError(
        'damaged',
        `the file cannot be unpacked (${code}): it is no backup of Perennial, or not whole`,
      );
    }
  }
}
