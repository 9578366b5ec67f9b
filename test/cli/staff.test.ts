import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Command } from 'commander';
import { cancelCommand } from '../../scripts/cancel.ts';
import { customerCommand } from '../../scripts/customer.ts';
import { deployCommand } from '../../scripts/deploy.ts';
import { heldCommand } from '../../scripts/held.ts';
import { pauseCommand, resumeCommand } from '../../scripts/pause.ts';
import type { Terminal } from '../../scripts/support/terminal.ts';
import { triggerCommand } from '../../scripts/trigger.ts';
import { runCommand, type Printed } from '../support/command.ts';
import { COMPANY, openStaffed, sourcesOf, type Staffed } from '../support/staff.ts';

const FILES = {
  'perennial.yaml': COMPANY,
  'playbooks/sorry.yaml': `title: Sorry
topic: service
trigger: { manual: true }
steps:
  - email: hello/sorry
  - wait: 1 day
  - email: hello/second
`,
  'templates/hello/second.hbs': 'Again',
  'templates/hello/sorry.hbs': 'Sorry about {{vars.order_id}}',
};
const ACT = ['--by', 'mia', '--reason', 'a late parcel'];

let staffed: Staffed;
let project: string;
const databaseUrl = process.env['DATABASE_URL'];
beforeAll(async () => {
  staffed = await openStaffed('2026-03-01T12:00:00Z');
  process.env['DATABASE_URL'] = staffed.db.url;
  project = await mkdtemp(path.join(tmpdir(), 'perennial-cli-'));
  for (const { path: file, text } of sourcesOf(FILES)) {
    await mkdir(path.dirname(path.join(project, file)), { recursive: true });
    await writeFile(path.join(project, file), text);
  }
  await run(deployCommand, []);
});
afterAll(async () => {
  if (databaseUrl === undefined) delete process.env['DATABASE_URL'];
  else process.env['DATABASE_URL'] = databaseUrl;
  await rm(project, { recursive: true, force: true });
  await staffed.close();
});
beforeEach(async () => {
  await staffed.db.query(
    'truncate customers, enrolments, timers, sends, pauses, audit, journal restart identity cascade',
  );
  await staffed.customers(['ada'], { timezone: 'America/New_York' });
});

async function run(make: (terminal: Terminal) => Command, args: readonly string[]): Promise<Printed> {
  return runCommand(make, args, project);
}

const START = ['sorry', '--customer', 'ada@example.com', ...ACT, '--set', 'order_id=0042'];

describe('perennial deploy', () => {
  it('says what changed, and what cannot be', async () => {
    expect(await run(deployCommand, ['--by', 'mia'])).toMatchObject({
      out: expect.stringMatching(/nothing changed/),
      code: 0,
    });
    const file = path.join(project, 'playbooks/sorry.yaml');
    await writeFile(file, FILES['playbooks/sorry.yaml'].replace('hello/second', 'hello/secnd'));
    const mistaken = await run(deployCommand, []);
    expect(mistaken.err).toMatch(/playbooks\/sorry\.yaml:7:\d+ error.*\n[^]*hello\/second[^]*nothing was deployed/);
    expect(mistaken.code).toBe(1);

    await run(triggerCommand, START);
    await writeFile(file, FILES['playbooks/sorry.yaml'].replace('  - wait: 1 day\n  - email: hello/second\n', ''));
    await rm(path.join(project, 'templates/hello/second.hbs'));
    const refused = await run(deployCommand, []);
    expect(refused.err).toContain('"hello/second" is gone, and 1 under way in "sorry" still need it (ada)');
    expect(refused.code).toBe(1);
    for (const { path: name, text } of sourcesOf(FILES)) await writeFile(path.join(project, name), text);
    expect(await run(deployCommand, [])).toMatchObject({ code: 0 });
  });
});

