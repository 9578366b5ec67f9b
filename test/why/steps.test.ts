import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { holdDomain } from '../../engine/store/pace/holds.ts';
import { cancel } from '../../engine/store/cancel.ts';
import { addCodes } from '../../engine/store/coupon-pools.ts';
import { ALL, pause, resume } from '../../engine/store/pauses.ts';
import { suppress, unsuppress } from '../../engine/store/suppress.ts';
import { clear, COMPANY as ANY_HOUR, eventOf } from '../store/support.ts';
import { type Ask, type Company, FILES, linesOf, openCompany } from './support.ts';

type Files = Readonly<Record<string, string>>;
let fleet: Company;
let ada: number;
beforeAll(async () => {
  fleet = await openCompany();
});
afterAll(async () => fleet.close());
beforeEach(async () => {
  await clear(fleet);
  [ada = 0] = await fleet.customers(['ada']);
});

const AT = '2026-03-02 09:00 (Europe/London)';
const ACT = { by: 'mia', reason: 'asked us to' };

async function why(playbook: string, ask: Ask = {}): Promise<readonly string[]> {
  return linesOf(await fleet.why(ada, playbook, ask));
}

async function set(sql: string): Promise<void> {
  await fleet.db.query(`update customers set ${sql} where id = $1`, [ada]);
}

/** Ada orders, and what is due goes out. */
async function welcome(): Promise<void> {
  await fleet.event('order.placed', ['ada'], { total: 30 });
  await fleet.deliver('bulk', [ada]);
}

async function goTo(at: string): Promise<void> {
  await fleet.at(at);
  await fleet.advance([ada]);
  await fleet.deliver('bulk', [ada]);
}

