/** A server takes longer for its answer than a hand-over lasts: the mail stays with its process as long as that lives. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { claimSends } from '../../engine/store/claim.ts';
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

it('is renewed while the process waits, and is in doubt when it does no more', async () => {
  const { db, cache } = staffed;
  const ids = await staffed.customers(['anna', 'ben']);
  const at = Date.parse('2026-03-02T10:00:00Z');
  const orders = ['anna', 'ben'].map((customer) => ({
    kind: 'track' as const,
    customer,
    event: { id: `o-${customer}`, event: 'order.placed', at, data: { total: 1 } },
    createIfMissing: false,
  }));
  await ingest(db, cache, orders, { history: false });
  const { claimed } = await claimSends(db, cache, 'bulk', ids);
  const [waited, forgotten] = claimed;
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