describe('perennial trigger', () => {
  it('says in a dry run what would be held because it cannot be written', async () => {
    const dry = await run(triggerCommand, ['sorry', '--customer', 'ada', ...ACT, '--dry-run']);
    expect(dry.err).toMatch(/email hello\/sorry would be held: .*vars\.order_id/);
    expect(dry.code).toBe(1);
    expect(await run(triggerCommand, [...START, '--dry-run'])).toMatchObject({ code: 0 });
  });

  it('enrols, and shows what is to come in both zones', async () => {
    const dry = await run(triggerCommand, [...START, '--dry-run']);
    expect(dry.out).toContain('Dry run, nothing was changed.');
    const real = await run(triggerCommand, START);
    expect(real.out).toBe(
      `Customer "ada" (ada@example.com) has entered "sorry".
If nothing else happens:
  their time (America/New_York)  your time (Europe/Berlin)  what
  2026-03-01 07:00               2026-03-01 13:00           enrol
  2026-03-01 07:00               2026-03-01 13:00           email hello/sorry
  2026-03-02 07:00               2026-03-02 13:00           email hello/second
  2026-03-02 07:00               2026-03-02 13:00           complete
`,
    );
    expect(await staffed.rows('select vars from enrolments')).toEqual([{ vars: { order_id: '0042' } }]);
    expect(await staffed.rows('select action, by, reason from audit')).toEqual([
      { action: 'trigger', by: 'mia', reason: 'a late parcel' },
    ]);
    const again = await run(triggerCommand, START);
    expect(again).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringContaining('they are in this playbook at present'),
    });
  });

  it('names the nearest customer and playbook, as text and as JSON', async () => {
    expect(await run(triggerCommand, ['sory', '--customer', 'ada', ...ACT])).toEqual({
      code: 1,
      out: '',
      err: 'There is no playbook "sory".\nNearest: sorry\n',
    });
    const unknown = await run(triggerCommand, ['sorry', '--customer', 'adda', ...ACT, '--json']);
    expect(JSON.parse(unknown.out)).toMatchObject({
      outcome: 'unknown customer',
      nearest: expect.arrayContaining(['ada']),
    });
    expect(unknown.code).toBe(1);
  });

  it('takes typed values with := and gives times as ISO 8601', async () => {
    const printed = await run(triggerCommand, [...START, '--set', 'amount:=12.5', '--json']);
    expect(JSON.parse(printed.out)).toMatchObject({
      outcome: 'entered',
      at: '2026-03-01T12:00:00.000Z',
      ahead: [{ do: 'enrol' }, { do: 'email', at: '2026-03-01T12:00:00.000Z' }, { do: 'email' }, { do: 'complete' }],
    });
    expect(await staffed.rows('select vars from enrolments')).toEqual([{ vars: { order_id: '0042', amount: 12.5 } }]);
  });
});

describe('perennial customer', () => {
  it('shows profile, playbooks, mails and what comes next, in both zones', async () => {
    await run(triggerCommand, START);
    await staffed.db.query(`update customers set held_at = null, first_name = $1`, ['A\u001B[31mda']);
    const { out } = await run(customerCommand, ['ada']);
    expect(out).toContain('time zone  America/New_York, now 2026-03-01 07:00');
    expect(out).toMatch(/Next\n.*\n {2}2026-03-01 07:00 +2026-03-01 13:00 +sorry +email hello\/sorry/);
    expect(out).toMatch(/Playbooks\n.*\n.*sorry +at sorry/);
    expect(out).toMatch(/What people did\n.*\n.*mia +trigger sorry +a late parcel/);
    expect(out).not.toContain('\u001B');
    const json = JSON.parse((await run(customerCommand, ['ada', '--json'])).out) as { sends: unknown };
    expect(json.sends).toMatchObject([{ template: 'hello/sorry', dueAt: '2026-03-01T12:00:00.000Z' }]);
    expect(await run(customerCommand, ['nobody'])).toMatchObject({ code: 1, out: '' });
  });
});