describe('a mail that was reached', () => {
  it('went out, with the release that sent it', async () => {
    await welcome();
    expect((await why('welcome', { step: 'first' })).slice(0, 4)).toEqual([
      `sent: "ada" got the mail "first" (thanks/first): it went out on ${AT} to ada@example.com.`,
      `its step was reached ${AT}`,
      'sent by {test}',
      `entered ${AT}, started by the event order.placed (ID) of ${AT} [playbooks/welcome.yaml:3 trigger: event: order.placed; first: true; if: event.total >= 20] {test}`,
    ]);
    expect((await why('welcome', { step: 'thanks/first' }))[0]).toContain('"ada" got the mail "first"');
  });

  it('waits for its domain, which is held, and says so afterwards', async () => {
    await holdDomain(fleet.db, 'example.com', 'refused', '550 5.7.1 no');
    await welcome();
    expect((await why('welcome', { step: 'first' }))[0]).toBe(
      'waits for pace: The mail "first" (thanks/first) waits for its reader\'s domain, which is held; it is tried again 2026-03-02 10:00 (Europe/London).',
    );
    await goTo('2026-03-02T10:00:00Z');
    expect((await why('welcome', { step: 'first' })).slice(1, 3)).toEqual([
      `its step was reached ${AT}`,
      "it was put off until 2026-03-02 10:00 (Europe/London) for its reader's domain, which is held",
    ]);
    await fleet.db.query('truncate domain_holds, pace');
  });

  it('waits for its window, or for a cap', async () => {
    await set(`timezone = 'America/New_York'`);
    await welcome();
    expect((await why('welcome', { step: 'first' })).slice(0, 3)).toEqual([
      'waits for window: The mail "first" (thanks/first) waits for its send window, which opens 2026-03-02 08:00 (America/New_York; 13:00 in Europe/London).',
      'its step was reached 2026-03-02 04:00 (America/New_York; 09:00 in Europe/London)',
      'the send window [perennial.yaml:9 send_window: { days: mon-fri, hours: "08:00-18:00" }] {test}',
    ]);
    await set(`timezone = null`);
    await goTo('2026-03-02T13:00:00Z');
    await fleet.event('review.posted', ['ada'], { rating: 3 });
    await fleet.deliver('bulk', [ada]);
    expect((await why('review')).slice(-4)).toEqual([
      'mail "asked" (thanks/review): planned, 2026-03-04 13:00 (Europe/London)',
      'its step was reached 2026-03-02 13:00 (Europe/London)',
      'the caps [perennial.yaml:23 caps: - { at_most: 1, per: 2 days }] {test}',
      '2026-03-02 13:00 (Europe/London): "first" of "welcome" went out',
    ]);
    expect((await why('review'))[0]).toBe(
      'waits for cap: "ada" is in "review" since 2026-03-02 13:00 (Europe/London). The mail "asked" (thanks/review) waits for a frequency cap until 2026-03-04 13:00 (Europe/London).',
    );
  });

  it.each([
    [
      'suppressed',
      async () => void (await suppress(fleet.db, { address: 'ada@example.com', scope: '*', source: 'bounce', ...ACT })),
      'because the address of "ada" was suppressed: nothing goes there.',
      `${AT}: from "bounce", by mia: asked us to`,
    ],
    [
      'unsubscribed',
      async () =>
        void (await suppress(fleet.db, { address: 'ada@example.com', scope: 'news', source: 'unsubscribe', ...ACT })),
      'because "ada" was unsubscribed from the topic "news".',
      `${AT}: from "unsubscribe", by mia: asked us to`,
    ],
    [
      'no address',
      async () => set('email = null, address = null'),
      'because "ada" had no e-mail address.',
      "the profile's address: there is still none",
    ],
    [
      'late',
      async () => fleet.at('2026-03-06T09:00:00Z'),
      'because it was overdue for longer than 3 days.',
      `due ${AT}, tried only 2026-03-06 09:00 (Europe/London) [perennial.yaml:10 late_after: 3 days] {test}`,
    ],
  ])('was skipped as %s', async (reason, forbid, because, fact) => {
    await fleet.event('order.placed', ['ada'], { total: 30 });
    await forbid();
    await fleet.deliver('bulk', [ada]);
    const lines = await why('welcome', { step: 'first' });
    expect(lines[0]).toContain(
      `skipped: ${reason}: "ada" did not get the mail "first" (thanks/first): it was skipped on `,
    );
    expect(lines[0]).toContain(because);
    expect(lines[2]).toBe(fact);
  });

  it('was skipped for a suppression that was lifted since, or a topic that nobody is in by default', async () => {
    const of = { address: 'ada@example.com', scope: '*', source: 'bounce', ...ACT };
    await suppress(fleet.db, of);
    await welcome();
    await fleet.at('2026-03-03T09:00:00Z');
    await unsuppress(fleet.db, of);
    const lines = await why('welcome', { step: 'first' });
    expect(lines).toContain('2026-03-03 09:00 (Europe/London): mia did "unsuppress" (asked us to)');
    await fleet.db.query('delete from audit where action like $1', ['%suppress']);
    await fleet.deliver('bulk', [ada]);
    expect((await why('extra', { step: 'extra' })).slice(0, 3)).toEqual([
      `skipped: suppressed: "ada" did not get the mail "extra" (thanks/extra): it was skipped on ${AT} because the address of "ada" was suppressed: nothing goes there.`,
      `its step was reached ${AT}`,
      'the present address has no such entry from before then: it was lifted since, or the address is another one now',
    ]);
    const [bob = 0] = await fleet.customers(['bob']);
    await fleet.event('order.placed', ['bob'], { total: 1 });
    await fleet.deliver('bulk', [bob]);
    expect(linesOf(await fleet.why(bob, 'extra', { step: 'extra' })).slice(0, 3)).toEqual([
      'skipped: unsubscribed: "bob" did not get the mail "extra" (thanks/extra): it was skipped on 2026-03-03 09:00 (Europe/London) because "bob" was not subscribed to the topic "extra", which goes only to those who asked for it.',
      'its step was reached 2026-03-03 09:00 (Europe/London)',
      'the topic is out by default [perennial.yaml:21 extra: { title: Extra, default: out }] {test}',
    ]);
  });

  it('is paused, then held with its error, failed, and tried again', async () => {
    await fleet.event('order.placed', ['ada'], { total: 30 });
    await pause(fleet.db, ALL, 'mia', 'wrong price');
    expect((await why('welcome', { step: 'first' }))[0]).toBe(
      `paused: The mail "first" (thanks/first) waits: all playbooks are paused since ${AT} by mia (wrong price).`,
    );
    expect((await why('again'))[0]).toContain(
      `stands at the step "wait-1": all playbooks are paused since ${AT} by mia (wrong price); without the pause it would go on at 2026-03-04 09:00 (Europe/London).`,
    );
    await resume(fleet.db, fleet.cache, ALL, 'mia', 'mended');
    const claimed = await fleet.claim('bulk', [ada]);
    await fleet.settle(claimed, { kind: 'retry', delayMs: 60_000, reason: '451 busy' });
    expect((await why('welcome', { step: 'first' }))[0]).toBe(
      'tried again: The mail "first" (thanks/first) was tried 1 times and waits for the next try at 2026-03-02 09:01 (Europe/London): 451 busy.',
    );
    await fleet.db.query(`update sends set held_at = '2026-03-02T09:00:00Z', held_error = 'no vars.x'`);
    expect((await why('welcome'))[0]).toContain(`is held since ${AT} because of an error: no vars.x.`);
    await fleet.db.query(`update sends set held_at = null, held_error = null`);
    await fleet.at('2026-03-02T10:00:00Z');
    await fleet.settle(await fleet.claim('bulk', [ada]), { kind: 'permanent', reason: '550 no such user' });
    expect((await why('welcome', { step: 'first' }))[0]).toBe(
      'failed: "ada" did not get the mail "first" (thanks/first): it failed for good on 2026-03-02 10:00 (Europe/London): 550 no such user.',
    );
  });
});

