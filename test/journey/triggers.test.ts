/** docs/playbooks.md: dates, inactivity and launches. */
import { describe, expect, it } from '@jest/globals';
import { customer, timelineOf, type Case } from './support.ts';

/** A step that prints nothing: these cases look at enrolments. */
const NOTHING = 'steps: [ { wait: 1 day, if: "false" } ]';

/** Enrolments of playbooks that end where they begin, without the lines of their ends. */
function enrolments(story: Case): readonly string[] {
  return timelineOf(story).filter((line) => !line.endsWith(' complete'));
}

const dates: readonly Case[] = [
  {
    rule: 'once: on the local day, at the hour of the trigger, else of the company; never again',
    company: { defaults: { timezone: 'UTC', at: '07:30' } },
    playbooks: {
      p: `
        trigger: { date: customer.renewal_date }
        ${NOTHING}`,
      q: `
        trigger: { date: customer.renewal_date, every: once, offset: -7 days, at: "10:00" }
        steps: [ { tag: x, if: trigger.count == 1 && days_until(trigger.date) == 7 } ]`,
    },
    customers: [customer('ada', { renewal_date: '2026-03-20', timezone: 'America/New_York' })],
    lines: [
      '2026-03-13T14:00Z ada q enrol',
      '2026-03-13T14:00Z ada q.tag-1 tag',
      // Eastern daylight time since the 8th.
      '2026-03-20T11:30Z ada p enrol',
    ],
  },
  {
    rule: 'a datetime is taken on its local day; a yearly date never fires on the day itself',
    playbooks: {
      p: `
        trigger: { date: customer.created_at, every: year }
        steps: [ { tag: x, if: trigger.count == 2 } ]`,
      q: `
        trigger: { date: customer.first_order_at, every: 1 year }
        ${NOTHING}`,
    },
    customers: [
      customer('ada', { timezone: 'Asia/Tokyo', created_at: '2024-03-09T16:00:00Z' }),
      customer('bob', { created_at: '2026-03-10T01:00:00Z' }),
    ],
    events: ['2026-03-02T01:00Z bob order.placed', '2026-03-04T01:00Z bob order.placed'],
    until: '2027-03-05T00:00Z',
    lines: ['2026-03-10T00:00Z ada p enrol', '2026-03-10T00:00Z ada p.tag-1 tag', '2027-03-02T09:00Z bob q enrol'],
  },
  {
    rule: 'a birthday fires every year, and counts the years since birth',
    playbooks: {
      p: `
        trigger: { date: customer.birthday }
        steps: [ { tag: x, if: trigger.count == 40 } ]`,
    },
    customers: [customer('ada', { birthday: '1986-03-09' }), customer('bob', { birthday: '2026-03-10' })],
    until: '2027-03-31T00:00Z',
    lines: [
      '2026-03-09T09:00Z ada p enrol',
      '2026-03-09T09:00Z ada p.tag-1 tag',
      '2026-03-10T09:00Z bob p enrol',
      '2026-03-10T09:00Z bob p.tag-1 skip (condition)',
      '2027-03-09T09:00Z ada p enrol',
      '2027-03-09T09:00Z ada p.tag-1 skip (condition)',
      '2027-03-10T09:00Z bob p enrol',
      '2027-03-10T09:00Z bob p.tag-1 skip (condition)',
    ],
  },
  {
    rule: 'months count from the date, clamped to the end of the month; trigger.count is the n-th',
    playbooks: {
      p: `
        trigger: { date: customer.renewal_date, every: month }
        steps: [ { tag: x, if: trigger.count == 3 } ]`,
    },
    customers: [customer('ada', { renewal_date: '2026-01-31' })],
    from: '2026-02-01T00:00Z',
    lines: [
      '2026-02-28T09:00Z ada p enrol',
      '2026-02-28T09:00Z ada p.tag-1 skip (condition)',
      '2026-03-31T09:00Z ada p enrol',
      '2026-03-31T09:00Z ada p.tag-1 skip (condition)',
      '2026-04-30T09:00Z ada p enrol',
      '2026-04-30T09:00Z ada p.tag-1 tag',
      '2026-05-31T09:00Z ada p enrol',
      '2026-05-31T09:00Z ada p.tag-1 skip (condition)',
    ],
  },
  {
    rule: 'the occurrence (clamped), then the offset (clamped), then `at`; hours of an offset are exact',
    playbooks: {
      months: `
        trigger: { date: customer.renewal_date, every: 1 months, offset: 1 month }
        ${NOTHING}`,
      hours: `
        trigger: { date: customer.renewal_date, offset: PT36H }
        ${NOTHING}`,
    },
    customers: [
      customer('ada', { renewal_date: '2026-01-31' }),
      customer('bob', { renewal_date: '2026-03-28', timezone: 'Europe/Berlin' }),
    ],
    until: '2026-05-15T00:00Z',
    lines: [
      '2026-03-28T09:00Z ada months enrol',
      // 09:00 in winter and 36 hours: 22:00 in summer.
      '2026-03-29T20:00Z bob hours enrol',
      '2026-04-30T09:00Z ada months enrol',
    ],
  },
  ...(
    [
      ['feb-28', ['2026-02-28', '2027-02-28', '2028-02-29']],
      ['mar-1', ['2026-03-01', '2027-03-01', '2028-02-29']],
      ['skip', ['2028-02-29']],
    ] as const
  ).map(([policy, days]): Case => ({
    rule: `a 29 February in other years, by the policy ${policy}`,
    company: { defaults: { leap_day: policy } },
    playbooks: {
      p: `
          trigger: { date: customer.birthday, every: year, at: "08:00" }
          ${NOTHING}`,
    },
    customers: [customer('ada', { birthday: '2000-02-29' })],
    from: '2026-01-01T00:00Z',
    until: '2028-12-31T00:00Z',
    lines: days.map((day) => `${day}T08:00Z ada p enrol`),
  })),
  {
    rule: 'a date that changes re-plans what is to come; a new one in the past starts nothing',
    playbooks: {
      p: `
        trigger: { date: customer.renewal_date }
        ${NOTHING}`,
      later: `
        trigger: { event: app.opened }
        steps: [ { set: { renewal_date: 2026-04-05 } } ]`,
      earlier: `
        trigger: { event: review.posted }
        steps: [ { set: { renewal_date: 2026-03-09 } } ]`,
    },
    customers: [
      customer('ada', { renewal_date: '2026-03-20' }),
      customer('bob', { renewal_date: '2026-03-20' }),
      customer('cy'),
    ],
    events: [
      '2026-03-10T10:00Z ada app.opened',
      '2026-03-10T10:00Z bob review.posted',
      '2026-03-10T10:00Z cy app.opened',
    ],
    lines: [
      '2026-03-10T10:00Z ada later enrol',
      '2026-03-10T10:00Z ada later.set-1 set',
      '2026-03-10T10:00Z bob earlier enrol',
      '2026-03-10T10:00Z bob earlier.set-1 set',
      '2026-03-10T10:00Z cy later enrol',
      '2026-03-10T10:00Z cy later.set-1 set',
      '2026-04-05T09:00Z ada p enrol',
      '2026-04-05T09:00Z cy p enrol',
    ],
  },
  {
    rule: 'once is once, whatever the date becomes, unless entry says always',
    playbooks: {
      p: `
        trigger: { date: customer.renewal_date }
        steps: [ { set: { renewal_date: 2026-04-05 } } ]`,
      q: `
        trigger: { date: customer.renewal_date }
        entry: { again: always }
        ${NOTHING}`,
    },
    customers: [customer('ada', { renewal_date: '2026-03-20' })],
    lines: [
      '2026-03-20T09:00Z ada p enrol',
      '2026-03-20T09:00Z ada p.set-1 set',
      // p moved the date away before q was asked.
      '2026-04-05T09:00Z ada q enrol',
    ],
  },
  {
    rule: 'what was due before the start starts nothing; at the start it does; what is no date is missing',
    playbooks: {
      p: `
        trigger: { date: customer.renewal_date, at: "00:00" }
        ${NOTHING}`,
    },
    customers: [
      customer('ada', { renewal_date: '2026-02-28' }),
      customer('bob', { renewal_date: '2026-03-01' }),
      customer('cy', { renewal_date: '1 March' }),
      customer('dan', { renewal_date: '2026-06-01' }),
    ],
    lines: ['2026-03-01T00:00Z bob p enrol'],
  },
];

