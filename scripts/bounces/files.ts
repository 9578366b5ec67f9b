/** Mails from where they lie: a file of one mail, a mailbox file, a Maildir or any folder of files, standard input. */
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { splitMailbox } from '../../engine/mail/bounce/mailbox.ts';

/** One mail, and where it was found: a file, with `#n` in a mailbox file. */
export interface FoundMail {
  readonly from: string;
  readonly raw: Uint8Array;
}

/** The file or folder cannot be read. The message says which, and what was expected. */
export class UnreadableMail extends Error {
  override readonly name = 'UnreadableMail';
  readonly code = 'unreadable-mail';
}

/** The mails of `place`; `-` is standard input. @throws UnreadableMail. */
export async function* mailsIn(place: string, input: NodeJS.ReadableStream): AsyncGenerator<FoundMail> {
  if (place === '-') {
    yield* split('standard input', await buffer(input));
    return;
  }
  try {
    for (const file of await filesIn(place)) yield* split(file, await readFile(file));
  } catch (error) {
    if (!isFileError(error)) throw error;
    const message = `cannot read "${error.path ?? place}" (${error.code ?? 'unknown'}): expected a mail, a mailbox file or a folder of mails, or - for standard input`;
    throw new UnreadableMail(message, { cause: error });
  }
}

function* split(from: string, bytes: Uint8Array): Generator<FoundMail> {
  const mails = splitMailbox(bytes);
  for (const [index, raw] of mails.entries()) yield { from: mails.length === 1 ? from : `${from}#${index + 1}`, raw };
}

/** A Maildir keeps mails in `new` and `cur`; what lies in `tmp` is not whole yet. Hidden files are no mails. */
async function filesIn(place: string): Promise<readonly string[]> {
  if (!(await stat(place)).isDirectory()) return [place];
  const entries = await readdir(place, { withFileTypes: true });
  const isMaildir = ['cur', 'new'].every((name) => entries.some((entry) => entry.isDirectory() && entry.name === name));
  if (isMaildir) return (await Promise.all(['new', 'cur'].map((name) => filesIn(path.join(place, name))))).flat();
  return entries
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map(({ name }) => path.join(place, name))
    .sort();
}

function isFileError(error: unknown): error is NodeJS.ErrnoException {
  return typeof error === 'object' && error !== null && 'syscall' in error;
}
