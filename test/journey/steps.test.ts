/** docs/playbooks.md: waits, branches, attributes, tags and ids. */
import { describe, expect, it } from '@jest/globals';
import { customer, timelineOf, type Case } from './support.ts';

/** A playbook that begins when the app is opened. */
const onOpen = (steps: string): string => `
        trigger: { event: app.opened }
        steps: ${steps}`;

const berlin = customer('ada', { timezone: 'Europe/Berlin' });

const waits: readonly Case[] = [
  {
    rule: 'days keep the time of day across a change of the clocks; hours are exact',
    playbooks: {
      days: onOpen('[ { wait: 1 day }, { tag: x } ]'),
      hours: onOpen('[ { wait: 24 hours }, { tag: x } ]'),
    },
    customers: [berlin],
    events: ['2026-03-28T12:00+01:00 ada app.opened'],
    lines: [
      '2026-03-28T11:00Z ada days enrol',
      '2026-03-28T11:00Z ada hours enrol',
      '2026-03-29T10:00Z ada days.tag-1 tag',
      '2026-03-29T10:00Z ada days complete',
      '2026-03-29T11:00Z ada hours.tag-1 tag',
      '2026-03-29T11:00Z ada hours complete',
    ],
  },
  {
    rule: 'a local time that does not exist is read with the offset before the gap, and the next wait counts from there',
    playbooks: { p: onOpen('[ { wait: 1 day }, { tag: x }, { wait: 1 day } ]') },
    customers: [berlin],
    events: ['2026-03-28T02:30+01:00 ada app.opened'],
    lines: [
      '2026-03-28T01:30Z ada p enrol',
      '2026-03-29T01:30Z ada p.tag-1 tag',
      // 03:30 the next day: the wait before ended at 03:30 on the wall.
      '2026-03-30T01:30Z ada p complete',
    ],
  },
  {
    rule: 'a local time that exists twice means the first',
    playbooks: { p: onOpen('[ { wait: 1 day } ]') },
    customers: [berlin],
    events: ['2026-10-24T02:30+02:00 ada app.opened'],
    until: '2026-12-01T00:00Z',
    lines: ['2026-10-24T00:30Z ada p enrol', '2026-10-25T00:30Z ada p complete'],
  },
  {
    rule: 'a month after the 31st is the end of the next, and ISO 8601 is read',
    playbooks: { p: onOpen('[ { wait: 1 month }, { tag: x }, { wait: P1M } ]') },
    events: ['2026-03-31T10:00Z ada app.opened'],
    lines: ['2026-03-31T10:00Z ada p enrol', '2026-04-30T10:00Z ada p.tag-1 tag', '2026-05-30T10:00Z ada p complete'],
  },
  {
    rule: 'until a time of day: at once when now is exactly that time, else the next one',
    playbooks: { p: onOpen('[ { wait: until 09:00 }, { tag: x } ]') },
    customers: [customer('ada'), customer('bob'), customer('cy', { timezone: 'America/New_York' })],
    events: [
      '2026-03-02T09:00Z ada app.opened',
      '2026-03-02T09:00:00.001Z bob app.opened',
      '2026-03-02T09:00:00.001Z cy app.opened',
    ],
    lines: [
      '2026-03-02T09:00Z ada p enrol',
      '2026-03-02T09:00Z ada p.tag-1 tag',
      '2026-03-02T09:00Z ada p complete',
      '2026-03-02T09:00:00.001Z bob p enrol',
      '2026-03-02T09:00:00.001Z cy p enrol',
      '2026-03-02T14:00Z cy p.tag-1 tag',
      '2026-03-02T14:00Z cy p complete',
      '2026-03-03T09:00Z bob p.tag-1 tag',
      '2026-03-03T09:00Z bob p complete',
    ],
  },
  {
    rule: 'until a time that a gap moved: it counts where it fell',
    playbooks: { p: onOpen('[ { wait: "until 02:30" } ]') },
    customers: [berlin],
    events: ['2026-03-29T03:10+02:00 ada app.opened'],
    lines: ['2026-03-29T01:10Z ada p enrol', '2026-03-29T01:30Z ada p complete'],
  },
  {
    rule: 'until a weekday: today when it is exactly that time, else within a week',
    playbooks: { p: onOpen('[ { wait: until monday 09:00 } ]') },
    customers: [customer('ada'), customer('bob')],
    events: ['2026-03-02T09:00Z ada app.opened', '2026-03-02T09:01Z bob app.opened'],
    lines: [
      '2026-03-02T09:00Z ada p enrol',
      '2026-03-02T09:00Z ada p complete',
      '2026-03-02T09:01Z bob p enrol',
      '2026-03-09T09:00Z bob p complete',
    ],
  },
  {
    rule: 'until a day: in the zone of the customer; at once when it is past',
    playbooks: { p: onOpen('[ { wait: until 2026-03-05 09:00 } ]') },
    customers: [berlin, customer('bob')],
    events: ['2026-03-02T10:00Z ada app.opened', '2026-03-06T10:00Z bob app.opened'],
    lines: [
      '2026-03-02T10:00Z ada p enrol',
      '2026-03-05T08:00Z ada p complete',
      '2026-03-06T10:00Z bob p enrol',
      '2026-03-06T10:00Z bob p complete',
    ],
  },
  {
    rule: 'until a field: moved by its offset, set to `at`; past and missing are past; exactly now is not',
    playbooks: {
      go: onOpen('[ { wait: { until: customer.renewal_date, offset: -7 days, at: "09:00" } }, { tag: x } ]'),
      stop: onOpen(
        '[ { wait: { until: customer.renewal_date, offset: -7 days, at: "09:00", if_past: exit } }, { tag: y } ]',
      ),
    },
    customers: [
      customer('ada', { renewal_date: '2026-03-12', timezone: 'Europe/Berlin' }),
      customer('bob', { renewal_date: '2026-03-09' }),
      customer('cy', { renewal_date: '2026-03-08' }),
      customer('dan'),
      customer('eve', { renewal_date: 'soon' }),
    ],
    events: ['ada', 'bob', 'cy', 'dan', 'eve'].map((who) => `2026-03-02T09:00Z ${who} app.opened`),
    lines: [
      '2026-03-02T09:00Z ada go enrol',
      '2026-03-02T09:00Z ada stop enrol',
      '2026-03-02T09:00Z bob go enrol',
      '2026-03-02T09:00Z bob go.tag-1 tag',
      '2026-03-02T09:00Z bob go complete',
      '2026-03-02T09:00Z bob stop enrol',
      '2026-03-02T09:00Z bob stop.tag-1 tag',
      '2026-03-02T09:00Z bob stop complete',
      ...['cy', 'dan', 'eve'].flatMap((who) => [
        `2026-03-02T09:00Z ${who} go enrol`,
        `2026-03-02T09:00Z ${who} go.tag-1 tag`,
        `2026-03-02T09:00Z ${who} go complete`,
        `2026-03-02T09:00Z ${who} stop enrol`,
        `2026-03-02T09:00Z ${who} stop exit (past)`,
      ]),
      '2026-03-05T08:00Z ada go.tag-1 tag',
      '2026-03-05T08:00Z ada go complete',
      '2026-03-05T08:00Z ada stop.tag-1 tag',
      '2026-03-05T08:00Z ada stop complete',
    ],
  },
  {
    rule: 'until a field without `at`: a date at local midnight, a datetime as it is; with `at` its local day',
    playbooks: {
      date: onOpen('[ { wait: until customer.renewal_date } ]'),
      moment: onOpen('[ { wait: { until: customer.trial_ends, offset: 2 hours } } ]'),
      day: onOpen('[ { wait: { until: customer.trial_ends, at: "10:00" } } ]'),
    },
    customers: [
      customer('ada', { timezone: 'Asia/Tokyo', renewal_date: '2026-03-05', trial_ends: '2026-03-05T16:30:00Z' }),
    ],
    events: ['2026-03-02T09:00Z ada app.opened'],
    lines: [
      '2026-03-02T09:00Z ada date enrol',
      '2026-03-02T09:00Z ada day enrol',
      '2026-03-02T09:00Z ada moment enrol',
      '2026-03-04T15:00Z ada date complete',
      '2026-03-05T18:30Z ada moment complete',
      // 01:30 on the 6th in Tokyo.
      '2026-03-06T01:00Z ada day complete',
    ],
  },
  {
    rule: 'hours of an offset are exact, and come after `at`',
    playbooks: { p: onOpen('[ { wait: { until: customer.renewal_date, offset: -36 hours, at: "12:00" } } ]') },
    customers: [customer('ada', { timezone: 'Europe/Berlin', renewal_date: '2026-03-29' })],
    events: ['2026-03-02T09:00Z ada app.opened'],
    // 36 hours before noon on the day when the clocks change, which is 10:00Z.
    lines: ['2026-03-02T09:00Z ada p enrol', '2026-03-27T22:00Z ada p complete'],
  },
  {
    rule: 'the offset of a date moves the day, before its midnight is looked for',
    playbooks: { p: onOpen('[ { wait: { until: customer.renewal_date, offset: -1 day } } ]') },
    // In Cairo 24 April 2026 begins at 01:00; the day before begins at midnight.
    customers: [customer('ada', { timezone: 'Africa/Cairo', renewal_date: '2026-04-24' })],
    events: ['2026-04-01T09:00Z ada app.opened'],
    lines: ['2026-04-01T09:00Z ada p enrol', '2026-04-22T22:00Z ada p complete'],
  },
  {
    rule: 'a field is read once, when the wait begins',
    playbooks: {
      p: onOpen('[ { wait: until customer.renewal_date } ]'),
      q: `
        trigger: { event: review.posted }
        steps: [ { set: { renewal_date: 2026-03-20 } } ]`,
    },
    customers: [customer('ada', { renewal_date: '2026-03-10' })],
    events: ['2026-03-02T09:00Z ada app.opened', '2026-03-03T09:00Z ada review.posted'],
    lines: [
      '2026-03-02T09:00Z ada p enrol',
      '2026-03-03T09:00Z ada q enrol',
      '2026-03-03T09:00Z ada q.set-1 set',
      '2026-03-03T09:00Z ada q complete',
      '2026-03-10T00:00Z ada p complete',
    ],
  },
  {
    rule: 'a field of the event that started the enrolment can be waited for',
    playbooks: { p: onOpen('[ { wait: { until: event.follow_up, at: "12:00" } } ]') },
    events: ['2026-03-02T09:00Z ada app.opened {"follow_up": "2026-03-04"}'],
    lines: ['2026-03-02T09:00Z ada p enrol', '2026-03-04T12:00Z ada p complete'],
  },
  {
    rule: 'a zone that is none of IANA counts as the zone of the company',
    company: { defaults: { timezone: 'Europe/Berlin' } },
    playbooks: { p: onOpen('[ { wait: until 09:00 } ]') },
    customers: [customer('ada', { timezone: 'Mars/Olympus' }), customer('bob', { timezone: null })],
    events: ['2026-03-02T10:00Z ada app.opened', '2026-03-02T10:00Z bob app.opened'],
    lines: [
      '2026-03-02T10:00Z ada p enrol',
      '2026-03-02T10:00Z bob p enrol',
      '2026-03-03T08:00Z ada p complete',
      '2026-03-03T08:00Z bob p complete',
    ],
  },
  {
    rule: 'wait_for: `then` runs at the event, `else` at the end; what does not fit its condition is passed over',
    playbooks: {
      p: onOpen(`
          - wait_for: { event: review.posted, if: event.rating >= 4, up_to: 2 days }
            then: [ { tag: fan } ]
            else: [ { wait: 1 hour }, { tag: quiet } ]
          - tag: after`),
    },
    customers: [customer('ada'), customer('bob')],
    events: [
      '2026-03-02T10:00Z ada app.opened',
      '2026-03-02T10:00Z bob app.opened',
      '2026-03-03T10:00Z ada review.posted {"rating": 3}',
      '2026-03-03T11:00Z ada review.posted {"rating": 4}',
      '2026-03-03T11:00Z bob review.posted',
    ],
    lines: [
      '2026-03-02T10:00Z ada p enrol',
      '2026-03-02T10:00Z bob p enrol',
      '2026-03-03T11:00Z ada p.tag-1 tag',
      '2026-03-03T11:00Z ada p.tag-3 tag',
      '2026-03-03T11:00Z ada p complete',
      '2026-03-04T11:00Z bob p.tag-2 tag',
      '2026-03-04T11:00Z bob p.tag-3 tag',
      '2026-03-04T11:00Z bob p complete',
    ],
  },
];

