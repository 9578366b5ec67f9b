import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { exportCommand } from '../../scripts/export.ts';
import { forgetCommand } from '../../scripts/forget.ts';
import { runCommand, type Printed } from '../support/command.ts';
import { eventOf, openFleet, START, type Fleet } from '../store/support.ts';

const ACT = ['--by', 'mia', '--reason', 'asked by letter'];

let fleet: Fleet;
let project: string;
const databaseUrl = process.env['DATABASE_URL'];
beforeAll(async () => {
  fleet = await openFleet();
  process.env['DATABASE_URL'] = fleet.db.url;
  project = await mkdtemp(path.join(tmpdir(), 'perennial-privacy-'));
});
afterAll(async () => {
  if (databaseUrl === undefined) delete process.env['DATABASE_URL'];
  else process.env['DATABASE_URL'] = databaseUrl;
  await rm(project, { recursive: true, force: true });
  await fleet.close();
});
beforeEach(async () => {
  await fleet.db.query(
    `truncate customers, enrolments, timers, sends, events, event_keys, event_stats, suppressions, audit, erasures
     restart identity cascade`,
  );
  await fleet.take([
    { kind: 'identify', customer: 'ada', traits: { email: 'ada@example.com', name: 'Ada L.', tags: ['early'] } },
    eventOf('ada', 'order.placed', START, { total: 42 }),
  ]);
});

describe('perennial export', () => {
  const exported = async (...args: readonly string[]): Promise<Printed> => {
    let text = '';
    const write = async (piece: string): Promise<void> => {
      text += piece;
      return Promise.resolve();
    };
    const printed = await runCommand((terminal) => exportCommand(terminal, write), args, project);
    return { ...printed, out: `${printed.out}${text}` };
  };

  it('prints everything as one JSON object of the documented shape, in as many pages as it takes', async () => {
    await fleet.db.query(
      `insert into events (key, customer_id, event, at, received_at, data)
       select 'e' || n, 1, 'page.seen', $1::timestamptz + n * interval '1 second', now(), '{"at": 5}'
       from generate_series(1, 1234) n`,
      [START],
    );
    const { out, code } = await exported('ada@example.com');
    expect(code).toBe(0);
    const all = JSON.parse(out) as Record<string, Record<string, unknown>[]>;
    expect(Object.keys(all)).toEqual([
      'format',
      'version',
      'exportedAt',
      'customer',
      'records',
      'formerAddresses',
      'suppressions',
      'subscriptions',
      'consents',
      'eventCounts',
      'events',
      'eventsKept',
      'enrolments',
      'timers',
      'mails',
      'mailFeedback',
      'mailReactions',
      'changesBySteps',
      'entriesRefused',
      'tasks',
      'coupons',
      'webhooks',
      'audit',
    ]);
    expect(all).toMatchObject({ format: 'perennial-customer', version: 1, customer: 'ada', suppressions: [] });
    expect(all['records']).toMatchObject([
      {
        id: 'ada',
        email: 'ada@example.com',
        name: 'Ada L.',
        tags: ['early'],
        orders: 1,
        last_order_at: '2026-03-02T09:00:00.000Z',
      },
    ]);
    expect(all['events']).toHaveLength(1235);
    expect(all['events']?.[1234]).toMatchObject({ id: 'e1234', at: '2026-03-02T09:20:34.000Z', data: { at: 5 } });
    expect(all['enrolments']).toMatchObject([
      { playbook: 'thanks', status: 'active', startedAt: '2026-03-02T09:00:00.000Z' },
    ]);
    expect(all['mails']).toMatchObject([{ playbook: 'thanks', step: 'first', status: 'planned' }]);
  });

  it('writes a file that others cannot read, or none', async () => {
    const file = path.join(project, 'ada.json');
    expect(await exported('ada', '--out', file)).toMatchObject({ code: 0, out: `Written to ${file}.\n` });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ customer: 'ada' });
    const unknown = await exported('adda', '--out', path.join(project, 'adda.json'));
    expect(unknown).toMatchObject({ code: 1, out: '', err: expect.stringContaining('Nearest: ada') });
    expect(await readdir(project)).toEqual(['ada.json']);
  });
});

describe('perennial forget', () => {
  const forgotten = async (
    args: readonly string[],
    typed: string | null = null,
  ): Promise<Printed & { asked: string }> => {
    let asked = '';
    const ask = async (question: string): Promise<string> => {
      asked += question;
      return Promise.resolve(typed ?? '');
    };
    const printed = await runCommand((terminal) => forgetCommand(terminal, ask), [...args, ...ACT], project);
    return { ...printed, asked };
  };
  const names = async (): Promise<unknown[]> => fleet.rows('select name from customers');

  it('shows what would go, and asks for the id to be typed again', async () => {
    const dry = await forgotten(['ada@example.com', '--dry-run']);
    expect(dry).toMatchObject({
      code: 0,
      asked: '',
      out: `Dry run, nothing was changed. Customer "ada" (ada@example.com) would be erased.
What ends: "thanks".
What is deleted: profile, facts, 1 event, 0 suppressions.
What is emptied, so that totals stay: 1 enrolment, 1 mail, 0 tasks, 0 webhooks, 0 in the audit record.
Keyed hashes of id and address stay: no import and no event brings them back.
`,
    });
    const wrong = await forgotten(['ada@example.com'], 'ada@example.com');
    expect(wrong.asked).toContain('1 enrolment, 1 mail');
    expect(wrong.asked).toContain('type the id again: ');
    expect(wrong).toMatchObject({ code: 1, err: 'That is not the id: nothing was erased.\n' });
    expect(await names()).toEqual([{ name: 'Ada L.' }]);
    const right = await forgotten(['ada@example.com'], 'ada\n');
    expect(right).toMatchObject({
      code: 0,
      out: expect.stringContaining('Customer "ada" (ada@example.com) is erased.'),
    });
    expect(await names()).toEqual([{ name: null }]);
    expect(await forgotten(['ada', '--yes'])).toMatchObject({
      code: 0,
      asked: '',
      out: '"ada" was erased on 2026-03-02 10:00: nothing is kept.\n',
    });
  });

  it('names others with the same address before it does anything', async () => {
    await fleet.take([{ kind: 'identify', customer: 'twin', traits: { email: 'ADA@example.com' } }]);
    const refused = await forgotten(['ada', '--yes']);
    expect(refused).toMatchObject({ code: 1, out: '', err: expect.stringContaining('  twin  ADA@example.com\n') });
    const both = await forgotten(['ada', '--yes', '--sharing', '--json']);
    expect(JSON.parse(both.out)).toMatchObject({ outcome: 'forgotten', customers: [{ key: 'ada' }, { key: 'twin' }] });
    expect(await names()).toEqual([{ name: null }, { name: null }]);
  });
});
