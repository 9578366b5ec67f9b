/** Nothing that comes out is CSV, or anything else whose cells a spreadsheet would run as formulas. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Command } from 'commander';
import { customerCommand } from '../../scripts/customer.ts';
import { exportCommand } from '../../scripts/export.ts';
import { perennialProgram } from '../../scripts/program.ts';
import { suppressionsCommand } from '../../scripts/suppressions.ts';
import { tasksCommand } from '../../scripts/tasks.ts';
import { whyCommand } from '../../scripts/why.ts';
import type { Terminal } from '../../scripts/support/terminal.ts';
import { ingest } from '../../engine/store/ingest.ts';
import { runCommand } from '../support/command.ts';
import { COMPANY, openStaffed, type Staffed } from '../support/staff.ts';

const FORMULA = `=1+cmd|'/C calc'!A1`;
/** Such a cell: at the beginning of a line or after what parts cells, quoted or not. */
const CELL = /(?:^|[,;\t])"?=1\+cmd/m;

/** What a text would have a spreadsheet run. JSON is no table, and text for people has no such cells. */
function cellsOf(text: string): readonly string[] {
  const lines = text.split('\n');
  const isJson = [text, lines[0] ?? ''].some((json) => json.trim() !== '' && parses(json));
  return isJson ? [] : lines.filter((line) => CELL.test(line));
}

function parses(text: string): boolean {
  try {
    return typeof JSON.parse(text) === 'object';
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return false;
  }
}

const FILES = {
  'perennial.yaml': COMPANY.replace('{ total: number }', '{ total: number, note: string }'),
  'playbooks/cards.yaml': `title: Cards
topic: service
trigger: { event: order.placed, if: event.note != null }
steps:
  - task: { title: "{{event.note}}", within: 1 days }
  - wait: 1 day
`,
};

let staffed: Staffed;
let dir: string;
const databaseUrl = process.env['DATABASE_URL'];
beforeAll(async () => {
  staffed = await openStaffed('2026-03-01T12:00:00Z');
  process.env['DATABASE_URL'] = staffed.db.url;
  dir = await mkdtemp(path.join(tmpdir(), 'perennial-formulas-'));
  await writeFile(path.join(dir, 'perennial.yaml'), COMPANY);
  await staffed.deploy(FILES);
  const at = Date.parse('2026-03-01T11:59:00Z');
  const traits = { email: 'ada@example.com', name: FORMULA, tags: [FORMULA], attributes: { plan: FORMULA } };
  const event = { id: 'o-1', event: 'order.placed', at, data: { note: FORMULA } };
  const items = [
    { kind: 'identify', customer: 'ada', traits } as const,
    { kind: 'track', customer: 'ada', event, createIfMissing: false } as const,
  ];
  expect((await ingest(staffed.db, staffed.cache, items, { history: false })).rejected).toEqual([]);
  await staffed.rows(
    `insert into suppressions (address, scope, source, reason, at) values ('ada@example.com', '*', 'staff', $1, now())`,
    [FORMULA],
  );
});
afterAll(async () => {
  if (databaseUrl === undefined) delete process.env['DATABASE_URL'];
  else process.env['DATABASE_URL'] = databaseUrl;
  await rm(dir, { recursive: true });
  await staffed.close();
});

describe('a customer whose name is a formula', () => {
  it.each<[string, (terminal: Terminal) => Command, readonly string[]]>([
    ['customer', customerCommand, ['ada']],
    ['customer --json', customerCommand, ['ada', '--json']],
    ['tasks', tasksCommand, []],
    ['tasks --json', tasksCommand, ['--json']],
    ['why', whyCommand, ['ada', 'cards']],
    ['suppressions', suppressionsCommand, []],
    ['suppressions --json', suppressionsCommand, ['--json']],
  ])('is in what perennial %s prints, and in no cell of it', async (_name, make, args) => {
    const { out, err, code } = await runCommand(make, args, dir);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain('ada');
    expect(cellsOf(out)).toEqual([]);
  });

  it('is in what perennial export writes, which is JSON', async () => {
    const file = path.join(dir, 'ada.json');
    expect(await runCommand(exportCommand, ['ada', '--out', file], dir)).toMatchObject({ code: 0 });
    const text = await readFile(file, 'utf8');
    expect(JSON.stringify(JSON.parse(text))).toContain(FORMULA);
  });

  it.each([`name,plan\n${FORMULA},x`, `ada,"${FORMULA}"`, `ada;${FORMULA}`, `ada\t${FORMULA}\tx`])(
    'would be seen in %j',
    (text) => {
      expect(cellsOf(text)).not.toEqual([]);
    },
  );
});

/** Commands, with those below them, and what their help says of themselves, their options and arguments. */
function helpOf(command: Command, above: string): readonly (readonly [name: string, help: string])[] {
  const name = `${above} ${command.name()}`.trim();
  return [[name, command.helpInformation()], ...command.commands.flatMap((one) => helpOf(one, name))];
}

it('no command offers CSV, or a file for spreadsheets, but those that read it', async () => {
  const program = await perennialProgram('test');
  const all = program.commands.flatMap((command) => helpOf(command, ''));
  expect(all.length).toBeGreaterThan(40);
  const offering = all.filter(([, help]) => /\b[ct]sv\b|spreadsheet|excel|xlsx/i.test(help)).map(([name]) => name);
  expect(offering).toEqual(['import', 'import customers', 'import events', 'coupons import']);
});

it('no package that writes CSV or spreadsheets is used', async () => {
  const file = path.resolve(import.meta.dirname, '../../package.json');
  const { dependencies } = JSON.parse(await readFile(file, 'utf8')) as { dependencies: Record<string, string> };
  const tabular = Object.keys(dependencies).filter((name) => /csv|papaparse|xlsx|excel|spreadsheet|tsv/i.test(name));
  expect(tabular).toEqual(['csv-parse']);
});
