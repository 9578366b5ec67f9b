/** What customers and senders put into their data does nothing to the terminal of whoever looks at it. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Command } from 'commander';
import { customerCommand } from '../../scripts/customer.ts';
import { exportCommand } from '../../scripts/export.ts';
import { tasksCommand } from '../../scripts/tasks.ts';
import { whyCommand } from '../../scripts/why.ts';
import { harmless, jsonText, shown, table, type Terminal } from '../../scripts/support/terminal.ts';
import { runCommand } from '../support/command.ts';
import { COMPANY, openStaffed, type Staffed } from '../support/staff.ts';
import { ingest } from '../../engine/store/ingest.ts';

/** A new title, a cleared screen, a clipboard, a link, the same by one character of C1, a turned line, a rubbed out one. */
const EVIL =
  'x\u001b]0;owned\u0007\u001b[2J\u001b]52;c;cm0=\u0007\u001b]8;;http://evil.example\u0007y\u009b31m\u202egnp.exe\u2066\u007f\rz\b\b';
/** All that a terminal acts upon, but line breaks and tabs. */
// oxlint-disable-next-line no-control-regex
const ACTED_UPON = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

const FILES = {
  'perennial.yaml': COMPANY,
  'playbooks/cards.yaml': `title: Cards
topic: service
trigger: { event: order.placed, if: event.note != null }
steps:
  - task: { title: "A card: {{customer.plan}}, {{event.note}}", within: 1 days }
  - wait: 1 day
`,
};

let staffed: Staffed;
let dir: string;
const databaseUrl = process.env['DATABASE_URL'];
beforeAll(async () => {
  staffed = await openStaffed('2026-03-01T12:00:00Z');
  process.env['DATABASE_URL'] = staffed.db.url;
  dir = await mkdtemp(path.join(tmpdir(), 'perennial-terminal-'));
  await writeFile(path.join(dir, 'perennial.yaml'), COMPANY);
  const company = COMPANY.replace('{ total: number }', '{ total: number, note: string }');
  await staffed.deploy({ ...FILES, 'perennial.yaml': company });
  const traits = { email: 'ada@example.com', tags: [EVIL], attributes: { plan: EVIL } };
  const event = {
    id: 'o-1',
    event: 'order.placed',
    at: Date.parse('2026-03-01T11:59:00Z'),
    data: { note: EVIL, [EVIL]: EVIL },
  };
  const taken = await ingest(
    staffed.db,
    staffed.cache,
    [
      { kind: 'identify', customer: 'ada', traits },
      { kind: 'track', customer: 'ada', event, createIfMissing: false },
    ],
    { history: false },
  );
  expect(taken.rejected).toEqual([]);
});
afterAll(async () => {
  if (databaseUrl === undefined) delete process.env['DATABASE_URL'];
  else process.env['DATABASE_URL'] = databaseUrl;
  await rm(dir, { recursive: true });
  await staffed.close();
});

it.each<[string, (terminal: Terminal) => Command, readonly string[]]>([
  ['customer', customerCommand, ['ada']],
  ['customer --json', customerCommand, ['ada', '--json']],
  ['tasks', tasksCommand, []],
  ['tasks --json', tasksCommand, ['--json']],
  ['why', whyCommand, ['ada', 'cards']],
])('perennial %s shows what is there, and sends no command to the terminal', async (_name, make, args) => {
  const { out, err, code } = await runCommand(make, args, dir);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toMatch(/ada|A card/);
  expect(out).not.toMatch(ACTED_UPON);
});

it('perennial export writes JSON that can be looked at', async () => {
  const file = path.join(dir, 'ada.json');
  expect(await runCommand(exportCommand, ['ada', '--out', file], dir)).toMatchObject({ code: 0 });
  const text = await readFile(file, 'utf8');
  expect(JSON.stringify(JSON.parse(text))).toContain(JSON.stringify(EVIL).slice(1, -1));
  expect(text).not.toMatch(ACTED_UPON);
});

it('in tables a cell cannot even break its line', () => {
  expect(table([[`${EVIL}\nb`, '1']])).not.toMatch(ACTED_UPON);
  expect(table([[`${EVIL}\nb`, '1']]).trimEnd()).not.toContain('\n');
  expect(harmless(`a\n${EVIL}`)).not.toMatch(/\p{Cc}/u);
});

it('whatever a command forgets is taken out where the terminal begins, and colours of our own stay', () => {
  const text = `\u001b[31mwrong\u001b[0m\tat\n${EVIL}\u001b[8mhidden\u001b[0m`;
  const clean = shown(text);
  expect(clean.startsWith('\u001b[31mwrong\u001b[0m\tat\nx·]0;owned·')).toBe(true);
  expect(clean.replaceAll('\u001b[31m', '').replaceAll('\u001b[0m', '')).not.toMatch(ACTED_UPON);
  expect(clean).toContain('·[8mhidden');
});

it('JSON keeps its meaning', () => {
  expect(JSON.parse(jsonText({ [EVIL]: EVIL }, 2))).toEqual({ [EVIL]: EVIL });
  expect(jsonText({ [EVIL]: EVIL })).not.toMatch(ACTED_UPON);
});
