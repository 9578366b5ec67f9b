/** Every mistake: where, what was expected, what to do. */
import { describe, expect, it } from '@jest/globals';
import type { Problem } from '../../engine/playbook/problem.ts';
import { COMPANY, compileOne } from './support.ts';

const HEAD = 'topic: news\ntrigger: { event: order.placed }\n';
const STEPS = 'steps: [ { email: a/b } ]\n';

interface Case {
  readonly why: string;
  readonly source: string;
  /** `line:column code`, then a part of the message, then the fix. */
  readonly expected: readonly (readonly [string, string, string | null])[];
}

/** A playbook whose third line is in question. */
const third = (line: string): string => `${HEAD}${line}\n${STEPS}`;
/** A playbook whose steps are in question, from line 4. */
const steps = (...lines: readonly string[]): string => `${HEAD}steps:\n${lines.map((line) => `  ${line}\n`).join('')}`;

const SEGMENT_FIX = 'use an `inactive` or `date` trigger, or ask for the time in `audience:`';
const START_FIX = 'name another one; who may come back is what `entry: { again: … }` says';

const CASES: readonly Case[] = [
  // The shape.
  {
    why: 'an unknown key',
    source: third('titel: x'),
    expected: [['3:1 unknown-key', '`titel` means nothing here', 'did you mean `title`?']],
  },
  {
    why: 'a missing trigger',
    source: `topic: news\n${STEPS}`,
    expected: [['1:1 missing-key', '`trigger` is missing', 'add `trigger:`']],
  },
  {
    why: 'a misspelt key, not also a missing one',
    source: `topic: news\ntriger: { event: order.placed }\n${STEPS}`,
    expected: [['2:1 unknown-key', '`triger`', 'did you mean `trigger`?']],
  },
  {
    why: 'an empty value',
    source: third('audience:'),
    expected: [['3:1 empty-value', '`audience` has no value', 'write one after the colon, or remove `audience`']],
  },
  {
    why: 'a wrong type',
    source: third('priority: high'),
    expected: [['3:11 wrong-type', 'expected a whole number, found the text "high"', null]],
  },
  {
    why: 'a number for a text',
    source: third('title: 2026'),
    expected: [['3:8 wrong-type', 'expected a title, found `2026`', 'write it in quotes: "2026"']],
  },
  { why: 'no steps', source: `${HEAD}steps: []`, expected: [['3:8 too-few', 'expected at least one step', null]] },
  {
    why: 'steps that are no list',
    source: `${HEAD}steps: { email: a/b }`,
    expected: [['3:8 wrong-type', 'expected a list, found a map', null]],
  },
  {
    why: 'an unknown choice',
    source: third('unknown: asume_sent'),
    expected: [['3:10 bad-value', 'expected one of `assume_sent`, `resend`, `hold`', 'did you mean `assume_sent`?']],
  },
  {
    why: 'two triggers',
    source: `topic: news\ntrigger: { event: order.placed, launch: any }\n${STEPS}`,
    expected: [['2:33 unknown-key', '`launch` means nothing here', null]],
  },
  {
    why: 'no trigger known',
    source: `topic: news\ntrigger: { webhook: x }\n${STEPS}`,
    expected: [
      [
        '2:10 unknown-key',
        'expected one of `event`, `date`, `inactive`, `launch`, `segment`, `schedule`, `manual`, found `webhook`',
        null,
      ],
    ],
  },
  { why: 'a list for a playbook', source: '- email: a/b', expected: [['1:1 wrong-type', 'expected a map', null]] },
  {
    why: 'an empty file',
    source: '# nothing yet\n',
    expected: [['1:1 empty-file', 'the file is empty', 'write its contents, or remove it']],
  },
  // YAML.
  {
    why: 'a quoted start',
    source: third("audience: 'x' in customer.tags"),
    expected: [
      [
        '3:15 yaml-syntax',
        'the text in quotes ends before `in customer.tags`',
        'put the whole value in quotes of the other kind',
      ],
    ],
  },
  {
    why: 'a tag by accident',
    source: third('audience: !customer.nudged'),
    expected: [['3:11 yaml-tag', 'makes a YAML tag', 'put the whole value in quotes']],
  },
  {
    why: 'a key twice',
    source: third('topic: service'),
    expected: [['3:1 duplicate-key', '`topic` stands twice', 'keep one of the two']],
  },
  {
    why: 'an anchor and an alias',
    source: third('title: &t Hello\ndescription: *t'),
    expected: [
      ['3:8 yaml-alias', 'anchors', 'write it out, or put the text in quotes'],
      ['4:14 yaml-alias', 'aliases', 'write it out, or put the text in quotes'],
    ],
  },
  {
    why: 'a tab',
    source: `${HEAD}steps:\n\t- email: a/b\n`,
    expected: [['4:1 yaml-syntax', 'a tab cannot indent', 'use spaces']],
  },
  {
    why: 'an open bracket',
    source: `${HEAD}steps: [ { email: a/b }\n`,
    expected: [['4:1 yaml-syntax', 'a bracket is not closed', 'close it with ] or }']],
  },
  {
    why: 'a bracket too many',
    source: `${HEAD}steps: [ { email: a/b } ] ]\n`,
    expected: [['3:27 yaml-syntax', '`]` closes nothing', 'remove it, or put the whole value in quotes']],
  },
  {
    why: 'two documents',
    source: `${HEAD}${STEPS}---\na: b\n---\nc: d\n`,
    expected: [['6:1 yaml-documents', 'one document', 'put the second into a file of its own']],
  },
  {
    why: 'two documents, the first without a mark',
    source: `${HEAD}${STEPS}---\na: b\n`,
    expected: [['4:1 yaml-documents', 'one document', 'put the second into a file of its own']],
  },
  // Triggers.
  {
    why: 'an unknown event',
    source: `topic: news\ntrigger: { event: order.palced }\n${STEPS}`,
    expected: [['2:19 unknown-event', '`order.palced` is declared nowhere', 'did you mean `order.placed`?']],
  },
  {
    why: 'an event like no other',
    source: `topic: news\ntrigger: { event: zzz, if: event.x > 1 }\naudience: event.y == 1\n${STEPS}`,
    expected: [['2:19 unknown-event', '`zzz`', 'declare it under `events:` in perennial.yaml']],
  },
  {
    why: 'a field that is no date',
    source: `topic: news\ntrigger: { date: customer.plan }\n${STEPS}`,
    expected: [
      [
        '2:18 wrong-type',
        'no date: it is declared as string',
        expect.stringContaining('`customer.renewal_date`') as unknown as string,
      ],
    ],
  },
  {
    why: 'an unknown date',
    source: `topic: news\ntrigger: { date: customer.renewl_date, every: 3 fortnights }\n${STEPS}`,
    expected: [
      ['2:18 unknown-field', '`customer.renewl_date`', 'did you mean `customer.renewal_date`?'],
      ['2:47 bad-value', '"3 fortnights" is no rhythm', null],
    ],
  },
  {
    why: 'events of inactivity',
    source: `topic: news\ntrigger: { inactive: { no: [ order.placed, order.refundd ], for: 0 days } }\n${STEPS}`,
    expected: [
      ['2:44 unknown-event', '`order.refundd`', 'did you mean `order.refunded`?'],
      ['2:66 bad-value', 'more than nothing', null],
    ],
  },
  {
    why: 'an unknown launch',
    source: `topic: news\ntrigger: { launch: aurora }\n${STEPS}`,
    expected: [['2:20 unknown-launch', '`aurora`', 'write playbooks/launches/aurora.yaml']],
  },
  // Entry, exit, goal, windows.
  {
    why: 'entry',
    source: third('entry: { again: after never, holdout: 101 }'),
    expected: [
      ['3:17 bad-value', '"never" is not a duration', null],
      ['3:39 bad-value', 'from 0 to 100', null],
    ],
  },
  {
    why: 'exits',
    source: third('exit: [ { event: order.refundd }, { if: customer.orders > "a" }, {} ]'),
    expected: [
      ['3:18 unknown-event', '`order.refundd`', 'did you mean `order.refunded`?'],
      ['3:41 cel-type', 'between a number and text', null],
      ['3:66 unknown-key', 'expected one of `event`, `if`, found nothing', null],
    ],
  },
  {
    why: 'a goal',
    source: third('goal: { event: review.posted, if: event.total > 3, within: -1 day }'),
    expected: [
      ['3:35 cel-unknown', '`event.total` of the event `review.posted`', null],
      ['3:60 bad-value', 'more than nothing', null],
    ],
  },
  {
    why: 'a window',
    source: third('send_window: { days: mon-fry, hours: "09:00-25:00" }'),
    expected: [
      ['3:22 bad-value', '"mon-fry" names no weekdays: there is no "fry", did you mean "fri"?', null],
      ['3:38 bad-value', '"25:00"', null],
    ],
  },
  {
    why: 'a window that is a word',
    source: third('send_window: always'),
    expected: [['3:14 bad-value', 'expected any, or days and hours', null]],
  },
  {
    why: 'an unknown topic',
    source: `topic: nws\ntrigger: { manual: true }\n${STEPS}`,
    expected: [['1:8 unknown-topic', '`nws`', 'did you mean `news`?']],
  },
  // Steps.
  {
    why: 'a misspelt step',
    source: steps('- wiat: 3 days'),
    expected: [['4:5 unknown-key', '`wiat`', 'did you mean `wait`?']],
  },
  {
    why: 'a step of no kind',
    source: steps('- if: customer.orders > 1', '- foo: 1', '- hello'),
    expected: [
      ['4:5 missing-key', '`then` is missing', 'add `then:`'],
      ['5:5 unknown-key', 'found `foo`', null],
      ['6:5 wrong-type', 'expected a map with one of `email`', null],
    ],
  },
  {
    why: 'two kinds in one step',
    source: steps('- email: a/b', '  wait: 3 days'),
    expected: [['5:5 unknown-key', '`wait` means nothing here', null]],
  },
  {
    why: 'an unknown template',
    source: steps('- email: a/bb'),
    expected: [['4:12 unknown-template', 'no template `a/bb`', 'did you mean `a/b`?']],
  },
  {
    why: 'a mail without a topic',
    source: `trigger: { manual: true }\nsteps:\n  - email: a/b\n`,
    expected: [['3:5 missing-topic', 'a mail needs a topic', 'add `topic: news` or `topic: service`']],
  },
  {
    why: 'the same template twice',
    source: steps('- email: a/b', '- email: a/b'),
    expected: [
      ['5:12 duplicate-id', '`b`, made from its template', 'give this step an `id:` of its own, such as `b-2`'],
    ],
  },
  {
    why: 'an id twice',
    source: steps('- { wait: 1 day, id: x }', '- { tag: y, id: x }'),
    expected: [['5:19 duplicate-id', '`x` is taken', 'give each step an id of its own']],
  },
  {
    why: 'an id that is a default one',
    source: steps('- { tag: y, id: wait-1 }', '- wait: 1 day'),
    expected: [['5:11 duplicate-id', '`wait-1` is taken', expect.stringContaining('`id:`') as unknown as string]],
  },
  {
    why: 'waits',
    source: steps(
      '- wait: 3',
      '- wait: 0 days',
      '- wait: until whenever',
      '- wait: until monday',
      '- wait: { until: customer.plan }',
      '- wait: { until: launch.x }',
      '- wait: until 2026-02-30 09:00',
      '- wait: until mondy 09:00',
    ),
    expected: [
      ['4:11 wrong-type', 'expected a wait', null],
      ['5:11 bad-value', 'more than nothing', null],
      ['6:11 bad-value', 'is no wait', null],
      ['7:11 bad-value', 'names no time', null],
      ['8:20 wrong-type', 'no date', expect.anything() as unknown as string],
      ['9:20 unknown-field', 'no `launch`', null],
      ['10:11 bad-value', '"2026-02-30"', null],
      ['11:11 bad-value', 'did you mean "monday"?', null],
    ],
  },
  {
    why: 'mistakes below a mistake',
    source: steps(
      '- wait_for: { event: review.postd, if: event.rating > 3, up_to: soon }',
      '  then: [ { email: a/x } ]',
      '  esle: [ { email: a/y } ]',
    ),
    expected: [
      ['4:24 unknown-event', '`review.postd`', 'did you mean `review.posted`?'],
      ['4:67 bad-value', '"soon" is not a duration', null],
      ['5:22 unknown-template', '`a/x`', 'did you mean `a/b`?'],
      ['6:5 unknown-key', '`esle`', 'did you mean `else`?'],
    ],
  },
  {
    why: 'choosing',
    source: steps(
      '- choose:',
      '    - { otherwise: true, steps: [ { tag: x } ] }',
      '    - { when: customer.orders = 1, steps: [] }',
      '    - { whn: "true", steps: [] }',
    ),
    expected: [
      ['5:11 bad-order', 'nothing after `otherwise`', 'move it to the end'],
      ['6:33 cel-syntax', 'use `==`', null],
      ['7:11 unknown-key', '`whn`', 'did you mean `when`?'],
    ],
  },
  {
    why: 'attributes',
    source: steps('- set: { plan: 3, nudgd: true, orders: 1, renewal_date: 2026-13-01, sizes: null }'),
    expected: [
      ['4:18 wrong-type', '`plan` is declared as string', null],
      ['4:21 unknown-attribute', '`nudgd`', 'did you mean `nudged`?'],
      ['4:34 unknown-attribute', 'kept by the engine', null],
      ['4:59 wrong-type', 'a date, such as', null],
    ],
  },
  {
    why: 'a change of nothing',
    source: steps('- set: {}'),
    expected: [['4:10 nothing-set', 'sets nothing', expect.anything() as unknown as string]],
  },
  {
    why: 'conditions inside quotes',
    source: steps('- if: "customer.orders > 1 && customer.ordrs > 2"', '  then: []'),
    expected: [['4:33 cel-unknown', '`customer.ordrs`', 'did you mean `customer.orders`?']],
  },
  {
    why: 'conditions over several lines',
    source: steps('- if: >-', '    customer.orders > 1 &&', '    customer.ordrs > 2', '  then: []'),
    expected: [['4:9 cel-unknown', '`customer.ordrs`', 'did you mean `customer.orders`?']],
  },
  {
    why: 'a renamed step that is not there',
    source: `topic: news\ntrigger: { event: order.placed }\nin_flight: move\nrenamed: { a: b }\nsteps:\n  - { tag: x }\n`,
    expected: [['4:15 unknown-step', 'there is no step `b`', 'name the id of a step, or remove this entry']],
  },
  {
    why: 'a segment that depends on the time',
    source: `topic: news\ntrigger: { segment: days_since(customer.last_order_at) > 9 }\n${STEPS}`,
    expected: [['2:21 segment-uses-time', 'may not depend on the time', SEGMENT_FIX]],
  },
  {
    why: 'a segment of a stage that depends on the time',
    source: `topic: news\ntrigger: { segment: customer.stage == "lapsed" }\n${STEPS}`,
    expected: [
      [
        '2:21 segment-uses-time',
        'may not depend on the time',
        'some of the stages in perennial.yaml depend on the time: ask for what they ask for, or use an `inactive` or `date` trigger',
      ],
    ],
  },
  {
    why: 'a segment that asks for what is not of the customer',
    source: `topic: news\ntrigger: { segment: event.total > 9 }\n${STEPS}`,
    expected: [['2:21 cel-unknown', '`event`', null]],
  },
  {
    why: 'renamed steps that lead nowhere',
    source: `${HEAD}renamed: { b: c, x: y, y: x, old: b2, older: old }\nsteps: [ { email: a/b }, { tag: t, id: c2 } ]\n`,
    expected: [
      ['3:12 bad-rename', '`b` is a step of this playbook', 'remove this entry, or give the step another id'],
      ['3:21 bad-rename', 'leads from `x` in a circle', 'name the id that the step has now'],
      ['3:27 bad-rename', 'leads from `y` in a circle', 'name the id that the step has now'],
      ['3:35 unknown-step', 'there is no step `b2`', 'did you mean `b`?'],
      ['3:46 unknown-step', 'there is no step `b2`', 'did you mean `b`?'],
    ],
  },
  {
    why: 'a split',
    source: steps('- split: s', '  arms: {}', '- { split: t, arms: { x: { share: 0, steps: [ { email: a/x } ] } } }'),
    expected: [
      [
        '5:11 too-few',
        'a split without arms',
        'write one arm at least, such as `arms: { warm: { share: 50, steps: [ … ] } }`',
      ],
      ['6:37 bad-value', 'more than 0', null],
      ['6:58 unknown-template', '`a/x`', 'did you mean `a/b`?'],
    ],
  },
  {
    why: 'starts',
    source: steps('- { start: ones }', '- { start: win-back }', '- { start: one }'),
    expected: [
      ['4:14 unknown-playbook', '`ones`', 'did you mean `one`?'],
      ['5:14 unknown-playbook', '`win-back`', 'write playbooks/win-back.yaml'],
      ['6:14 starts-itself', 'does not start itself', START_FIX],
    ],
  },
  {
    why: 'a schedule with a mistake inside its rule',
    source: `topic: news\ntrigger: { schedule: "FREQ=WEEKLY;BYDAY=MO,XX" }\n${STEPS}`,
    expected: [['2:44 bad-recurrence', 'there is no day XX', 'expected MO, TU, WE, TH, FR, SA, SU, or such as -1FR']],
  },
  {
    why: 'a schedule that never comes',
    source: `topic: news\ntrigger: { schedule: FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30 }\n${STEPS}`,
    expected: [['2:22 never-occurs', 'days that never come', 'look at its months, days and UNTIL']],
  },
];

