/** No statement that the protocol, readers or mail providers cause reads a table whole that grows. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { advance } from '../../engine/store/advance.ts';
import { findReader, recordChoices, standingOf } from '../../engine/store/choices.ts';
import { claimSends } from '../../engine/store/claim.ts';
import { actOnComplaints } from '../../engine/store/complaints.ts';
import { expireLeases } from '../../engine/store/expire.ts';
import { recordRefused, recordReturned, type ReturnedRecipient } from '../../engine/store/feedback.ts';
import { forget } from '../../engine/store/forget.ts';
import { openHandOver } from '../../engine/store/hand.ts';
import { ingest } from '../../engine/store/ingest.ts';
import { giveBack } from '../../engine/store/pace/permits.ts';
import { holdDomain, liftHold } from '../../engine/store/pace/holds.ts';
import { forgetEvents, recordEvents, type ReportedEvent } from '../../engine/store/provider-events.ts';
import { recordReaction } from '../../engine/store/reactions.ts';
import { failsInARow } from '../../engine/store/render-errors.ts';
import { revokeFromCustomers, revokeFromPlaybook } from '../../engine/store/revoke.ts';
import { settleSends } from '../../engine/store/settle.ts';
import { suppressionsAt } from '../../engine/store/suppressions.ts';
import { readVitals } from '../../engine/store/vitals.ts';
import { openExplained, type Explained } from './explaining.ts';
import { eventOf, START } from './support.ts';

const LIMITS = `caps:
  - { at_most: 3, per: 7 days }
sending:
  per_second: 10000
  domains: { "*": 10000 }
  warm_up: { from: 2026-03-02, per_day: [10000] }
`;

let explained: Explained;
beforeAll(async () => {
  explained = await openExplained(LIMITS);
}, 120_000);
afterAll(async () => {
  await explained.close();
});
beforeEach(async () => {
  await explained.fleet.db.query('delete from pauses');
  await explained.fleet.db.query('delete from domain_holds');
  explained.wholeReads();
});

/** Nothing was read whole; `atLeast`: so that a statement which is no longer seen does not pass for a fast one. */
function expectNoneWhole(atLeast: number): void {
  const { statements, whole } = explained.wholeReads();
  expect(whole).toEqual([]);
  expect(statements).toBeGreaterThanOrEqual(atLeast);
}

const to = (verdict: ReturnedRecipient['verdict'], address: string | null): ReturnedRecipient => ({
  address,
  originalAddress: null,
  verdict,
  status: '5.1.1',
  detail: 'no such user',
});

const APART = 100;

/** 100 customers far apart, from `first` on: what one test changes, the next one does not meet. */
const idsFrom = (first: number): readonly number[] => Array.from({ length: 100 }, (_, index) => index * APART + first);
const keysOf = (ids: readonly number[]): readonly string[] => ids.map((id) => `c${id - 1}`);

/** Their mail, claimed and handed over, and given a good end where `accepted`. */
async function send(ids: readonly number[], accepted: boolean) {
  const { fleet, db } = explained;
  const items = keysOf(ids).map((key) => eventOf(key, 'order.placed', START));
  await ingest(db, fleet.cache, items, { history: false });
  const { claimed } = await claimSends(db, fleet.cache, 'bulk', ids, { server: 'mail.test:25' });
  expect(claimed).toHaveLength(ids.length);
  const handOver = openHandOver(db);
  await Promise.all(claimed.slice(10).map(async (one) => handOver.handOver(one)));
  await handOver.close();
  if (accepted) {
    const handed = claimed.slice(20).map(({ sendId, fence, customerId }) => ({ sendId, fence, customerId }));
    await settleSends(
      db,
      fleet.cache,
      handed.map((one) => ({ ...one, kind: 'accepted' })),
    );
  }
  return claimed;
}

