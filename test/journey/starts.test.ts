/** Sentence by sentence of docs/playbooks.md: playbooks that start playbooks, segments, several enrolments at once, tests of variants. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isHeldOut, splitArm } from '../../engine/journey/split.ts';
import { customer, timelineOf, type Case } from './support.ts';

const OPENED = '2026-03-02T10:00Z';
/** Lines of ada's at one instant. */
const at = (when: string, ...lines: readonly string[]): readonly string[] => lines.map((line) => `${when} ada ${line}`);
const openedThen = (...lines: readonly string[]): readonly string[] => at(OPENED, ...lines);
const EVENTS = [`${OPENED} ada app.opened {"screen": "x"}`];
const BY_HAND = 'trigger: { manual: true }';

const starts: readonly Case[] = [
  {
    rule: 'a started playbook is entered at the step, and runs right after its starter has come to a wait',
    playbooks: {
      p: 'trigger: { event: app.opened }\nsteps: [ { start: q }, { tag: a }, { wait: 1 day }, { tag: b } ]',
      q: `${BY_HAND}\nsteps: [ { tag: c }, { tag: d } ]`,
    },
    events: EVENTS,
    lines: [
      ...openedThen('p enrol', 'q enrol', 'p.tag-1 tag', 'q.tag-1 tag', 'q.tag-2 tag', 'q complete'),
      ...at('2026-03-03T10:00Z', 'p.tag-2 tag', 'p complete'),
    ],
  },
  {
    rule: 'or to its end',
    playbooks: {
      p: 'trigger: { event: app.opened }\nsteps: [ { start: q }, { tag: a } ]',
      q: `${BY_HAND}\nsteps: [ { tag: c } ]`,
    },
    events: EVENTS,
    lines: openedThen('p enrol', 'q enrol', 'p.tag-1 tag', 'p complete', 'q.tag-1 tag', 'q complete'),
  },
  {
    rule: 'what a started one starts runs right after that one, before the next that its starter has started',
    playbooks: {
      p: 'trigger: { event: app.opened }\nsteps: [ { start: q }, { start: r }, { wait: 1 day } ]',
      q: `${BY_HAND}\nsteps: [ { start: s }, { tag: q } ]`,
      r: `${BY_HAND}\nsteps: [ { tag: r } ]`,
      s: `${BY_HAND}\nsteps: [ { tag: s } ]`,
    },
    events: EVENTS,
    lines: [
      ...openedThen('p enrol', 'q enrol', 'r enrol'),
      ...openedThen('s enrol', 'q.tag-1 tag', 'q complete', 's.tag-1 tag', 's complete', 'r.tag-1 tag', 'r complete'),
      ...at('2026-03-03T10:00Z', 'p complete'),
    ],
  },
  {
    rule: 'its own entry rules are asked at the step; a refusal holds nothing up',
    playbooks: {
      p: 'trigger: { event: app.opened }\nsteps: [ { start: q }, { tag: a }, { start: q }, { start: q } ]',
      q: `${BY_HAND}\nentry: { again: never }\naudience: "'a' in customer.tags"\nsteps: [ { tag: c } ]`,
    },
    events: EVENTS,
    lines: openedThen('p enrol', 'p.tag-1 tag', 'q enrol', 'p complete', 'q.tag-1 tag', 'q complete'),
  },
  {
    rule: 'what its trigger asks is not asked, manual: false is no obstacle, and a skipped start prints nothing',
    playbooks: {
      p: 'trigger: { event: app.opened }\nsteps: [ { start: q, if: "false" }, { start: q } ]',
      q: 'trigger: { event: order.placed, if: event.total > 9 }\nmanual: false\nsteps: [ { tag: c } ]',
    },
    events: EVENTS,
    lines: openedThen('p enrol', 'q enrol', 'p complete', 'q.tag-1 tag', 'q complete'),
  },
  {
    rule: 'the event is handed on to a playbook that this event starts, and to no other',
    playbooks: {
      p: 'trigger: { event: app.opened }\nsteps: [ { start: q }, { start: r } ]',
      q: 'trigger: { event: app.opened, if: "false" }\nsteps: [ { tag: same, if: event.screen == "x" } ]',
      r: 'trigger: { event: order.placed }\nsteps: [ { tag: other, if: event.total == null } ]',
    },
    events: EVENTS,
    lines: openedThen(
      'p enrol',
      'q enrol',
      'r enrol',
      'p complete',
      'q.tag-1 tag',
      'q complete',
      'r.tag-1 tag',
      'r complete',
    ),
  },
  {
    rule: 'a launch is handed on to a playbook that it starts',
    playbooks: {
      p: 'trigger: { launch: any }\nsteps: [ { start: q }, { start: r } ]',
      q: 'trigger: { launch: any, before: 9 days }\nsteps: [ { tag: c, if: launch.title == "Lamp" } ]',
      r: 'trigger: { launch: chair }\nsteps: [ { tag: c, if: launch.title == "Lamp" } ]',
    },
    launches: {
      lamp: '{ title: Lamp, public_at: 2026-03-05T10:00 }',
      chair: '{ title: Chair, public_at: 2026-01-05T10:00 }',
    },
    lines: at(
      '2026-03-05T10:00Z',
      'p enrol',
      'q enrol',
      'r enrol',
      'p complete',
      'q.tag-1 tag',
      'q complete',
      'r.tag-1 skip (condition)',
      'r complete',
    ),
  },
  {
    rule: 'the starting event is no goal of the started',
    playbooks: {
      p: 'trigger: { event: app.opened }\nsteps: [ { start: q } ]',
      q: `${BY_HAND}\ngoal: { event: app.opened }\nsteps: [ { wait: 1 day } ]`,
    },
    events: EVENTS,
    lines: [...openedThen('p enrol', 'q enrol', 'p complete'), ...at('2026-03-03T10:00Z', 'q complete')],
  },
  {
    rule: 'a circle with a wait in it goes on',
    playbooks: {
      p: 'trigger: { event: app.opened }\nsteps: [ { wait: 20 days }, { start: q } ]',
      q: `${BY_HAND}\nsteps: [ { wait: 20 days }, { start: p } ]`,
    },
    events: EVENTS,
    until: '2026-05-02T00:00Z',
    lines: [
      ...openedThen('p enrol'),
      ...at('2026-03-22T10:00Z', 'q enrol', 'p complete'),
      ...at('2026-04-11T10:00Z', 'p enrol', 'q complete'),
      ...at('2026-05-01T10:00Z', 'q enrol', 'p complete'),
    ],
  },
];

