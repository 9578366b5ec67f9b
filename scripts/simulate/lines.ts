/** Files as lines: only a piece of a file is in memory. */
import { closeSync, openSync, readSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { SourceError } from './source.ts';

/** A file that is read, and what people know it by. */
export interface InputFile {
  readonly path: string;
  readonly name: string;
}

const PIECE_BYTES = 1 << 20;

/** The lines of a file, which is opened at once. @throws SourceError when it cannot be read, now or later. */
export function linesIn(file: InputFile): Iterable<string> {
  return lines(piecesOf(file));
}

function* lines(pieces: Iterable<Buffer>): Iterable<string> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for (const piece of pieces) {
    const rows = (rest + decoder.write(piece)).split('\n');
    rest = rows.pop() ?? '';
    yield* rows;
  }
  yield rest + decoder.end();
}

/** The content of a file, which is opened at once; each piece holds until the next is taken. @throws SourceError */
export function piecesOf(file: InputFile): Iterable<Buffer> {
  const descriptor = orRefuse(file.name, () => openSync(file.path, 'r'));
  return pieces(file, descriptor);
}

function* pieces(file: InputFile, descriptor: number): Iterable<Buffer> {
  const piece = Buffer.alloc(PIECE_BYTES);
  try {
    for (;;) {
      const bytes = orRefuse(file.name, () => readSync(descriptor, piece));
      if (bytes === 0) return;
      yield piece.subarray(0, bytes);
    }
  } finally {
    closeSync(descriptor);
  }
}

/** What `read` gives. @throws SourceError with the file's name when it cannot be read. */
export function orRefuse<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new SourceError(`${name} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}
