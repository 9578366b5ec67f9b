/** `perennial coupons`: pools of coupon codes, and codes into them. */
import { userInfo } from 'node:os';
import { InvalidArgumentError, type Command } from 'commander';
import { readCodes, type CodesFormat } from '../engine/ingest/file/codes.ts';
import { FileFormatError } from '../engine/ingest/file/records.ts';
import { openSource, type Source } from '../engine/ingest/file/source.ts';
import { nearest } from '../engine/playbook/nearest.ts';
import { CLEAN_NAME } from '../engine/playbook/schema/text.ts';
import type { Database } from '../engine/store/database.ts';
import { addCodes, listPools, noteImport, type CodesAdded } from '../engine/store/coupon-pools.ts';
import { count } from './check/format.ts';
import { answer, bareCommand, notBlank, staffCommand, type Answer, type StaffOptions } from './support/staff.ts';
import { harmless, processTerminal, table, type Terminal } from './support/terminal.ts';

interface ImportOptions extends StaffOptions {
  readonly column: string;
  readonly delimiter: string;
  readonly by: string;
}

/** Shown of lines that were rejected; `--json` has as many. */
const SHOWN_REJECTS = 20;
/** In one transaction. */
const BATCH = 5_000;

/** The command, with its parts `list` and `import`. */
export function couponsCommand(terminal: Terminal = processTerminal()): Command {
  // Without options of its own: `perennial coupons --json` is `perennial coupons list --json`.
  const coupons = bareCommand('coupons', 'see pools of coupon codes, or add codes to one');
  coupons.addCommand(listCommand(terminal), { isDefault: true });
  return coupons.addCommand(importCommand(terminal));
}

function listCommand(terminal: Terminal): Command {
  return staffCommand('list', 'show how many codes are free, reserved and gone out')
    .argument('[pool]', 'one pool only')
    .action(async (pool: string | undefined, options: StaffOptions) =>
      answer(terminal, options, async ({ db }) => {
        const pools = await listPools(db, pool ?? null);
        if (pool !== undefined && pools.length === 0) return unknownPool(db, pool);
        const rows = pools.map((one) => [
          one.pool,
          ...[one.free, one.reserved, one.committed, one.waiting].map((many) => many.toLocaleString('en')),
        ]);
        const head = ['pool', 'free', 'reserved', 'gone out', 'customers waiting'];
        const text = rows.length === 0 ? 'There are no coupon codes.\n' : table([head, ...rows]);
        return { json: { pools }, text };
      }),
    );
}

async function unknownPool(db: Database, pool: string): Promise<Answer> {
  const near = nearest(
    pool,
    (await listPools(db, null)).map((one) => one.pool),
  );
  const hint = near === null ? '' : `Nearest: ${near}\n`;
  return {
    json: { outcome: 'unknown pool', nearest: near },
    text: `There is no coupon pool "${harmless(pool)}".\n${hint}`,
    failed: true,
  };
}

function importCommand(terminal: Terminal): Command {
  return staffCommand('import', 'add codes to a pool; those that are in it already count once')
    .argument('<pool>', 'as playbooks name it', readPool)
    .argument('<file>', 'one code a line, or .csv with a header; also .gz; - for standard input')
    .option('--column <name>', 'the column of a CSV file', 'code')
    .option('--delimiter <character>', 'what parts the columns', ',')
    .option('--by <name>', 'who adds them, for the audit record', notBlank, userInfo().username)
    .action(async (pool: string, file: string, options: ImportOptions) => {
      try {
        const source = await openSource(file, process.stdin);
        await answer(terminal, options, async ({ db }) => importCodes(db, pool, source, options));
      } catch (error) {
        if (!(error instanceof FileFormatError)) throw error;
        terminal.err(`${harmless(error.message)}\n`);
        terminal.setExitCode(1);
      }
    });
}

function readPool(text: string): string {
  if (CLEAN_NAME.test(text)) return text;
  throw new InvalidArgumentError('Expected a name of small letters, digits and hyphens, such as anniversary.');
}

interface Rejected {
  readonly line: number;
  readonly reason: string;
}

async function importCodes(db: Database, pool: string, source: Source, options: ImportOptions): Promise<Answer> {
  const isCsv = /\.csv(?:\.gz)?$/i.test(source.name);
  const format: CodesFormat = isCsv
    ? { kind: 'csv', column: options.column, delimiter: options.delimiter }
    : { kind: 'lines' };
  const total = { added: 0, duplicates: 0, released: 0 };
  const rejected: Rejected[] = [];
  let rejectedCount = 0;
  let batch: string[] = [];
  const flush = async (): Promise<void> => {
    const done: CodesAdded = await addCodes(db, pool, batch);
    batch = [];
    total.added += done.added;
    total.duplicates += done.duplicates;
    total.released += done.released;
  };
  for await (const read of readCodes(source, format)) {
    for (const one of read.rejected.slice(0, SHOWN_REJECTS - rejected.length)) rejected.push(one);
    rejectedCount += read.rejected.length;
    for (const code of read.codes) {
      batch.push(code);
      if (batch.length === BATCH) await flush();
    }
  }
  if (batch.length > 0) await flush();
  await noteImport(db, pool, { by: options.by, file: source.name, ...total });
  return describe(pool, total, rejected, rejectedCount);
}

function describe(
  pool: string,
  { added, duplicates, released }: CodesAdded,
  rejected: readonly Rejected[],
  rejectedCount: number,
): Answer {
  const lines = rejected.map(({ line, reason }) => `  line ${line} ${reason}\n`).join('');
  const more = rejectedCount > rejected.length ? `  and ${rejectedCount - rejected.length} more\n` : '';
  const text =
    `${count(added, 'code')} added to "${pool}", ${duplicates} in it already.\n` +
    (released > 0 ? `${count(released, 'customer')} had waited for codes and can go on.\n` : '') +
    (rejectedCount > 0 ? `${count(rejectedCount, 'line')} could not be used:\n${lines}${more}` : '');
  const json = { pool, added, duplicates, released, rejected: rejectedCount, lines: rejected };
  return { json, text, failed: rejectedCount > 0 };
}
