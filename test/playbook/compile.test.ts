/** What sources without mistakes become. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { compileProject } from '../../engine/playbook/compile.ts';
import { nearest, nearestAll } from '../../engine/playbook/nearest.ts';
import type { Playbook } from '../../engine/playbook/types.ts';
import { parseInstant } from '../../engine/time/text.ts';
import { sharedFolder, sourcesIn } from '../support/shared.ts';
import { COMPANY, compileOne, playbookOf, released, templates } from './support.ts';

const EVENT = 'topic: news\ntrigger: { event: order.placed }\n';

/** Each step in order as one word or two: its id, and where it leads. */
function shape(playbook: Playbook): readonly string[] {
  return [...playbook.steps.values()].map((step) => {
    const leads =
      'then' in step
        ? ` (${step.then} | ${step.else})`
        : step.kind === 'choose'
          ? ` (${step.arms.map((arm) => arm.first).join(' | ')})`
          : '';
    return `${step.id}${leads} -> ${step.next}`;
  });
}

describe('steps', () => {
  const nested = `${EVENT}steps:
  - email: a/b
  - wait_for: { event: review.posted, up_to: 7 days }
    else:
      - wait: 1 day
    then:
      - tag: advocate
      - if: customer.orders > 1
        then: [ { wait: 2 days }, { tag: loyal, id: praise } ]
        else: []
      - wait: 3 days
        if: customer.orders > 2
  - choose:
      - { when: event.total > 3, steps: [ { untag: newcomer }, { exit: rich } ] }
      - { otherwise: true, steps: [] }
  - set: { plan: basic }
`;

  it('have ids by kind and number in written order, and lead on wherever they stand', () => {
    expect(shape(playbookOf(nested))).toEqual([
      'b -> wait_for-1',
      'wait_for-1 (tag-1 | wait-1) -> choose-1',
      'wait-1 -> choose-1',
      'tag-1 -> if-1',
      'if-1 (wait-2 | wait-3) -> wait-3',
      'wait-2 -> praise',
      'praise -> wait-3',
      'wait-3 -> choose-1',
      'choose-1 (untag-1 | set-1) -> set-1',
      'untag-1 -> exit-1',
      'exit-1 -> set-1',
      'set-1 -> null',
    ]);
  });

  it('count named steps of their kind too', () => {
    const playbook = playbookOf(
      `${EVENT}steps: [ { wait: 1 day, id: first }, { wait: 1 day }, { email: a/b, id: hello }, { email: a/c } ]`,
    );
    expect([...playbook.steps.keys()]).toEqual(['first', 'wait-2', 'hello', 'c']);
    expect([...playbook.steps.values()].map((step) => step.index)).toEqual([0, 1, 2, 3]);
  });

  it('carry their guard, but an if step is its own', () => {
    const steps = playbookOf(nested).steps;
    expect(steps.get('wait-3')?.guard?.source).toBe('customer.orders > 2');
    expect(steps.get('if-1')?.guard).toBeNull();
    expect(steps.get('if-1')).toMatchObject({ kind: 'if', when: { source: 'customer.orders > 1' } });
    expect(steps.get('choose-1')).toMatchObject({
      arms: [{ when: { source: 'event.total > 3' } }, { when: null, first: 'set-1' }],
    });
  });

  it('wait in every form', () => {
    const waits = playbookOf(`topic: news
trigger: { launch: any }
steps:
  - wait: 36 hours
  - wait: until 09:00
  - wait: until monday 09:00
  - wait: until 2026-12-24 09:00
  - wait: { until: customer.renewal_date, offset: -7 days, at: 09:00, if_past: exit }
  - wait: { until: launch.public_at }
  - wait: until customer.seen_at
`);
    expect([...waits.steps.values()].map((step) => (step.kind === 'wait' ? step.wait : null))).toEqual([
      { kind: 'for', duration: expect.objectContaining({ ms: 36 * 3_600_000, days: 0 }) },
      { kind: 'time', at: 540, weekday: null },
      { kind: 'time', at: 540, weekday: 1 },
      { kind: 'day', date: { year: 2026, month: 12, day: 24 }, at: 540 },
      {
        kind: 'field',
        field: { root: 'customer', name: 'renewal_date', type: 'date' },
        offset: expect.objectContaining({ days: -7 }),
        at: 540,
        ifPast: 'exit',
      },
      {
        kind: 'field',
        field: { root: 'launch', name: 'public_at', type: 'datetime' },
        offset: null,
        at: null,
        ifPast: 'continue',
      },
      {
        kind: 'field',
        field: { root: 'customer', name: 'seen_at', type: 'datetime' },
        offset: null,
        at: null,
        ifPast: 'continue',
      },
    ]);
  });

  it("know their topic: the mail's own, else the playbook's", () => {
    const playbook = playbookOf(`${EVENT}steps: [ { email: a/b }, { email: a/c, topic: service } ]`);
    expect(playbook.steps.get('b')).toMatchObject({ topic: { name: 'news', transactional: false, default: 'in' } });
    expect(playbook.steps.get('c')).toMatchObject({ topic: { name: 'service', transactional: true } });
  });
});

