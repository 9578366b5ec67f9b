/** A process that is told to end while a mail server takes its time: what no server has seen yet goes back to the others. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { judge } from './judge.ts';
import { openLoad, type Load } from './load.ts';
import { CONNECTIONS, openSite, type Site } from './site.ts';

const THINK_MS = 2_000;
/** Both lanes claim a hundred mails and more of them at once; at 2 s each they would take half a minute. */
const ORDERS = 150;
/** What both servers think about at one time. */
const IN_CONVERSATION = 2 * CONNECTIONS;
/** Mails that a process on a busy machine ends before it hears that it is to end. */
const SLACK = 2 * IN_CONVERSATION;

let site: Site;
let load: Load;

beforeAll(async () => {
  site = await openSite(null, { thinkMs: THINK_MS });
  load = openLoad(site);
}, 60_000);
afterAll(async () => site.close());

it('ends its conversations, begins no more, and leaves nothing open', async () => {
  const fleet = site.startFleet(['scheduler,advance,deliver']);
  await fleet.whenRunning();
  load.start({ orders: ORDERS, pauseMs: 10, maxBacklog: 1 });
  while ((await taken()) === 0) await sleep(20);
  await load.stop();
  const before = await taken();
  expect(await fleet.drain()).toEqual([0]);
  expect((await taken()) - before).toBeLessThanOrEqual(IN_CONVERSATION + SLACK);
  const { rows } = await site.db.query<{ status: string; n: number; attempts: number }>(
    'select status, count(*) as n, max(attempts) as attempts from sends group by 1 order by 1',
  );
  // Given back is as never claimed: no attempt, and no lease to wait for.
  expect(rows).toEqual([
    { status: 'planned', n: expect.any(Number), attempts: 0 },
    { status: 'sent', n: await taken(), attempts: expect.any(Number) },
  ]);
  expect(await judge(site, [])).toMatchObject({ copies: [], strangers: [], unknown: 0, resent: 0 });
  expect(fleet.complaints).toEqual([]);
}, 120_000);

async function taken(): Promise<number> {
  return (await site.sink.taken()).length;
}