const COMPANY_CASES: readonly (readonly [string, string, readonly (readonly [string, string])[]])[] = [
  [
    'a zone',
    COMPANY.replace('Europe/London', 'Europe/Londn'),
    [['3:23 bad-value', '"Europe/Londn" is no IANA time zone']],
  ],
  ['a locale', COMPANY.replace('at: "08:30"', 'locale: english_uk'), [['3:46 bad-value', 'no locale']]],
  ['a time of day', COMPANY.replace('"08:30"', '8.30'), [['3:42 wrong-type', 'expected a time of day']]],
  ['a type', COMPANY.replace('plan: string', 'plan: text'), [['5:21 bad-value', 'expected one of `string`']]],
  [
    'a built-in attribute',
    COMPANY.replace('plan: string', 'orders: number'),
    [['5:15 duplicate-name', '`orders` is built in']],
  ],
  [
    'a purchase',
    COMPANY.replace('amount: total', 'amount: order_id'),
    [['4:42 unknown-field', '`order_id` is declared as string: expected number']],
  ],
  ['a sender', COMPANY.replace('<hello@hearth.example>', '<hello>'), [['2:15 bad-value', 'is no sender']]],
  [
    'a stage by itself',
    COMPANY.replace('when: "true"', 'when: customer.stage == "lapsed"'),
    [['15:29 cel-unknown', 'cannot be defined']],
  ],
  [
    'blackouts',
    `${COMPANY}blackouts:\n  - { from: 2026-12-24, until: 2026-12-24 }\n  - { from: 24.12.2026, until: 2026-12-26 }\n`,
    [
      ['17:32 bad-value', 'ends after it begins'],
      ['18:13 bad-value', '"24.12.2026"'],
    ],
  ],
  [
    'caps',
    `${COMPANY}caps: [ { at_most: 0, per: 7 days }, { at_most: 1.5, per: 0 days } ]\n`,
    [
      ['16:20 bad-value', '1 or more'],
      ['16:49 wrong-type', 'whole number'],
      ['16:59 bad-value', 'more than nothing'],
    ],
  ],
  ['no address', COMPANY.replace(', address: 12 Mill Lane', ''), [['1:10 missing-key', 'must carry a postal address']]],
];

