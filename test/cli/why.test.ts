import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { whyCommand } from '../../scripts/why.ts';
import { runCommand, type Printed } from '../support/command.ts';
import { COMPANY, openStaffed, type Staffed } from '../support/staff.ts';

const HELLO = `title: Hello
topic: service
trigger: { event: order.placed, if: event.total >= 20 }
steps:
  - email: hello/hello
`;

let staffed: Staffed;
let project: string;
const databaseUrl = process.env['DATABASE_URL'];
beforeAll(async () => {
  staffed = await openStaffed('2026-03-01T12:00:00Z');
  process.env['DATABASE_URL'] = staffed.db.url;
  project = await mkdtemp(path.join(tmpdir(), 'perennial-why-'));
  await staffed.deploy(
    { 'perennial.yaml': COMPANY, 'playbooks/hello.yaml': HELLO, 'templates/hello/hello.hbs': 'Hello' },
    'mia',
  );
  await staffed.customers(['ada'], { timezone: 'America/New_York' });
});
afterAll(async () => {
  if (databaseUrl === undefined) delete process.env['DATABASE_URL'];
  else process.env['DATABASE_URL'] = databaseUrl;
  await rm(project, { recursive: true, force: true });
  await staffed.close();
});

async function why(...args: readonly string[]): Promise<Printed> {
  return runCommand(whyCommand, args, project);
}

it('answers first, then shows what it rests on, then what can be done', async () => {
  const { out, code } = await why('ada@example.com', 'hello');
  expect(code).toBe(0);
  expect(out.replace(/release [0-9a-f]{12}/, 'release ID')).toBe(
    `"ada" did not enter "hello": no event order.placed of theirs has come in.

  - the trigger
      playbooks/hello.yaml:3  trigger: { event: order.placed, if: event.total >= 20 }
      release ID, deployed 2026-03-01 13:00 (Europe/Berlin) by mia

Next:
  perennial trigger hello --customer ada --by NAME --reason TEXT --dry-run  shows what would happen if a person started it
`,
  );
  expect(JSON.parse((await why('ada', 'hello', '--json')).out)).toMatchObject({
    outcome: 'answered',
    code: 'no event',
    customer: 'ada',
    evidence: [{ quote: { line: 3 }, release: { by: 'mia', at: '2026-03-01T12:00:00.000Z' } }],
  });
});

it.each([
  [['adda', 'hello'], 'There is no customer with the id or address "adda".\nNearest: ada'],
  [['ada', 'helo'], 'There is no playbook "helo".\nNearest: hello\n'],
  [['ada', 'hello', '--step', 'helo'], 'The playbook "hello" has no step "helo".\nNearest: hello\n'],
  [['ada', 'hello', '--step', 'xyz'], 'The playbook "hello" has no step "xyz".\nIts steps: hello\n'],
  [['ada', 'hello', '--at', '2026-03-02'], 'The time of --at has not come yet: the record knows nothing of it.'],
])('says of %j what is not known, and fails', async (args, said) => {
  const { err, out, code } = await why(...args);
  expect({ out, code }).toEqual({ out: '', code: 1 });
  expect(err).toContain(said);
});

it('takes times in any form, in the zone of the customer', async () => {
  for (const at of ['2026-03-01', '2026-03-01T07:00', '2026-03-01 06:59', '2026-03-01T13:00+01:00']) {
    expect((await why('ada', 'hello', '--at', at)).code).toBe(0);
  }
  expect((await why('ada', 'hello', '--at', '2026-03-01T07:01')).code).toBe(1);
});
