/** Segments, starts and several enrolments at once on a real database: nothing is lost or doubled between transactions. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Incoming } from '../../engine/store/ingest.ts';
import { retryHeld } from '../../engine/store/held-retry.ts';
import { initial } from '../../engine/store/migrations/0001-initial.ts';
import { identified } from '../../engine/store/migrations/0002-identified.ts';
import { openDatabase } from '../../engine/store/database.ts';
import { workRuns } from '../../engine/store/runs.ts';
import { testDatabase } from '../support/postgres.ts';
import { COMPANY, eventOf, FILES, openFleet, START, type Fleet } from './support.ts';

const GOLD = `title: Gold
topic: news
trigger: { segment: customer.plan == "gold" }
steps:
  - wait: 1 days
`;
const REGULAR = GOLD.replace('customer.plan == "gold"', 'customer.orders >= 2');
/** Each question begins it anew, and ends in a mail. */
const AGAIN = `title: Again
topic: news
trigger: { event: question.asked }
entry: { if_active: restart }
steps:
  - email: thanks/first
  - wait: 1 days
`;

const USUAL = {
  'perennial.yaml': COMPANY,
  'templates/thanks/first.hbs': FILES['templates/thanks/first.hbs'] ?? '',
};
const LATER = '2026-03-02T10:00:00Z';
const LATER_STILL = '2026-03-02T11:00:00Z';

let fleet: Fleet;
beforeAll(async () => {
  fleet = await openFleet();
});
afterAll(async () => fleet.close());

/** An empty database with this company. */
async function deployed(files: Readonly<Record<string, string>>): Promise<void> {
  await fleet.at(START);
  await fleet.db.query(
    'truncate customers, enrolments, timers, sends, events, event_keys, event_stats, held_events, journal, runs restart identity cascade',
  );
  await fleet.db.query('update engine set release_id = null');
  await fleet.db.query('truncate releases, playbooks restart identity cascade');
  await deploy(files);
}

async function deploy(files: Readonly<Record<string, string>>): Promise<void> {
  const { outcome } = await fleet.deploy({ ...USUAL, ...files });
  if (outcome !== 'deployed') throw new Error(`the files of the test were ${outcome}`);
}

/** Works on all mass work that is due. */
async function work(): Promise<void> {
  let more = true;
  while (more) ({ more } = await workRuns(fleet.db, fleet.cache, { chunk: 2 }));
}

const identify = (customer: string, traits: Extract<Incoming, { kind: 'identify' }>['traits']): Incoming => ({
  kind: 'identify',
  customer,
  traits,
});
const plan = (customer: string, value: string | null): Incoming => identify(customer, { attributes: { plan: value } });

/** Enrolments as `KEY PLAYBOOK ENTRY-KEY STATUS`, in the order in which they were made. */
async function enrolments(): Promise<readonly string[]> {
  const rows = await fleet.rows<{ line: string }>(
    `select concat_ws(' ', c.key, p.name, e.entry_key, e.status) as line from enrolments e
       join customers c on c.id = e.customer_id join playbooks p on p.id = e.playbook_id order by e.id`,
  );
  return rows.map(({ line }) => line);
}