function brief(problem: Problem): string {
  return `${problem.line}:${problem.column} ${problem.code}`;
}

describe('mistakes in a playbook', () => {
  it.each(CASES.map((each) => [each.why, each] as const))('%s', (_why, { source, expected }) => {
    const { release, problems } = compileOne(source);
    expect(problems.map(brief)).toEqual(expected.map(([place]) => place));
    for (const [i, [, message, fix]] of expected.entries()) {
      expect(problems[i]).toMatchObject({ file: 'playbooks/one.yaml', message: expect.stringContaining(message), fix });
    }
    if (problems.some(({ level }) => level === 'error')) expect(release).toBeNull();
    else expect(release).not.toBeNull();
  });
});

describe('mistakes in perennial.yaml', () => {
  it.each(COMPANY_CASES)('%s', (_why, company, expected) => {
    const { release, problems } = compileOne(`${HEAD}${STEPS}`, {}, company);
    expect(release).toBeNull();
    expect(problems.map((problem) => [problem.file, brief(problem)])).toEqual(
      expected.map(([place]) => ['perennial.yaml', place]),
    );
    for (const [i, [, message]] of expected.entries()) expect(problems[i]?.message).toContain(message);
  });

  it('hide nothing in playbooks, and cause no echoes there', () => {
    const company = COMPANY.replace('topics:', 'topcs:').replace('rating: number', 'rating: numbr');
    const { problems } = compileOne(
      `topic: news\ntrigger: { event: review.posted, if: event.rating > 3 && event.ratng > 3 }\n${STEPS}`,
      {},
      company,
    );
    expect(problems.map((problem) => `${problem.file} ${brief(problem)}`)).toEqual([
      'perennial.yaml 9:28 bad-value',
      'perennial.yaml 10:1 unknown-key',
      'playbooks/one.yaml 1:8 unknown-topic',
      'playbooks/one.yaml 2:58 cel-unknown',
    ]);
  });

  it('that make it no YAML leave the shape of playbooks to be checked', () => {
    const { problems } = compileOne(`titel: x\n${HEAD}${STEPS}`, {}, 'company: [');
    expect(problems.map((problem) => `${problem.file} ${problem.code}`)).toEqual([
      'perennial.yaml yaml-syntax',
      'playbooks/one.yaml unknown-key',
    ]);
  });
});