const restarts: readonly Case[] = [
  {
    rule: 'restart ends the one under way, and a new one begins',
    playbooks: {
      p: 'trigger: { event: app.opened }\nentry: { if_active: restart }\nsteps: [ { wait: 2 days }, { tag: x } ]',
    },
    events: [...EVENTS, '2026-03-03T10:00Z ada app.opened'],
    lines: [
      ...openedThen('p enrol'),
      ...at('2026-03-03T10:00Z', 'p exit (restart)', 'p enrol'),
      ...at('2026-03-05T10:00Z', 'p.tag-1 tag', 'p complete'),
    ],
  },
  {
    rule: 'a mail that waits goes with it',
    playbooks: {
      p: 'trigger: { event: app.opened }\nentry: { if_active: restart }\nsend_window: { days: any, hours: "20:00-21:00" }\nsteps: [ { email: one } ]',
    },
    events: [...EVENTS, '2026-03-02T11:00Z ada app.opened'],
    lines: [
      ...openedThen('p enrol'),
      ...at('2026-03-02T11:00Z', 'p exit (restart)', 'p enrol'),
      ...at('2026-03-02T20:00Z', 'p.one email', 'p complete'),
    ],
  },
  {
    rule: 'who may not enter again, or is not of the audience, is not restarted either',
    playbooks: {
      p: 'trigger: { event: app.opened }\nentry: { if_active: restart, again: after 3 days }\nsteps: [ { wait: 5 days } ]',
      q: 'trigger: { event: app.opened }\nentry: { if_active: restart }\naudience: customer.orders == 0\nsteps: [ { wait: 5 days } ]',
    },
    events: [...EVENTS, '2026-03-03T10:00Z ada order.placed', '2026-03-04T10:00Z ada app.opened'],
    lines: [...openedThen('p enrol', 'q enrol'), ...at('2026-03-07T10:00Z', 'p complete', 'q complete')],
  },
  {
    rule: 'a playbook that turns its own segment begins anew at that step',
    playbooks: {
      p: `trigger: { segment: "'vip' in customer.tags" }\nentry: { if_active: restart }\nsteps: [ { tag: vip }, { tag: x } ]`,
      q: 'trigger: { event: app.opened }\nsteps: [ { start: p } ]',
    },
    events: EVENTS,
    lines: openedThen(
      'q enrol',
      'p enrol',
      'q complete',
      'p.tag-1 tag',
      'p exit (restart)',
      'p enrol',
      'p.tag-1 tag',
      'p.tag-2 tag',
      'p complete',
    ),
  },
  {
    rule: 'one that was entered and has not run yet is restarted too, and never runs',
    playbooks: {
      p: 'trigger: { event: app.opened }\nsteps: [ { start: q }, { tag: a }, { start: q } ]',
      q: `${BY_HAND}\nentry: { if_active: restart }\nsteps: [ { tag: c } ]`,
    },
    events: EVENTS,
    lines: openedThen(
      'p enrol',
      'q enrol',
      'p.tag-1 tag',
      'q exit (restart)',
      'q enrol',
      'p complete',
      'q.tag-1 tag',
      'q complete',
    ),
  },
  {
    rule: 'parallel: an event continues, and ends, all of them',
    playbooks: {
      p: `
        trigger: { event: app.opened }
        entry: { if_active: parallel }
        goal: { event: order.placed }
        steps: [ { wait_for: { event: review.posted, up_to: 9 days }, then: [ { tag: got } ] }, { wait: 9 days } ]`,
    },
    events: [
      ...EVENTS,
      '2026-03-02T11:00Z ada app.opened',
      '2026-03-03T10:00Z ada review.posted',
      '2026-03-03T11:00Z ada app.opened',
      '2026-03-04T10:00Z ada order.placed',
    ],
    lines: [
      ...openedThen('p enrol'),
      ...at('2026-03-02T11:00Z', 'p enrol'),
      ...at('2026-03-03T10:00Z', 'p.tag-1 tag', 'p.tag-1 tag'),
      ...at('2026-03-03T11:00Z', 'p enrol'),
      ...at('2026-03-04T10:00Z', 'p goal', 'p goal', 'p goal'),
    ],
  },
  {
    rule: 'parallel: of two that are due at one instant the older goes first, whatever each does',
    company: { caps: [{ at_most: 1, per: '2 days' }] },
    playbooks: {
      // The older waits for its window until 20:00; the younger's wait ends then. The older gets the cap's place.
      p: `
        trigger: { event: app.opened }
        entry: { if_active: parallel }
        send_window: { days: any, hours: "20:00-21:00" }
        steps: [ { wait: until 20:00, if: event.screen == "y" }, { email: one } ]`,
    },
    events: [...EVENTS, '2026-03-02T11:00Z ada app.opened {"screen": "y"}'],
    lines: [
      ...openedThen('p enrol'),
      ...at('2026-03-02T11:00Z', 'p enrol'),
      ...at('2026-03-02T20:00Z', 'p.one email', 'p complete'),
      ...at('2026-03-04T20:00Z', 'p.one email', 'p complete'),
    ],
  },
];