const branches: readonly Case[] = [
  {
    rule: 'if runs `then` or `else`, and null counts as false',
    playbooks: {
      p: onOpen(`
          - if: customer.score > 1
            then: [ { tag: high } ]
            else: [ { tag: low } ]
          - if: "!(customer.score > 1)"
            then: [ { tag: not_high } ]`),
    },
    customers: [customer('ada', { score: 2 }), customer('bob', { score: 1 }), customer('cy')],
    events: ['ada', 'bob', 'cy'].map((who) => `2026-03-02T10:00Z ${who} app.opened`),
    lines: [
      '2026-03-02T10:00Z ada p enrol',
      '2026-03-02T10:00Z ada p.tag-1 tag',
      '2026-03-02T10:00Z ada p complete',
      ...['bob', 'cy'].flatMap((who) => [
        `2026-03-02T10:00Z ${who} p enrol`,
        `2026-03-02T10:00Z ${who} p.tag-2 tag`,
        `2026-03-02T10:00Z ${who} p.tag-3 tag`,
        `2026-03-02T10:00Z ${who} p complete`,
      ]),
    ],
  },
  {
    rule: 'choose runs the first that matches, `otherwise` when none does, and nothing without it',
    playbooks: {
      p: onOpen(`
          - choose:
              - { when: customer.score > 5, steps: [ { tag: a } ] }
              - { when: customer.score > 1, steps: [ { tag: b }, { tag: b2 } ] }
              - { otherwise: true, steps: [ { tag: c } ] }
          - choose: [ { when: customer.score > 5, steps: [ { tag: d } ] } ]`),
    },
    customers: [customer('ada', { score: 9 }), customer('bob', { score: 3 }), customer('cy')],
    events: ['ada', 'bob', 'cy'].map((who) => `2026-03-02T10:00Z ${who} app.opened`),
    lines: [
      '2026-03-02T10:00Z ada p enrol',
      '2026-03-02T10:00Z ada p.tag-1 tag',
      '2026-03-02T10:00Z ada p.tag-5 tag',
      '2026-03-02T10:00Z ada p complete',
      '2026-03-02T10:00Z bob p enrol',
      '2026-03-02T10:00Z bob p.tag-2 tag',
      '2026-03-02T10:00Z bob p.tag-3 tag',
      '2026-03-02T10:00Z bob p complete',
      '2026-03-02T10:00Z cy p enrol',
      '2026-03-02T10:00Z cy p.tag-4 tag',
      '2026-03-02T10:00Z cy p complete',
    ],
  },
  {
    rule: 'a guard that is false skips the step; waits and branches print nothing then',
    playbooks: {
      p: onOpen(`
          - { wait: 1 day, if: customer.vip }
          - { wait_for: { event: review.posted, up_to: 1 day }, if: customer.vip, else: [ { tag: no } ] }
          - { choose: [ { otherwise: true, steps: [ { tag: no } ] } ], if: customer.vip }
          - { set: { plan: no }, if: customer.vip }
          - { untag: no, if: customer.vip }
          - { email: mail, if: customer.vip }
          - { tag: yes, if: "!customer.vip" }`),
    },
    events: ['2026-03-02T10:00Z ada app.opened'],
    lines: [
      '2026-03-02T10:00Z ada p enrol',
      '2026-03-02T10:00Z ada p.set-1 skip (condition)',
      '2026-03-02T10:00Z ada p.untag-1 skip (condition)',
      '2026-03-02T10:00Z ada p.mail skip (condition)',
      '2026-03-02T10:00Z ada p.tag-3 tag',
      '2026-03-02T10:00Z ada p complete',
    ],
  },
  {
    rule: 'default ids: the last part of the template, else kind and number, named ones counted too',
    playbooks: {
      p: onOpen(`
          - { tag: x, id: first }
          - if: "true"
            then: [ { tag: x }, { set: { score: 1 } } ]
          - { email: some/where/hello }
          - { email: some/other, id: goodbye }
          - { tag: x }`),
    },
    events: ['2026-03-02T10:00Z ada app.opened'],
    lines: [
      '2026-03-02T10:00Z ada p enrol',
      '2026-03-02T10:00Z ada p.first tag',
      '2026-03-02T10:00Z ada p.tag-2 tag',
      '2026-03-02T10:00Z ada p.set-1 set',
      '2026-03-02T10:00Z ada p.hello email',
      '2026-03-02T10:00Z ada p.goodbye email',
      '2026-03-02T10:00Z ada p.tag-3 tag',
      '2026-03-02T10:00Z ada p complete',
    ],
  },
  {
    rule: 'set, tag and untag are seen by what comes next, say so each time, and null empties an attribute',
    playbooks: {
      p: onOpen(`
          - set: { plan: gold, score: 3 }
          - { set: { plan: null }, if: "customer.plan == 'gold' && customer.score == 3" }
          - { tag: a, if: "customer.plan == null && customer.vip" }
          - { tag: a }
          - { untag: b }
          - { untag: a, if: "customer.tags == ['old', 'a']" }
          - { tag: c, if: "!('a' in customer.tags)" }`),
    },
    customers: [customer('ada', { vip: true, tags: ['old'] })],
    events: ['2026-03-02T10:00Z ada app.opened'],
    lines: [
      '2026-03-02T10:00Z ada p enrol',
      '2026-03-02T10:00Z ada p.set-1 set',
      '2026-03-02T10:00Z ada p.set-2 set',
      '2026-03-02T10:00Z ada p.tag-1 tag',
      '2026-03-02T10:00Z ada p.tag-2 tag',
      '2026-03-02T10:00Z ada p.untag-1 untag',
      '2026-03-02T10:00Z ada p.untag-2 untag',
      '2026-03-02T10:00Z ada p.tag-3 tag',
      '2026-03-02T10:00Z ada p complete',
    ],
  },
  {
    rule: 'days_since counts calendar days in the zone of the customer, and the stage is the first that matches then',
    company: {
      stages: [
        { name: 'prospect', when: 'customer.orders == 0' },
        { name: 'fresh', when: 'days_since(customer.last_order_at) < 1' },
        { name: 'customer', when: 'true' },
      ],
    },
    playbooks: {
      p: `
        trigger: { event: order.placed }
        steps:
          - { tag: a, if: customer.stage == "fresh" }
          - wait: 2 hours
          - { tag: b, if: customer.stage == "customer" }`,
    },
    customers: [customer('ada', { timezone: 'Europe/Berlin' }), customer('bob')],
    // 22:30 in Berlin: two hours later it is tomorrow there, and still today in UTC.
    events: ['2026-03-02T21:30Z ada order.placed', '2026-03-02T21:30Z bob order.placed'],
    lines: [
      '2026-03-02T21:30Z ada p enrol',
      '2026-03-02T21:30Z ada p.tag-1 tag',
      '2026-03-02T21:30Z bob p enrol',
      '2026-03-02T21:30Z bob p.tag-1 tag',
      '2026-03-02T23:30Z ada p.tag-2 tag',
      '2026-03-02T23:30Z ada p complete',
      '2026-03-02T23:30Z bob p.tag-2 skip (condition)',
      '2026-03-02T23:30Z bob p complete',
    ],
  },
];

describe('waits', () => {
  it.each(waits)('$rule', (story) => {
    expect(timelineOf(story)).toEqual(story.lines);
  });
});

describe('branches, attributes, tags and ids', () => {
  it.each(branches)('$rule', (story) => {
    expect(timelineOf(story)).toEqual(story.lines);
  });
});
