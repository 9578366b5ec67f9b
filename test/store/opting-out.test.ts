/**
 * Opting out against sending (docs/architecture.md P3): readers leave while their mail is claimed and handed over, many at
 * once, at every point of the way. 1,000 times; PERENNIAL_CHAOS_FULL=1 makes it 10,000.
 */
import process from 'node:process';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { findReader, recordChoices } from '../../engine/store/choices.ts';
import { openHandOver } from '../../engine/store/hand.ts';
import { clear, openFleet, type Fleet } from './support.ts';

const RACES = process.env['PERENNIAL_CHAOS_FULL'] === '1' ? 10_000 : 1_000;
const ROUND = 250;
/** Customers of one claim. */
const CHUNK = 10;
const AT_ONCE = 16;

let fleet: Fleet;
beforeAll(async () => {
  fleet = await openFleet();
});
afterAll(async () => fleet.close());

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
  await clear(fleet);
  const keys = Array.from({ length: ROUND }, (_, index) => `r${round}-${index}`);
  const ids = await fleet.customers(keys);
  await fleet.event('order.placed', keys);
  const sends = await fleet.rows<{ id: number; customer_id: number }>('select id, customer_id from sends order by id');
  // A mail that went out before gave the reader their link; its address is known from then on.
  await fleet.db.query(`update sends s set address = c.address from customers c where c.id = s.customer_id`);
  const handOver = openHandOver(fleet.db, { max: 16 });
  const opinions: Opinion[] = [];
  const passed: number[] = [];
  const leave = async ({ id, customer_id: customerId }: (typeof sends)[number]): Promise<void> => {
    const reader = await findReader(fleet.db, id);
    if (reader === null) throw new Error('the mail of the link is unknown');
    await recordChoices(fleet.db, reader, { source: 'unsubscribe', no: ['news'], yes: [], language: 'en' });
    const [row] = await fleet.rows<{ status: string }>('select status from sends where id = $1', [id]);
    opinions.push({ customerId, status: row?.status ?? '' });
  };
  const deliver = async (chunk: readonly number[]): Promise<void> => {
    const claimed = await fleet.claim('bulk', chunk);
    await Promise.all(
      claimed.map(async (send) => {
        if (await handOver.handOver(send)) passed.push(send.customerId);
      }),
    );
  };
  const order = shuffled(ids, 11 + round);
  const chunks = Array.from({ length: ROUND / CHUNK }, (_, index) => order.slice(index * CHUNK, (index + 1) * CHUNK));
  const acts = [...sends.map((send) => async () => leave(send)), ...chunks.map((chunk) => async () => deliver(chunk))];
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
  const seen = new Map<string, number>();
  for (let round = 0; round < RACES / ROUND; round += 1) {
    const { opinions, passed } = await race(round);
    const before = opinions.filter(({ status }) => status === 'handed').map(({ customerId }) => customerId);
    const ascending = (ids: readonly number[]): number[] => [...ids].sort((a, b) => a - b);
    expect(ascending(passed)).toEqual(ascending(before));
    const rows = await fleet.rows<{ status: string; reason: string | null; n: number }>(
      'select status, reason, count(*) as n from sends group by 1, 2',
    );
    for (const { status, reason, n } of rows) {
      const key = `${status} ${reason ?? ''}`.trim();
      seen.set(key, (seen.get(key) ?? 0) + n);
    }
  }
  // Both happen, or nothing was raced; and nothing else does.
  expect([...seen.keys()].sort()).toEqual(['handed', 'skipped unsubscribed']);
}, 240_000);
