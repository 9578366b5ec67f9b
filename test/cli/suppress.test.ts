import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Command } from 'commander';
import { advance } from '../../engine/store/advance.ts';
import { claimSends } from '../../engine/store/claim.ts';
import { openHandOver } from '../../engine/store/hand.ts';
import { suppress } from '../../engine/store/suppress.ts';
import { suppressCommand } from '../../scripts/suppress.ts';
import { suppressionsCommand } from '../../scripts/suppressions.ts';
import { triggerCommand } from '../../scripts/trigger.ts';
import { unsuppressCommand } from '../../scripts/unsuppress.ts';
import type { Terminal } from '../../scripts/support/terminal.ts';
import { runCommand, type Printed } from '../support/command.ts';
import { COMPANY, openStaffed, type Staffed } from '../support/staff.ts';

const FILES = {
  'perennial.yaml': COMPANY,
  'playbooks/series.yaml': `title: Series
topic: news
trigger: { manual: true }
steps:
  - email: hello/first
  - wait: 1 day
  - email: hello/last
`,
  'templates/hello/first.hbs': 'Hello',
  'templates/hello/last.hbs': 'Bye',
};
const ACT = ['--by', 'mia', '--reason', 'asked on the telephone'];

let staffed: Staffed;
let project: string;
const databaseUrl = process.env['DATABASE_URL'];
beforeAll(async () => {
  staffed = await openStaffed('2026-03-01T12:00:00Z');
  process.env['DATABASE_URL'] = staffed.db.url;
  project = await mkdtemp(path.join(tmpdir(), 'perennial-suppress-'));
  await staffed.deploy(FILES);
});
afterAll(async () => {
  if (databaseUrl === undefined) delete process.env['DATABASE_URL'];
  else process.env['DATABASE_URL'] = databaseUrl;
  await rm(project, { recursive: true, force: true });
  await staffed.close();
});
beforeEach(async () => {
  await staffed.db.query(
    'truncate customers, enrolments, timers, sends, audit, journal, suppressions, opt_ins restart identity cascade',
  );
  await staffed.customers(['ada', 'bob']);
});

async function run(make: (terminal: Terminal) => Command, args: readonly string[]): Promise<Printed> {
  return runCommand(make, args, project);
}
const audited = async (): Promise<unknown[]> =>
  staffed.rows('select action, by, reason, detail from audit order by id');

describe('perennial suppress', () => {
  it('says what it means for mail that waits and mail that has gone, and holds at once', async () => {
    for (const customer of ['ada', 'bob']) await run(triggerCommand, ['series', '--customer', customer, ...ACT]);
    const { claimed } = await claimSends(staffed.db, staffed.cache, 'bulk', [1, 2]);
    expect(await run(suppressCommand, ['Ada@Example.com', '--topic', 'news', ...ACT])).toEqual({
      code: 0,
      err: '',
      out: `Suppressed: mail of the topic "news" to ada@example.com ("ada").
1 mail that would go out: each is skipped at its time, with the reason "unsubscribed".
Their playbooks go on, with tasks and webhooks; "perennial cancel" ends them.
`,
    });
    const gate = openHandOver(staffed.db);
    expect(await Promise.all(claimed.map(async (send) => gate.handOver(send)))).toEqual([false, true]);
    await gate.close();
    expect((await run(suppressCommand, ['bob', ...ACT])).out).toContain('1 mail past recall');
    await advance(staffed.db, staffed.cache, [1]);
    expect((await claimSends(staffed.db, staffed.cache, 'bulk', [1, 2])).claimed).toEqual([]);
    expect(await staffed.rows(`select status, reason from sends where customer_id = 1 and step = 'first'`)).toEqual([
      { status: 'skipped', reason: 'unsubscribed' },
    ]);
    expect((await audited()).slice(2)).toMatchObject([
      { action: 'suppress', by: 'mia', reason: 'asked on the telephone', detail: { scope: 'news', source: 'staff' } },
      { action: 'suppress', by: 'mia', detail: { address: 'bob@example.com', scope: '*' } },
    ]);
  });

  it('takes addresses that nobody has, and says so; says what was so before', async () => {
    const first = await run(suppressCommand, ['carl@example.com', ...ACT]);
    expect(first.out).toContain('all mail to carl@example.com (no customer has it now)');
    const again = await run(suppressCommand, ['CARL@example.com', ...ACT, '--json']);
    expect(again.code).toBe(1);
    expect(JSON.parse(again.out)).toMatchObject({
      outcome: 'suppressed before',
      entry: { source: 'staff', at: '2026-03-01T12:00:00.000Z' },
    });
    expect(await audited()).toHaveLength(1);
  });

  it('refuses topics that are none or that it would not stop, and customers who are none or have no address', async () => {
    await staffed.db.query(`update customers set email = null, address = null where key = 'bob'`);
    const refused = async (...args: readonly string[]): Promise<string> => {
      const printed = await run(suppressCommand, [...args, ...ACT]);
      expect(printed).toMatchObject({ code: 1, out: '' });
      return printed.err;
    };
    expect(await refused('ada', '--topic', 'nws')).toBe(
      'There is no topic "nws" in what is deployed.\nNearest: news\n',
    );
    expect(await refused('ada', '--topic', 'service')).toContain('Leave out --topic');
    expect(await refused('bob')).toContain('has no valid address');
    expect(await refused('adda')).toContain('Nearest: ada');
    expect(await audited()).toEqual([]);
  });
});

