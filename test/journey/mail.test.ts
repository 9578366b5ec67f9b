/** docs/playbooks.md: what forbids a mail, and what makes it wait. */
import { describe, expect, it } from '@jest/globals';
import { customer, timelineOf, type Case } from './support.ts';

/** A playbook of one mail, begun by an event of that name. */
const mailOn = (event: string, template: string, more = ''): string => `
        trigger: { event: ${event} }
        ${more}
        steps: [ { email: ${template} } ]`;

/** What became of mails, without the lines around them. */
function mails(story: Case): readonly string[] {
  return timelineOf(story).filter((line) => / (email|skip)\b/.test(line));
}

const refusals: readonly Case[] = [
  {
    rule: 'suppressed, then unsubscribed, then no address, then not allowed; the playbook goes on',
    company: { mail: { from: 'hello@hearth.example', only_to: ['hearth.example', 'Ok@Example.com'] } },
    playbooks: { p: mailOn('app.opened', 'hello') },
    customers: [
      { id: 'a', suppressed: true, unsubscribed: ['news'] },
      { id: 'b', unsubscribed: ['news'] },
      { id: 'c', email: '' },
      { id: 'd', email: 'd@example.com' },
      { id: 'e', email: 'e@Hearth.Example' },
      { id: 'f', email: 'oK@example.com' },
      { id: 'g', email: 'g@sub.hearth.example' },
    ],
    events: ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((who) => `2026-03-02T10:00Z ${who} app.opened`),
    lines: [
      '2026-03-02T10:00Z a p.hello skip (suppressed)',
      '2026-03-02T10:00Z b p.hello skip (unsubscribed)',
      '2026-03-02T10:00Z c p.hello skip (no address)',
      '2026-03-02T10:00Z d p.hello skip (not allowed)',
      '2026-03-02T10:00Z e p.hello email',
      '2026-03-02T10:00Z f p.hello email',
      '2026-03-02T10:00Z g p.hello skip (not allowed)',
    ],
  },
  {
    rule: 'a topic whose default is out goes to subscribers only; a step may name its own topic',
    playbooks: {
      p: `
        trigger: { event: app.opened }
        steps: [ { email: one, topic: offers }, { email: two } ]`,
    },
    customers: [
      customer('ada'),
      customer('bob', { subscribed: ['offers'] }),
      customer('cy', { subscribed: ['offers'], unsubscribed: ['offers'] }),
      customer('dan', { unsubscribed: ['news'], subscribed: ['offers'] }),
    ],
    events: ['ada', 'bob', 'cy', 'dan'].map((who) => `2026-03-02T10:00Z ${who} app.opened`),
    lines: [
      '2026-03-02T10:00Z ada p.one skip (unsubscribed)',
      '2026-03-02T10:00Z ada p.two email',
      '2026-03-02T10:00Z bob p.one email',
      '2026-03-02T10:00Z bob p.two email',
      '2026-03-02T10:00Z cy p.one skip (unsubscribed)',
      '2026-03-02T10:00Z cy p.two email',
      '2026-03-02T10:00Z dan p.one email',
      '2026-03-02T10:00Z dan p.two skip (unsubscribed)',
    ],
  },
  {
    rule: 'transactional mail knows no subscription, window, blackout or cap, and does not count; suppression holds',
    company: {
      defaults: { send_window: { days: 'sat', hours: '10:00-11:00' } },
      caps: [{ at_most: 1, per: '7 days' }],
      blackouts: [{ from: '2026-03-02', until: '2026-03-03' }],
    },
    playbooks: {
      p: `
        trigger: { event: app.opened }
        steps: [ { email: one, topic: service }, { email: two, topic: service }, { email: three } ]`,
    },
    customers: [customer('ada', { unsubscribed: ['service'] }), customer('bob', { suppressed: true })],
    events: ['2026-03-02T12:00Z ada app.opened', '2026-03-02T12:00Z bob app.opened'],
    lines: [
      '2026-03-02T12:00Z ada p.one email',
      '2026-03-02T12:00Z ada p.two email',
      '2026-03-02T12:00Z bob p.one skip (suppressed)',
      '2026-03-02T12:00Z bob p.two skip (suppressed)',
      '2026-03-02T12:00Z bob p.three skip (suppressed)',
      '2026-03-07T10:00Z ada p.three email',
    ],
  },
  {
    rule: 'what one of two records with one address said holds for both',
    playbooks: { p: mailOn('app.opened', 'hello') },
    customers: [
      customer('ada', { email: 'home@example.com', unsubscribed: ['news'] }),
      customer('bob', { email: 'Home@example.com' }),
    ],
    events: ['2026-03-02T10:00Z bob app.opened'],
    lines: ['2026-03-02T10:00Z bob p.hello skip (unsubscribed)'],
  },
];

