/**
 * Opting out against sending (docs/architecture.md P3): readers leave while their mail is claimed and handed over, many at
 * once, at every point of the way. 10,000 times.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { findReader, recordChoices } from '../../engine/store/choices.ts';
import { claimSends } from '../../engine/store/claim.ts';
import { openDatabase, type Database } from '../../engine/store/database.ts';
import { openHandOver } from '../../engine/store/hand.ts';
import { openFleet, type Fleet } from './support.ts';

const RACES = 10_000;
const ROUND = 500;
/** Customers of one claim. */
const CHUNK = 10;
const AT_ONCE = 16;

let fleet: Fleet;
/** With plans like those of a worker, which are made once. */
let db: Database;
/** Of the workers that hand over: nobody's opting out keeps them from asking. */
let workers: Database;
beforeAll(async () => {
  fleet = await openFleet();
  db = openDatabase(fleet.db.url, { max: AT_ONCE, indexed: true });
  workers = openDatabase(fleet.db.url, { max: 4, indexed: true });
});
afterAll(async () => {
  await db.close();
  await workers.close();
  await fleet.close();
});

/** In an order of its own, from a seed: Fisher and Yates over Park and Miller's generator. */
function shuffled<T>(items: readonly T[], seed: number): T[] {
  const result = [...items];
  let state = seed;
  for (let last = result.length - 1; last > 0; last -= 1) {
    state = (state * 48_271) % 2_147_483_647;
    const other = state % (last + 1);
    [result[last], result[other]] = [result[other] as T, result[last] as T];
  }
  return result;
}

interface Opinion {
  readonly customerId: number;
  /** How its mail stood once the opt-out had committed. */
  readonly status: string;
}

async function race(
  round: number,
): Promise<{ readonly opinions: readonly Opinion[]; readonly passed: readonly number[] }> {
  const keys = Array.from({ length: ROUND }, (_, index) => `r${round}-${index}`);
  const ids = await fleet.customers(keys);
  await fleet.event('order.placed', keys);
  const sends = await fleet.rows<{ id: number; customer_id: number }>(
    'select id, customer_id from sends where customer_id = any($1) order by id',
    [ids],
  );
  // A mail that went out before gave the reader their link; its address is known from then on.
  await fleet.db.query(
    `update sends s set address = c.address from customers c where c.id = s.customer_id and c.id = any($1)`,
    [ids],
  );
  const handOver = openHandOver(workers, { max: 16 });
  const opinions: Opinion[] = [];
  const passed: number[] = [];
  const sendOf = new Map(sends.map((send) => [send.customer_id, send.id]));
  const leave = async (customerId: number): Promise<void> => {
    const id = sendOf.get(customerId) ?? 0;
    const reader = await findReader(db, id);
    if (reader === null) throw new Error('the mail of the link is unknown');
    await recordChoices(db, reader, { source: 'unsubscribe', no: ['news'], yes: [], language: 'en' });
    const { rows } = await db.query<{ status: string }>('select status from sends where id = $1', [id]);
    opinions.push({ customerId, status: rows[0]?.status ?? '' });
  };
  const deliver = async (chunk: readonly number[], waitMs: (id: number) => number): Promise<void> => {
    const { claimed } = await claimSends(db, fleet.cache, 'bulk', chunk);
    await Promise.all(
      claimed.map(async (send) => {
        await sleep(waitMs(send.sendId));
        if (await handOver.handOver(send)) passed.push(send.customerId);
      }),
    );
  };
  const order = shuffled(ids, 11 + round);
  const chunks = Array.from({ length: ROUND / CHUNK }, (_, index) => order.slice(index * CHUNK, (index + 1) * CHUNK));
  const aimed = chunks.filter((_, index) => index % 2 === 0);
  const loose = chunks.filter((_, index) => index % 2 === 1);
  // Anybody at any time; and some at the very moment in which their mail is handed over.
  const acts = [
    ...loose.flat().map((id) => async () => leave(id)),
    ...loose.map((chunk) => async () => deliver(chunk, () => 0)),
    ...aimed.map((chunk) => async () => {
      await Promise.all([deliver(chunk, (id) => (id * 7) % 20), ...chunk.map(async (id) => leave(id))]);
    }),
  ];
  const waiting = shuffled(acts, 7 + round);
  const work = async (): Promise<void> => {
    for (let act = waiting.pop(); act !== undefined; act = waiting.pop()) await act();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  // Whatever was taken back is claimed no more either.
  expect(await fleet.claim('bulk', ids)).toEqual([]);
  await handOver.close();
  return { opinions, passed };
}

it(`lets no mail pass after its reader's no has committed, ${RACES} times`, async () => {
  for (let round = 0; round < RACES / ROUND; round += 1) {
    const { opinions, passed } = await race(round);
    const before = opinions.filter(({ status }) => status === 'handed').map(({ customerId }) => customerId);
    const ascending = (ids: readonly number[]): number[] => [...ids].sort((a, b) => a - b);
    expect(ascending(passed)).toEqual(ascending(before));
    // As its outcome would: nothing is left open for the next round.
    await fleet.db.query(
      `update sends set status = 'sent', settled_at = handed_at, lease_until = null where status = 'handed'`,
    );
  }
  const rows = await fleet.rows<{ how: string; n: number }>(
    `select concat_ws(' ', status, reason) as how, count(*) as n from sends group by 1`,
  );
  expect(rows.reduce((sum, { n }) => sum + n, 0)).toBe(RACES);
  // Both happen, or nothing was raced; and nothing else does.
  expect(rows.map(({ how }) => how).sort()).toEqual(['sent', 'skipped unsubscribed']);
  expect(Math.min(...rows.map(({ n }) => n))).toBeGreaterThan(RACES / 10);
}, 240_000);
