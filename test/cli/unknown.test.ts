/** Mails in doubt, as support staff see and settle them. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { expireLeases } from '../../engine/store/expire.ts';
import { unknownCommand } from '../../scripts/unknown.ts';
import { runCommand, type Printed } from '../support/command.ts';
import { testFolder } from '../support/folder.ts';
import { clear, COMPANY, openFleet, type Fleet } from '../store/support.ts';

const FILES = {
  'perennial.yaml': COMPANY.replace('question.asked: {}', 'question.asked: {}\n  call.logged: {}'),
  'playbooks/holding.yaml': `topic: service
unknown: hold
trigger: { event: call.logged }
steps:
  - email: thanks/first
  - wait: 1 days
  - email: thanks/second
`,
};
const HANDED_AT = '2026-03-02T09:00:00.000Z';
const ACT = ['--by', 'mia', '--reason', 'looked into the log of the server'];

let fleet: Fleet;
let project: string;
const databaseUrl = process.env['DATABASE_URL'];

beforeAll(async () => {
  fleet = await openFleet(FILES);
  process.env['DATABASE_URL'] = fleet.db.url;
  project = await testFolder();
});
afterAll(async () => {
  if (databaseUrl === undefined) delete process.env['DATABASE_URL'];
  else process.env['DATABASE_URL'] = databaseUrl;
  await fleet.close();
});
beforeEach(async () => {
  await clear(fleet);
  await fleet.db.query('truncate audit restart identity');
});

async function unknown(...args: string[]): Promise<Printed> {
  return runCommand(unknownCommand, args, project);
}

/** Their mail is handed over, its worker dies, and three minutes later it is found. Gives the sends, by customer. */
async function leaveInDoubt(
  event: 'call.logged' | 'order.placed',
  keys: readonly string[],
): Promise<readonly number[]> {
  const ids = await fleet.customers(keys);
  await fleet.event(event, keys, event === 'order.placed' ? { total: 5 } : {});
  const claimed = await fleet.claim(event === 'order.placed' ? 'bulk' : 'transactional', ids);
  expect(await fleet.hand(claimed)).toEqual(keys.map(() => true));
  await fleet.expireAll();
  await fleet.at('2026-03-02T09:03:00Z');
  expect(await expireLeases(fleet.db, fleet.cache, 100)).toMatchObject({ unknown: keys.length });
  return claimed.map(({ sendId }) => sendId);
}

async function standing(): Promise<readonly unknown[]> {
  return fleet.rows(
    `select s.status, s.resends, e.status as enrolment, e.due_at from sends s join enrolments e on e.id = s.enrolment_id
     order by s.id`,
  );
}

describe('perennial unknown', () => {
  it('says that nothing is in doubt', async () => {
    expect(await unknown()).toEqual({ out: 'No mail is in doubt.\n', err: '', code: 0 });
  });

  it('lists what waits for a person first, with what was done and what to look for', async () => {
    const [assumed] = await leaveInDoubt('order.placed', ['ada']);
    await fleet.at('2026-03-02T09:00:00Z');
    const [waits] = await leaveInDoubt('call.logged', ['bob']);
    const { out, code } = await unknown();
    const lines = out.split('\n');
    expect(code).toBe(0);
    expect(lines[1]).toMatch(
      new RegExp(
        `^send:${waits} +2026-03-02 10:03 +bob +holding at first +held +<send-${waits}\\.[0-9a-f]+@sample\\.example>`,
      ),
    );
    expect(lines[2]).toMatch(new RegExp(`^send:${assumed} +2026-03-02 10:03 +ada +thanks at first +taken as sent`));
    expect(out).toContain('2 mails in doubt: 1 waiting for a person, 1 taken as sent.');
    expect((await unknown('--limit', '1')).out).toContain('and 1 more: --limit shows them');
    const json = JSON.parse((await unknown('--json')).out) as { counts: unknown; items: readonly unknown[] };
    expect(json.counts).toEqual({ waits: 1, assumed: 1 });
    expect(json.items[0]).toMatchObject({
      ref: `send:${waits}`,
      doubt: 'waits',
      customer: 'bob',
      playbook: 'holding',
      step: 'first',
      handedAt: HANDED_AT,
      at: '2026-03-02T09:03:00.000Z',
      reason: 'no outcome was reported in time',
      resends: 0,
    });
  });
});

