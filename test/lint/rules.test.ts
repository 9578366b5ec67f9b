/** What rules find beyond the examples of docs/linting.md, and above all what they leave alone. */
import { describe, expect, it } from '@jest/globals';
import { checkSources, lintProject } from '../../engine/project/check.ts';

const COMPANY = `company: { name: Hearth & Home, address: 12 Mill Lane }
mail: { from: hello@hearth.example }
purchase: { event: order.placed, amount: total }
attributes: { plan: string, vip: boolean }
events:
  order.placed: { total: number, order_id: string }
  review.posted: { rating: number }
topics: { news: { title: News }, service: { title: Service, transactional: true } }
caps: [ { at_most: 2, per: 7 days }, { at_most: 9, per: 1 month } ]
`;

/** Findings as `playbook:line rule`; the mails that are named have a template with a way out, unless one is given. */
function found(
  playbooks: Readonly<Record<string, string>>,
  templates: Readonly<Record<string, string>> = {},
): readonly string[] {
  const files = Object.entries(playbooks).map(([name, text]) => ({ path: `playbooks/${name}.yaml`, text }));
  const mails = files.flatMap(({ text }) =>
    [...text.matchAll(/email: ([a-z]+\/[a-z]+)/g)].map(([, name = '']) => name),
  );
  const bodies = new Map([
    ...mails.map((name) => [name, '{{unsubscribe_url}}'] as const),
    ...Object.entries(templates),
  ]);
  const letters = [...bodies].map(([name, body]) => ({
    path: `templates/${name}.hbs`,
    text: `---\nsubject: Sample\n---\n${body}\n12 Mill\nLane\n`,
  }));
  const project = checkSources([{ path: 'perennial.yaml', text: COMPANY }, ...files, ...letters]);
  expect(project.problems).toEqual([]);
  return lintProject(project).map(
    ({ file, line, code }) => `${file.replace(/^playbooks\/|\.yaml$/g, '')}:${line} ${code}`,
  );
}

const MANUAL = 'trigger: { manual: true }\n';

describe('unreachable', () => {
  it.each<[string, string, readonly string[]]>([
    [
      'after an if that ends either way',
      'steps: [ { if: customer.vip, then: [ { exit: a } ], else: [ { exit: b } ] },\n  { tag: x } ]',
      ['one:3 unreachable'],
    ],
    ['after an if that may not end', 'steps: [ { if: customer.vip, then: [ { exit: a } ] },\n  { tag: x } ]', []],
    [
      'after a choose without otherwise',
      'steps: [ { choose: [ { when: customer.vip, steps: [ { exit: a } ] } ] },\n  { tag: x } ]',
      [],
    ],
    ['after a guarded exit', 'steps: [ { exit: a, if: customer.vip },\n  { tag: x } ]', []],
    [
      'after a split that ends',
      'steps: [ { split: s, arms: { a: { share: 1, steps: [ { exit: a } ] } } },\n  { tag: x } ]',
      ['one:3 unreachable'],
    ],
    [
      'otherwise, when all is said',
      'steps: [ { choose: [ { when: customer.vip, steps: [ { tag: a } ] }, { when: "!customer.vip", steps: [ { tag: b } ] },\n  { otherwise: true, steps: [ { tag: c } ] } ] } ]',
      ['one:3 unreachable'],
    ],
    [
      'the then of an event that may end it',
      'exit: [ { event: review.posted, if: event.rating < 3 } ]\nsteps: [ { wait_for: { event: review.posted, up_to: 1 day }, then: [ { tag: x } ] } ]',
      [],
    ],
    [
      'the then of a goal that counts for a while',
      'goal: { event: review.posted, within: 1 day }\nsteps: [ { wait_for: { event: review.posted, up_to: 9 days }, then: [ { tag: x } ] } ]',
      [],
    ],
  ])('%s', (_, rest, expected) => {
    expect(found({ one: MANUAL + rest })).toEqual(expected);
  });
});