const segments: readonly Case[] = [
  {
    rule: 'a segment starts at the change that turns it true, and not again while it is true',
    playbooks: { p: 'trigger: { segment: customer.orders >= 2 }\nsteps: [ { tag: x } ]' },
    events: ['02', '03', '04'].map((day) => `2026-03-${day}T10:00Z ada order.placed`),
    lines: at('2026-03-03T10:00Z', 'p enrol', 'p.tag-1 tag', 'p complete'),
  },
  {
    rule: 'what is true from the start, or by history, starts nothing',
    playbooks: { p: 'trigger: { segment: customer.orders >= 1 }\nsteps: [ { tag: x } ]' },
    customers: [customer('ada', { orders: 3 }), customer('bob')],
    events: [
      '2026-02-02T10:00Z bob order.placed',
      '2026-03-03T10:00Z ada order.placed',
      '2026-03-03T10:00Z bob order.placed',
    ],
    lines: [],
  },
  {
    rule: 'turned false and true again it starts again, as entry allows',
    playbooks: {
      gain: 'trigger: { event: review.posted }\nsteps: [ { tag: vip } ]',
      lose: 'trigger: { event: order.refunded }\nsteps: [ { untag: vip } ]',
      p: `trigger: { segment: "'vip' in customer.tags" }\nsteps: [ { wait: 1 minute } ]`,
      q: `trigger: { segment: "'vip' in customer.tags" }\nentry: { again: never }\nsteps: [ { wait: 1 minute } ]`,
    },
    events: [
      '2026-03-02T10:00Z ada review.posted',
      '2026-03-02T11:00Z ada order.refunded',
      '2026-03-02T12:00Z ada review.posted',
    ],
    lines: [
      ...openedThen('gain enrol', 'gain.tag-1 tag', 'p enrol', 'q enrol', 'gain complete'),
      ...at('2026-03-02T10:01Z', 'p complete', 'q complete'),
      ...at('2026-03-02T11:00Z', 'lose enrol', 'lose.untag-1 untag', 'lose complete'),
      ...at('2026-03-02T12:00Z', 'gain enrol', 'gain.tag-1 tag', 'p enrol', 'gain complete'),
      ...at('2026-03-02T12:01Z', 'p complete'),
    ],
  },
  {
    rule: 'the facts of an event start in the order of the language, among those that the event starts itself',
    playbooks: {
      a: 'trigger: { event: order.placed }\nsteps: [ { tag: a } ]',
      b: `trigger: { segment: customer.orders >= 1 }\naudience: "'a' in customer.tags"\nsteps: [ { tag: b } ]`,
      c: `trigger: { event: order.placed }\naudience: "'b' in customer.tags"\nsteps: [ { tag: c } ]`,
    },
    events: ['2026-03-02T10:00Z ada order.placed'],
    lines: openedThen(
      'a enrol',
      'a.tag-1 tag',
      'a complete',
      'b enrol',
      'b.tag-1 tag',
      'b complete',
      'c enrol',
      'c.tag-1 tag',
      'c complete',
    ),
  },
  {
    rule: 'a step that turns segments enters them there, by priority; they run after its playbook',
    playbooks: {
      a: 'trigger: { event: app.opened }\nsteps: [ { set: { vip: true } }, { tag: a }, { wait: 1 day } ]',
      b: 'trigger: { segment: customer.vip }\nsteps: [ { tag: b } ]',
      c: 'trigger: { segment: customer.vip }\npriority: 1\nsteps: [ { tag: c } ]',
    },
    events: EVENTS,
    lines: [
      ...openedThen('a enrol', 'a.set-1 set', 'c enrol', 'b enrol', 'a.tag-1 tag'),
      ...openedThen('c.tag-1 tag', 'c complete', 'b.tag-1 tag', 'b complete'),
      ...at('2026-03-03T10:00Z', 'a complete'),
    ],
  },
  {
    rule: 'by the last step too',
    playbooks: {
      a: 'trigger: { event: app.opened }\nsteps: [ { tag: x } ]',
      b: `trigger: { segment: "'x' in customer.tags" }\nsteps: [ { tag: b } ]`,
    },
    events: EVENTS,
    lines: openedThen('a enrol', 'a.tag-1 tag', 'b enrol', 'a complete', 'b.tag-1 tag', 'b complete'),
  },
  {
    rule: 'and by a step that a wait led to',
    playbooks: {
      a: 'trigger: { event: app.opened }\nsteps: [ { wait: 1 day }, { tag: x } ]',
      b: `trigger: { segment: "'x' in customer.tags" }\nsteps: [ { tag: b } ]`,
    },
    events: EVENTS,
    lines: [
      ...openedThen('a enrol'),
      ...at('2026-03-03T10:00Z', 'a.tag-1 tag', 'b enrol', 'a complete', 'b.tag-1 tag', 'b complete'),
    ],
  },
  {
    rule: 'a stage is as good as any field',
    company: {
      stages: [
        { name: 'regular', when: 'customer.orders > 1' },
        { name: 'new', when: 'true' },
      ],
    },
    playbooks: { p: 'trigger: { segment: customer.stage == "regular" }\nsteps: [ { wait: 1 day } ]' },
    events: ['2026-03-02T10:00Z ada order.placed', '2026-03-03T10:00Z ada order.placed'],
    lines: [...at('2026-03-03T10:00Z', 'p enrol'), ...at('2026-03-04T10:00Z', 'p complete')],
  },
  {
    rule: 'one instant may turn it twice',
    playbooks: {
      a: 'trigger: { event: app.opened }\nsteps: [ { tag: x }, { untag: x }, { tag: x } ]',
      b: `trigger: { segment: "'x' in customer.tags" }\nentry: { if_active: parallel }\nsteps: [ { tag: b } ]`,
    },
    events: EVENTS,
    lines: openedThen(
      'a enrol',
      'a.tag-1 tag',
      'b enrol',
      'a.untag-1 untag',
      'a.tag-2 tag',
      'b enrol',
      'a complete',
      'b.tag-1 tag',
      'b complete',
      'b.tag-1 tag',
      'b complete',
    ),
  },
];

