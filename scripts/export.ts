/** `perennial export`: everything that is known of one customer, as JSON. */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import process from 'node:process';
import type { Writable } from 'node:stream';
import type { Command } from 'commander';
import { exportCustomer, type ExportRow, type ExportSink } from '../engine/store/export.ts';
import { formatInstant } from '../engine/time/text.ts';
import { answer, bareCommand, notBlank, notFound, type Answer } from './support/staff.ts';
import type { CommandContext } from './support/database.ts';
import { processTerminal, type Terminal } from './support/terminal.ts';
import { jsonLine } from './support/times.ts';

interface Options {
  readonly project: string;
  readonly out?: string;
}

/** Takes text; resolves when there is room for more. */
type Write = (text: string) => Promise<void>;

/** The command. Exit code 1 when there is no such customer. */
export function exportCommand(terminal: Terminal = processTerminal(), write: Write = toStandardOutput): Command {
  return bareCommand('export', 'print everything that is known of one customer, as one JSON object')
    .argument('<id-or-email>', "the customer's id or e-mail address")
    .option('--project <dir>', 'the company folder', '.')
    .option('--out <file>', 'write it there, readable for you alone', notBlank)
    .action(async (typed: string, { project, out }: Options) => {
      await answer(terminal, { project, readOnly: true }, async (context) =>
        out === undefined ? exportTo(context, typed, write) : exportInto(context, typed, out),
      );
    });
}

async function exportTo({ db }: CommandContext, typed: string, write: Write): Promise<Answer> {
  const found = await exportCustomer(db, typed, sinkOf(write));
  return found.outcome === 'found' ? { json: found, text: '' } : notFound(found, typed);
}

/** Whole or not at all: the file gets its name when everything is in it. */
async function exportInto(context: CommandContext, typed: string, file: string): Promise<Answer> {
  const partial = `${file}.partial`;
  const stream = createWriteStream(partial, { mode: 0o600 });
  try {
    await once(stream, 'open');
    const done = await exportTo(context, typed, writeTo(stream));
    await new Promise<void>((resolve, reject) => {
      stream.on('error', reject).end(resolve);
    });
    if (done.failed !== true) await rename(partial, file);
    return done.failed === true ? done : { ...done, text: `Written to ${file}.\n` };
  } finally {
    stream.destroy();
    await rm(partial, { force: true });
  }
}

/** One JSON object: a line for its head, for each section, and for each row. */
function sinkOf(write: Write): ExportSink {
  let isOpen = false;
  let isFirst = true;
  const close = (): string => (isOpen ? `${isFirst ? '' : '\n'}]` : '');
  return {
    begin: async ({ version, exportedAt, customer }) => {
      const head = { format: 'perennial-customer', version, exportedAt: formatInstant(exportedAt), customer };
      await write(JSON.stringify(head).slice(0, -1));
    },
    section: async (name) => {
      const before = close();
      isOpen = true;
      isFirst = true;
      await write(`${before},\n${JSON.stringify(name)}:[`);
    },
    rows: async (rows) => {
      const text = rows.map(rowText).join(',\n');
      const before = isFirst ? '\n' : ',\n';
      isFirst = false;
      await write(`${before}${text}`);
    },
    end: async () => write(`${close()}}\n`),
  };
}

function rowText(row: ExportRow): string {
  return jsonLine(row).trimEnd();
}

function writeTo(stream: Writable): Write {
  return async (text) =>
    new Promise<void>((resolve, reject) => {
      stream.write(text, (error) => {
        if (error === null || error === undefined) resolve();
        else reject(error);
      });
    });
}

/** Waits until a pipe has taken it all. Whoever reads no further has enough: the rest is read for nobody. */
const toStandardOutput: Write = async (text) =>
  writeTo(process.stdout)(text).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'EPIPE')) throw error;
  });