describe('perennial pause, resume, cancel and held', () => {
  it('pause and resume one playbook or all', async () => {
    await run(triggerCommand, START);
    expect(await run(pauseCommand, ['sorry', ...ACT])).toMatchObject({
      code: 0,
      out: 'Playbook "sorry" is now paused.\n',
    });
    expect(await run(pauseCommand, ['sorry', ...ACT])).toMatchObject({ code: 1 });
    expect(await run(pauseCommand, ['sorri', ...ACT])).toMatchObject({
      code: 1,
      err: expect.stringContaining('Nearest: sorry'),
    });
    await run(pauseCommand, ['--all', ...ACT]);
    expect((await run(resumeCommand, ['sorry', ...ACT])).err).toContain('all playbooks are paused by mia');
    await staffed.at('2026-03-01T13:00:00Z');
    expect((await run(resumeCommand, ['--all', ...ACT])).out).toBe(
      'All playbooks are resumed.\n1 mail and 0 enrolments had been held back: they go on at once.\n',
    );
    await staffed.at('2026-03-01T12:00:00Z');
  });

  it('cancel what is under way', async () => {
    await run(triggerCommand, START);
    expect((await run(cancelCommand, ['sorry', '--customer', 'ada', ...ACT])).out).toBe(
      'Ended for customer "ada" (ada@example.com): "sorry".\n',
    );
    expect(await run(cancelCommand, ['--all', '--customer', 'ada', ...ACT])).toMatchObject({
      code: 1,
      err: 'Customer "ada" (ada@example.com) is not in any playbook.\n',
    });
  });

  it('show, retry and drop what is held', async () => {
    expect((await run(heldCommand, [])).out).toBe('Nothing is held.\n');
    await run(triggerCommand, START);
    await staffed.db.query(
      `update sends set held_at = (select stepped_at from engine), held_error = E'no vars.x\\nat line 3'`,
    );
    const { out } = await run(heldCommand, []);
    expect(out).toMatch(/^send:1 +2026-03-01 13:00 +ada +sorry at sorry +no vars\.x$/m);
    expect(out).toContain('1 held: 0 customers, 0 enrolments, 1 mail, 0 events, 0 webhooks.');
    expect(out).toContain('"perennial preview hello/sorry --customer ada" shows the line.');
    expect(JSON.parse((await run(heldCommand, ['list', '--json'])).out)).toMatchObject({ counts: { send: 1 } });
    expect((await run(heldCommand, ['retry', 'send:1', ...ACT])).out).toBe('send:1  released\n');
    expect(await run(heldCommand, ['drop', 'send:1', ...ACT])).toMatchObject({ code: 1 });
    await staffed.db.query(`update sends set held_at = now(), held_error = 'x'`);
    expect((await run(heldCommand, ['drop', 'send:1', ...ACT])).out).toBe('Dropped send:1.\n');
    expect(await staffed.rows('select action from audit order by id')).toEqual([
      { action: 'trigger' },
      { action: 'held.retry' },
      { action: 'held.drop' },
    ]);
  });
});

describe('a command that is used wrongly', () => {
  const script = path.join(import.meta.dirname, '../support/misuse.ts');
  const loader = path.join(import.meta.dirname, '../support/ts-loader.js');
  it.each([
    ['without a reason', ['trigger', 'sorry', '--customer', 'ada', '--by', 'mia'], '--reason'],
    ['with a setting that is none', ['trigger', ...START, '--set', '1=2'], 'Expected KEY=TEXT'],
    ['on a folder that is not there', ['deploy', '--project', '/nowhere/at-all'], '/nowhere/at-all'],
  ])('ends with 2: %s', (_how, args, message) => {
    const { status, stderr } = spawnSync(process.execPath, ['--import', loader, script, ...args], {
      env: { ...process.env, NODE_OPTIONS: '' },
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining(message) });
  });
});