describe('circle', () => {
  const tags = (segment: string, step: string, more = ''): string =>
    `trigger: { segment: "${segment}" }\n${more}steps:\n  - ${step}\n`;
  it.each<[string, Readonly<Record<string, string>>, readonly string[]]>([
    [
      'one start after the other, in a ring',
      {
        a: `${MANUAL}steps: [ { start: b } ]`,
        b: `${MANUAL}steps: [ { start: c } ]`,
        c: `${MANUAL}steps: [ { start: a } ]`,
      },
      ['a:2 circle'],
    ],
    [
      'a chain',
      {
        a: `${MANUAL}steps: [ { start: b } ]`,
        b: `${MANUAL}steps: [ { start: c } ]`,
        c: `${MANUAL}steps: [ { tag: x } ]`,
      },
      [],
    ],
    [
      'one that lets in once',
      { a: `${MANUAL}steps: [ { start: b } ]`, b: `${MANUAL}entry: { again: never }\nsteps: [ { start: a } ]` },
      [],
    ],
    [
      'one that starts at the first event',
      {
        a: `${MANUAL}steps: [ { start: b } ]`,
        b: 'trigger: { event: order.placed, first: true }\nsteps: [ { start: a } ]',
      },
      [],
    ],
    [
      'a tag that keeps it from coming again',
      { a: tags("customer.vip && !('seen' in customer.tags)", 'tag: seen') },
      [],
    ],
    [
      'a tag to and fro',
      { a: tags("'x' in customer.tags", 'untag: x'), b: tags("!('x' in customer.tags)", 'tag: x') },
      ['a:3 circle'],
    ],
    [
      'a tag of its own to and fro, while it lets nobody in a second time',
      { a: tags("'x' in customer.tags", 'untag: x\n  - tag: x') },
      [],
    ],
    [
      'a tag of its own to and fro, with a new start each time',
      { a: tags("'x' in customer.tags", 'untag: x\n  - tag: x', 'entry: { if_active: restart }\n') },
      ['a:5 circle'],
    ],
    ['a tag one way', { a: tags("'x' in customer.tags", 'tag: y'), b: tags("'y' in customer.tags", 'tag: z') }, []],
    [
      'an attribute to and fro',
      {
        a: tags("customer.plan == 'gold'", 'set: { plan: silver }'),
        b: tags("customer.plan == 'silver'", 'set: { plan: gold }'),
      },
      ['a:3 circle'],
    ],
    [
      'an attribute set to what is not asked for',
      {
        a: tags("customer.plan == 'gold'", 'set: { plan: silver }'),
        b: tags("customer.plan == 'iron'", 'set: { plan: gold }'),
      },
      [],
    ],
  ])('%s', (_, playbooks, expected) => {
    expect(found(playbooks)).toEqual(expected);
  });
});

describe('missing-variable', () => {
  const letter = (body: string) => ({ 'a/b': `${body}{{unsubscribe_url}}` });
  const order = (more: string, steps = '[ { email: a/b } ]'): string =>
    `topic: news\ntrigger: { event: order.placed }\n${more}\nsteps: ${steps}`;
  it.each<[string, Readonly<Record<string, string>>, string, readonly string[]]>([
    ['an event that is always there', { one: order('manual: false') }, '{{event.order_id}}', []],
    ['an event that is not there by hand', { one: order('') }, '{{event.order_id}}', ['one:4 missing-variable']],
    [
      'one that is asked for',
      { one: order('') },
      '{{#if event.order_id}}{{event.order_id}}, {{event.total}}{{/if}}',
      [],
    ],
    [
      'one that is asked for and printed besides',
      { one: order('') },
      '{{#if event.total}}{{event.total}}{{/if}}{{event.order_id}}',
      ['one:4 missing-variable'],
    ],
    ['one with a default', { one: order('') }, '{{default event.order_id "none"}}', []],
    ['a field that some lack', { one: order('') }, '{{customer.first_name}}', ['one:4 missing-variable']],
    ['one with words instead', { one: order('') }, '{{default customer.first_name "friend"}}', []],
    ['one that everybody has', { one: order('') }, '{{customer.email}} {{customer.orders}} {{customer.id}}', []],
    ['one that the playbook asks for', { one: order('audience: customer.plan != null') }, '{{customer.plan}}', []],
    ['one that it sets', { one: order('', '[ { set: { plan: gold } }, { email: a/b } ]') }, '{{customer.plan}}', []],
    ['a field of another event', { one: order('manual: false') }, '{{event.rating}}', ['one:4 missing-variable']],
    ['the else of an unless', { one: order('') }, '{{#unless event.total}}-{{else}}{{event.order_id}}{{/unless}}', []],
    [
      'one that a start does not bring',
      { one: order('manual: false'), two: `${MANUAL}steps: [ { start: one } ]` },
      '{{event.order_id}}',
      ['one:4 missing-variable'],
    ],
    [
      'one that a start brings',
      {
        one: order('manual: false'),
        two: 'trigger: { event: order.placed }\nmanual: false\nsteps: [ { start: one } ]',
      },
      '{{event.order_id}}',
      [],
    ],
    [
      'the occurrence of another trigger',
      { one: order('manual: false') },
      '{{trigger.count}}',
      ['one:4 missing-variable'],
    ],
    ['a coupon', { one: order('', '[ { coupon: { pool: p, as: gift } }, { email: a/b } ]') }, '{{vars.gift.code}}', []],
    [
      'a coupon for some',
      { one: order('', '[ { coupon: { pool: p, as: gift }, if: customer.vip }, { email: a/b } ]') },
      '{{vars.gift.code}}',
      ['one:4 missing-variable'],
    ],
    [
      'a coupon on either way',
      {
        one: order(
          '',
          '[ { if: customer.vip, then: [ { coupon: { pool: p, as: gift } } ], else: [ { coupon: { pool: q, as: gift } } ] }, { email: a/b } ]',
        ),
      },
      '{{vars.gift.code}}',
      [],
    ],
    [
      'a coupon on the only way out',
      {
        one: order(
          '',
          '[ { if: customer.vip, then: [ { coupon: { pool: p, as: gift } } ], else: [ { exit: no } ] }, { email: a/b } ]',
        ),
      },
      '{{vars.gift.code}}',
      [],
    ],
  ])('%s', (_, playbooks, body, expected) => {
    expect(found(playbooks, letter(body))).toEqual(expected);
  });
});