describe('a step that was not reached, or passed by', () => {
  it('lies ahead, and then in another arm', async () => {
    await welcome();
    const ahead = await why('welcome', { step: 'again' });
    expect(ahead[0]).toBe(
      `not yet: The step "again" has not been reached yet. "ada" is in "welcome" since ${AT} and waits at the step "wait-1" until 2026-03-05 09:00 (Europe/London).`,
    );
    expect(ahead[3]).toBe(
      'the condition of "then" is false at present: customer.orders is 1 [playbooks/welcome.yaml:15 if: customer.orders > 1]',
    );
    await goTo('2026-03-05T09:00:00Z');
    const passed = await why('welcome', { step: 'again' });
    expect(passed[0]).toContain(
      'another arm: "ada" did not come to the step "again": at "if-1" the way went on in "else", not in "then". "ada" is in "welcome"',
    );
    expect(passed[2]).toContain('what it read then is not on record');
    expect((await why('welcome', { step: 'tag-1' })).slice(0, 2)).toEqual([
      'skipped: condition: The step "tag-1" was skipped for "ada" on 2026-03-05 09:00 (Europe/London), because its own condition was false.',
      'the condition would be false by what is known now: customer.spent is 30; what it read then is not on record [playbooks/welcome.yaml:21 if: customer.spent > 1000]',
    ]);
    await goTo('2026-03-11T09:00:00Z');
    const review = await why('welcome', { step: 'review' });
    expect(review[0]).toContain('which stands in an arm that was not taken.');
    expect(review).toContain('no event review.posted is on record since they entered');
  });

  it('stands in the arm of a split in which the customer never lands', async () => {
    const traits = (plan: string) => ({ kind: 'identify', customer: 'ada', traits: { attributes: { plan } } }) as const;
    for (const plan of ['silver', 'gold']) await fleet.take([traits(plan)]);
    await fleet.deliver('bulk', [ada]);
    const answers = await Promise.all(['red', 'blue'].map(async (step) => (await why('vip', { step }))[0] ?? ''));
    expect(answers.filter((answer) => answer.startsWith('sent: '))).toHaveLength(1);
    expect(answers.filter((answer) => answer.includes('at "colour" the way went on in'))).toHaveLength(1);
  });

  it('asks in a survey: awaited, answered, and what was done then', async () => {
    await fleet.event('question.asked', ['ada']);
    await fleet.deliver('bulk', [ada]);
    expect((await why('checkin', { step: 'thanks/nps' }))[0]).toBe(
      `sent: "ada" got the mail "survey-1" (thanks/nps): it went out on ${AT} to ada@example.com. Its answer is awaited until 2026-03-09 09:00 (Europe/London).`,
    );
    expect((await why('checkin'))[0]).toContain(
      'waits at the step "survey-1" for the answer to its survey, at most until 2026-03-09 09:00 (Europe/London).',
    );
    await fleet.at('2026-03-03T09:00:00Z');
    await fleet.take([
      {
        kind: 'track',
        customer: 'ada',
        createIfMissing: false,
        event: {
          id: 'answer',
          event: 'survey.answered',
          at: Date.parse('2026-03-03T09:00:00Z'),
          data: { survey: 'nps', score: 9 },
        },
      },
    ]);
    const when = '2026-03-03 09:00 (Europe/London)';
    expect(await why('checkin', { step: 'survey-1' })).toContain(`answered ${when}: {"score":9,"survey":"nps"}`);
    expect((await why('checkin', { step: 'task-1' }))[0]).toMatch(
      /^done: The step "task-1" was done for "ada" on 2026-03-03 .*: task \d+ "Thank ada", still open\.$/,
    );
    const silent = await why('checkin', { step: 'tag-1' });
    expect(silent[0]).toContain('at "survey-1" the way went on in "then", not in "else".');
    expect(silent[1]).toContain('"survey-1" is where the ways parted [playbooks/checkin.yaml:5 survey:');
  });

  it('stands in an arm of a choice, with what the event said; then it starts anew', async () => {
    await fleet.event('review.posted', ['ada'], { rating: 4 });
    await fleet.advance([ada]);
    expect((await why('routes'))[0]).toMatch(/is held at the step "coupon-1" since .* because of an error: .*gifts/);
    await addCodes(fleet.db, 'gifts', ['A1', 'A2', 'A3']);
    await fleet.advance([ada]);
    expect((await why('routes', { step: 'first' })).slice(0, 3)).toEqual([
      `another arm: "ada" did not come to the step "first": at "choose-1" the way went on in "otherwise", not in "arm 1". "ada" is in "routes" since ${AT} and waits at the step "wait-1" until 2026-03-03 09:00 (Europe/London).`,
      '"choose-1" is where the ways parted [playbooks/routes.yaml:6 choose:]',
      'the condition of "arm 1" is false: event.rating is 4 [playbooks/routes.yaml:7 when: event.rating == 5]',
    ]);
    expect((await why('routes', { step: 'coupon-1' }))[0]).toBe(
      `done: The step "coupon-1" was done for "ada" on ${AT}: a code of the pool "gifts" is reserved.`,
    );
    await fleet.at('2026-03-02T10:00:00Z');
    await fleet.event('review.posted', ['ada'], { rating: 4 });
    const again = '2026-03-02 10:00 (Europe/London)';
    const before = await why('routes', { at: '2026-03-02T09:30:00Z' });
    expect(before[0]).toBe(`exit: "ada" entered "routes" on ${AT} and left it on ${again}, because it started anew.`);
    expect(before.at(-1)).toContain('[playbooks/routes.yaml:4 entry: { if_active: restart }]');
    await goTo('2026-03-03T11:00:00Z');
    await goTo('2026-03-05T11:00:00Z');
    expect((await why('routes')).slice(-1)).toEqual([
      'the step "exit-1" [playbooks/routes.yaml:15 exit: done with it]',
    ]);
  });

  it('was left before: by an exit, a goal, or a person', async () => {
    await welcome();
    await fleet.at('2026-03-03T09:00:00Z');
    await fleet.event('order.refunded', ['ada']);
    const left = await why('welcome', { step: 'second' });
    const when = '2026-03-03 09:00 (Europe/London)';
    expect(left.slice(0, 3)).toEqual([
      `left before: exit: The step "second" was not reached: "ada" left it on ${when}, by the event order.refunded.`,
      'the exit [playbooks/welcome.yaml:9 { event: order.refunded }]',
      `order.refunded (ID) of ${when}: {}`,
    ]);
    const [bob = 0, cleo = 0, dora = 0] = await fleet.customers(['bob', 'cleo', 'dora']);
    await fleet.event('order.placed', ['bob', 'cleo', 'dora'], { total: 30 });
    await fleet.take([eventOf('bob', 'review.posted', '2026-03-03T09:00:00Z', { rating: 5 })]);
    const goal = linesOf(await fleet.why(bob, 'welcome'));
    expect(goal[0]).toBe(
      `goal: "bob" entered "welcome" on ${when} and reached its goal on ${when}, by the event review.posted.`,
    );
    expect(goal).toContain(
      'the goal [playbooks/welcome.yaml:11 goal: { event: review.posted, if: event.rating >= 4 }]',
    );
    await cancel(fleet.db, fleet.cache, { customer: 'cleo', playbook: null, ...ACT });
    expect(linesOf(await fleet.why(cleo, 'welcome', { step: 'first' }))[0]).toBe(
      `cancelled: "cleo" did not get the mail "first" (thanks/first): it was cancelled on ${when}, when the playbook ended for them (asked us to).`,
    );
    await fleet.db.query(`update customers set tags = '{wholesale}' where id = $1`, [dora]);
    await fleet.deliver('bulk', [dora]);
    const condition = linesOf(await fleet.why(dora, 'welcome'));
    expect(condition[0]).toContain(`and left it on ${when}, because an exit condition was true.`);
    expect(condition.at(-1)).toContain('customer.tags is ["wholesale"]');
  });
});

