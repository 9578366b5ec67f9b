import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { readFlags, type ImportFlags } from '../../scripts/import/options.ts';
import { startProcess, type TestProcess } from '../support/process.ts';
import { openStaffed, type Staffed } from '../support/staff.ts';
import { FILES } from './support.ts';

const PROGRAM = path.join(import.meta.dirname, 'import-process.ts');
const LINES = 6_000;
/** The customer of this line is locked by the test, so that the import stands there. */
const BLOCKED_LINE = 3_500;

let staffed: Staffed;
let dir: string;
let file: string;
let blocker: pg.Client;

beforeAll(async () => {
  staffed = await openStaffed('2026-03-01T12:00:00.000Z');
  await staffed.deploy(FILES);
});
afterAll(async () => {
  await staffed.close();
});
beforeEach(async () => {
  await staffed.db.query('truncate customers, event_keys, events, sends, enrolments, timers, imports cascade');
  dir = await mkdtemp(path.join(tmpdir(), 'perennial-import-'));
  file = path.join(dir, 'events.jsonl');
  await writeFile(file, Array.from({ length: LINES }, (_, index) => `${lineOf(index + 1)}\n`).join(''));
  await staffed.customers(['blocked']);
  blocker = new pg.Client({ connectionString: staffed.db.url });
  await blocker.connect();
});
afterEach(async () => {
  await blocker.end();
  await rm(dir, { recursive: true });
});

function lineOf(line: number): string {
  if (line % 700 === 0) return 'nonsense';
  const customer = line === BLOCKED_LINE + 1 ? 'blocked' : `c${line % 30}`;
  return JSON.stringify({
    id: `e${line}`,
    customer,
    event: 'order.placed',
    at: '2026-01-01T00:00:00Z',
    data: { total: 1 },
  });
}
const REJECTED = Math.floor(LINES / 700);

function start(...args: readonly string[]): TestProcess {
  const env = { DATABASE_URL: staffed.db.url, PERENNIAL_WRITE_KEY: '', REDIS_URL: '', LOG_LEVEL: '' };
  return startProcess(
    PROGRAM,
    ['import', 'events', file, '--project', dir, '--create-customers', '--json', ...args],
    env,
  );
}

/** Its exit code and its output as JSON. */
async function finish(process: TestProcess): Promise<{ readonly code: number | null; readonly result: unknown }> {
  const ended = once(process.child, 'exit') as Promise<[number | null]>;
  const result = JSON.parse(await process.nextLine()) as unknown;
  return { code: (await ended)[0], result };
}

