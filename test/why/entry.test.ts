import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { cancel } from '../../engine/store/cancel.ts';
import { triggerPlaybook } from '../../engine/store/trigger.ts';
import { clear, eventOf } from '../store/support.ts';
import { type Company, FILES, linesOf, openCompany } from './support.ts';

let fleet: Company;
let ada: number;
beforeAll(async () => {
  fleet = await openCompany();
});
afterAll(async () => fleet.close());
beforeEach(async () => {
  await clear(fleet);
  [ada = 0] = await fleet.customers(['ada'], { timezone: 'America/New_York' });
});

const NOON = '2026-03-02 04:00 (America/New_York; 09:00 in Europe/London)';

async function why(playbook: string, at?: string): Promise<readonly string[]> {
  return linesOf(await fleet.why(ada, playbook, at === undefined ? {} : { at }));
}

async function set(sql: string): Promise<void> {
  await fleet.db.query(`update customers set ${sql} where id = $1`, [ada]);
}

describe('an event trigger', () => {
  it('never had its event', async () => {
    expect(await why('welcome')).toEqual([
      'no event: "ada" did not enter "welcome": no event order.placed of theirs has come in.',
      'the trigger [playbooks/welcome.yaml:3 trigger: event: order.placed; first: true; if: event.total >= 20] {test}',
    ]);
  });

  it('had it, but its condition was false, and later it was not the first', async () => {
    await fleet.event('order.placed', ['ada'], { total: 12.5 });
    expect(await why('welcome')).toEqual([
      `condition: "ada" did not enter "welcome": the event order.placed (ID) of ${NOON} did not meet the trigger: \`event.total >= 20\` is false, since event.total is 12.5.`,
      `order.placed (ID) of ${NOON}: {"total":12.5}`,
      "the trigger's `if` is false: event.total is 12.5 [playbooks/welcome.yaml:6 if: event.total >= 20] {test}",
    ]);
    await fleet.at('2026-03-03T09:00:00Z');
    await fleet.event('order.placed', ['ada'], { total: 30 });
    const later = await why('welcome');
    expect(later[0]).toContain('was not their first, and the trigger takes only the first.');
    expect(later[3]).toBe(`the first one known: order.placed (ID) of ${NOON}`);
    expect((await why('welcome', '2026-03-02T10:00:00Z'))[0]).toContain('event.total is 12.5');
  });

  it('had it when its facts were others: reckoned from the events, or said to be of today', async () => {
    for (const total of [10, 20]) await fleet.event('order.placed', ['ada'], { total });
    const at = '2026-03-02T09:00:00Z';
    expect((await why('third'))[2]).toBe(
      "the trigger's `if` is false: customer.orders is 2, reckoned from the events on record [playbooks/third.yaml:3 if: customer.orders == 3] {test}",
    );
    await fleet.at('2026-03-03T09:00:00Z');
    await fleet.event('order.placed', ['ada'], { total: 30 });
    expect((await why('third', at))[0]).toContain('`customer.orders == 3` is false, since customer.orders is 2.');
    expect((await why('third'))[0]).toContain('is in "third"');
    await set('orders = 9');
    await fleet.db.query('truncate enrolments cascade');
    expect((await why('second')).slice(0, 3)).toEqual([
      `not on record: "ada" did not enter "second": the event order.placed (ID) of 2026-03-03 04:00 (America/New_York; 09:00 in Europe/London) does not meet the trigger by what is known now, and what was known then is not on record.`,
      'order.placed (ID) of 2026-03-03 04:00 (America/New_York; 09:00 in Europe/London): {"total":30}',
      'the trigger\'s `if` would be false by what is known now: customer.orders is 9, customer.plan is missing; what it read then is not on record [playbooks/second.yaml:3 if: customer.orders == 2 && customer.plan != "none"] {test}',
    ]);
  });

  it('was refused by the audience, with what it read then', async () => {
    await set(`locale = 'de-DE'`);
    await fleet.event('order.placed', ['ada'], { total: 30 });
    await set(`locale = 'en-GB'`);
    expect(await why('welcome')).toEqual([
      `refused: audience: "ada" was not let into "welcome" on ${NOON}: its audience does not include them.`,
      `the event ID asked for it on ${NOON}, and was refused by \`audience\`; it read: customer.locale is "de-DE" [playbooks/welcome.yaml:7 audience: customer.locale == null || customer.locale.startsWith("en")] {test}`,
    ]);
  });

  it('was refused by the entry rules, after an enrolment that is explained first', async () => {
    await fleet.event('question.asked', ['ada']);
    await fleet.event('question.asked', ['ada']);
    expect((await why('thanks')).at(-1)).toBe(
      `the event ID asked for it on ${NOON}, and was refused by \`entry.if_active\` [playbooks/thanks.yaml:3 trigger: { event: question.asked }] {test}`,
    );
    await fleet.event('order.placed', ['ada'], { total: 5 });
    await cancel(fleet.db, fleet.cache, { customer: 'ada', playbook: 'again', by: 'mia', reason: 'no thanks' });
    await fleet.at('2026-03-03T09:00:00Z');
    await fleet.event('order.placed', ['ada'], { total: 5 });
    const lines = await why('again');
    expect(lines[0]).toBe(`cancel: "ada" entered "again" on ${NOON} and was taken out on ${NOON} by mia (no thanks).`);
    expect(lines.at(-1)).toContain('refused by `entry.again` [playbooks/again.yaml:4 entry: { again: after 10 days }]');
  });
});

