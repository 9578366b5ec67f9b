/** Why a file that a person named cannot be read or written, in their words. */
import { isNativeError } from 'node:util/types';

/** Codes of the system, with what to do; `EPIPE` is of a pipe that nobody reads any more. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder: make the folder first, or name another',
  ENOTDIR: 'a part of its path is a file: name another',
  EISDIR: 'it is a folder: name a file',
  EACCES: 'this user may not: name another, or change whose it is',
  EPERM: 'this user may not: name another, or change whose it is',
  EROFS: 'nothing can be written there: name another place',
  ENOSPC: 'the disk is full: make room, or name another place',
  EDQUOT: 'no more room is granted there: make room, or name another place',
  EFBIG: 'such a large file cannot be there: name another place',
  ENAMETOOLONG: 'its name is too long',
  EPIPE: 'what it was written to ended before it had read all: look at what that says',
  EIO: 'the disk reports an error: name another place',
};

const WHEN_READ: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file: is its name right?',
  EACCES: 'this user may not: change whose it is',
  EPERM: 'this user may not: change whose it is',
  EIO: 'the disk reports an error: take another copy',
};

/** The message says which file, why not, and what to do. `code` is the system's, such as `ENOSPC`. */
export class FileTrouble extends Error {
  override readonly name = 'FileTrouble';
  readonly code: string;

  constructor(message: string, code: string, options: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Such an error of the system as words; any other error as it is. */
export function fileTrouble(error: unknown, doing: 'read' | 'written', file: string): unknown {
  if (!isNativeError(error) || !('code' in error) || typeof error.code !== 'string') return error;
  const reason = (doing === 'read' ? WHEN_READ[error.code] : undefined) ?? REASONS[error.code];
  const message = `${file} cannot be ${doing} (${error.code}): ${reason ?? error.message}`;
  return new FileTrouble(message, error.code, { cause: error });
}