describe('perennial unsuppress', () => {
  it('takes back what staff did, and says what still forbids mail', async () => {
    await run(triggerCommand, ['series', '--customer', 'ada', ...ACT]);
    await run(suppressCommand, ['ada', ...ACT]);
    await run(suppressCommand, ['ada', '--topic', 'news', ...ACT]);
    expect(await run(unsuppressCommand, ['ada', ...ACT])).toEqual({
      code: 0,
      err: '',
      out: `All mail to ada@example.com ("ada") may go out again. What was skipped stays so.
1 mail of it will go out when due.
Still suppressed: mail of the topic "news", since 2026-03-01 13:00, source "staff": asked on the telephone.
`,
    });
    const nothing = await run(unsuppressCommand, ['ada', ...ACT]);
    expect(nothing).toMatchObject({ code: 1, err: expect.stringContaining('is not suppressed.\nStill suppressed') });
    expect(await run(unsuppressCommand, ['ada', '--topic', 'news', ...ACT])).toMatchObject({ code: 0 });
    expect((await claimSends(staffed.db, staffed.cache, 'bulk', [1])).claimed).toHaveLength(1);
  });

  it.each([
    ['complaint', 'reported our mail as spam'],
    ['bounce', 'takes no mail'],
    ['unsubscribe', 'only they can take that back'],
    ['import', 'said no elsewhere'],
  ])('takes back a %s only when it is named', async (source, why) => {
    await suppress(staffed.db, {
      address: 'ada@example.com',
      scope: '*',
      source,
      reason: '550 5.1.1',
      by: 'perennial',
    });
    const plain = await run(unsuppressCommand, ['ada', ...ACT]);
    expect(plain).toMatchObject({ code: 1, out: '' });
    expect(plain.err).toContain(why);
    expect(plain.err).toContain(`--despite ${source}`);
    const other = source === 'bounce' ? 'complaint' : 'bounce';
    expect(await run(unsuppressCommand, ['ada', ...ACT, '--despite', other])).toMatchObject({ code: 1 });
    expect(await staffed.rows('select source from suppressions')).toEqual([{ source }]);
    expect(await run(unsuppressCommand, ['ada', ...ACT, '--despite', source])).toMatchObject({ code: 0 });
    expect(await staffed.rows('select source from suppressions')).toEqual([]);
    expect(await audited()).toMatchObject([
      { by: 'perennial' },
      { action: 'unsuppress', by: 'mia', detail: { source } },
    ]);
  });
});

it('knows a reader who wants no letters at all', async () => {
  await run(triggerCommand, ['series', '--customer', 'ada', ...ACT]);
  const done = await run(suppressCommand, ['ada', '--topic', '*topics', ...ACT]);
  expect(done.out).toContain(
    'Suppressed: mail of every topic that is not transactional to ada@example.com ("ada").\n1 mail that would go',
  );
  expect((await run(suppressionsCommand, [])).out).toMatch(/ada@example.com {2}all topics/);
  await claimSends(staffed.db, staffed.cache, 'bulk', [1]);
  expect(await staffed.rows('select status, reason from sends')).toEqual([
    { status: 'skipped', reason: 'unsubscribed' },
  ]);
  expect((await run(unsuppressCommand, ['ada', '--topic', '*topics', ...ACT])).code).toBe(0);
});

describe('perennial suppressions', () => {
  it('lists and filters', async () => {
    expect((await run(suppressionsCommand, [])).out).toBe('Nobody is suppressed like this.\n');
    await run(suppressCommand, ['ada', ...ACT]);
    await staffed.at('2026-03-02T12:00:00Z');
    await run(suppressCommand, ['zoe@other.example', '--topic', 'news', ...ACT]);
    await staffed.at('2026-03-01T12:00:00Z');
    expect((await run(suppressionsCommand, [])).out).toBe(
      `address            what        since (Europe/Berlin)  source  customers  reason
zoe@other.example  news        2026-03-02 13:00       staff              asked on the telephone
ada@example.com    everything  2026-03-01 13:00       staff   ada        asked on the telephone
`,
    );
    const listed = async (...args: readonly string[]): Promise<unknown> => {
      const { total, suppressions } = JSON.parse((await run(suppressionsCommand, [...args, '--json'])).out) as {
        readonly total: number;
        readonly suppressions: readonly { readonly address: string }[];
      };
      return [total, ...suppressions.map(({ address }) => address)];
    };
    expect(await listed('@OTHER')).toEqual([1, 'zoe@other.example']);
    expect(await listed('--topic', '*')).toEqual([1, 'ada@example.com']);
    expect(await listed('--source', 'bounce')).toEqual([0]);
    expect(await listed('--limit', '1')).toEqual([2, 'zoe@other.example']);
    expect((await run(suppressionsCommand, ['--limit', '1'])).out).toContain('and 1 more: --limit 2 shows them');
  });
});
