/** The rule is in docs/playbooks.md. */
import { describe, expect, it } from '@jest/globals';
import { JourneyError } from '../../engine/journey/errors.ts';
import { customer, timelineOf, type Case } from './support.ts';

const TAG_A_DAY_LATER = `
  trigger: { event: app.opened }
  steps: [ { wait: 1 day }, { tag: x } ]`;

const cases: readonly Case[] = [
  {
    rule: 'an awaited event at the very end of up_to still counts: events come before due waits',
    playbooks: {
      p: `
        trigger: { event: order.placed }
        steps:
          - wait_for: { event: review.posted, up_to: 7 days }
            then: [ { tag: came } ]
            else: [ { untag: missed } ]`,
    },
    customers: [customer('ada'), customer('bob')],
    events: [
      '2026-03-02T10:00Z ada order.placed',
      '2026-03-02T10:00Z bob order.placed',
      '2026-03-09T10:00Z ada review.posted',
      '2026-03-09T10:00:00.001Z bob review.posted',
    ],
    lines: [
      '2026-03-02T10:00Z ada p enrol',
      '2026-03-02T10:00Z bob p enrol',
      '2026-03-09T10:00Z ada p.tag-1 tag',
      '2026-03-09T10:00Z ada p complete',
      '2026-03-09T10:00Z bob p.untag-1 untag',
      '2026-03-09T10:00Z bob p complete',
    ],
  },
  {
    rule: 'due waits come before triggers of time, whatever their priorities and names',
    playbooks: {
      'z-wait': TAG_A_DAY_LATER,
      'a-date': `
        priority: 9
        trigger: { date: customer.renewal_date, at: "09:00" }
        audience: "'x' in customer.tags"
        steps: [ { tag: y } ]`,
    },
    customers: [customer('ada', { renewal_date: '2026-03-03' })],
    events: ['2026-03-02T09:00Z ada app.opened'],
    lines: [
      '2026-03-02T09:00Z ada z-wait enrol',
      '2026-03-03T09:00Z ada z-wait.tag-1 tag',
      '2026-03-03T09:00Z ada z-wait complete',
      '2026-03-03T09:00Z ada a-date enrol',
      '2026-03-03T09:00Z ada a-date.tag-1 tag',
      '2026-03-03T09:00Z ada a-date complete',
    ],
  },
  {
    rule: 'events by line, waits by priority, then name, then customer',
    playbooks: { a: TAG_A_DAY_LATER, b: `\n  priority: 5${TAG_A_DAY_LATER}`, c: TAG_A_DAY_LATER },
    customers: [customer('ada'), customer('bob')],
    events: ['2026-03-02T09:00Z bob app.opened', '2026-03-02T09:00Z ada app.opened'],
    lines: [
      ...['b', 'a', 'c'].map((name) => `2026-03-02T09:00Z bob ${name} enrol`),
      ...['b', 'a', 'c'].map((name) => `2026-03-02T09:00Z ada ${name} enrol`),
      ...['b', 'a', 'c'].flatMap((name) =>
        ['ada', 'bob'].flatMap((who) => [
          `2026-03-03T09:00Z ${who} ${name}.tag-1 tag`,
          `2026-03-03T09:00Z ${who} ${name} complete`,
        ]),
      ),
    ],
  },
  {
    rule: 'triggers of time by priority, then name',
    playbooks: {
      a: `
        trigger: { date: customer.renewal_date }
        steps: [ { tag: x } ]`,
      b: `
        priority: 1
        trigger: { inactive: { no: app.opened, for: 1 day } }
        steps: [ { tag: x } ]`,
      c: `
        trigger: { launch: any }
        steps: [ { tag: x } ]`,
    },
    launches: { lamp: '{ title: Lamp, public_at: 2026-03-03T09:00 }' },
    customers: [customer('ada', { renewal_date: '2026-03-03' })],
    events: ['2026-03-02T09:00Z ada app.opened'],
    lines: ['b', 'a', 'c'].flatMap((name) => [
      `2026-03-03T09:00Z ada ${name} enrol`,
      `2026-03-03T09:00Z ada ${name}.tag-1 tag`,
      `2026-03-03T09:00Z ada ${name} complete`,
    ]),
  },
  {
    rule: 'events that are out of order in the file are sorted, in any offset',
    playbooks: {
      p: `
        trigger: { event: app.opened }
        steps: [ { tag: x, if: event.screen == "first" } ]
        entry: { again: never }`,
    },
    events: [
      '2026-03-02T10:00Z ada app.opened {"screen": "second"}',
      '2026-03-02T10:30+01:00 ada app.opened {"screen": "first"}',
    ],
    lines: ['2026-03-02T09:30Z ada p enrol', '2026-03-02T09:30Z ada p.tag-1 tag', '2026-03-02T09:30Z ada p complete'],
  },
  {
    rule: 'an event updates the facts before anything else sees them',
    playbooks: {
      p: `
        trigger: { event: order.placed, if: customer.orders == 2 && customer.spent == 50.0 }
        steps: [ { tag: x } ]`,
    },
    events: [
      '2026-03-02T10:00Z ada order.placed {"total": 42}',
      '2026-03-03T10:00Z ada order.placed {"total": 8}',
      '2026-03-04T10:00Z ada order.placed',
    ],
    lines: ['2026-03-03T10:00Z ada p enrol', '2026-03-03T10:00Z ada p.tag-1 tag', '2026-03-03T10:00Z ada p complete'],
  },
  {
    rule: 'goals of all the enrolments come before exits, and a goal wins over an exit at the same event',
    playbooks: {
      a: `
        priority: 10
        trigger: { event: app.opened }
        exit: [ { event: order.placed } ]
        steps: [ { wait: 9 days } ]`,
      b: `
        trigger: { event: app.opened }
        exit: [ { event: order.placed } ]
        goal: { event: order.placed }
        steps: [ { wait: 9 days } ]`,
    },
    events: ['2026-03-02T10:00Z ada app.opened', '2026-03-03T10:00Z ada order.placed'],
    lines: [
      '2026-03-02T10:00Z ada a enrol',
      '2026-03-02T10:00Z ada b enrol',
      '2026-03-03T10:00Z ada b goal',
      '2026-03-03T10:00Z ada a exit (event order.placed)',
    ],
  },
  {
    rule: 'an event ends enrolments before it satisfies wait_for',
    playbooks: {
      p: `
        trigger: { event: app.opened }
        exit: [ { event: order.placed, if: event.total > 10 } ]
        steps: [ { wait_for: { event: order.placed, up_to: 9 days }, then: [ { tag: x } ] } ]`,
    },
    customers: [customer('ada'), customer('bob')],
    events: [
      '2026-03-02T10:00Z ada app.opened',
      '2026-03-02T10:00Z bob app.opened',
      '2026-03-03T10:00Z ada order.placed {"total": 11}',
      '2026-03-03T10:00Z bob order.placed {"total": 10}',
    ],
    lines: [
      '2026-03-02T10:00Z ada p enrol',
      '2026-03-02T10:00Z bob p enrol',
      '2026-03-03T10:00Z ada p exit (event order.placed)',
      '2026-03-03T10:00Z bob p.tag-1 tag',
      '2026-03-03T10:00Z bob p complete',
    ],
  },
  {
    rule: 'the starting event is never its own goal; the next one is, and starts anew',
    playbooks: {
      p: `
        trigger: { event: order.placed }
        goal: { event: order.placed }
        steps: [ { wait: 9 days } ]`,
    },
    events: ['2026-03-02T10:00Z ada order.placed', '2026-03-03T10:00Z ada order.placed'],
    lines: [
      '2026-03-02T10:00Z ada p enrol',
      '2026-03-03T10:00Z ada p goal',
      '2026-03-03T10:00Z ada p enrol',
      '2026-03-12T10:00Z ada p complete',
    ],
  },
  {
    rule: 'the starting event is never its own exit',
    playbooks: {
      p: `
        trigger: { event: order.placed }
        entry: { again: never }
        exit: [ { event: order.placed } ]
        steps: [ { wait: 9 days } ]`,
    },
    events: ['2026-03-02T10:00Z ada order.placed', '2026-03-03T10:00Z ada order.placed'],
    lines: ['2026-03-02T10:00Z ada p enrol', '2026-03-03T10:00Z ada p exit (event order.placed)'],
  },
  {
    rule: 'the starting event is never its own wait_for; another one of the same instant is',
    playbooks: {
      p: `
        trigger: { event: order.placed, if: event.total == 1 }
        entry: { again: never }
        steps: [ { wait_for: { event: order.placed, up_to: 9 days }, then: [ { tag: x } ] } ]`,
    },
    events: ['2026-03-02T10:00Z ada order.placed {"total": 1}', '2026-03-02T10:00Z ada order.placed {"total": 2}'],
    lines: ['2026-03-02T10:00Z ada p enrol', '2026-03-02T10:00Z ada p.tag-1 tag', '2026-03-02T10:00Z ada p complete'],
  },
  {
    rule: 'one event ends one wait_for of an enrolment, not the next one as well',
    playbooks: {
      p: `
        trigger: { event: app.opened }
        steps:
          - wait_for: { event: review.posted, up_to: 9 days }
            then: [ { tag: one } ]
          - wait_for: { event: review.posted, up_to: 9 days }
            then: [ { tag: two } ]`,
    },
    events: [
      '2026-03-02T10:00Z ada app.opened',
      '2026-03-03T10:00Z ada review.posted',
      '2026-03-04T10:00Z ada review.posted',
    ],
    lines: [
      '2026-03-02T10:00Z ada p enrol',
      '2026-03-03T10:00Z ada p.tag-1 tag',
      '2026-03-04T10:00Z ada p.tag-2 tag',
      '2026-03-04T10:00Z ada p complete',
    ],
  },
  {
    rule: 'an event runs one playbook after the other: the audience of the second sees what the first did',
    playbooks: {
      a: `
        trigger: { event: app.opened }
        steps: [ { tag: seen }, { wait: 1 day }, { untag: seen } ]`,
      b: `
        trigger: { event: app.opened, if: "'seen' in customer.tags" }
        steps: [ { tag: b } ]`,
      c: `
        priority: 1
        trigger: { event: app.opened }
        audience: "'seen' in customer.tags"
        steps: [ { tag: c } ]`,
    },
    events: ['2026-03-02T10:00Z ada app.opened'],
    lines: [
      '2026-03-02T10:00Z ada a enrol',
      '2026-03-02T10:00Z ada a.tag-1 tag',
      '2026-03-02T10:00Z ada b enrol',
      '2026-03-02T10:00Z ada b.tag-1 tag',
      '2026-03-02T10:00Z ada b complete',
      '2026-03-03T10:00Z ada a.untag-1 untag',
      '2026-03-03T10:00Z ada a complete',
    ],
  },
  {
    rule: '`event` is the starting event, except in the `if` of a wait_for, goal or exit',
    playbooks: {
      p: `
        trigger: { event: order.placed, if: event.total == 1 }
        exit: [ { if: event.total == 2 }, { event: order.placed, if: event.total == 3 } ]
        goal: { event: order.placed, if: event.total == 4 }
        steps:
          - wait_for: { event: order.placed, if: event.total == 5, up_to: 20 days }
          - tag: x
            if: event.total == 1
          - wait: 1 day`,
    },
    events: [
      '2026-03-02T10:00Z ada order.placed {"total": 1}',
      '2026-03-03T10:00Z ada order.placed {"total": 2}',
      '2026-03-04T10:00Z ada order.placed {"total": 5}',
      '2026-03-04T11:00Z ada order.placed {"total": 4}',
      '2026-03-05T10:00Z ada order.placed {"total": 1}',
      '2026-03-06T10:00Z ada order.placed {"total": 3}',
    ],
    lines: [
      '2026-03-02T10:00Z ada p enrol',
      '2026-03-04T10:00Z ada p.tag-1 tag',
      '2026-03-04T11:00Z ada p goal',
      '2026-03-05T10:00Z ada p enrol',
      '2026-03-06T10:00Z ada p exit (event order.placed)',
    ],
  },
  {
    rule: 'events before the start only set facts; one at the start counts, one at the end does not',
    playbooks: {
      p: `
        trigger: { event: order.placed }
        steps: [ { tag: fourth, if: customer.orders == 4 } ]`,
    },
    events: [
      '2026-02-01T10:00Z ada order.placed',
      '2026-02-28T23:59:59.999Z ada order.placed',
      '2026-03-01T00:00Z ada order.placed',
      '2026-05-31T23:59:59.999Z ada order.placed',
      '2026-06-01T00:00Z ada order.placed',
    ],
    lines: [
      '2026-03-01T00:00Z ada p enrol',
      '2026-03-01T00:00Z ada p.tag-1 skip (condition)',
      '2026-03-01T00:00Z ada p complete',
      '2026-05-31T23:59:59.999Z ada p enrol',
      '2026-05-31T23:59:59.999Z ada p.tag-1 tag',
      '2026-05-31T23:59:59.999Z ada p complete',
    ],
  },
];

describe('what happens at one instant', () => {
  it.each(cases)('$rule', (story) => {
    expect(timelineOf(story)).toEqual(story.lines);
  });

  const tags = (count: number): string =>
    `\n  trigger: { event: app.opened }\n  steps: [ ${Array.from({ length: count }, () => '{ tag: x }').join(', ')} ]`;
  const events = ['2026-03-02T10:00Z ada app.opened'];

  it('takes 100 steps at one instant', () => {
    expect(timelineOf({ playbooks: { p: tags(100) }, events })).toHaveLength(102);
  });

  it('refuses the 101st, and says whose it is', () => {
    const run = (): unknown => timelineOf({ playbooks: { p: tags(101) }, events });
    expect(run).toThrow(JourneyError);
    expect(run).toThrow(/more than 100 steps at one instant, last in playbook "p"/);
  });
});
