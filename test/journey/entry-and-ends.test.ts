/** Sentence by sentence of docs/playbooks.md. */
import { describe, expect, it } from '@jest/globals';
import { customer, timelineOf, type Case } from './support.ts';

/** A playbook needs a step; one that is skipped prints nothing. */
const NOTHING = 'steps: [ { wait: 1 day, if: "false" } ]';

const entries: readonly Case[] = [
  {
    rule: 'again: never is the default of `first` events',
    playbooks: {
      p: `
        trigger: { event: order.placed, first: true }
        ${NOTHING}`,
      q: `
        trigger: { event: order.placed, first: true, if: event.total > 5 }
        ${NOTHING}`,
    },
    customers: [customer('ada'), customer('bob')],
    events: [
      '2026-02-01T10:00Z bob order.placed {"total": 9}',
      '2026-03-02T10:00Z ada order.placed {"total": 1}',
      '2026-03-03T10:00Z ada order.placed {"total": 9}',
      '2026-03-03T10:00Z bob order.placed {"total": 9}',
    ],
    lines: ['2026-03-02T10:00Z ada p enrol', '2026-03-02T10:00Z ada p complete'],
  },
  {
    rule: 'again: always is the default otherwise, also at the same instant',
    playbooks: {
      p: `
        trigger: { event: app.opened }
        ${NOTHING}`,
    },
    events: ['2026-03-02T10:00Z ada app.opened', '2026-03-02T10:00Z ada app.opened'],
    lines: ['enrol', 'complete', 'enrol', 'complete'].map((done) => `2026-03-02T10:00Z ada p ${done}`),
  },
  {
    rule: 'again: never holds for ever',
    playbooks: {
      p: `
        trigger: { event: app.opened }
        entry: { again: never }
        ${NOTHING}`,
    },
    events: ['2026-03-02T10:00Z ada app.opened', '2026-05-02T10:00Z ada app.opened'],
    lines: ['2026-03-02T10:00Z ada p enrol', '2026-03-02T10:00Z ada p complete'],
  },
  {
    rule: 'again: after a span counts from the last start, and its end is in time',
    playbooks: {
      p: `
        trigger: { event: app.opened }
        entry: { again: after 10 days }
        steps: [ { wait: 3 days } ]`,
    },
    events: [
      '2026-03-02T10:00Z ada app.opened',
      '2026-03-12T09:59:59.999Z ada app.opened',
      '2026-03-12T10:00Z ada app.opened',
      '2026-03-22T09:59Z ada app.opened',
    ],
    lines: [
      '2026-03-02T10:00Z ada p enrol',
      '2026-03-05T10:00Z ada p complete',
      '2026-03-12T10:00Z ada p enrol',
      '2026-03-15T10:00Z ada p complete',
    ],
  },
  {
    rule: 'again: after days counts calendar days in the zone of the customer, across a change of the clocks',
    playbooks: {
      p: `
        trigger: { event: app.opened }
        entry: { again: after 1 day }
        ${NOTHING}`,
    },
    customers: [customer('ada', { timezone: 'Europe/Berlin' })],
    events: [
      '2026-03-28T12:00+01:00 ada app.opened',
      '2026-03-29T11:59+02:00 ada app.opened',
      '2026-03-29T12:00+02:00 ada app.opened',
    ],
    lines: [
      '2026-03-28T11:00Z ada p enrol',
      '2026-03-28T11:00Z ada p complete',
      '2026-03-29T10:00Z ada p enrol',
      '2026-03-29T10:00Z ada p complete',
    ],
  },
  {
    rule: 'if_active: ignore is the default; a goal of the same event makes room',
    playbooks: {
      p: `
        trigger: { event: app.opened }
        steps: [ { wait: 2 days } ]`,
      q: `
        trigger: { event: app.opened }
        goal: { event: app.opened, if: event.screen == "home" }
        steps: [ { wait: 2 days } ]`,
    },
    events: ['2026-03-02T10:00Z ada app.opened', '2026-03-03T10:00Z ada app.opened {"screen": "home"}'],
    lines: [
      '2026-03-02T10:00Z ada p enrol',
      '2026-03-02T10:00Z ada q enrol',
      '2026-03-03T10:00Z ada q goal',
      '2026-03-03T10:00Z ada q enrol',
      '2026-03-04T10:00Z ada p complete',
      '2026-03-05T10:00Z ada q complete',
    ],
  },
  {
    rule: 'an ignored trigger is no start: again counts from the one that was',
    playbooks: {
      p: `
        trigger: { event: app.opened }
        audience: event.screen == "home"
        entry: { again: after 2 days }
        ${NOTHING}`,
    },
    events: [
      '2026-03-02T10:00Z ada app.opened {"screen": "other"}',
      '2026-03-03T10:00Z ada app.opened {"screen": "home"}',
    ],
    lines: ['2026-03-03T10:00Z ada p enrol', '2026-03-03T10:00Z ada p complete'],
  },
  {
    rule: 'the audience is asked at entry, and only then',
    playbooks: {
      p: `
        trigger: { event: app.opened }
        audience: customer.orders == 0
        steps: [ { wait: 2 days }, { tag: x } ]`,
    },
    events: [
      '2026-03-02T10:00Z ada app.opened',
      '2026-03-03T10:00Z ada order.placed',
      '2026-03-05T10:00Z ada app.opened',
    ],
    lines: ['2026-03-02T10:00Z ada p enrol', '2026-03-04T10:00Z ada p.tag-1 tag', '2026-03-04T10:00Z ada p complete'],
  },
  {
    rule: 'a manual playbook starts for nobody by itself',
    playbooks: {
      p: `
        trigger: { manual: true }
        steps: [ { tag: x } ]`,
    },
    events: ['2026-03-02T10:00Z ada app.opened'],
    lines: [],
  },
];