describe('triggers and entry', () => {
  const withTrigger = (trigger: string, more = '') =>
    playbookOf(`topic: news\ntrigger: ${trigger}\n${more}steps: [ { email: a/b } ]`);

  it.each([
    ['{ event: order.placed }', { kind: 'event', event: 'order.placed', first: false, if: null }, 'always'],
    ['{ event: order.placed, first: true }', { kind: 'event', first: true }, 'never'],
    [
      '{ date: customer.birthday }',
      { kind: 'date', rule: { every: { months: 12 }, birthday: true, offset: null, at: 510, leapDay: 'mar-1' } },
      'always',
    ],
    [
      '{ date: customer.birthday, every: year, offset: -7 days, at: 18:30 }',
      { rule: { every: { months: 12 }, birthday: true, offset: { days: -7 }, at: 1110 } },
      'always',
    ],
    ['{ date: customer.birthday, every: 3 months }', { rule: { every: { months: 3 }, birthday: false } }, 'always'],
    [
      '{ date: customer.first_order_at, every: 2 years }',
      {
        field: { root: 'customer', name: 'first_order_at', type: 'datetime' },
        rule: { every: { months: 24 }, birthday: false },
      },
      'always',
    ],
    ['{ date: customer.renewal_date }', { rule: { every: 'once', birthday: false } }, 'never'],
    [
      '{ inactive: { no: order.placed, for: 60 days } }',
      { kind: 'inactive', no: ['order.placed'], at: null, orNever: false },
      'always',
    ],
    [
      '{ inactive: { no: [ order.placed, review.posted ], for: 60 days, or_never: true }, at: "10:00" }',
      { no: ['order.placed', 'review.posted'], at: 600, orNever: true },
      'always',
    ],
    ['{ inactive: { no: any, for: 60 days }, or_never: true }', { no: 'any', orNever: true }, 'always'],
    ['{ launch: any, before: 3 days }', { kind: 'launch', launch: 'any', before: { days: 3 } }, 'always'],
    ['{ manual: true }', { kind: 'manual' }, 'always'],
  ])('%s', (source, trigger, again) => {
    const playbook = withTrigger(source);
    expect(playbook.trigger).toMatchObject(trigger);
    expect(playbook.entry).toEqual({ again, ifActive: 'ignore', holdout: 0 });
    expect(playbook.manual).toBe(true);
  });

  it('again, as written, goes before its default', () => {
    expect(withTrigger('{ event: order.placed, first: true }', 'entry: { again: always }\n').entry.again).toBe(
      'always',
    );
    expect(withTrigger('{ event: order.placed }', 'entry: { again: after 90 days }\n').entry.again).toMatchObject({
      after: { days: 90 },
    });
  });

  it.each([
    'topic: news\ntrigger: { event: order.placed, manual: false }\n',
    'topic: news\nmanual: false\ntrigger: { event: order.placed }\n',
  ])('nobody may start by hand: %s', (head) => {
    expect(playbookOf(`${head}steps: [ { email: a/b } ]`).manual).toBe(false);
  });

  it('exits, goal, audience, window, lateness and the policy for the unknown', () => {
    const playbook = playbookOf(`title: All of it
description: Everything
stage: onboarding
priority: -3
${EVENT}audience: customer.orders > 1
exit: [ { event: order.refunded, if: "event.order_id == 'x'" }, { if: customer.nudged } ]
goal: { event: order.placed, within: 30 days }
send_window: { days: fri-mon, hours: "22:00-06:00" }
late_after: 6 hours
unknown: hold
steps: [ { email: a/b } ]
`);
    expect(playbook).toMatchObject({
      title: 'All of it',
      description: 'Everything',
      stage: 'onboarding',
      priority: -3,
      topic: { name: 'news' },
      audience: { source: 'customer.orders > 1' },
      exits: [
        { kind: 'event', event: 'order.refunded', if: { source: "event.order_id == 'x'" } },
        { kind: 'condition', if: { source: 'customer.nudged' } },
      ],
      goal: { event: 'order.placed', if: null, within: { days: 30 } },
      sendWindow: { days: [1, 5, 6, 7], from: 1320, until: 360 },
      lateAfter: { ms: 6 * 3_600_000 },
      unknownPolicy: 'hold',
    });
  });

  it.each([
    ['any', 'any'],
    ['{ days: mon-fri }', { days: [1, 2, 3, 4, 5], from: 0, until: 0 }],
    ['{ hours: 09:00-24:00 }', { days: [1, 2, 3, 4, 5, 6, 7], from: 540, until: 1440 }],
    ['{ days: [ sun, mon ], hours: any }', { days: [1, 7], from: 0, until: 0 }],
    ['{ days: "sat, Sunday", hours: 10:00 - 12:00 }', { days: [6, 7], from: 600, until: 720 }],
  ])('send window %s', (source, window) => {
    expect(withTrigger('{ manual: true }', `send_window: ${source}\n`).sendWindow).toEqual(window);
  });

  it('what a playbook leaves out comes from the company, and without a title it has its name', () => {
    const playbook = withTrigger('{ manual: true }');
    expect(playbook).toMatchObject({
      title: 'one',
      sendWindow: 'any',
      lateAfter: { days: 2 },
      unknownPolicy: null,
      priority: 0,
      exits: [],
      goal: null,
    });
  });
});