describe('triggers of time', () => {
  it('by date: no date, still to come, passed before the customer was known, refused', async () => {
    expect((await why('birthday'))[0]).toBe(
      'no date: "ada" did not enter "birthday": they have no customer.birthday, from which its trigger counts.',
    );
    await set(`birthday = '1990-03-20'`);
    const next = '2026-03-20 09:00 (America/New_York; 13:00 in Europe/London)';
    const lines = await why('birthday');
    expect(lines[0]).toBe(
      `before they were known: "ada" did not enter "birthday": the last occurrence, 2025-03-20 09:00 (America/New_York; 13:00 in Europe/London), lay before they came to be known on ${NOON}, and triggers look forward; the next one is on ${next}.`,
    );
    expect(lines.slice(-2)).toEqual([
      'if nothing else happens, they do not enter within a year',
      'by what is known now, the audience does not include them: customer.orders is 0 [playbooks/birthday.yaml:4 audience: customer.orders > 0]',
    ]);
    await fleet.at('2026-03-21T09:00:00Z');
    await fleet.advance([ada]);
    await set('orders = 3');
    expect(await why('birthday')).toEqual([
      `refused: audience: "ada" was not let into "birthday" on ${next}: its audience does not include them.`,
      `the date 2026-03-20 asked for it on ${next}, and was refused by \`audience\`; it read: customer.orders is 0 [playbooks/birthday.yaml:4 audience: customer.orders > 0] {test}`,
    ]);
  });

  it('by inactivity: never had the event, still to come, and in it', async () => {
    expect((await why('win-back'))[0]).toContain('they never had an event order.placed, and without `or_never`');
    await fleet.event('order.placed', ['ada'], { total: 5 });
    const over = '2026-04-01 04:00 (America/New_York; 09:00 in Europe/London)';
    const lines = await why('win-back');
    expect(lines[0]).toBe(
      `not yet: "ada" has not entered "win-back" yet: 30 days without an event order.placed are over on ${over}.`,
    );
    expect(lines).toContain(`if nothing else happens, they enter on ${over}`);
    await fleet.at('2026-04-02T09:00:00Z');
    expect((await why('win-back'))[0]).toContain('is due, and has not been taken up by a worker yet.');
    await fleet.advance([ada]);
    expect((await why('win-back'))[1]).toBe(
      `entered ${over}, started by a lapse that began ${NOON} [playbooks/win-back.yaml:3 trigger: { inactive: { no: order.placed, for: 30 days } }] {test}`,
    );
  });

  it('by a schedule, which asks everyone', async () => {
    const monday = '2026-03-09 09:00 (America/New_York; 13:00 in Europe/London)';
    expect((await why('weekly'))[0]).toContain(`lay before they came to be known on ${NOON}`);
    await fleet.at('2026-03-10T09:00:00Z');
    await fleet.advance([ada]);
    const lines = await why('weekly');
    expect(lines[0]).toBe(
      `audience: "ada" did not enter "weekly": the last occurrence, ${monday}, went past them; the next one is on 2026-03-16 09:00 (America/New_York; 13:00 in Europe/London).`,
    );
    expect(lines[2]).toContain('by what is known now, the audience does not include them: customer.orders is 0');
    expect(await fleet.rows(`select 1 from refusals`)).toEqual([]);
  });
});

