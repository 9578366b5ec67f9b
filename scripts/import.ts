/** `perennial import`: customers and events from files of any size. */
import process from 'node:process';
import type { Command } from 'commander';
import { codeOf } from '../engine/ingest/error-code.ts';
import type { ImportKind } from '../engine/ingest/file/fields.ts';
import { importFile, type ImportResult } from '../engine/ingest/file/import.ts';
import { MappingError } from '../engine/ingest/file/mapping.ts';
import { FileFormatError } from '../engine/ingest/file/records.ts';
import { RejectsFile } from '../engine/ingest/file/rejects.ts';
import { openSource } from '../engine/ingest/file/source.ts';
import { StoreError } from '../engine/store/errors.ts';
import { FlagError, readFlags, type ImportFlags } from './import/options.ts';
import { reportProgress } from './import/progress.ts';
import { formatReport, reportAsJson } from './import/report.ts';
import { withDatabase } from './support/database.ts';
import { bareCommand } from './support/staff.ts';
import { harmless } from './support/terminal.ts';

/** Misuse ends with 2 by `bareCommand`. */
const EXIT = { failed: 1, withRejects: 3, interrupted: 130 } as const;

const STDIN_NOTE =
  'Standard input cannot be resumed: after an interruption send all of it again; nothing counts twice.\n';

const EXAMPLE = `
Example, a shop's invoices as orders:
  perennial import events invoices.csv.gz --map customer=customer_id --map at=at --map id=invoice \\
    --set event=order.placed --map data.total=amount_gbp --where "amount_gbp>0" --time-zone Europe/London --history

A run that was interrupted goes on where it stopped when the same command is given again. Nothing counts twice.
Exit code 0: every line was taken in; 3: some were set aside; 1: it failed; 130: it was interrupted.`;

/** The command, with `customers` and `events` below it. */
export function importCommand(): Command {
  return bareCommand('import', 'read customers or events from JSON lines or CSV')
    .addCommand(importOf('customers'))
    .addCommand(
      importOf('events')
        .option('--history', 'set facts (orders, first and last times) and start nothing')
        .option('--create-customers', 'create customers who appear only in the events'),
    )
    .addHelpText('after', EXAMPLE);
}

function importOf(kind: ImportKind): Command {
  return bareCommand(kind, `read ${kind} from a file`)
    .argument('<file>', 'a file .jsonl, .csv, .jsonl.gz or .csv.gz; - for standard input')
    .option('--project <dir>', 'the company folder', '.')
    .option('--format <format>', 'jsonl or csv, when the name does not say')
    .option('--map <field=column>', 'read a field from a column; repeatable', collect, [])
    .option('--set <field=value>', 'the same value for a field of every row; repeatable', collect, [])
    .option('--where <filter>', 'only rows that fulfil it: "kind=sale", "amount>0"; repeatable', collect, [])
    .option('--delimiter <character>', 'what parts the columns: ; or tab (default: ,)')
    .option('--time-zone <zone>', 'the zone of times without an offset, e.g. Europe/London')
    .option('--restart', 'begin anew, whatever an earlier run has done')
    .option('--json', 'the result as one JSON object')
    .action(async (file: string, flags: ImportFlags, command: Command) => {
      try {
        process.exitCode = await run(kind, file, flags);
      } catch (error) {
        if (error instanceof FlagError) command.error(`error: ${error.message}`);
        if (!isExpected(error)) throw error;
        process.stderr.write(`${harmless(error.message)}\n`);
        process.exitCode = EXIT.failed;
      }
    });
}

function collect(value: string, earlier: readonly string[]): readonly string[] {
  return [...earlier, value];
}

/** What a person can mend: the message is enough. */
function isExpected(error: unknown): error is Error {
  if (error instanceof MappingError || error instanceof FileFormatError || error instanceof StoreError) return true;
  return error instanceof Error && ['EACCES', 'EROFS', 'ENOSPC'].includes(codeOf(error));
}

async function run(kind: ImportKind, file: string, flags: ImportFlags): Promise<number> {
  const options = readFlags(kind, file, flags);
  const source = await openSource(file, process.stdin);
  const stop = stopOnInterrupt();
  if (source.size === null) process.stderr.write(STDIN_NOTE);
  const watch = reportProgress({ kind, size: source.size, stream: process.stderr, now: Date.now });
  const startedAt = Date.now();
  const result = await withDatabase({ project: flags.project }, async ({ db, cache }) =>
    importFile({ db, cache, source, rejects: new RejectsFile(rejectsPath(file)), watch, stop }, options),
  ).finally(() => watch.end());
  const report = {
    kind,
    file: source.name,
    result,
    resumable: source.size !== null,
    rejects: result.end.rejected > 0 ? rejectsPath(file) : null,
    unusedColumns: watch.unusedColumns,
    seconds: (Date.now() - startedAt) / 1000,
  };
  process.stdout.write(flags.json === true ? reportAsJson(report) : formatReport(report));
  return exitCodeOf(result);
}

function rejectsPath(file: string): string {
  return `${file === '-' ? 'stdin' : file}.rejects.jsonl`;
}

/** The first interruption ends the import after the batch under way, a second one at once. */
function stopOnInterrupt(): AbortSignal {
  const controller = new AbortController();
  process.on('SIGINT', () => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    controller.abort();
    process.stderr.write('\nStopping after the lines under way; press again to stop at once.\n');
  });
  return controller.signal;
}

function exitCodeOf(result: ImportResult): number {
  if (result.status === 'interrupted') return EXIT.interrupted;
  return result.end.rejected > 0 ? EXIT.withRejects : 0;
}