const exits: readonly Case[] = [
  {
    rule: 'an exit event ends the enrolment at once, with its name as the reason',
    playbooks: {
      p: `
        trigger: { event: order.placed }
        exit: [ { event: order.refunded, if: event.total > 10 } ]
        steps: [ { wait: 9 days }, { tag: x } ]`,
    },
    events: [
      '2026-03-02T10:00Z ada order.placed',
      '2026-03-03T10:00Z ada order.refunded {"total": 10}',
      '2026-03-04T10:00Z ada order.refunded',
      '2026-03-05T10:00Z ada order.refunded {"total": 11}',
    ],
    lines: ['2026-03-02T10:00Z ada p enrol', '2026-03-05T10:00Z ada p exit (event order.refunded)'],
  },
  {
    rule: 'exit conditions are asked before each step, not when they come true',
    playbooks: {
      p: `
        trigger: { event: app.opened }
        exit: [ { if: customer.orders > 0 } ]
        steps: [ { tag: x }, { wait: 5 days }, { tag: y } ]`,
    },
    events: ['2026-03-02T10:00Z ada app.opened', '2026-03-03T10:00Z ada order.placed'],
    lines: [
      '2026-03-02T10:00Z ada p enrol',
      '2026-03-02T10:00Z ada p.tag-1 tag',
      '2026-03-07T10:00Z ada p exit (condition)',
    ],
  },
  {
    rule: 'exit conditions are asked before the first step and before its guard',
    playbooks: {
      p: `
        trigger: { event: app.opened }
        exit: [ { if: "customer.plan == 'none'" }, { if: customer.vip } ]
        steps: [ { tag: x, if: "false" } ]`,
    },
    customers: [customer('ada', { vip: true })],
    events: ['2026-03-02T10:00Z ada app.opened'],
    lines: ['2026-03-02T10:00Z ada p enrol', '2026-03-02T10:00Z ada p exit (condition)'],
  },
  {
    rule: 'exit conditions are asked inside branches, and before steps that print nothing',
    playbooks: {
      p: `
        trigger: { event: app.opened }
        exit: [ { if: "'out' in customer.tags" } ]
        steps:
          - if: "true"
            then: [ { tag: out }, { choose: [ { otherwise: true, steps: [] } ] } ]`,
    },
    events: ['2026-03-02T10:00Z ada app.opened'],
    lines: [
      '2026-03-02T10:00Z ada p enrol',
      '2026-03-02T10:00Z ada p.tag-1 tag',
      '2026-03-02T10:00Z ada p exit (condition)',
    ],
  },
  {
    rule: 'exit conditions are not asked before complete, also after a wait and at the end of a branch',
    playbooks: {
      p: `
        trigger: { event: app.opened }
        exit: [ { if: "'out' in customer.tags" } ]
        steps: [ { if: "true", then: [ { tag: out } ] } ]`,
      q: `
        trigger: { event: app.opened, if: "!('out' in customer.tags)" }
        exit: [ { if: "'out' in customer.tags" } ]
        priority: 1
        steps: [ { wait: 1 day } ]`,
    },
    events: ['2026-03-02T10:00Z ada app.opened'],
    lines: [
      '2026-03-02T10:00Z ada q enrol',
      '2026-03-02T10:00Z ada p enrol',
      '2026-03-02T10:00Z ada p.tag-1 tag',
      '2026-03-02T10:00Z ada p complete',
      '2026-03-03T10:00Z ada q complete',
    ],
  },
  {
    rule: 'the exit step ends the enrolment with its own text',
    playbooks: {
      p: `
        trigger: { event: app.opened }
        steps: [ { exit: not a fit, if: event.screen == "home" }, { exit: other } ]`,
    },
    events: ['2026-03-02T10:00Z ada app.opened', '2026-03-02T11:00Z ada app.opened {"screen": "home"}'],
    lines: [
      '2026-03-02T10:00Z ada p enrol',
      '2026-03-02T10:00Z ada p.exit-1 skip (condition)',
      '2026-03-02T10:00Z ada p exit (other)',
      '2026-03-02T11:00Z ada p enrol',
      '2026-03-02T11:00Z ada p exit (not a fit)',
    ],
  },
];