describe('the company', () => {
  it('has the defaults of the language', () => {
    const bare = 'company: { name: X, address: Y }\nmail: { from: x@hearth.example }\n';
    const { company } = released(compileProject([{ path: 'perennial.yaml', text: bare }]));
    expect(company).toMatchObject({
      fields: { name: 'X', address: 'Y' },
      mail: { from: 'x@hearth.example', replyTo: null, onlyTo: null },
      zone: { name: 'UTC' },
      locale: 'en',
      at: 540,
      sendWindow: 'any',
      lateAfter: { days: 3 },
      purchase: null,
      attributes: {},
      events: {},
      topics: {},
      caps: [],
      blackouts: [],
      stages: [],
    });
  });

  it('keeps every field for templates, caps, blackouts and stages in order', () => {
    const further =
      'caps: [ { at_most: 3, per: 7 days }, { at_most: 1, per: 1 day } ]\nblackouts: [ { from: 2026-12-24, until: 2026-12-27 } ]\n';
    const { company } = released(
      compileOne(
        `${EVENT}steps: [ { email: a/b } ]`,
        {},
        COMPANY.replace('12 Mill Lane', '12 Mill Lane, vat: { id: 7 }, tags: [ a ]') + further,
      ),
    );
    expect(company.fields).toMatchObject({ vat: { id: 7 }, tags: ['a'] });
    expect(company.caps.map((cap) => [cap.atMost, cap.per.days])).toEqual([
      [3, 7],
      [1, 1],
    ]);
    expect(company.blackouts).toEqual([
      { from: { year: 2026, month: 12, day: 24 }, until: { year: 2026, month: 12, day: 27 } },
    ]);
    expect(company.stages.map((stage) => [stage.name, stage.when.usesTime])).toEqual([
      ['lapsed', true],
      ['customer', false],
    ]);
  });

  it('a stage that depends on the time makes conditions on it depend on the time', () => {
    expect(
      playbookOf(`${EVENT}audience: customer.stage == "lapsed"\nsteps: [ { email: a/b } ]`).audience?.usesTime,
    ).toBe(true);
  });
});