const heldOut: readonly Case[] = [
  {
    rule: 'a holdout skips mail only, transactional too, and asks for nothing else first',
    playbooks: {
      p: `
        trigger: { event: app.opened }
        entry: { holdout: 100 }
        steps: [ { email: one }, { email: two, topic: service }, { tag: x }, { wait: 1 day } ]`,
    },
    customers: [customer('ada', { suppressed: true })],
    events: EVENTS,
    lines: [
      ...openedThen('p enrol', 'p.one skip (holdout)', 'p.two skip (holdout)', 'p.tag-1 tag'),
      ...at('2026-03-03T10:00Z', 'p complete'),
    ],
  },
  {
    rule: 'a holdout of nobody holds nobody out; a split prints nothing, also when it is skipped; empty arms go on',
    playbooks: {
      p: `
        trigger: { event: app.opened }
        entry: { holdout: 0 }
        steps:
          - { split: s, if: "false", arms: { x: { share: 1, steps: [ { email: one } ] } } }
          - { split: t, arms: { x: { share: 1, steps: [] } } }
          - { split: u, arms: { x: { share: 1, steps: [ { email: two } ] } } }`,
    },
    events: EVENTS,
    lines: openedThen('p enrol', 'p.two email', 'p complete'),
  },
];

describe('start', () => {
  it.each(starts)('$rule', (story) => {
    expect(timelineOf(story)).toEqual(story.lines);
  });

  it('stops a circle without a wait after 100 steps', () => {
    const playbooks = {
      p: 'trigger: { event: app.opened }\nsteps: [ { start: q } ]',
      q: `${BY_HAND}\nsteps: [ { start: p } ]`,
    };
    expect(() => timelineOf({ playbooks, events: EVENTS })).toThrow('more than 100 steps at one instant');
  });
});