describe('other triggers', () => {
  it('a launch: still to come, refused, and taken by another record of the address', async () => {
    expect((await why('early'))[0]).toBe(
      'not yet: "ada" has not entered "early" yet: the launch "lamp" asks its audience on 2026-03-18 05:00 (America/New_York; 09:00 in Europe/London).',
    );
    const [twin = 0, bob = 0] = await fleet.customers(['twin', 'bob']);
    await fleet.db.query(`update customers set address = 'ada@example.com', orders = 1 where key in ('ada', 'twin')`);
    await fleet.at('2026-03-19T09:00:00Z');
    await fleet.advance([ada, bob]);
    expect((await why('early'))[1]).toContain('started by the launch "lamp"');
    const other = linesOf(await fleet.why(twin, 'early'));
    expect(other[0]).toContain('another record of the same address was let in');
    expect(other.at(-1)).toBe('"ada", who has the same address, entered on 2026-03-18 09:00 (Europe/London)');
    expect(linesOf(await fleet.why(bob, 'early'))[1]).toBe(
      'the launch "lamp" asked for it on 2026-03-18 09:00 (Europe/London), and was refused by `audience`; it read: customer.orders is 0 [playbooks/early.yaml:4 audience: customer.orders > 0] {test}',
    );
    const [late = 0] = await fleet.customers(['late']);
    expect(linesOf(await fleet.why(late, 'early'))[0]).toContain('they came to be known only on 2026-03-19 09:00');
  });

  it('a segment: not in it, in it already, refused', async () => {
    expect((await why('vip'))[0]).toBe(
      'condition: "ada" did not enter "vip": its segment does not include them, since customer.plan is missing.',
    );
    const traits = (plan: string) => ({ kind: 'identify', customer: 'ada', traits: { attributes: { plan } } }) as const;
    await fleet.take([traits('gold')]);
    expect((await why('vip'))[0]).toContain('and only a change from false to true starts it.');
    for (const plan of ['silver', 'gold', 'silver', 'gold']) await fleet.take([traits(plan)]);
    const lines = await why('vip');
    expect(lines[1]).toContain('started by its segment, which turned true');
    expect(lines.at(-1)).toContain('its segment, which turned true');
    expect(lines.at(-1)).toContain('was refused by `entry.again`');
  });

  it('by hand only, and by hand with who did it and why', async () => {
    expect((await why('answer'))[0]).toBe(
      'manual: "ada" did not enter "answer": it starts only when a person starts it, and nobody has.',
    );
    const act = { by: 'mia', reason: 'arrived broken', dryRun: false, vars: {} };
    await triggerPlaybook(fleet.db, fleet.cache, { customer: 'ada', playbook: 'answer', ...act });
    expect((await why('answer'))[1]).toBe(`entered ${NOON}, started by mia by hand (arrived broken) {test}`);
  });

  it('a start by another playbook that was refused', async () => {
    await fleet.event('review.posted', ['ada'], { rating: 1 });
    const lines = await why('apology');
    expect(lines[0]).toBe(
      `refused: audience: "ada" was not let into "apology" on ${NOON}: its audience does not include them.`,
    );
    expect(lines[1]).toContain('the step "start-1" of the playbook "sorry" asked for it');
  });
});

describe('customers who cannot enter anything', () => {
  it('are held, or erased', async () => {
    await set(`held_at = '2026-03-02T09:00:00Z', held_error = 'a bad row'`);
    await fleet.event('order.placed', ['ada'], { total: 30 });
    expect((await why('welcome')).slice(0, 2)).toEqual([
      `customer held: "ada" did not enter "welcome", and as a customer is held since ${NOON}: a bad row.`,
      '1 of their events are kept until they are released',
    ]);
    await set('held_at = null, held_error = null');
    await fleet.event('question.asked', ['ada']);
    await set(`held_at = '2026-03-02T09:00:00Z', held_error = 'a bad row'`);
    expect((await why('thanks'))[0]).toBe(
      `customer held: As a customer, "ada" is held since ${NOON}, so nothing goes on: a bad row. "ada" is in "thanks" since ${NOON} and waits at the step "wait-1" until 2026-03-03 04:00 (America/New_York; 09:00 in Europe/London).`,
    );
    await set(`held_at = null, erased_at = '2026-03-02T09:00:00Z'`);
    expect(await why('welcome')).toEqual([
      `erased: "ada" was erased on ${NOON}: nothing happens for them, and nothing more is on record.`,
    ]);
  });

  it('or the playbook is unknown: the nearest names', async () => {
    expect(await why('welcom')).toEqual(['unknown playbook', 'welcome']);
    expect(linesOf(await fleet.why(ada, 'welcome', { step: 'secnd' }))).toEqual(['unknown step', 'second']);
    expect(await why('welcome', '2026-03-02T09:00:01Z')).toEqual(['in the future']);
  });
});

// Last, since it deploys: what ran at a time is part of every answer.
describe('events that start nothing', () => {
  it('had it as history, too late, or before the playbook was there', async () => {
    await fleet.take([eventOf('ada', 'order.placed', '2026-02-01T09:00:00Z', { total: 30 })], true);
    expect((await why('welcome'))[0]).toContain(
      'came in with an import of history, which sets facts and starts nothing.',
    );
    await fleet.take([eventOf('ada', 'order.placed', '2026-02-28T09:00:00Z', { total: 30 })]);
    expect((await why('again'))[0]).toContain('came in more than 24 hours after its date');
    await fleet.event('question.asked', ['ada']);
    await fleet.at('2026-03-04T09:00:00Z');
    await fleet.deploy({
      ...FILES,
      'playbooks/late.yaml': (FILES['playbooks/thanks.yaml'] ?? '').replace('Thanks', 'Late'),
    });
    expect((await why('late')).slice(0, 1)).toEqual([
      `before: "ada" did not enter "late": the event question.asked (ID) of ${NOON} came in before the playbook was deployed.`,
    ]);
    await fleet.deploy(FILES, 'mia');
    expect(await why('late')).toEqual([
      'not deployed: "ada" is not in "late": the release that runs has no such playbook any more.',
      'it was taken out on 2026-03-04 04:00 (America/New_York; 09:00 in Europe/London) {mia}',
    ]);
  });
});