describe('nothing that grows is read whole', () => {
  it('by the protocol', async () => {
    const { fleet, db } = explained;
    const ids = idsFrom(1);
    const keys = keysOf(ids);
    await send(ids, true);
    const moves = keys.map((key) => ({
      kind: 'identify' as const,
      customer: key,
      traits: { email: `${key}@new.example` },
    }));
    await ingest(db, fleet.cache, moves, { history: false });
    await advance(db, fleet.cache, ids);
    await ingest(
      db,
      fleet.cache,
      keys.map((key) => eventOf(key, 'order.refunded', START)),
      { history: false },
    );
    await fleet.expireAll();
    await expireLeases(db, fleet.cache, 100);
    await db.transaction(async (tx) => {
      await revokeFromCustomers(tx, ids, 'news');
      await revokeFromPlaybook(tx, 'thanks');
    });
    expectNoneWhole(30);
  });

  it('by the limits of pace', async () => {
    const { fleet, db } = explained;
    await holdDomain(db, 'example.com', 'throttled', '421 4.7.0 slower');
    const ids = idsFrom(8);
    const items = keysOf(ids).map((key) => eventOf(key, 'order.placed', START));
    await ingest(db, fleet.cache, items, { history: false });
    expect(await claimSends(db, fleet.cache, 'bulk', ids)).toMatchObject({ claimed: [], deferred: 100 });
    expect(await liftHold(db, 'example.com', 'mia', 'test')).toEqual({ outcome: 'lifted', mails: 100 });
    await fleet.at('2026-03-02T09:05:00Z');
    const { claimed } = await claimSends(db, fleet.cache, 'bulk', ids, { server: 'mail.test:25' });
    expect(claimed.length).toBeGreaterThan(0);
    await giveBack(db, 'bulk', new Map([['domain example.com', 5]]));
    expectNoneWhole(20);
  });

  it('by what comes back of mails', async () => {
    const { db } = explained;
    const claimed = await send(idsFrom(15), true);
    const [refused, ...sent] = claimed.slice(20).map(({ sendId, address }) => ({ sendId, address }));
    const [first, second, third, ...others] = sent;
    explained.wholeReads();
    const about = { signedIds: [], messageId: null, sendId: null };
    const returned = [
      { about: { ...about, signedIds: [first?.sendId ?? 0] }, recipients: [to('hard', first?.address ?? '')] },
      {
        about: { ...about, messageId: '<send-1@sample.example>' },
        recipients: [to('complaint', second?.address ?? '')],
      },
      { about, recipients: [to('soft', third?.address ?? '')] },
      { about, recipients: [to('sender', third?.address ?? '')] },
    ];
    for (const one of returned) {
      expect((await recordReturned(db, one)).map(({ outcome }) => outcome)).not.toContain('not ours');
    }
    await db.query(`update sends set status = 'failed' where id = $1`, [refused?.sendId]);
    expect(await recordRefused(db, refused?.sendId ?? 0, to('hard', refused?.address ?? ''))).toBe('suppressed');
    const events = others.map(({ sendId, address }, index): ReportedEvent => {
      const verdict = index === 0 ? 'hard' : index < 5 ? 'complaint' : 'delivered';
      const named = index === 1 ? null : sendId;
      return { id: `event ${sendId}`, reference: null, sendId: named, recipient: to(verdict, address) };
    });
    expect((await recordEvents(db, 'sendgrid', events, 'token')).hasComplaint).toBe(true);
    await forgetEvents(db);
    expect(await actOnComplaints(db)).toMatchObject([{ playbook: 'thanks', outcome: 'paused' }]);
    expectNoneWhole(25);
  });

  it('by what readers do', async () => {
    const { fleet, db } = explained;
    const claimed = await send(idsFrom(22), true);
    const company = claimed[0]?.release.company;
    const sendId = claimed[50]?.sendId ?? 0;
    explained.wholeReads();
    const url = 'https://shop.example/tips';
    expect(await recordReaction(db, { kind: 'clicked', sendId, url })).toBe('recorded');
    expect(await recordReaction(db, { kind: 'opened', sendId })).toBe('recorded');
    const reader = await findReader(db, sendId);
    if (reader === null || company === undefined) throw new Error('the mail of the link is unknown');
    await standingOf(db, reader.address ?? '', company);
    const said = { source: 'preferences', language: 'en' } as const;
    await recordChoices(db, reader, { ...said, no: ['news'], yes: [] });
    await recordChoices(db, reader, { ...said, no: [], yes: [{ topic: 'news', wording: 'News' }] });
    await suppressionsAt(db, reader.address ?? '');
    expect(await fleet.rows('select given from consents where send_id = $1', [sendId])).toEqual([{ given: true }]);
    expectNoneWhole(15);
  });

  it('by forgetting somebody, and by refusing to know them', async () => {
    const { fleet, db } = explained;
    await send(idsFrom(29), true);
    explained.wholeReads();
    const request = { customer: 'c28', sharing: false, by: 'mia', reason: 'asked for', dryRun: false };
    expect(await forget(db, request)).toMatchObject({ outcome: 'forgotten', counts: { mails: 4, events: 1 } });
    const again = [
      { kind: 'identify', customer: 'c28', traits: { email: 'c28@example.com' } } as const,
      { kind: 'identify', customer: `c${28 + APART}`, traits: { email: 'c28@example.com' } } as const,
    ];
    const { rejected } = await ingest(db, fleet.cache, again, { history: false });
    expect(rejected).toHaveLength(2);
    expectNoneWhole(30);
  });

  it('by the look at how the fleet is', async () => {
    expect(await readVitals(explained.db)).toMatchObject({ scheduled: false, open: { claimed: expect.any(Number) } });
    expectNoneWhole(1);
  });

  it('by the look whether mails fail in a row', async () => {
    const { fleet, db } = explained;
    const claimed = await send(idsFrom(36), false);
    await fleet.db.query(
      `update sends set status = 'planned', held_at = $2::timestamptz + interval '1 hour', held_error = 'no name'
       where id = any($1)`,
      [claimed.slice(0, 10).map(({ sendId }) => sendId), START],
    );
    explained.wholeReads();
    expect(await failsInARow(db, 'thanks', 'no name', null)).toBe(true);
    expect(await failsInARow(db, 'thanks', 'no name', Date.parse(START) + 3_600_000)).toBe(false);
    await fleet.db.query(`update sends set handed_at = $2::timestamptz + interval '2 hours' where id = $1`, [
      claimed[50]?.sendId,
      START,
    ]);
    expect(await failsInARow(db, 'thanks', 'no name', null)).toBe(false);
    expectNoneWhole(2);
  });
});
