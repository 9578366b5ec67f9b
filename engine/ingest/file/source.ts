/** The bytes of a file to import: plain, compressed with gzip, or standard input. */
import { createHash } from 'node:crypto';
import { createReadStream, type ReadStream } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { codeOf } from '../error-code.ts';
import { FileFormatError } from './records.ts';

/** Where bytes come from. */
export interface Source {
  /** As messages call it. */
  readonly name: string;
  /** The bytes in storage, compressed ones if so; null for standard input. */
  readonly size: number | null;
  /** How many of them have been taken by the latest `read`. */
  bytesTaken(): number;
  /**
   * The contents, decompressed, from `fromByte` on. Standard input can be read once, from 0.
   * The iteration throws FileFormatError for a file that is no gzip or ends early.
   */
  read(fromByte: number): AsyncIterable<Buffer>;
  /** Tells this content from others: a hash of its size, beginning and end. Null for standard input. */
  fingerprint(): Promise<string | null>;
}

/** How much of each end goes into the fingerprint. */
const FINGERPRINT_BYTES = 64 * 1024;
const CHUNK_BYTES = 128 * 1024;

/** Opens a file, or for `-` standard input. @throws FileFormatError for a folder, or when there is none. */
export async function openSource(path: string, stdin: Readable): Promise<Source> {
  if (path === '-') return stdinSource(stdin);
  const info = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    throw new FileFormatError(`there is no file ${path}`, { cause: error });
  });
  if (info.isDirectory()) throw new FileFormatError(`${path} is a folder; expected a file`);
  const compressed = /\.gz$/i.test(path);
  let bytesTaken = (): number => 0;
  const read = (fromByte: number): AsyncIterable<Buffer> => {
    const start = compressed ? 0 : fromByte;
    const stream = createReadStream(path, { start, highWaterMark: CHUNK_BYTES });
    bytesTaken = () => start + stream.bytesRead;
    return compressed ? skip(gunzip(stream, path), fromByte) : stream;
  };
  const { size } = info;
  return { name: path, size, bytesTaken: () => bytesTaken(), read, fingerprint: async () => fingerprintOf(path, size) };
}

function stdinSource(stdin: Readable): Source {
  let taken = 0;
  return {
    name: 'standard input',
    size: null,
    bytesTaken: () => taken,
    read: async function* read() {
      for await (const chunk of stdin as AsyncIterable<Buffer>) {
        taken += chunk.length;
        yield chunk;
      }
    },
    fingerprint: async () => null,
  };
}

async function* gunzip(raw: ReadStream, path: string): AsyncGenerator<Buffer, void, undefined> {
  // The callback is for whoever does not read: here, a failure of either stream ends the iteration with it.
  const stream = pipeline(raw, createGunzip({ chunkSize: CHUNK_BYTES }), () => undefined);
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) yield chunk;
  } catch (error) {
    const code = codeOf(error);
    if (!code.startsWith('Z_')) throw error;
    const message = `${path} cannot be decompressed (${code}): it is no gzip file, or only a part of one`;
    throw new FileFormatError(message, { cause: error });
  }
}

/** There is no seeking in compressed bytes: what was done before is decompressed again and left out. */
async function* skip(chunks: AsyncIterable<Buffer>, bytes: number): AsyncGenerator<Buffer, void, undefined> {
  let left = bytes;
  for await (const chunk of chunks) {
    if (left >= chunk.length) left -= chunk.length;
    else {
      yield left === 0 ? chunk : chunk.subarray(left);
      left = 0;
    }
  }
}

async function fingerprintOf(path: string, size: number): Promise<string> {
  const handle = await open(path);
  try {
    const hash = createHash('sha256').update(`${size}\n`);
    hash.update(await readAt(handle, 0));
    hash.update(await readAt(handle, Math.max(0, size - FINGERPRINT_BYTES)));
    return hash.digest('hex');
  } finally {
    await handle.close();
  }
}

async function readAt(handle: FileHandle, position: number): Promise<Buffer> {
  const buffer = Buffer.alloc(FINGERPRINT_BYTES);
  const { bytesRead } = await handle.read(buffer, 0, FINGERPRINT_BYTES, position);
  return buffer.subarray(0, bytesRead);
}