const inactivity: readonly Case[] = [
  {
    rule: 'the last such event and its span, once per lapse; another event re-arms; those without one are left out',
    playbooks: {
      p: `
        trigger: { inactive: { no: order.placed, for: 10 days } }
        ${NOTHING}`,
    },
    customers: [customer('ada'), customer('bob', { created_at: '2026-01-01T00:00:00Z' })],
    events: [
      '2026-03-02T10:00Z ada order.placed',
      '2026-03-05T10:00Z ada order.placed',
      '2026-03-20T10:00Z ada order.placed',
      '2026-03-20T10:00Z bob app.opened',
    ],
    lines: ['2026-03-15T10:00Z ada p enrol', '2026-03-30T10:00Z ada p enrol'],
  },
  {
    rule: 'an event at the very instant of the lapse comes before it',
    playbooks: {
      p: `
        trigger: { inactive: { no: order.placed, for: 10 days } }
        ${NOTHING}`,
    },
    events: ['2026-03-02T10:00Z ada order.placed', '2026-03-12T10:00Z ada order.placed'],
    lines: ['2026-03-22T10:00Z ada p enrol'],
  },
  {
    rule: 'several events, or any at all',
    playbooks: {
      p: `
        trigger: { inactive: { no: [order.placed, review.posted], for: 10 days } }
        ${NOTHING}`,
      q: `
        trigger: { inactive: { no: any, for: 10 days } }
        ${NOTHING}`,
    },
    events: [
      '2026-03-02T10:00Z ada review.posted',
      '2026-03-04T10:00Z ada order.placed',
      '2026-03-06T10:00Z ada app.opened',
    ],
    lines: ['2026-03-14T10:00Z ada p enrol', '2026-03-16T10:00Z ada q enrol'],
  },
  {
    rule: 'with `at` the next such local time at or after the lapse',
    playbooks: {
      p: `
        trigger: { inactive: { no: order.placed, for: 10 days }, at: "10:00" }
        ${NOTHING}`,
    },
    customers: [customer('ada'), customer('bob'), customer('cy', { timezone: 'Europe/Berlin' })],
    events: [
      '2026-03-02T10:00Z ada order.placed',
      '2026-03-02T10:01Z bob order.placed',
      // Ten calendar days later it is 10:00 again, and the offset another one.
      '2026-03-20T10:00+01:00 cy order.placed',
    ],
    lines: ['2026-03-12T10:00Z ada p enrol', '2026-03-13T10:00Z bob p enrol', '2026-03-30T08:00Z cy p enrol'],
  },
  {
    rule: 'or_never counts from created_at, from the start of the simulation without one; an event takes its place',
    playbooks: {
      p: `
        trigger: { inactive: { no: order.placed, for: 10 days, or_never: true } }
        ${NOTHING}`,
    },
    customers: [
      customer('ada', { created_at: '2026-02-25T08:00:00Z' }),
      customer('bob'),
      customer('cy', { created_at: '2026-02-01T08:00:00Z' }),
      customer('dan', { created_at: '2026-02-25T08:00:00Z' }),
    ],
    events: ['2026-03-02T10:00Z dan order.placed', '2026-03-02T10:00Z ada app.opened'],
    lines: ['2026-03-07T08:00Z ada p enrol', '2026-03-11T00:00Z bob p enrol', '2026-03-12T10:00Z dan p enrol'],
  },
  {
    rule: 'a lapse before the start starts nothing, at the start it does; facts before it count',
    playbooks: {
      p: `
        trigger: { inactive: { no: order.placed, for: 10 days } }
        ${NOTHING}`,
    },
    customers: [customer('ada'), customer('bob'), customer('cy')],
    events: [
      '2026-02-18T23:59:59.999Z ada order.placed',
      '2026-02-19T00:00Z bob order.placed',
      '2026-02-24T10:00Z cy order.placed',
      '2026-04-01T10:00Z ada order.placed',
    ],
    lines: ['2026-03-01T00:00Z bob p enrol', '2026-03-06T10:00Z cy p enrol', '2026-04-11T10:00Z ada p enrol'],
  },
  {
    rule: 'a lapse that finds the customer under way is over: the next one counts',
    playbooks: {
      p: `
        trigger: { inactive: { no: order.placed, for: 5 days } }
        steps: [ { wait: 20 days }, { tag: x } ]`,
    },
    events: ['2026-03-02T10:00Z ada order.placed', '2026-03-10T10:00Z ada order.placed'],
    lines: ['2026-03-07T10:00Z ada p enrol', '2026-03-27T10:00Z ada p.tag-1 tag'],
  },
];