// Last, since they deploy.
describe('releases', () => {
  const deploy = async (files: Files, author: string): Promise<void> => {
    const deployed = await fleet.deploy({ ...FILES, ...files }, author);
    expect(deployed.outcome).toBe('deployed');
  };

  it('move who is under way, or let nobody new in', async () => {
    await fleet.event('question.asked', ['ada']);
    const thanks = FILES['playbooks/thanks.yaml'] ?? '';
    const moved = `${thanks.replace('wait: 1 day', 'wait: 4 days\n    id: pause')}in_flight: move\nrenamed: { wait-1: pause }\n`;
    await fleet.at('2026-03-02T10:00:00Z');
    await deploy({ 'playbooks/thanks.yaml': moved }, 'zoe');
    const lines = await why('thanks');
    expect(lines[0]).toContain('and waits at the step "pause" until 2026-03-03 09:00 (Europe/London).');
    expect(lines[1]).toContain('[playbooks/thanks.yaml:3 trigger: { event: question.asked }] {test}');
    expect(lines[2]).toBe('a later deployment moved them into its version of the playbook (`in_flight: move`)');
    expect(await why('thanks', { step: 'wait-1' })).toEqual(['unknown step']);
    await deploy({ 'playbooks/thanks.yaml': `${thanks}in_flight: drain\n` }, 'zoe');
    const [bob = 0] = await fleet.customers(['bob']);
    await fleet.event('question.asked', ['bob']);
    expect(linesOf(await fleet.why(bob, 'thanks')).slice(0, 2)).toEqual([
      `refused: draining: "bob" was not let into "thanks" on 2026-03-02 10:00 (Europe/London): the playbook is draining: who is in it finishes, and nobody new enters.`,
      `the event ID asked for it on 2026-03-02 10:00 (Europe/London), and was refused by \`in_flight: drain\` [playbooks/thanks.yaml:6 in_flight: drain] {zoe}`,
    ]);
  });

  it('quote the one that decided, and tell of a holdout, of `only_to` and of a cap', async () => {
    await welcome();
    await fleet.at('2026-03-03T09:00:00Z');
    const company = (FILES['perennial.yaml'] ?? ANY_HOUR).replace('send_window: {', 'send_window: any # {');
    const welcomed = FILES['playbooks/welcome.yaml'] ?? '';
    await deploy(
      {
        'perennial.yaml': company
          .replace('mail:\n', 'mail:\n  only_to: [ sample.example ]\n')
          .replace('2 days', '9 days'),
        'playbooks/again.yaml': (FILES['playbooks/again.yaml'] ?? '').replace(
          'steps:',
          'steps:\n  - email: thanks/red',
        ),
        'playbooks/welcome.yaml': welcomed.replace('  - email: thanks/first\n', ''),
        'playbooks/extra.yaml': (FILES['playbooks/extra.yaml'] ?? '').replace(
          'steps:',
          'entry: { holdout: 100 }\nsteps:',
        ),
      },
      'zoe',
    );
    const kept = await why('welcome', { step: 'first' });
    expect(kept[0]).toContain('"ada" got the mail "first"');
    const [bob = 0] = await fleet.customers(['bob']);
    await fleet.event('order.placed', ['bob'], { total: 1 });
    await fleet.deliver('bulk', [bob]);
    expect(linesOf(await fleet.why(bob, 'extra', { step: 'extra' })).slice(0, 3)).toEqual([
      'skipped: holdout: "bob" did not get the mail "extra" (thanks/extra): it was skipped on 2026-03-03 09:00 (Europe/London) because "bob" is held out: enrolled and measured, but without mail.',
      'its step was reached 2026-03-03 09:00 (Europe/London)',
      '100 per cent are held out, always the same ones: it follows from the names alone [playbooks/extra.yaml:4 holdout: 100]',
    ]);
    expect(linesOf(await fleet.why(bob, 'again', { step: 'red' }))[2]).toBe(
      'the address is "bob@example.com" [perennial.yaml:5 only_to: [ sample.example ]] {zoe}',
    );
    await deploy({ 'perennial.yaml': company.replace('2 days', '9 days') }, 'zoe');
    await goTo('2026-03-06T09:00:00Z');
    expect((await why('welcome', { step: 'second' })).slice(0, 4)).toEqual([
      'skipped: cap: "ada" did not get the mail "second" (thanks/second): it was skipped on 2026-03-06 09:00 (Europe/London) because a frequency cap would have held it for more than 3 days after it was due.',
      'its step was reached 2026-03-05 09:00 (Europe/London)',
      'the caps [perennial.yaml:23 caps: - { at_most: 1, per: 9 days }] {zoe}',
      `${AT}: "first" of "welcome" went out`,
    ]);
  });
});