describe('perennial unknown settle', () => {
  it.each([
    ['sent', { status: 'sent', resends: 0, enrolment: 'active', due_at: Date.parse(HANDED_AT) + 86_400_000 }],
    ['failed', { status: 'failed', resends: 0, enrolment: 'active', due_at: Date.parse('2026-03-03T10:00:00Z') }],
    ['resend', { status: 'planned', resends: 1, enrolment: 'active', due_at: null }],
  ])('as %s: the enrolment that waits goes on as the language says', async (as, expected) => {
    const [id] = await leaveInDoubt('call.logged', ['bob']);
    await fleet.at('2026-03-02T10:00:00Z');
    const settled = await unknown('settle', `send:${id}`, '--as', as, ...ACT);
    expect(settled).toMatchObject({ err: '', code: 0, out: expect.stringContaining(`send:${id} `) });
    expect(await standing()).toEqual([expected]);
    expect(await fleet.rows('select by, action, reason, playbook, detail from audit')).toEqual([
      {
        by: 'mia',
        action: 'unknown.settle',
        reason: 'looked into the log of the server',
        playbook: 'holding',
        detail: { kind: 'send', id, as, was: 'waits' },
      },
    ]);
    expect((await unknown()).out).toBe('No mail is in doubt.\n');
    expect(await unknown('settle', String(id), '--as', as, ...ACT)).toEqual({
      out: '',
      err: `send:${id} is not in doubt. See "perennial unknown".\n`,
      code: 1,
    });
    expect(await fleet.rows('select count(*) as acts from audit')).toEqual([{ acts: 1 }]);
  });

  it('sends again under the same Message-ID', async () => {
    const [id = 0] = await leaveInDoubt('call.logged', ['bob']);
    const [before] = await fleet.rows<{ message_id: string; customer_id: number }>('select * from sends');
    expect((await unknown('settle', `${id}`, '--as', 'resend', ...ACT)).out).toBe(
      `send:${id} will be sent again now, under the same Message-ID.\n`,
    );
    const [claimed] = await fleet.claim('transactional', [before?.customer_id ?? 0]);
    expect(claimed).toMatchObject({ sendId: id, messageId: before?.message_id });
  });

  it('keeps the way of one that has gone on: the record alone changes, and a failed one counts towards no cap', async () => {
    const ids = await leaveInDoubt('order.placed', ['ada', 'bob']);
    const wentOn = (await standing()) as readonly { due_at: number }[];
    expect((await unknown('settle', `send:${ids[0]}`, '--as', 'sent', ...ACT)).out).toBe(
      `send:${ids[0]} counts as sent.\n`,
    );
    await unknown('settle', `send:${ids[1]}`, '--as', 'failed', ...ACT);
    expect(await standing()).toMatchObject([
      { status: 'sent', enrolment: 'active', due_at: wentOn[0]?.due_at },
      { status: 'failed', enrolment: 'active', due_at: wentOn[1]?.due_at },
    ]);
    expect(await fleet.rows(`select status, reason from sends order by id`)).toMatchObject([
      { reason: 'settled by mia: looked into the log of the server' },
      { reason: 'settled by mia: looked into the log of the server' },
    ]);
  });

  it('does not send again what its playbook has gone on past, and says what to do', async () => {
    const [id] = await leaveInDoubt('order.placed', ['ada']);
    const before = await standing();
    const { err, code } = await unknown('settle', `send:${id}`, '--as', 'resend', ...ACT);
    expect(code).toBe(1);
    expect(err).toContain(`send:${id} cannot be sent again: "thanks" has gone on since`);
    expect(err).toContain('perennial trigger PLAYBOOK --customer ada --by NAME');
    expect(await standing()).toEqual(before);
    expect(await fleet.rows('select * from audit')).toEqual([]);
  });

  it('tells of a customer who is held, and does the others', async () => {
    const [ada, bob] = await leaveInDoubt('call.logged', ['ada', 'bob']);
    await fleet.db.query(`update customers set held_at = now(), held_error = 'test' where key = 'ada'`);
    const result = await unknown('settle', `send:${ada}`, `send:${bob}`, '--as', 'sent', ...ACT, '--json');
    expect(result.code).toBe(1);
    expect(JSON.parse(result.out)).toMatchObject({
      as: 'sent',
      results: [
        { ref: `send:${ada}`, outcome: 'customer held' },
        { ref: `send:${bob}`, outcome: 'settled', was: 'waits' },
      ],
    });
    expect(await standing()).toMatchObject([{ status: 'unknown' }, { status: 'sent' }]);
  });
});