describe('mistakes in files', () => {
  const sound = `${HEAD}${STEPS}`;

  it.each([
    ['playbooks/Welcome Series.yaml', 'bad-file-name', 'rename it to playbooks/welcome-series.yaml'],
    ['playbooks/two.yml', 'bad-file-name', 'rename it to playbooks/two.yaml'],
    ['playbooks/more/two.yaml', 'bad-file-name', 'move the file there'],
    ['playbooks/launches/any.yaml', 'bad-file-name', 'give the launch another name'],
  ])('%s', (path, code, fix) => {
    const { release, problems } = compileOne(sound, { [path]: sound });
    expect(release).toBeNull();
    expect(problems).toEqual([expect.objectContaining({ file: path, code, fix })]);
  });

  it('tests beside playbooks and other files are no playbooks', () => {
    const { problems } = compileOne(sound, { 'playbooks/one.test.yaml': 'tests: []', 'playbooks/README.md': '# x' });
    expect(problems).toEqual([]);
  });

  it('a company is needed', () => {
    const { problems } = compileOne(sound, { 'perennial.yaml': '' });
    expect(problems).toEqual([expect.objectContaining({ file: 'perennial.yaml', code: 'empty-file' })]);
  });

  it('launches', () => {
    const { problems } = compileOne(sound, {
      'playbooks/launches/aurora.yaml': 'title: Aurora\npublic_at: 27 October\n',
      'playbooks/launches/borea.yaml': 'titel: Borea\npublic_at: 2026-10-27T10:00\n',
    });
    expect(problems.map((problem) => `${problem.file} ${brief(problem)}`)).toEqual([
      'playbooks/launches/aurora.yaml 2:12 bad-value',
      'playbooks/launches/borea.yaml 1:1 missing-key',
    ]);
  });

  it('one broken playbook does not keep others from being checked', () => {
    const { problems } = compileOne('steps: [', { 'playbooks/two.yaml': third('titel: x') });
    expect(problems.map((problem) => `${problem.file} ${problem.code}`)).toEqual([
      'playbooks/one.yaml yaml-syntax',
      'playbooks/two.yaml unknown-key',
    ]);
  });
});
