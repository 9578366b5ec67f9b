/** What passes, what fails, and how a failure is shown. docs/testing-playbooks.md. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { align } from '../../engine/simulate/tests/align.ts';
import { spanInWords } from '../../engine/simulate/tests/miss.ts';
import { differenceOf, FILES, runOne } from './support.ts';

const ADA = 'customer: { id: ada, email: ada@example.com, first_name: Ada, timezone: Europe/Berlin }';
const MARCH = `${ADA}
from: 2026-03-01
until: 2026-04-15
`;
const ORDERED = `${MARCH}events:
  - { at: 2026-03-27T10:15, event: order.placed, data: { total: 42, order_id: A-1 } }
`;
const HELLO = '- { at: 2026-03-27T10:15, email: welcome/hello }';
const TIPS = '- { at: 2026-03-30T10:15, email: welcome/tips }';

function expecting(before: string, ...lines: readonly string[]): string {
  return `${before}expect:\n${lines.map((line) => `  ${line}\n`).join('')}`;
}

describe('a test passes', () => {
  it.each([
    ['when every mail is listed, in the zone of the customer and across a change of the clock', [HELLO, TIPS]],
    ['with times in any offset', ['- { at: 2026-03-27T09:15Z, email: welcome/hello }', TIPS]],
    ['with days only, or without times', ['- { at: 2026-03-27, email: welcome/hello }', '- email: welcome/tips']],
    ['with steps instead of templates', ['- { email: welcome/hello, step: hello }', TIPS]],
    ['with lines of other kinds', [HELLO, '- tag: greeted', TIPS, '- complete: true']],
    [
      'with a subject and parts of the text',
      ['- { email: welcome/hello, subject: Hello Ada, text: { contains: A-1 } }', TIPS],
    ],
    ['without what the text must lack', ['- { email: welcome/hello, text: { lacks: [refund, A-2] } }', TIPS]],
  ])('%s', (_, lines) => {
    const result = runOne(expecting(ORDERED, ...lines));
    expect(result.passed ? [] : differenceOf(result)).toEqual([]);
  });

  it('when only what must not come is said, and it does not', () => {
    expect(runOne(`${ORDERED}not:\n  - { email: welcome/tips, at: 2026-03-31 }\n`).passed).toBe(true);
    expect(runOne(`${ORDERED}not:\n  - email: welcome/tips\n`).passed).toBe(false);
  });

  it('when nothing comes and nothing is expected', () => {
    expect(runOne(`${MARCH}expect: []\n`).passed).toBe(true);
  });

  it('with the company as it is: history, consent and changes', () => {
    const company = expecting(
      `${MARCH}events:
  - { at: 2026-02-01T10:00, event: order.placed } # before \`from\`: it only sets facts
  - { at: 2026-03-02T10:00, event: order.placed }
`,
      '- { at: 2026-03-05T10:00, refused: audience }',
    );
    const start = `start: { at: 2026-03-05T10:00, playbook: sorry }\nplaybooks: [sorry]\n`;
    const change = `  - { at: 2026-03-03T10:00, change: { plan: none } }\n`;
    const result = runOne(company.replace('expect:', `${change}${start}expect:`));
    expect(result.passed ? [] : differenceOf(result)).toEqual([]);
  });

  it('when an unsubscription comes in between', () => {
    const change = `  - { at: 2026-03-28T09:00, change: { unsubscribed: [news] } }\n`;
    expect(runOne(expecting(`${ORDERED}${change}`, HELLO, '- { skip: tips, reason: unsubscribed }')).passed).toBe(true);
  });

  it('of a playbook with those that it starts, a survey and its answer among them', () => {
    const files = {
      ...FILES,
      'playbooks/welcome.yaml': `${FILES['playbooks/welcome.yaml'] ?? ''}  - start: asking\n`,
      'playbooks/asking.yaml': ASKING,
      'templates/ask/nps.hbs':
        '---\nsubject: One question\n---\n{{#each survey.links}}<a href="{{url}}">{{score}}</a>{{/each}}',
    };
    const answered = `${ORDERED}  - { at: 2026-04-02T20:00, event: survey.answered, data: { survey: nps, score: 9 } }\n`;
    const lines = [
      HELLO,
      TIPS,
      '- { at: 2026-03-30T10:15, survey: ask/nps, playbook: asking, subject: One question }',
      '- { at: 2026-04-02T20:00, tag: promoter, playbook: asking }',
    ];
    const greeted = '- { at: 2026-03-27T10:15, tag: greeted, playbook: welcome }';
    const result = runOne(expecting(answered, HELLO, greeted, ...lines.slice(1)), files);
    expect(result.passed ? [] : differenceOf(result)).toEqual([]);
    expect(runOne(expecting(ORDERED, ...lines.slice(0, 3)), files).passed).toBe(true);
  });

  it('of a customer who moves, on the clock of then', () => {
    const moved = `${ORDERED}  - { at: 2026-03-28T09:00, change: { timezone: America/New_York } }\n`;
    // Three days were counted where the wait began, and the same instant is read on another clock.
    const result = runOne(expecting(moved, HELLO, '- { at: 2026-03-30T04:15, email: welcome/tips }'));
    expect(result.passed ? [] : differenceOf(result)).toEqual([]);
  });

  it('of tasks, codes and calls, which it neither gives nor uses up nor makes', () => {
    const files = {
      ...FILES,
      'playbooks/welcome.yaml': GIFT,
      'templates/gift/code.hbs': '---\nsubject: A gift\n---\n<p>{{vars.gift.code}}</p>',
    };
    const lines = [
      '- { task: true, step: task-1 }',
      '- coupon: anniversary',
      '- webhook: https://crm.example/hook',
      '- { at: 2026-03-27T10:15, email: gift/code, text: ANNIVERSARY-0001 }',
    ];
    const result = runOne(expecting(ORDERED, ...lines), files);
    expect(result.passed ? [] : differenceOf(result)).toEqual([]);
    const other = runOne(expecting(ORDERED, ...lines.slice(0, 2), '- webhook: true', '- coupon: true'), files);
    expect(differenceOf(other).slice(3)).toEqual([
      '   Fri 2026-03-27 10:15  webhook   https://crm.example/hook',
      '-                        coupon                              ← did not come',
      '+  Fri 2026-03-27 10:15  email     gift/code                 ← not expected',
      '·  Fri 2026-03-27 10:15  complete',
    ]);
  });

  it('for each of two readers, in the order of time', () => {
    const result = runOne(`customers:
  - { id: ada, email: ada@example.com, first_name: Ada, timezone: Europe/Berlin }
  - { id: kim, email: kim@example.com, first_name: Kim, timezone: Asia/Seoul }
from: 2026-03-01
until: 2026-03-04
events:
  - { at: 2026-03-02T10:00, customer: ada, event: order.placed, data: { order_id: A-1 } }
  - { at: 2026-03-02T10:00, customer: kim, event: order.placed, data: { order_id: A-2 } }
expect:
  - { at: 2026-03-02T10:00, customer: kim, email: welcome/hello, subject: Hello Kim }
  - { at: 2026-03-02T10:00, customer: ada, email: welcome/hello, subject: Hello Ada }
`);
    expect(result.passed ? [] : differenceOf(result)).toEqual([]);
  });
});

describe('a test fails, and shows', () => {
  const ENROL = '·  Fri 2026-03-27 10:15  enrol';
  const CAME = '   Fri 2026-03-27 10:15  email     welcome/hello';
  const TAG = '·  Fri 2026-03-27 10:15  tag       greeted';
  const END = '·  Mon 2026-03-30 10:15  complete';

  it.each([
    [
      'by how much a mail misses its time',
      [HELLO, '- { at: 2026-03-30T09:15, email: welcome/tips }'],
      [
        ENROL,
        CAME,
        TAG,
        '-  Mon 2026-03-30 09:15  email     welcome/tips   ← came 1 h later',
        '+  Mon 2026-03-30 10:15  email     welcome/tips   ← not expected',
        END,
      ],
    ],
    [
      'a mail that nobody listed',
      [HELLO],
      [ENROL, CAME, TAG, '+  Mon 2026-03-30 10:15  email     welcome/tips   ← not expected', END],
    ],
    [
      'a mail that comes in another place than it is listed',
      ['- email: welcome/tips', '- email: welcome/hello'],
      [
        '-                        email     welcome/tips   ← came, but in another place',
        ENROL,
        CAME,
        TAG,
        '+  Mon 2026-03-30 10:15  email     welcome/tips   ← not expected',
        END,
      ],
    ],
    [
      'what came instead, beside it',
      ['- { at: 2026-03-27T10:15, email: welcome/tips }', '- { at: 2026-03-30T10:15, email: welcome/tips }'],
      [
        ENROL,
        '-  Fri 2026-03-27 10:15  email     welcome/tips   ← welcome/hello came instead',
        '+  Fri 2026-03-27 10:15  email     welcome/hello  ← not expected',
        TAG,
        '   Mon 2026-03-30 10:15  email     welcome/tips',
        END,
      ],
    ],
    [
      'by how much on the clock, which changed in between',
      [HELLO, '- { at: 2026-03-28T10:15, email: welcome/tips }'],
      [
        ENROL,
        CAME,
        TAG,
        '-  Sat 2026-03-28 10:15  email     welcome/tips   ← came 2 days later',
        '+  Mon 2026-03-30 10:15  email     welcome/tips   ← not expected',
        END,
      ],
    ],
    [
      'what a mail says instead',
      ['- { email: welcome/hello, subject: Hello Eve, text: { contains: [A-1, A-9], lacks: order } }', TIPS],
      [
        ENROL,
        CAME,
        '!    the subject is not "Hello Eve" but "Hello Ada"',
        '!    the text does not contain "A-9"; it is "Your order A-1 is with us."',
        '!    the text contains "order", which it must not',
        TAG,
        '   Mon 2026-03-30 10:15  email     welcome/tips',
        END,
      ],
    ],
    [
      'once a tag is listed, every tag',
      [HELLO, TIPS, '- { at: 2026-03-31, tag: greeted }'],
      [
        ENROL,
        CAME,
        '+  Fri 2026-03-27 10:15  tag       greeted        ← not expected',
        '   Mon 2026-03-30 10:15  email     welcome/tips',
        END,
        '-  Tue 2026-03-31        tag       greeted        ← came 3 days 13 h earlier',
      ],
    ],
  ])('%s', (_, lines, difference) => {
    const result = runOne(expecting(ORDERED, ...lines));
    expect(result.passed).toBe(false);
    expect(differenceOf(result)).toEqual(difference);
  });

  it('that the mail was skipped', () => {
    const quiet = ORDERED.replace('first_name: Ada', 'first_name: Ada, suppressed: true');
    expect(differenceOf(runOne(expecting(quiet, HELLO))).join('\n')).toContain('← was skipped: suppressed');
  });

  it('that the enrolment had ended, or never began', () => {
    const refunded = `${ORDERED}  - { at: 2026-03-28T12:00, event: order.refunded }\n`;
    expect(differenceOf(runOne(expecting(refunded, HELLO, TIPS))).join('\n')).toContain(
      '← the enrolment had ended: event order.refunded',
    );
    const again = `${ORDERED}  - { at: 2026-03-28T12:00, event: order.placed }\n`;
    expect(differenceOf(runOne(expecting(again, HELLO, TIPS))).join('\n')).toContain('had ended at its goal');
    expect(differenceOf(runOne(expecting(MARCH, TIPS))).join('\n')).toContain('← nobody entered welcome');
  });

  it('a mail that could not be written, though nobody asked what it says', () => {
    const nameless = ORDERED.replace('first_name: Ada, ', '');
    const result = runOne(expecting(nameless, HELLO, TIPS));
    expect(result.passed).toBe(false);
    expect(differenceOf(result).join('\n')).toContain('cannot be written for this customer');
    expect(differenceOf(result).join('\n')).toContain('customer.first_name');
  });

  it('a start by hand that came to nothing', () => {
    const starts = `${MARCH}playbooks: [sorry]\nstart: { at: 2026-03-05T10:00, playbook: sorry, vars: { order_id: A-1 } }\n`;
    expect(runOne(expecting(starts, '- email: care/sorry')).passed).toBe(true);
    const refused = starts.replace('id: ada', 'id: ada, plan: none');
    expect(differenceOf(runOne(`${refused}expect: []\n`))).toEqual([
      '+  Thu 2026-03-05 10:00  sorry  refused  audience  ← not expected',
    ]);
  });

  it('which of two equal readings of the clock is meant', () => {
    const october = `${ADA}\nfrom: 2026-10-20\nuntil: 2026-10-28\nevents:
  - { at: 2026-10-25T02:30:00+01:00, event: order.placed, data: { order_id: A-1 } }
`;
    expect(differenceOf(runOne(expecting(october, '- { at: 2026-10-25T02:30, email: welcome/hello }')))).toContain(
      '+  Sun 2026-10-25 02:30+01:00  email  welcome/hello  ← not expected',
    );
  });

  it('a circle that a playbook is caught in', () => {
    const files = { ...FILES, 'playbooks/welcome.yaml': LONG };
    expect(differenceOf(runOne(expecting(ORDERED, HELLO), files)).join('\n')).toContain('more than 100 steps');
  });

  it('only what is near a difference', () => {
    const many = `${FILES['playbooks/welcome.yaml'] ?? ''}${'  - tag: x\n'.repeat(20)}  - tag: last\n`;
    const result = runOne(expecting(ORDERED, HELLO), { ...FILES, 'playbooks/welcome.yaml': many });
    expect(differenceOf(result)).toHaveLength(8);
    expect(differenceOf(result).at(-1)).toBe('   ⋮');
  });
});

const LONG = `topic: news\ntrigger: { event: order.placed, first: true }\nsteps:\n  - email: welcome/hello\n${'  - tag: x\n'.repeat(101)}`;

const GIFT = `topic: service
trigger: { event: order.placed }
steps:
  - task: { title: "Write a card to {{customer.first_name}}", to: care@hearth.example, within: 2 days }
  - coupon: { pool: anniversary, as: gift }
  - webhook: { url: "https://crm.example/hook", body: { id: "{{customer.id}}" } }
  - email: gift/code
`;

const ASKING = `topic: news
trigger: { manual: true }
steps:
  - survey: { email: ask/nps, ask: nps, up_to: 7 days }
    then:
      - tag: promoter
`;

describe('align', () => {
  /** As slow as it is plain. */
  function longest(left: readonly number[], right: readonly number[]): number {
    const [a, ...restA] = left;
    const [b, ...restB] = right;
    if (a === undefined || b === undefined) return 0;
    if (a === b) return 1 + longest(restA, restB);
    return Math.max(longest(restA, right), longest(left, restB));
  }

  it('pairs as many as can be paired, and keeps both orders', () => {
    const few = fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 8 });
    fc.assert(
      fc.property(few, few, (left, right) => {
        const pairs = align(left.length, right.length, (i, j) => left[i] === right[j]);
        const both = pairs.filter((pair) => pair.left !== null && pair.right !== null);
        expect(both).toHaveLength(longest(left, right));
        expect(both.every((pair) => left[pair.left ?? -1] === right[pair.right ?? -1])).toBe(true);
        expect(pairs.flatMap((pair) => pair.left ?? [])).toEqual(left.map((_, index) => index));
        expect(pairs.flatMap((pair) => pair.right ?? [])).toEqual(right.map((_, index) => index));
      }),
    );
  });

  it('does not compare what nobody could read', () => {
    let asked = 0;
    const pairs = align(5_000, 5_000, () => {
      asked += 1;
      return false;
    });
    expect(pairs).toHaveLength(10_000);
    expect(asked).toBeLessThan(10);
  });
});

it.each([
  [0, 'less than a second'],
  [60_000, '1 min'],
  [3_600_000, '1 h'],
  [90_061_000, '1 day 1 h'],
  [2 * 86_400_000 + 1_000, '2 days 1 s'],
])('%i ms are %s', (ms, words) => {
  expect(spanInWords(ms)).toBe(words);
});