describe('if_active', () => {
  it.each(restarts)('$rule', (story) => {
    expect(timelineOf(story)).toEqual(story.lines);
  });
});

describe('segment', () => {
  it.each(segments)('$rule', (story) => {
    expect(timelineOf(story)).toEqual(story.lines);
  });
});

describe('holdout and split', () => {
  it.each(heldOut)('$rule', (story) => {
    expect(timelineOf(story)).toEqual(story.lines);
  });

  const PEOPLE = Array.from({ length: 12 }, (_, n) => `c${String(n + 1).padStart(2, '0')}`);

  it('deal people as the worked example does', () => {
    const arms = [
      { name: 'warm', share: 3 },
      { name: 'plain', share: 7 },
    ];
    expect(PEOPLE.filter((id) => isHeldOut('ab', id, 25))).toEqual(['c05', 'c10']);
    const warm = PEOPLE.filter((id) => splitArm('ab', 'subject-line', id, arms).name === 'warm');
    expect(warm.filter((id) => id !== 'c05' && id !== 'c10')).toEqual(['c04']);
  });

  it('take the arms as they are written, whole numbers too', () => {
    const arms = (names: readonly string[]): string =>
      names.map((name) => `"${name}": { share: 1, steps: [ { tag: "${name}" } ] }`).join(', ');
    const tagged = (names: readonly string[]): readonly string[] =>
      timelineOf({
        playbooks: { p: `trigger: { event: app.opened }\nsteps: [ { split: s, arms: { ${arms(names)} } } ]` },
        customers: PEOPLE.map((id) => customer(id)),
        events: PEOPLE.map((id) => `${OPENED} ${id} app.opened`),
      }).filter((line) => line.endsWith(' tag'));
    // The ids of steps follow the written order, so the same ids mean the same places.
    expect(tagged(['2', 'b', '1'])).toEqual(tagged(['x', 'y', 'z']));
    expect(new Set(tagged(['2', 'b', '1']).map((line) => line.split(' ')[2])).size).toBe(3);
  });

  it('depend on the parts only, and a larger part keeps whom it had', () => {
    const share = fc.integer({ min: 1, max: 9 });
    fc.assert(
      fc.property(fc.string(), share, share, share, (id, a, b, more) => {
        const arm = (first: number, second: number): number =>
          splitArm('p', 's', id, [
            { share: first, n: 0 },
            { share: second, n: 1 },
          ]).n;
        expect(arm(a, b)).toBe(arm(a * 10, b * 10));
        if (arm(a, b) === 0) expect(arm(a + more, b)).toBe(0);
        const isOut = isHeldOut('p', id, a);
        expect(isOut && !isHeldOut('p', id, a + more)).toBe(false);
        expect([isHeldOut('p', id, 0), isHeldOut('p', id, 100)]).toEqual([false, true]);
      }),
    );
  });

  it('deal about as the shares say', () => {
    const people = Array.from({ length: 4_000 }, (_, n) => `customer-${n}`);
    const out = people.filter((id) => isHeldOut('p', id, 10)).length;
    // The standard deviation is 19.
    expect(Math.abs(out - 400)).toBeLessThan(100);
  });
});