/** Resolves when the import waits for the customer that the test has locked, its earlier batches behind it. */
async function untilBlocked({ child }: TestProcess): Promise<number> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the import ended with ${child.exitCode} before it met the lock`);
    const [row] = await staffed.rows<{ waits: boolean; lines: number }>(
      `select exists (select from pg_stat_activity
         where datname = current_database() and application_name = 'perennial command' and wait_event_type = 'Lock') as waits,
       (select lines_done::int from imports) as lines from pg_sleep(0.02)`,
    );
    if (row?.waits === true && row.lines === 3_000) return row.lines;
  }
}

async function block(): Promise<void> {
  await blocker.query('begin');
  await blocker.query(`select from customers where key = 'blocked' for update`);
}

const orders = async (): Promise<unknown> => staffed.rows('select sum(orders)::int as orders from customers');
const rejectedLines = async (): Promise<readonly number[]> => {
  const text = await readFile(`${file}.rejects.jsonl`, 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((row) => (JSON.parse(row) as { line: number }).line);
};
const ALL_REJECTED = Array.from({ length: REJECTED }, (_, index) => (index + 1) * 700);

describe('perennial import', () => {
  it('goes on after a kill -9 in the middle, and nothing is lost, doubled or set aside twice', async () => {
    await block();
    const first = start();
    const linesDone = await untilBlocked(first);
    expect(await first.end('SIGKILL')).toBe('SIGKILL');
    await blocker.query('rollback');
    // A kill between the rejects of a batch and its checkpoint leaves lines that come again, the last one cut short.
    await appendFile(`${file}.rejects.jsonl`, '{"line":3500,"reason":"x","text":"nonsense"}\n{"line":42');
    const { code, result } = await finish(start());
    expect(code).toBe(3);
    expect(result).toMatchObject({
      status: 'finished',
      resumedAtLine: linesDone + 1,
      accepted: LINES - REJECTED,
      rejected: REJECTED,
      rejects: `${file}.rejects.jsonl`,
    });
    expect(await orders()).toEqual([{ orders: LINES - REJECTED }]);
    expect(await rejectedLines()).toEqual(ALL_REJECTED);
  });

  it('stops after the lines under way at an interruption, and says how to go on', async () => {
    await block();
    const first = start();
    await untilBlocked(first);
    first.child.kill('SIGINT');
    await blocker.query('rollback');
    const interrupted = await finish(first);
    expect(interrupted).toMatchObject({ code: 130, result: { status: 'interrupted', lines: 4_000 } });
    const second = await finish(start());
    expect(second).toMatchObject({ code: 3, result: { status: 'finished', resumedAtLine: 4_001, duplicates: 0 } });
    expect(await orders()).toEqual([{ orders: LINES - REJECTED }]);
    expect(await rejectedLines()).toEqual(ALL_REJECTED);
  });

  it('ends with 0 when every line went in, 1 when it failed, 2 when it was used wrongly', async () => {
    await writeFile(file, `${lineOf(1)}\n${lineOf(2)}\n`);
    expect(await finish(start())).toMatchObject({ code: 0, result: { accepted: 2, rejected: 0, rejects: null } });
    const codeOf = async (...args: readonly string[]): Promise<number> => {
      const [code] = (await once(start(...args).child, 'exit')) as [number];
      return code;
    };
    expect(await codeOf('--map', 'id=a')).toBe(2);
    expect(await codeOf('--format', 'csv', '--map', 'id=nothing')).toBe(1);
  });

  it.each<[string, Partial<ImportFlags>, RegExp]>([
    ['x.txt', {}, /does not say its format.*--format/],
    ['-', {}, /standard input has no name/],
    ['x.jsonl', { map: ['id=a'] }, /are for CSV/],
    ['x.csv', { format: 'xml' }, /expected jsonl or csv/],
    ['x.csv', { map: ['id'] }, /"id" is no assignment; expected field=column/],
    ['x.csv', { map: ['id='] }, /expected field=column/],
    ['x.csv', { map: ['customer=who,at=when'] }, /its own --map: --map customer=who --map at=when/],
    ['x.csv', { set: ['=x'] }, /expected field=value/],
    ['x.csv', { where: ['amount'] }, /no filter; expected a column, one of = != > >= < <=/],
    ['x.csv', { where: ['amount>many'] }, /compares numbers, and "many" is none/],
    ['x.csv', { delimiter: ';;' }, /expected one character/],
    ['x.csv', { delimiter: '"' }, /expected one character/],
    ['x.csv', { timeZone: 'Europe/Lodon' }, /did you mean Europe\/London/],
  ])('refuses options that make no sense: %s %j', (name, flags, message) => {
    expect(() => readFlags('events', name, { project: '.', map: [], set: [], where: [], ...flags })).toThrow(message);
  });

  it('reads what the options mean', () => {
    const flags = { project: '.', map: ['data.total=a=b'], set: ['event=x=y'], where: ['total >= -1.5', 'kind!='] };
    expect(readFlags('events', 'x.TSV.gz', { ...flags, delimiter: 'tab' })).toMatchObject({
      format: {
        kind: 'csv',
        mapping: {
          map: [{ field: 'data.total', column: 'a=b' }],
          set: [{ field: 'event', value: 'x=y' }],
          where: [
            { column: 'total', operator: '>=', value: '-1.5' },
            { column: 'kind', operator: '!=', value: '' },
          ],
          delimiter: '\t',
        },
      },
    });
  });
});