const windows: readonly Case[] = [
  {
    rule: 'a window includes its start and excludes its end; outside of it a mail waits for the next opening',
    company: { defaults: { send_window: { days: 'mon-fri', hours: '09:00-18:00' } } },
    playbooks: { p: mailOn('app.opened', 'hello') },
    customers: ['a', 'b', 'c', 'd'].map((id) => customer(id, { timezone: 'Europe/Berlin' })),
    events: [
      '2026-03-27T17:59:59.999+01:00 a app.opened',
      '2026-03-27T18:00+01:00 b app.opened',
      '2026-03-27T08:59:59.999+01:00 c app.opened',
      '2026-03-27T09:00+01:00 d app.opened',
    ],
    lines: [
      // An event comes before a mail that waited.
      '2026-03-27T08:00Z d p.hello email',
      '2026-03-27T08:00Z c p.hello email',
      '2026-03-27T16:59:59.999Z a p.hello email',
      // Monday, after the clocks have changed.
      '2026-03-30T07:00Z b p.hello email',
    ],
  },
  {
    rule: 'a night window belongs to the day on which it opens; a playbook has its own window',
    company: { defaults: { send_window: { days: 'mon', hours: '09:00-10:00' } } },
    playbooks: { p: mailOn('app.opened', 'hello', 'send_window: { days: fri, hours: "22:00-06:00" }') },
    customers: ['a', 'b', 'c'].map((id) => customer(id)),
    events: ['2026-03-06T03:00Z a app.opened', '2026-03-07T05:59Z b app.opened', '2026-03-07T06:00Z c app.opened'],
    lines: [
      '2026-03-06T22:00Z a p.hello email',
      '2026-03-07T05:59Z b p.hello email',
      '2026-03-13T22:00Z c p.hello email',
    ],
  },
  {
    rule: 'equal start and end mean all day',
    playbooks: { p: mailOn('app.opened', 'hello', 'send_window: { days: [tue, wed], hours: "10:00-10:00" }') },
    customers: [customer('ada'), customer('bob')],
    events: ['2026-03-02T12:00Z ada app.opened', '2026-03-04T23:59Z bob app.opened'],
    lines: ['2026-03-03T00:00Z ada p.hello email', '2026-03-04T23:59Z bob p.hello email'],
  },
  {
    rule: 'blackouts are local days, `until` is the first with mail again, and nobody is late for them',
    company: { blackouts: [{ from: '2026-03-10', until: '2026-03-16' }] },
    playbooks: {
      p: mailOn('app.opened', 'hello'),
      q: mailOn('app.opened', 'hours', 'send_window: { days: mon-fri, hours: "09:00-18:00" }'),
    },
    customers: [customer('ada', { timezone: 'Asia/Tokyo' }), customer('bob')],
    events: [
      '2026-03-09T14:59:59Z ada app.opened',
      '2026-03-10T00:00Z ada app.opened',
      '2026-03-15T20:00Z bob app.opened',
    ],
    lines: [
      '2026-03-09T14:59:59Z ada p.hello email',
      '2026-03-15T15:00Z ada p.hello email',
      '2026-03-16T00:00Z bob p.hello email',
      '2026-03-16T00:00Z ada q.hours email',
      '2026-03-16T09:00Z bob q.hours email',
    ],
  },
  {
    rule: 'guard and exit conditions are not asked again when a waiting mail goes out, but before the next step',
    company: { defaults: { send_window: { days: 'wed', hours: '10:00-18:00' } } },
    playbooks: {
      p: `
        trigger: { event: app.opened }
        exit: [ { if: customer.orders > 0 } ]
        steps: [ { email: one, if: customer.orders == 0 }, { email: two } ]`,
    },
    events: ['2026-03-02T10:00Z ada app.opened', '2026-03-03T10:00Z ada order.placed'],
    lines: ['2026-03-04T10:00Z ada p.one email'],
  },
  {
    rule: 'a mail that waits dies with its enrolment',
    company: { defaults: { send_window: { days: 'wed', hours: '10:00-18:00' } } },
    playbooks: { p: mailOn('app.opened', 'hello', 'exit: [ { event: order.placed } ]') },
    events: ['2026-03-02T10:00Z ada app.opened', '2026-03-04T10:00Z ada order.placed'],
    lines: [],
  },
];

