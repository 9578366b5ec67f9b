/** Coupon codes: each goes out once, none without its mail, and no mail without its code. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { readCodes, type CodesFormat } from '../../engine/ingest/file/codes.ts';
import { openSource } from '../../engine/ingest/file/source.ts';
import { advance } from '../../engine/store/advance.ts';
import { openReleaseCache } from '../../engine/store/context.ts';
import { addCodes, listPools } from '../../engine/store/coupon-pools.ts';
import { openDatabase } from '../../engine/store/database.ts';
import { listHeld } from '../../engine/store/held.ts';
import { timelineOf } from '../../engine/store/timeline.ts';
import { triggerPlaybook, type ForeseenMails } from '../../engine/store/trigger.ts';
import { compileSources } from '../support/staff.ts';
import { clear, FILES, openFleet, type Fleet } from './support.ts';

const GIFT = `title: A gift
topic: service
trigger: { event: order.placed }
entry: { again: always }
exit:
  - { event: order.refunded }
steps:
  - coupon: { pool: anniversary, as: gift }
    id: take
  - wait: 1 hours
  - email: thanks/first
    if: vars.gift.code != null
  - wait: 1 days
`;

let fleet: Fleet;
beforeAll(async () => {
  fleet = await openFleet({
    ...FILES,
    'playbooks/thanks.yaml': GIFT,
    'templates/thanks/first.hbs': 'Your code is {{vars.gift.code}}',
  });
});
afterAll(async () => {
  await fleet.close();
});
beforeEach(async () => {
  await clear(fleet);
  await fleet.db.query('truncate coupon_codes, coupon_pools');
});

const codes = async (): Promise<readonly string[]> => {
  const rows = await fleet.rows<{ line: string }>(
    `select concat_ws(' ', d.code, d.status, c.key) as line
     from coupon_codes d left join customers c on c.id = d.customer_id order by d.id`,
  );
  return rows.map((row) => row.line);
};

async function order(key: string): Promise<number> {
  const [id = 0] = await fleet.customers([key]);
  await fleet.event('order.placed', [key], { total: 20 });
  await fleet.advance([id]);
  return id;
}

describe('a coupon', () => {
  it('is reserved at its step, in the mail that follows, and committed when that is handed over', async () => {
    expect(await addCodes(fleet.db, 'anniversary', ['A', 'B', 'A'])).toEqual({ added: 2, duplicates: 1, released: 0 });
    const ada = await order('ada');
    expect(await codes()).toEqual(['A reserved ada', 'B free']);
    await fleet.at('2026-03-02T10:00:00Z');
    await fleet.advance([ada]);
    const [send] = await fleet.claim('transactional', [ada]);
    expect(send?.enrolment.vars).toEqual({ gift: { code: 'A' } });
    await fleet.hand(send === undefined ? [] : [send]);
    await fleet.settle(send === undefined ? [] : [send], { kind: 'accepted' });
    expect(await codes()).toEqual(['A committed ada', 'B free']);
    expect((await timelineOf(fleet.db)).map((line) => `${line.do} ${line.step ?? ''}`.trim())).toEqual([
      'enrol',
      'coupon take',
      'email first',
    ]);
    await fleet.event('order.refunded', ['ada']);
    expect(await codes()).toEqual(['A committed ada', 'B free']);
    expect(await listPools(fleet.db, null)).toEqual([
      { pool: 'anniversary', free: 1, reserved: 0, committed: 1, waiting: 0 },
    ]);
  });

  it('is free again when the enrolment ends before its mail, and is not when the mail is past recall', async () => {
    await addCodes(fleet.db, 'anniversary', ['A', 'B']);
    const [ada, bob] = [await order('ada'), await order('bob')];
    await fleet.event('order.refunded', ['ada']);
    expect(await codes()).toEqual(['A free', 'B reserved bob']);
    await fleet.at('2026-03-02T10:00:00Z');
    await fleet.advance([ada, bob]);
    await fleet.hand(await fleet.claim('transactional', [bob]));
    // Handed over, and nothing known of it yet.
    await fleet.event('order.refunded', ['bob']);
    expect(await codes()).toEqual(['A free', 'B committed bob']);
  });

  it('holds whom it has no code for, visibly, and lets them go on when codes come', async () => {
    const ada = await order('ada');
    expect(await listHeld(fleet.db)).toMatchObject([
      { kind: 'enrolment', customer: 'ada', step: 'take', error: expect.stringContaining('"anniversary" has no code') },
    ]);
    expect(await listPools(fleet.db, 'anniversary')).toMatchObject([{ free: 0, waiting: 1 }]);
    // Longer than a mail may be late.
    await fleet.at('2026-03-12T09:00:00Z');
    await fleet.advance([ada]);
    expect(await addCodes(fleet.db, 'anniversary', ['A'])).toEqual({ added: 1, duplicates: 0, released: 1 });
    expect(await listHeld(fleet.db)).toEqual([]);
    await fleet.advance([ada]);
    expect(await codes()).toEqual(['A reserved ada']);
    await fleet.at('2026-03-12T10:00:00Z');
    await fleet.advance([ada]);
    expect(await fleet.deliver('transactional', [ada])).toEqual(['ada first']);
    expect(await codes()).toEqual(['A committed ada']);
  });

  it('goes to one enrolment only, however many workers take codes at once, and to as many as there are', async () => {
    const keys = Array.from({ length: 60 }, (_, index) => `c${index}`);
    const ids = await fleet.customers(keys);
    await addCodes(
      fleet.db,
      'anniversary',
      Array.from({ length: 45 }, (_, index) => `CODE-${index}`),
    );
    await fleet.event('order.placed', keys, { total: 20 });
    const workers = [0, 1, 2, 3].map(() => {
      const db = openDatabase(fleet.db.url, { max: 2 });
      return { db, cache: openReleaseCache(compileSources) };
    });
    for (let round = 0; round < 3; round += 1) {
      await Promise.all(
        workers.map(async ({ db, cache }, index) => {
          for (let start = index * 5; start < ids.length; start += 20) {
            await advance(db, cache, ids.slice(start, start + 5));
          }
        }),
      );
    }
    await Promise.all(workers.map(async ({ db }) => db.close()));
    const taken = await fleet.rows<{ code: string; enrolments: number }>(
      `select vars #>> '{gift,code}' as code, count(*) as enrolments from enrolments where vars is not null group by 1`,
    );
    expect(taken).toHaveLength(45);
    expect(taken.every(({ enrolments }) => enrolments === 1)).toBe(true);
    expect(await listPools(fleet.db, null)).toEqual([
      { pool: 'anniversary', free: 0, reserved: 45, committed: 0, waiting: 15 },
    ]);
  });

  it('leaves nobody held when codes come in while workers find the pool empty', async () => {
    const keys = Array.from({ length: 40 }, (_, index) => `c${index}`);
    const ids = await fleet.customers(keys);
    await fleet.event('order.placed', keys, { total: 20 });
    const others = [0, 1, 2].map(() => {
      const db = openDatabase(fleet.db.url, { max: 2 });
      return { db, cache: openReleaseCache(compileSources) };
    });
    const working = others.map(async ({ db, cache }, index) => {
      for (let start = index * 4; start < ids.length; start += 12) {
        await advance(db, cache, ids.slice(start, start + 4));
      }
    });
    for (let start = 0; start < 40; start += 8) {
      const some = Array.from({ length: 8 }, (_, index) => `CODE-${start + index}`);
      await addCodes(fleet.db, 'anniversary', some);
    }
    await Promise.all(working);
    expect(await listHeld(fleet.db)).toEqual([]);
    await fleet.advance(ids);
    await Promise.all(others.map(async ({ db }) => db.close()));
    expect(await listPools(fleet.db, null)).toEqual([
      { pool: 'anniversary', free: 0, reserved: 40, committed: 0, waiting: 0 },
    ]);
  });

  it('is a sample, and none is taken, in a dry run', async () => {
    await addCodes(fleet.db, 'anniversary', ['A']);
    await fleet.customers(['ada']);
    const foreseen: ForeseenMails[] = [];
    const triggered = await triggerPlaybook(fleet.db, fleet.cache, {
      customer: 'ada',
      playbook: 'thanks',
      vars: {},
      by: 'Mia',
      reason: 'test',
      dryRun: true,
      onForeseen: (mails) => foreseen.push(mails),
    });
    const ahead = 'ahead' in triggered ? triggered.ahead : [];
    expect(ahead.map((line) => line.do)).toEqual(['enrol', 'coupon', 'email', 'complete']);
    expect(foreseen[0]?.vars).toEqual({ gift: { code: 'ANNIVERSARY-0001' } });
    expect(await codes()).toEqual(['A free']);
  });
});

describe('codes in a file', () => {
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'perennial-codes-'));
  });
  afterAll(async () => {
    await rm(dir, { recursive: true, force: true });
  });

  async function read(name: string, text: string, format: CodesFormat): Promise<unknown> {
    const file = path.join(dir, name);
    await writeFile(file, text);
    const found = { codes: [] as string[], rejected: [] as string[] };
    for await (const { codes: some, rejected } of readCodes(await openSource(file, process.stdin), format)) {
      found.codes.push(...some);
      found.rejected.push(...rejected.map(({ line, reason }) => `${line} ${reason}`));
    }
    return found;
  }

  it('are one a line, or a column of CSV; what is none is named with its line', async () => {
    expect(await read('a.txt', `\uFEFFA-1\r\n\r\n  B 2 \n${'x'.repeat(101)}\nC\u00003\nD`, { kind: 'lines' })).toEqual({
      codes: ['A-1', 'B 2', 'D'],
      rejected: ['4 is longer than 100 characters', '5 holds characters that nobody can type'],
    });
    const csv = { kind: 'csv', column: 'code', delimiter: ';' } as const;
    expect(await read('b.csv', 'name;code\nada;"A;1"\nbob;\n"x;y";B\n', csv)).toEqual({
      codes: ['A;1', 'B'],
      rejected: ['3 has no code'],
    });
    await expect(read('c.csv', 'name;codes\n', csv)).rejects.toThrow('did you mean "codes"?');
  });
});