describe('a segment', () => {
  beforeEach(async () => deployed({ 'playbooks/gold.yaml': GOLD }));

  it('starts by a change, not by what is true when somebody arrives, nor by history', async () => {
    await fleet.take([plan('ada', 'gold'), plan('bob', 'basic')]);
    await fleet.take([plan('bob', 'gold')], true);
    expect(await enrolments()).toEqual([]);
    await fleet.at(LATER);
    await fleet.take([plan('ada', 'gold'), plan('ada', null), plan('bob', null)]);
    await fleet.take([plan('ada', 'gold'), plan('bob', 'gold'), plan('bob', 'gold')]);
    expect(await enrolments()).toEqual([
      'ada gold segment:2026-03-02T10:00:00.000Z active',
      'bob gold segment:2026-03-02T10:00:00.000Z active',
    ]);
  });

  it('has an entry key of its own for each turn of one instant', async () => {
    await deployed({ 'playbooks/gold.yaml': GOLD.replace('steps:', 'entry: { if_active: parallel }\nsteps:') });
    await fleet.take([plan('ada', null)]);
    await fleet.take([plan('ada', 'gold'), plan('ada', null)]);
    await fleet.take([plan('ada', 'gold'), plan('ada', null), plan('ada', 'gold')]);
    const key = 'segment:2026-03-02T09:00:00.000Z';
    expect(await enrolments()).toEqual(['', '/2', '/3'].map((turn) => `ada gold ${key}${turn} active`));
  });

  it('takes an event of somebody unknown as a change, and one that comes late as history', async () => {
    await deployed({ 'playbooks/regular.yaml': REGULAR.replace('>= 2', '>= 1') });
    const order = (who: string, at: string): Incoming =>
      ({ ...eventOf(who, 'order.placed', at), createIfMissing: true }) as Incoming;
    await fleet.take([order('ada', START), order('bob', '2026-02-20T09:00:00Z')]);
    await fleet.take([order('bob', START)]);
    expect(await enrolments()).toEqual(['ada regular segment:2026-03-02T09:00:00.000Z active']);
  });

  it('that is new takes everybody as they are, whether its run or a change meets them first', async () => {
    await deployed({});
    await fleet.take(
      ['ada', 'bob', 'cyd', 'dan'].map((who) => plan(who, who === 'ada' || who === 'bob' ? 'gold' : null)),
    );
    await deploy({ 'playbooks/gold.yaml': GOLD });
    await fleet.at(LATER);
    // Before the run has met them: bob's name is no turn, cyd's plan is one.
    await fleet.take([identify('bob', { name: 'Bob' }), plan('cyd', 'gold')]);
    await work();
    await fleet.at(LATER_STILL);
    await fleet.take([identify('ada', { name: 'Ada' }), plan('dan', 'gold')]);
    expect(await enrolments()).toEqual([
      'cyd gold segment:2026-03-02T10:00:00.000Z active',
      'dan gold segment:2026-03-02T11:00:00.000Z active',
    ]);
  });

  it('is asked anew when its condition changes, or when it has been another trigger for a while', async () => {
    await fleet.take([plan('ada', null), plan('bob', null)]);
    await fleet.event('order.placed', ['ada', 'ada']);
    // Another condition: what is true of ada by then starts nothing.
    await deploy({ 'playbooks/gold.yaml': REGULAR });
    await work();
    await fleet.event('order.placed', ['ada', 'bob', 'bob']);
    expect(await enrolments()).toEqual(['bob gold segment:2026-03-02T09:00:00.000Z active']);
    // Away, and back: what became true meanwhile starts nothing either.
    await fleet.take([identify('cyd', {})]);
    await deploy({ 'playbooks/gold.yaml': AGAIN });
    await fleet.event('order.placed', ['cyd', 'cyd']);
    await fleet.at(LATER);
    await deploy({ 'playbooks/gold.yaml': REGULAR });
    await fleet.event('order.placed', ['cyd']);
    await work();
    await fleet.event('order.placed', ['cyd']);
    expect(await enrolments()).toHaveLength(1);
  });

  it('keeps its answer when the text of the playbook changes and the condition does not', async () => {
    await fleet.take([plan('ada', null)]);
    await deploy({ 'playbooks/gold.yaml': GOLD.replace('1 days', '2 days') });
    await fleet.take([plan('ada', 'gold')]);
    expect(await enrolments()).toHaveLength(1);
  });

  it('that is turned by the step after a mail starts in the transaction of the outcome', async () => {
    await deployed({
      'playbooks/again.yaml': `${AGAIN}  - set: { plan: gold }\n`.replace('  - wait: 1 days\n', ''),
      'playbooks/gold.yaml': GOLD,
    });
    const ids = await fleet.customers(['ada']);
    await fleet.event('question.asked', ['ada']);
    const claimed = await fleet.claim('bulk', ids);
    await fleet.hand(claimed);
    // As if the deployment's run had never met her: the outcome is the first to ask.
    await fleet.db.query('delete from timers');
    await fleet.settle(claimed, { kind: 'accepted' });
    expect((await enrolments()).at(-1)).toMatch(/^ada gold segment:.* active$/);
  });

  it('is neither lost nor doubled when the transaction of its turn fails', async () => {
    const circle = `title: C\ntrigger: { segment: customer.plan == "gold" }\nsteps:\n  - { start: back }\n`;
    const back = (step: string): string => `title: B\ntrigger: { manual: true }\nsteps:\n  - ${step}\n`;
    await deployed({ 'playbooks/gold.yaml': circle, 'playbooks/back.yaml': back('{ start: gold }') });
    await fleet.take([plan('ada', null)]);
    await fleet.take([plan('ada', 'gold')]);
    expect(await enrolments()).toEqual([]);
    const held = await fleet.rows<{ id: number; held_error: string }>(
      'select id, held_error from customers where held_at is not null',
    );
    expect(held).toMatchObject([{ held_error: expect.stringContaining('more than 100 steps at one instant') }]);
    await deploy({ 'playbooks/gold.yaml': circle, 'playbooks/back.yaml': back('{ wait: 1 days }') });
    await work();
    const act = { by: 'mia', reason: 'mended' };
    await retryHeld(fleet.db, fleet.cache, [{ kind: 'customer', id: held[0]?.id ?? 0 }], act);
    const at = '2026-03-02T09:00:00.000Z';
    expect(await enrolments()).toEqual([
      `ada gold segment:${at} complete`,
      `ada back start:gold/start-1/segment:${at} active`,
    ]);
  });
});