describe('over-cap', () => {
  it('names each pair at the playbook whose mails give way', () => {
    const send = (priority: number, ...names: readonly string[]): string =>
      `topic: news\npriority: ${priority}\n${MANUAL}steps: [ ${names.map((name) => `{ email: ${name} }`).join(', ')} ]`;
    const playbooks = { a: send(0, 'a/b'), b: send(5, 'a/c', 'a/d'), c: send(0, 'a/e'), d: send(9, 'a/f') };
    expect(found(playbooks)).toEqual(['a:4 over-cap', 'b:4 over-cap', 'c:4 over-cap']);
  });

  const mails = (...steps: readonly string[]): string => `topic: news\n${MANUAL}steps: [ ${steps.join(', ')} ]`;
  const [a, b, c] = ['{ email: a/b }', '{ email: a/c }', '{ email: a/d }'];
  it.each<[string, string, boolean]>([
    ['three at once', mails(a, b, c), true],
    ['the first a whole span before the third', mails(a, '{ wait: 4 days }', b, '{ wait: 3 days }', c), false],
    ['an hour too early', mails(a, '{ wait: 6 days }', b, '{ wait: 23 hours }', c), true],
    ['one way or the other', mails(`{ if: customer.vip, then: [ ${a} ], else: [ ${b} ] }`, c), false],
    [
      'an event that may come at once',
      mails(a, `{ wait_for: { event: review.posted, up_to: 9 days }, then: [ ${b} ] }`, c),
      true,
    ],
    [
      'at the end of a long wait',
      mails(a, b, `{ wait_for: { event: review.posted, up_to: 9 days }, else: [ ${c} ] }`),
      false,
    ],
    ['after an exit', mails(a, b, '{ exit: done }', c), false],
    ['transactional', mails(a, b, '{ email: a/d, topic: service }'), false],
    ['a weekday may be today', mails(a, '{ wait: until monday 09:00 }', b, '{ wait: until monday 09:00 }', c), true],
  ])('%s', (_, playbook, expected) => {
    expect(found({ one: playbook }).includes('one:3 over-cap')).toBe(expected);
  });
});

describe('while something is wrong', () => {
  it('neither misses a template that has a mistake nor calls an allowance unused', () => {
    const templates = ['a', 'a.de', 'b', 'b.de'].map((name) => ({
      path: `templates/${name}.hbs`,
      text: `---\nsubject: Sample\n---\n${name === 'b.de' ? '{{#if}}' : '{{unsubscribe_url}} {{company.address}}'}`,
    }));
    const text = `${MANUAL}topic: news\n# lint: allow circle: two starts it\nsteps: [ { email: a }, { email: b } ]`;
    const company = { path: 'perennial.yaml', text: COMPANY };
    const lintWith = (broken: boolean) =>
      lintProject(
        checkSources([
          company,
          { path: 'playbooks/one.yaml', text },
          ...templates.filter(({ path }) => broken || path !== 'templates/b.de.hbs'),
        ]),
      ).map(({ code }) => code);
    expect(lintWith(true)).toEqual([]);
    expect(lintWith(false)).toEqual(['unused-allowance', 'missing-locale']);
  });
});