const onePer = (per: string): NonNullable<Case['company']> => ({ caps: [{ at_most: 1, per }] });
const two = { a: mailOn('app.opened', 'first'), b: mailOn('review.posted', 'second') };

const caps: readonly Case[] = [
  {
    rule: 'exactly 3 days after it was due a mail is still sent; later it is skipped, at once',
    company: onePer('4 days'),
    playbooks: two,
    customers: [customer('ada'), customer('bob')],
    events: [
      '2026-03-02T10:00Z ada app.opened',
      '2026-03-02T10:00Z bob app.opened',
      '2026-03-03T09:59:59.999Z bob review.posted',
      '2026-03-03T10:00Z ada review.posted',
    ],
    lines: [
      '2026-03-02T10:00Z ada a.first email',
      '2026-03-02T10:00Z bob a.first email',
      '2026-03-03T09:59:59.999Z bob b.second skip (cap)',
      '2026-03-06T10:00Z ada b.second email',
    ],
  },
  {
    rule: 'a cap counts (t - per, t]: exactly `per` later it is free',
    company: onePer('2 hours'),
    playbooks: two,
    customers: [customer('ada'), customer('bob')],
    events: [
      '2026-03-02T10:00Z ada app.opened',
      '2026-03-02T10:00Z bob app.opened',
      '2026-03-02T11:59:59.999Z ada review.posted',
      '2026-03-02T12:00Z bob review.posted',
    ],
    lines: [
      '2026-03-02T10:00Z ada a.first email',
      '2026-03-02T10:00Z bob a.first email',
      '2026-03-02T12:00Z bob b.second email',
      '2026-03-02T12:00Z ada b.second email',
    ],
  },
  {
    rule: 'days of a cap, and of its patience, are calendar days; hours are exact',
    company: onePer('1 day'),
    playbooks: two,
    customers: [customer('ada', { timezone: 'Europe/Berlin' })],
    events: ['2026-03-28T12:00+01:00 ada app.opened', '2026-03-28T13:00+01:00 ada review.posted'],
    lines: ['2026-03-28T11:00Z ada a.first email', '2026-03-29T10:00Z ada b.second email'],
  },
  {
    rule: 'three days of patience are calendar days too',
    company: onePer('95 hours'),
    playbooks: two,
    customers: [customer('ada', { timezone: 'Europe/Berlin' }), customer('bob', { timezone: 'UTC' })],
    // Free at 11:00Z on the 30th: three days after noon on the wall in Berlin is 10:00Z, 71 hours.
    events: [
      '2026-03-26T12:00Z ada app.opened',
      '2026-03-26T12:00Z bob app.opened',
      '2026-03-27T11:00Z ada review.posted',
      '2026-03-27T11:00Z bob review.posted',
    ],
    lines: [
      '2026-03-26T12:00Z ada a.first email',
      '2026-03-26T12:00Z bob a.first email',
      '2026-03-27T11:00Z ada b.second skip (cap)',
      '2026-03-30T11:00Z bob b.second email',
    ],
  },
  {
    rule: 'over a cap, a mail waits for the first instant that is under the cap and in the window',
    company: onePer('1 day'),
    playbooks: {
      a: mailOn('app.opened', 'first'),
      b: mailOn('review.posted', 'second', 'send_window: { days: mon-fri, hours: "09:00-10:00" }'),
      c: mailOn('order.placed', 'third', 'send_window: { days: fri, hours: "09:00-09:30" }'),
    },
    customers: [customer('ada'), customer('bob')],
    events: [
      '2026-03-02T09:45Z ada app.opened',
      '2026-03-02T09:45Z bob app.opened',
      // Under the cap on Tuesday, but in the window on Friday only, more than 3 days later.
      '2026-03-02T09:46Z bob order.placed',
      '2026-03-02T09:50Z ada review.posted',
    ],
    lines: [
      '2026-03-02T09:45Z ada a.first email',
      '2026-03-02T09:45Z bob a.first email',
      '2026-03-02T09:46Z bob c.third skip (cap)',
      '2026-03-03T09:45Z ada b.second email',
    ],
  },
  {
    rule: 'a window may be waited for beyond 3 days; the cap is asked again at its opening, and its 3 days count from the step',
    company: onePer('1 day'),
    playbooks: {
      a: mailOn('app.opened', 'first', 'send_window: { days: sat, hours: any }'),
      b: mailOn('review.posted', 'second'),
    },
    customers: [customer('ada'), customer('bob')],
    events: [
      '2026-03-02T10:00Z ada app.opened',
      '2026-03-02T10:00Z bob app.opened',
      '2026-03-06T12:00Z bob review.posted',
    ],
    lines: [
      '2026-03-06T12:00Z bob b.second email',
      '2026-03-07T00:00Z ada a.first email',
      '2026-03-07T00:00Z bob a.first skip (cap)',
    ],
  },
  {
    rule: 'every cap counts, and what is skipped does not',
    company: {
      caps: [
        { at_most: 1, per: '1 hour' },
        { at_most: 2, per: '1 day' },
      ],
    },
    playbooks: { a: mailOn('app.opened', 'first', 'send_window: { days: any, hours: "00:00-23:00" }') },
    events: [
      '2026-03-02T10:00Z ada app.opened',
      '2026-03-02T10:30Z ada app.opened',
      '2026-03-02T11:30Z ada app.opened',
      '2026-03-02T12:30Z ada app.opened',
    ],
    lines: [
      '2026-03-02T10:00Z ada a.first email',
      '2026-03-02T11:00Z ada a.first email',
      '2026-03-03T10:00Z ada a.first email',
    ],
  },
  {
    rule: 'at one instant a waiting mail and a due wait go by priority, then name',
    company: onePer('1 day'),
    playbooks: {
      a: mailOn('app.opened', 'first'),
      waiting: mailOn('review.posted', 'second'),
      important: `
        priority: 5
        trigger: { event: app.opened }
        steps: [ { wait: 1 day }, { email: third } ]`,
    },
    events: ['2026-03-02T10:00Z ada app.opened', '2026-03-02T12:00Z ada review.posted'],
    lines: [
      '2026-03-02T10:00Z ada a.first email',
      '2026-03-03T10:00Z ada important.third email',
      '2026-03-04T10:00Z ada waiting.second email',
    ],
  },
  {
    rule: 'two records with one address are one reader; a wait counts from the hand-over',
    company: onePer('2 days'),
    playbooks: {
      a: `
        trigger: { event: app.opened }
        steps: [ { email: first }, { wait: 1 hour }, { tag: x } ]`,
    },
    customers: [customer('ada', { email: 'home@example.com' }), customer('bob', { email: 'HOME@example.com' })],
    events: ['2026-03-02T10:00Z bob app.opened', '2026-03-02T10:00Z ada app.opened'],
    lines: ['2026-03-02T10:00Z bob a.first email', '2026-03-04T10:00Z ada a.first email'],
  },
  {
    rule: 'months of a cap are calendar months, in which a hand-over can count again',
    company: onePer('1 month'),
    playbooks: two,
    customers: [customer('ada'), customer('bob')],
    events: [
      '2026-02-28T10:00Z ada app.opened',
      '2026-02-28T10:00Z bob app.opened',
      '2026-03-28T10:00Z ada review.posted',
      // A month before 29 March, 09:00 begins on 28 February, 09:00: the first mail is within it again.
      '2026-03-29T09:00Z bob review.posted',
    ],
    from: '2026-02-01T00:00Z',
    lines: [
      '2026-02-28T10:00Z ada a.first email',
      '2026-02-28T10:00Z bob a.first email',
      '2026-03-28T10:00Z ada b.second email',
      '2026-03-29T10:00Z bob b.second email',
    ],
  },
];

describe('what forbids a mail', () => {
  it.each(refusals)('$rule', (story) => {
    expect(mails(story)).toEqual(story.lines);
  });
});

describe('send windows and blackouts', () => {
  it.each(windows)('$rule', (story) => {
    expect(mails(story)).toEqual(story.lines);
  });
});

describe('frequency caps', () => {
  it.each(caps)('$rule', (story) => {
    expect(mails(story)).toEqual(story.lines);
  });
});