describe('restart and parallel', () => {
  it('takes back a mail that is claimed for the enrolment that ends', async () => {
    await deployed({ 'playbooks/again.yaml': AGAIN });
    const ids = await fleet.customers(['ada']);
    await fleet.event('question.asked', ['ada']);
    const claimed = await fleet.claim('bulk', ids);
    await fleet.event('question.asked', ['ada']);
    expect(await fleet.hand(claimed)).toEqual([false]);
    expect(await fleet.sends()).toEqual(['ada first cancelled restart', 'ada first planned']);
    expect(await fleet.deliver('bulk', ids)).toEqual(['ada first']);
    const [one, two] = await enrolments();
    expect([one, two]).toEqual([expect.stringMatching(/ exit$/), expect.stringMatching(/ active$/)]);
  });

  it('keeps several enrolments of one playbook apart, mails and journal too', async () => {
    const parallel = AGAIN.replace('restart', 'parallel').replace('steps:\n', 'steps:\n  - tag: asked\n');
    await deployed({ 'playbooks/again.yaml': `${parallel}  - { tag: waited, if: "false" }\n` });
    const ids = await fleet.customers(['ada']);
    await fleet.event('question.asked', ['ada', 'ada']);
    expect(await fleet.deliver('bulk', ids)).toEqual(['ada first', 'ada first']);
    await fleet.at('2026-03-03T09:00:00Z');
    await fleet.advance(ids);
    expect(await fleet.rows('select enrolment_id as e, "do", step from journal order by e, id')).toEqual(
      [1, 2].flatMap((e) => [
        { e, do: 'tag', step: 'tag-1' },
        { e, do: 'skip', step: 'tag-2' },
      ]),
    );
  });
});

describe('a start', () => {
  it('hands on the event, whole, to an enrolment that is stored and read anew', async () => {
    await deployed({
      'playbooks/first.yaml': `title: F\ntrigger: { event: order.placed }\nsteps:\n  - start: second\n`,
      'playbooks/second.yaml': `title: S\ntrigger: { event: order.placed, if: "false" }\nsteps:\n  - wait: 1 days\n  - { tag: large, if: event.total > 9 }\n`,
    });
    const ids = await fleet.customers(['ada']);
    await fleet.event('order.placed', ['ada'], { total: 10 });
    await fleet.at('2026-03-03T09:00:00Z');
    await fleet.advance(ids);
    expect(await fleet.rows('select tags from customers')).toEqual([{ tags: ['large'] }]);
  });

  it('of a playbook that is gone by then starts nobody, and the starter goes on', async () => {
    const first = `title: F\ntrigger: { event: order.placed }\nsteps:\n  - wait: 1 days\n  - start: second\n  - tag: after\n`;
    const second = `title: S\ntrigger: { manual: true }\nsteps:\n  - wait: 1 days\n`;
    await deployed({ 'playbooks/first.yaml': first, 'playbooks/second.yaml': second });
    const ids = await fleet.customers(['ada']);
    await fleet.event('order.placed', ['ada'], { total: 10 });
    await deploy({});
    await fleet.at('2026-03-03T09:00:00Z');
    await fleet.advance(ids);
    expect(await enrolments()).toEqual([expect.stringMatching(/^ada first .* complete$/)]);
    expect(await fleet.rows('select tags from customers')).toEqual([{ tags: ['after'] }]);
  });
});

describe('the migration', () => {
  it('takes whoever is there already as arrived', async () => {
    const database = await testDatabase();
    const db = openDatabase(database.url, { max: 1 });
    try {
      await db.query(initial.sql);
      await db.query(`insert into customers (key, arrived_at) values ('old', now())`);
      await db.query(identified.sql);
      await db.query(`insert into customers (key, arrived_at) values ('new', now())`);
      const { rows } = await db.query('select key, identified from customers order by id');
      expect(rows).toEqual([
        { key: 'old', identified: true },
        { key: 'new', identified: false },
      ]);
    } finally {
      await db.close();
      await database.drop();
    }
  });
});
