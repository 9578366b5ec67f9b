/** A server takes longer for its answer than a hand-over lasts: the mail stays with its process as long as that lives. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { claimSends, type ClaimedSend } from '../../engine/store/claim.ts';
import { expireLeases } from '../../engine/store/expire.ts';
import { openHandOver } from '../../engine/store/hand.ts';
import { ingest } from '../../engine/store/ingest.ts';
import { openHolding } from '../../workers/holding.ts';
import { COMPANY, openStaffed, type Staffed } from '../support/staff.ts';

const LASTS_MS = 400;

let staffed: Staffed;

beforeAll(async () => {
  staffed = await openStaffed('2026-03-02T10:00:00Z');
  await staffed.deploy({
    'perennial.yaml': COMPANY,
    'playbooks/news.yaml': 'title: News\ntopic: news\ntrigger: { event: order.placed }\nsteps:\n  - email: a\n',
    'templates/a.hbs': '<p>Hello.</p>',
  });
});
afterAll(async () => staffed.close());

/** The mails of an order of each of these customers, claimed. */
async function claimedFor(names: readonly string[]): Promise<readonly ClaimedSend[]> {
  const { db, cache } = staffed;
  const ids = await staffed.customers(names);
  const at = Date.parse('2026-03-02T10:00:00Z');
  const orders = names.map((customer) => ({
    kind: 'track' as const,
    customer,
    event: { id: `o-${customer}`, event: 'order.placed', at, data: { total: 1 } },
    createIfMissing: false,
  }));
  await ingest(db, cache, orders, { history: false });
  return (await claimSends(db, cache, 'bulk', ids)).claimed;
}

it('is renewed while the process waits, and is in doubt when it does no more', async () => {
  const { db, cache } = staffed;
  const [waited, forgotten] = await claimedFor(['anna', 'ben']);
  if (waited === undefined || forgotten === undefined) throw new Error('two mails are due');
  const handOver = openHandOver(db, { answerMs: LASTS_MS });
  const holding = openHolding({ db, log: pino({ level: 'silent' }), renewEveryMs: LASTS_MS / 8, lastsMs: LASTS_MS });
  for (const send of [waited, forgotten]) expect(await handOver.handOver(send)).toBe(true);
  holding.begin(waited);

  const statusOf = async (): Promise<Readonly<Record<number, string>>> => {
    const rows = await staffed.rows<{ id: number; status: string }>('select id, status from sends');
    return Object.fromEntries(rows.map(({ id, status }) => [id, status]));
  };
  // Until the lease of the one that nobody renews has run out twice over.
  await sleep(2 * LASTS_MS);
  expect(await expireLeases(db, cache, 10)).toMatchObject({ unknown: 1 });
  expect(await statusOf()).toEqual({ [waited.sendId]: 'handed', [forgotten.sendId]: 'unknown' });

  holding.end(waited);
  await holding.close();
  await sleep(2 * LASTS_MS);
  expect(await expireLeases(db, cache, 10, { graceMs: 86_400_000 })).toMatchObject({ unknown: 0 });
  expect(await expireLeases(db, cache, 10)).toMatchObject({ unknown: 1 });
  expect(await statusOf()).toEqual({ [waited.sendId]: 'unknown', [forgotten.sendId]: 'unknown' });
});

it('is renewed as a claim as long as its process waits for the server to ask for it', async () => {
  const { db } = staffed;
  const [waited, asleep] = await claimedFor(['finn', 'gus']);
  if (waited === undefined || asleep === undefined) throw new Error('two mails are due');
  const shorten = `update sends set lease_until = clock_timestamp() + $1 * interval '1 millisecond' where id = any ($2)`;
  await db.query(shorten, [LASTS_MS, [waited.sendId]]);
  await db.query(shorten, [0, [asleep.sendId]]);
  const handOver = openHandOver(db, { answerMs: LASTS_MS });
  const holding = openHolding({ db, log: pino({ level: 'silent' }), renewEveryMs: LASTS_MS / 8, lastsMs: LASTS_MS });
  for (const send of [waited, asleep]) holding.claimed(send);
  await sleep(2 * LASTS_MS);
  await holding.close();
  expect(await handOver.handOver(waited)).toBe(true);
  // What has run out is renewed for nobody.
  expect(await handOver.handOver(asleep)).toBe(false);
  await handOver.close();
  await db.query(`update sends set status = 'sent', settled_at = now(), lease_until = null where id = $1`, [
    waited.sendId,
  ]);
});

it('is known to have been sent when its process dies after the server has accepted it', async () => {
  const { db, cache } = staffed;
  const [alone, followed, next] = await claimedFor(['cleo', 'dora', 'eve']);
  if (alone === undefined || followed === undefined || next === undefined) throw new Error('three mails are due');
  const handOver = openHandOver(db, { answerMs: LASTS_MS });
  for (const send of [alone, followed]) expect(await handOver.handOver(send)).toBe(true);
  // With no hand-over to go along with, and together with the next one.
  await handOver.accepted(alone);
  await Promise.all([handOver.accepted(followed), handOver.handOver(next)]);
  await handOver.close();
  await sleep(2 * LASTS_MS);
  expect(await expireLeases(db, cache, 10)).toMatchObject({ unknown: 1 });
  const rows = await staffed.rows<{ status: string }>(
    `select status from sends where id in (${[alone, followed, next].map(({ sendId }) => sendId).join()}) order by id`,
  );
  expect(rows.map(({ status }) => status)).toEqual(['sent', 'sent', 'unknown']);
});

it('is noted as accepted with the group whose last mail the same answer of the server brought', async () => {
  const { db } = staffed;
  const [before, other, after] = await claimedFor(['hal', 'ida', 'jo']);
  if (before === undefined || other === undefined || after === undefined) throw new Error('three mails are due');
  const groups = { size: 1 };
  const handOver = openHandOver(db, { expected: () => groups.size, windowMs: 60_000 });
  expect(await handOver.handOver(before)).toBe(true);
  groups.size = 2;
  const waits = handOver.handOver(other);
  await sleep(20);
  // The answer accepts one mail and asks for the next; who hears of the first has further to go.
  const completes = handOver.handOver(after);
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  void handOver.accepted(before);
  expect(await Promise.all([waits, completes])).toEqual([true, true]);
  const rows = await staffed.rows<{ noted: boolean }>(
    `select accepted_at is not null as noted from sends where id = ${before.sendId}`,
  );
  expect(rows).toEqual([{ noted: true }]);
  await handOver.close();
});
