/** `perennial backup`: the whole database in one file, while the fleet works. */
import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import { requireMigrated } from '../engine/store/migrate.ts';
import { requireNotMoved } from '../engine/store/home.ts';
import { asQueryable } from '../engine/store/whole/fill-database.ts';
import { writeContents } from '../engine/store/whole/file.ts';
import { prepareReading, readDatabase } from '../engine/store/whole/read-database.ts';
import type { Contents } from '../engine/store/whole/contents.ts';
import { formatInstant } from '../engine/time/text.ts';
import { count } from './check/format.ts';
import { databaseName, withConnection } from './support/connection.ts';
import { fileTrouble } from './support/file-trouble.ts';
import { putInPlace } from './support/put-in-place.ts';
import { answerOf } from './support/whole.ts';
import { programVersion } from './support/version.ts';
import { staffCommand, type Answer, type StaffOptions } from './support/staff.ts';
import { processTerminal, type Terminal } from './support/terminal.ts';

/** Standard output instead of a file. */
const STREAM = '-';

/** The command. Exit code 1 when there is no whole backup; then there is no file either. */
export function backupCommand(terminal: Terminal = processTerminal()): Command {
  return staffCommand('backup', 'write the whole database into one file, while the fleet works')
    .argument('<file>', 'a file that is not there yet; "-" is standard output')
    .action(async (file: string, options: StaffOptions) => {
      const told = file === STREAM ? { ...terminal, out: (text: string) => terminal.err(text) } : terminal;
      await answerOf(told, options, async () => backUp(file, options));
    });
}

async function backUp(file: string, { project }: StaffOptions): Promise<Answer> {
  if (file !== STREAM && (await stat(file).catch(() => null)) !== null) {
    const text = `${file} is there already: nothing is overwritten. Name a new file.\n`;
    return { json: { outcome: 'file exists', file }, text, failed: true };
  }
  return withConnection(project, 'perennial backup', async ({ client, config }) => {
    const db = asQueryable(client);
    await requireMigrated(db);
    await requireNotMoved(db);
    await client.query('begin isolation level repeatable read read only');
    await prepareReading(client);
    const contents = await readDatabase(client, await programVersion());
    const bytes =
      file === STREAM ? await write(contents, process.stdout, 'standard output') : await writeFileWhole(contents, file);
    const { rows } = await contents.tail();
    await client.query('commit');
    return written({ file, contents, bytes, rows, from: databaseName(config) });
  });
}

/** Beside its place and then put there, so that it is whole or not there; for its owner's eyes only. */
async function writeFileWhole(contents: Contents, file: string): Promise<number> {
  const unfinished = path.join(path.dirname(file), `.${path.basename(file)}.${randomBytes(4).toString('hex')}`);
  const troubled = (error: unknown): never => {
    throw fileTrouble(error, 'written', file);
  };
  try {
    const bytes = await write(contents, createWriteStream(unfinished, { mode: 0o600, flags: 'wx', flush: true }), file);
    await putInPlace(unfinished, file).catch(troubled);
    return bytes;
  } finally {
    await rm(unfinished, { force: true }).catch(troubled);
  }
}

async function write(contents: Contents, to: Writable, name: string): Promise<number> {
  const stream = writeContents(contents);
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => (bytes += chunk.length));
  // Each ends the other with its error: the first of them is whose it is.
  let failed: 'reading' | 'writing' | null = null;
  stream.on('error', () => (failed ??= 'reading'));
  const onError = (): void => {
    failed ??= 'writing';
  };
  to.on('error', onError);
  try {
    await pipeline(stream, to, { end: to !== process.stdout });
    return bytes;
  } catch (error) {
    throw failed === 'writing' ? fileTrouble(error, 'written', name) : error;
  } finally {
    to.off('error', onError);
  }
}

interface Written {
  readonly file: string;
  readonly contents: Contents;
  readonly bytes: number;
  readonly rows: Readonly<Record<string, number>>;
  readonly from: string;
}

function written({ file, contents, bytes, rows, from }: Written): Answer {
  const { takenAt, tables } = contents.head;
  const total = Object.values(rows).reduce((sum, table) => sum + table, 0);
  const text =
    `Backed up ${from} as of ${formatInstant(takenAt)}: ${count(total, 'row')} of ${count(tables.length, 'table')}, ${sizeText(bytes)}, in ${file === STREAM ? 'standard output' : file}.\n` +
    'It holds all data of your customers and the keys that sign links: keep it as you keep the database.\n' +
    'To bring it back: "perennial restore" into an empty database, then "perennial recovered".\n';
  return { json: { outcome: 'backed up', file, at: takenAt, bytes, rows }, text };
}

function sizeText(bytes: number): string {
  return bytes < 1_000_000 ? `${Math.ceil(bytes / 1_000)} KB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