describe('launches', () => {
  const launches = {
    'playbooks/launches/aurora-lamp.yaml':
      'title: Aurora lamp\npublic_at: 2026-10-27T10:00\nprice: 89\nsince: 2026-01-01\n',
    'playbooks/launches/borea.yaml': 'title: Borea\npublic_at: 2026-06-01 10:00:00+02:00\nprice: cheap\n',
  };

  it('go public in the zone of the company, unless an offset says otherwise', () => {
    const release = released(
      compileOne(
        'topic: news\ntrigger: { launch: aurora-lamp }\naudience: launch.price > 50 && launch.since < now\nsteps: [ { email: a/b } ]',
        launches,
      ),
    );
    const aurora = release.launches.get('aurora-lamp');
    expect(aurora).toMatchObject({
      name: 'aurora-lamp',
      title: 'Aurora lamp',
      publicAt: parseInstant('2026-10-27T10:00:00Z'),
    });
    expect(aurora?.fields).toEqual({
      title: 'Aurora lamp',
      public_at: parseInstant('2026-10-27T10:00:00Z'),
      price: 89,
      since: '2026-01-01',
    });
    expect(release.launches.get('borea')?.publicAt).toBe(parseInstant('2026-06-01T08:00:00Z'));
  });

  it('a field that differs in type from launch to launch is of any type for all of them', () => {
    const any = (condition: string) =>
      compileOne(`topic: news\ntrigger: { launch: any }\naudience: ${condition}\nsteps: [ { email: a/b } ]`, launches)
        .problems;
    expect(any('launch.price == 89 || launch.price == "cheap"')).toEqual([]);
    expect(any('launch.prize == 89')).toEqual([
      expect.objectContaining({ code: 'cel-unknown', fix: 'did you mean `launch.price`?' }),
    ]);
  });
});

describe('a release', () => {
  const playbooks = {
    'playbooks/zeta.yaml': `priority: 5\n${EVENT}steps: [ { email: a/b } ]`,
    'playbooks/alpha.yaml': `${EVENT}steps: [ { email: a/b } ]`,
    'playbooks/low.yaml': `priority: -1\n${EVENT}steps: [ { email: a/b } ]`,
  };
  const one = `${EVENT}steps: [ { email: a/b } ]`;

  it('has its playbooks by priority, then by name', () => {
    const release = released(compileOne(one, playbooks));
    expect(release.playbooks.map((playbook) => playbook.name)).toEqual(['zeta', 'alpha', 'one', 'low']);
    expect([...release.byName.keys()].sort()).toEqual(['alpha', 'low', 'one', 'zeta']);
  });

  it('is known by what is in its sources, in whatever order they come', () => {
    const sources = [
      { path: 'perennial.yaml', text: COMPANY },
      { path: 'playbooks/one.yaml', text: one },
      ...templates('a/b'),
    ];
    const id = (list: typeof sources) => released(compileProject(list)).id;
    expect(id(sources)).toMatch(/^[0-9a-f]{64}$/);
    expect(id(sources.toReversed())).toBe(id(sources));
    expect(id([...sources, { path: 'templates/a/c.hbs', text: 'x' }])).not.toBe(id(sources));
    expect(id(sources.map((source) => ({ ...source, text: `${source.text}\n` })))).not.toBe(id(sources));
  });

  it("a playbook's version changes with its own source only", () => {
    const version = (text: string, company = COMPANY) =>
      released(compileOne(text, {}, company)).byName.get('one')?.version;
    expect(version(one)).toBe(version(one, `${COMPANY}\n# more\n`));
    expect(version(one)).not.toBe(version(`${one} # more`));
  });

  it('a template in one locale is that template', () => {
    const sources = [
      { path: 'perennial.yaml', text: COMPANY },
      { path: 'playbooks/one.yaml', text: one },
      { path: 'templates/a/b.en-GB.hbs', text: 'x' },
    ];
    expect(released(compileProject(sources)).playbooks).toHaveLength(1);
  });
});

describe('the nearest name', () => {
  it.each([
    ['order.palced', ['order.refunded', 'order.placed'], 'order.placed'],
    ['Order Placed', ['order.placed'], 'order.placed'],
    ['welcom', ['welcome-series', 'welcome'], 'welcome'],
    ['ordrs', ['orders', 'order'], 'orders'],
    ['welcme', ['win-back', 'welcome-series'], 'welcome-series'],
    ['welcom', ['welcome-series', 'wilcom'], 'wilcom'],
    ['to', ['if', 'id'], null],
    ['xyz', ['orders', 'news'], null],
    ['', ['orders'], null],
  ])('of %s', (name, candidates, expected) => {
    expect(nearest(name, candidates)).toBe(expected);
  });

  it('are several, nearest first', () => {
    expect(nearestAll('anna.smith', ['anna.smit', 'ana.smit', 'bob', 'anna.smith2'], 5)).toEqual([
      'anna.smit',
      'anna.smith2',
      'ana.smit',
    ]);
  });
});

const folder = sharedFolder('conformance');

(folder === null ? describe.skip : describe)('the worked examples', () => {
  it.each(folder === null ? [] : readdirSync(folder))('%s', (example) => {
    const { release, problems } = compileProject(sourcesIn(join(folder ?? '', example)));
    expect(problems).toEqual([]);
    expect(release).not.toBeNull();
  });
});