const facts: readonly Case[] = [
  {
    rule: 'orders that a customer of a simulation is said to have had are no first ones, and lapse like any other',
    playbooks: {
      p: `
        trigger: { event: order.placed, first: true }
        ${NOTHING}`,
      q: `
        trigger: { inactive: { no: order.placed, for: 10 days } }
        ${NOTHING}`,
    },
    customers: [
      customer('ada', { orders: 3, first_order_at: '2025-01-01T10:00:00Z', last_order_at: '2026-02-24T10:00:00Z' }),
      customer('bob', { orders: 1 }),
      customer('cy', { orders: 0 }),
    ],
    events: ['ada', 'bob', 'cy'].map((who) => `2026-03-09T10:00Z ${who} order.placed`),
    until: '2026-03-15T00:00Z',
    lines: ['2026-03-06T10:00Z ada q enrol', '2026-03-09T10:00Z cy p enrol'],
  },
];

const LAMP = '{ title: Lamp, public_at: 2026-03-30T10:00, price: 89 }';

const launches: readonly Case[] = [
  {
    rule: 'at public_at less `before`, in calendar units of the company, for whoever is in the audience then',
    company: { defaults: { timezone: 'Europe/London' } },
    playbooks: {
      p: `
        trigger: { launch: lamp, before: 3 days }
        audience: customer.orders > 0
        steps: [ { tag: x, if: launch.price == 89 && launch.title == "Lamp" } ]`,
    },
    launches: { lamp: LAMP, sofa: '{ title: Sofa, public_at: 2026-03-29T10:00 }' },
    customers: [customer('ada', { timezone: 'Asia/Tokyo' }), customer('bob')],
    events: ['2026-03-26T10:00Z ada order.placed', '2026-03-28T10:00Z bob order.placed'],
    // The clocks in London change on the 29th: 10:00 is 10:00Z on the 27th.
    lines: ['2026-03-27T10:00Z ada p enrol', '2026-03-27T10:00Z ada p.tag-1 tag'],
  },
  {
    rule: 'any launch, each once; one that meets an active enrolment is ignored',
    playbooks: {
      p: `
        trigger: { launch: any }
        ${NOTHING}`,
      q: `
        trigger: { launch: any }
        steps: [ { wait: 10 days }, { tag: x } ]`,
    },
    launches: { lamp: LAMP, sofa: '{ title: Sofa, public_at: 2026-04-02T10:00 }' },
    lines: [
      '2026-03-30T10:00Z ada p enrol',
      '2026-03-30T10:00Z ada q enrol',
      '2026-04-02T10:00Z ada p enrol',
      '2026-04-09T10:00Z ada q.tag-1 tag',
    ],
  },
  {
    rule: 'two records with one address are one reader: the first that is in the audience takes the launch',
    playbooks: {
      p: `
        trigger: { launch: any }
        audience: "!customer.vip"
        ${NOTHING}`,
    },
    launches: { lamp: LAMP },
    customers: [
      customer('dan', { email: 'Home@Example.com' }),
      customer('cy', { email: ' home@example.com' }),
      customer('bob', { email: 'home@example.com' }),
      customer('ada', { email: 'home@example.com', vip: true }),
      customer('eve', { email: null }),
      customer('fay', { email: null }),
    ],
    lines: ['bob', 'eve', 'fay'].map((who) => `2026-03-30T10:00Z ${who} p enrol`),
  },
  {
    rule: 'an instant before the start starts nothing; at the start it does',
    playbooks: {
      p: `
        trigger: { launch: any, before: 1 day }
        ${NOTHING}`,
      q: `
        trigger: { launch: any }
        ${NOTHING}`,
    },
    launches: { lamp: LAMP },
    from: '2026-03-30T10:00Z',
    lines: ['2026-03-30T10:00Z ada q enrol'],
  },
];

describe('date triggers', () => {
  it.each(dates)('$rule', (story) => {
    expect(enrolments(story)).toEqual(story.lines);
  });
});

describe('inactivity', () => {
  it.each(inactivity)('$rule', (story) => {
    expect(enrolments(story)).toEqual(story.lines);
  });
});

describe('facts', () => {
  it.each(facts)('$rule', (story) => {
    expect(enrolments(story)).toEqual(story.lines);
  });
});

describe('launches', () => {
  it.each(launches)('$rule', (story) => {
    expect(enrolments(story)).toEqual(story.lines);
  });
});
