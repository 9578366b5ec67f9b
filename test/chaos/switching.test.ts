/** Releases change while a fleet works: it follows without a restart, and no enrolment is carried out under two of them. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { judge } from './judge.ts';
import { openLoad, type Load } from './load.ts';
import { openSite, type Site } from './site.ts';

const CHANGES = 3;
const MAILS_BETWEEN = 60;
const RATE = { orders: 8, pauseMs: 100, maxBacklog: 150 } as const;

let site: Site;
let load: Load;

beforeAll(async () => {
  site = await openSite(null);
  load = openLoad(site);
}, 60_000);
afterAll(async () => site.close());

it('goes on with the new release, and ends what has begun under the old one', async () => {
  const fleet = site.startFleet(['scheduler', 'advance,deliver', 'advance,deliver']);
  await fleet.whenRunning();
  load.start(RATE);
  for (let change = 1; change <= CHANGES; change += 1) {
    await whenMoreIsSent();
    await site.deploy(newsEndingOn(change));
  }
  await whenMoreIsSent();
  await load.stop();
  await load.finish();

  expect(fleet.members.map((member) => member.isRunning())).toEqual([true, true, true]);
  expect(await fleet.drain()).toEqual([0, 0, 0]);
  expect(fleet.complaints).toEqual([]);
  expect(await judge(site, load.customers)).toMatchObject({
    lost: [],
    copies: [],
    strangers: [],
    stuck: [],
    unknown: 0,
  });
  // Each release has customers, and all mails of each enrolment are those of its own.
  const { rows } = await site.db.query<{ mails: string; enrolments: number }>(
    `select mails, count(*) as enrolments from (
       select e.version_id, string_agg(s.template, ' ' order by s.id) as mails
       from enrolments e join sends s on s.enrolment_id = e.id join playbooks p on p.id = e.playbook_id
       where p.name = 'news' group by e.id, e.version_id) as each
     group by version_id, mails order by mails`,
  );
  expect(rows).toEqual([
    { mails: 'shop/hello shop/end1', enrolments: expect.any(Number) },
    { mails: 'shop/hello shop/end2', enrolments: expect.any(Number) },
    { mails: 'shop/hello shop/end3', enrolments: expect.any(Number) },
    { mails: 'shop/hello shop/tips', enrolments: expect.any(Number) },
  ]);
}, 180_000);

/** The playbook `news` with another last mail. */
function newsEndingOn(change: number): Readonly<Record<string, string>> {
  return {
    'playbooks/news.yaml': `title: News
topic: news
trigger: { event: order.placed }
steps:
  - email: shop/hello
  - wait: 2 minutes
  - email: shop/end${change}
`,
    [`templates/shop/end${change}.hbs`]: `---\nsubject: The end\n---\n<p>Dear {{customer.id}}, this is the end.</p>\n`,
  };
}

async function whenMoreIsSent(): Promise<void> {
  const sent = async (): Promise<number> => {
    const { rows } = await site.db.query<{ n: number }>(`select count(*) as n from sends where status = 'sent'`);
    return rows[0]?.n ?? 0;
  };
  const enough = (await sent()) + MAILS_BETWEEN;
  while ((await sent()) < enough) {
    const failure = load.failure();
    if (failure !== null) throw failure;
    await sleep(50);
  }
}
