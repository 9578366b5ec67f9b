/** `perennial restore`: fills an empty database with a backup. */
import { open, type FileHandle } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import type { Command } from 'commander';
import { readContents } from '../engine/store/whole/file.ts';
import { asQueryable, fillDatabase } from '../engine/store/whole/fill-database.ts';
import { time } from '../engine/store/sql.ts';
import { formatInstant } from '../engine/time/text.ts';
import { count } from './check/format.ts';
import { databaseName, withConnection } from './support/connection.ts';
import { fileTrouble } from './support/file-trouble.ts';
import { answerOf } from './support/whole.ts';
import { staffCommand, type Answer, type StaffOptions } from './support/staff.ts';
import { processTerminal, type Terminal } from './support/terminal.ts';

/** Standard input instead of a file. */
const STREAM = '-';

/** The command. Exit code 1 when nothing was restored; then the database is as it was. */
export function restoreCommand(terminal: Terminal = processTerminal()): Command {
  return staffCommand(
    'restore',
    'fill an empty database with a backup; no fleet starts there before "perennial recovered"',
  )
    .argument('<file>', 'what "perennial backup" wrote; "-" is standard input')
    .action(async (file: string, options: StaffOptions) => {
      await answerOf(terminal, options, async () => {
        if (file === STREAM) return restore(process.stdin, 'standard input', options);
        const handle = await openBackup(file);
        try {
          return await restore(handle.createReadStream({ autoClose: false }), file, options);
        } finally {
          await handle.close();
        }
      });
    });
}

async function openBackup(file: string): Promise<FileHandle> {
  let handle: FileHandle | null = null;
  try {
    handle = await open(file);
    // Before the database is opened, and perhaps made, for nothing.
    if ((await handle.stat()).isDirectory()) throw Object.assign(new Error('is a directory'), { code: 'EISDIR' });
    return handle;
  } catch (error) {
    await handle?.close();
    throw fileTrouble(error, 'read', file);
  }
}

async function restore(bytes: Readable, name: string, { project }: StaffOptions): Promise<Answer> {
  const failed: unknown[] = [];
  bytes.on('error', (error) => failed.push(error));
  return withConnection(project, 'perennial restore', async ({ client, config }) => {
    const contents = await readContents(bytes);
    const { takenAt, version } = contents.head;
    await client.query('begin');
    try {
      const { rows } = await fillDatabase(client, contents);
      await asQueryable(client).query(
        `update engine set home = null, away = 'restored', away_to = null, backed_up_at = $1`,
        [time(takenAt)],
      );
      // Who held them worked on another database.
      await client.query(
        `update sends set lease_until = clock_timestamp() where status in ('claimed', 'handed') and lease_until is not null`,
      );
      await client.query('commit');
      const total = Object.values(rows).reduce((sum, table) => sum + table, 0);
      const text =
        `Restored ${databaseName(config)}: ${count(total, 'row')} as of ${formatInstant(takenAt)} (version ${version}).\n` +
        'What happened after that is not in it, mails that went out least of all: no fleet starts before "perennial recovered" has been told.\n' +
        'Next: perennial recovered --dry-run --by NAME --reason TEXT\n';
      return { json: { outcome: 'restored', at: takenAt, version, rows }, text };
    } catch (error) {
      await client.query('rollback').catch(() => undefined);
      throw error;
    }
  }).catch((error: unknown) => {
    throw failed.includes(error) ? fileTrouble(error, 'read', name) : error;
  });
}