const goals: readonly Case[] = [
  {
    rule: 'a goal counts within its span from the start, the end excluded; without one, always',
    playbooks: {
      p: `
        trigger: { event: app.opened }
        goal: { event: order.placed, within: 2 days }
        steps: [ { wait: 9 days } ]`,
      q: `
        trigger: { event: app.opened }
        goal: { event: order.placed }
        steps: [ { wait: 9 days } ]`,
    },
    customers: [customer('ada'), customer('bob')],
    events: [
      '2026-03-02T10:00Z ada app.opened',
      '2026-03-02T10:00Z bob app.opened',
      '2026-03-04T09:59:59.999Z ada order.placed',
      '2026-03-04T10:00Z bob order.placed',
    ],
    lines: [
      '2026-03-02T10:00Z ada p enrol',
      '2026-03-02T10:00Z ada q enrol',
      '2026-03-02T10:00Z bob p enrol',
      '2026-03-02T10:00Z bob q enrol',
      '2026-03-04T09:59:59.999Z ada p goal',
      '2026-03-04T09:59:59.999Z ada q goal',
      '2026-03-04T10:00Z bob q goal',
      '2026-03-11T10:00Z bob p complete',
    ],
  },
  {
    rule: 'days of a goal are calendar days, hours are exact, across a change of the clocks',
    playbooks: {
      days: `
        trigger: { event: app.opened }
        goal: { event: order.placed, within: 1 day }
        steps: [ { wait: 2 days } ]`,
      hours: `
        trigger: { event: app.opened }
        goal: { event: order.placed, within: 24 hours }
        steps: [ { wait: 2 days } ]`,
    },
    customers: [customer('ada', { timezone: 'Europe/Berlin' })],
    // Noon to noon is 23 hours here.
    events: ['2026-03-28T12:00+01:00 ada app.opened', '2026-03-29T12:00+02:00 ada order.placed'],
    lines: [
      '2026-03-28T11:00Z ada days enrol',
      '2026-03-28T11:00Z ada hours enrol',
      '2026-03-29T10:00Z ada hours goal',
      '2026-03-30T10:00Z ada days complete',
    ],
  },
  {
    rule: 'a goal has its own condition; after the end nothing is a goal',
    playbooks: {
      p: `
        trigger: { event: app.opened }
        goal: { event: order.placed, if: event.total >= 20 }
        steps: [ { wait: 5 days } ]`,
    },
    customers: [customer('ada'), customer('bob')],
    events: [
      '2026-03-02T10:00Z ada app.opened',
      '2026-03-02T10:00Z bob app.opened',
      '2026-03-03T10:00Z ada order.placed {"total": 19.99}',
      '2026-03-03T10:00Z bob order.placed {"total": 20}',
      '2026-03-08T10:00Z ada order.placed {"total": 20}',
    ],
    lines: [
      '2026-03-02T10:00Z ada p enrol',
      '2026-03-02T10:00Z bob p enrol',
      '2026-03-03T10:00Z bob p goal',
      '2026-03-07T10:00Z ada p complete',
    ],
  },
  {
    rule: 'a goal at the instant of a due wait comes first',
    playbooks: {
      p: `
        trigger: { event: app.opened }
        goal: { event: order.placed }
        steps: [ { wait: 1 day }, { tag: x } ]`,
    },
    events: ['2026-03-02T10:00Z ada app.opened', '2026-03-03T10:00Z ada order.placed'],
    lines: ['2026-03-02T10:00Z ada p enrol', '2026-03-03T10:00Z ada p goal'],
  },
];

describe('entry', () => {
  it.each(entries)('$rule', (story) => {
    expect(timelineOf(story)).toEqual(story.lines);
  });
});

describe('exits', () => {
  it.each(exits)('$rule', (story) => {
    expect(timelineOf(story)).toEqual(story.lines);
  });
});

describe('goals', () => {
  it.each(goals)('$rule', (story) => {
    expect(timelineOf(story)).toEqual(story.lines);
  });
});
