/** Reading sources: the walk agrees with the schema it walks by, nothing throws, and nothing takes long. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { z } from 'zod';
import type { Problem } from '../../engine/playbook/problem.ts';
import { reportOn } from '../../engine/playbook/read/report.ts';
import { readDocument } from '../../engine/playbook/read/walk.ts';
import { SCHEMAS } from '../../engine/playbook/schema.ts';
import { parseYaml } from '../../engine/playbook/yaml/parse.ts';
import { COMPANY, compileOne } from './support.ts';

function read(text: string): { readonly problems: readonly Problem[]; readonly value: unknown } {
  const { document, problems } = parseYaml({ path: 'x.yaml', text });
  if (document === null) return { problems, value: undefined };
  const report = reportOn(document);
  const value = readDocument(document, SCHEMAS.playbook, report);
  return { problems: [...problems, ...report.problems], value };
}

/** Values of playbooks, most of them right and some of them wrong. */
const pick = <T>(...values: readonly T[]) => fc.constantFrom(...values);
const condition = pick<unknown>('customer.orders > 1', 'event.total > 3', true, 'customer.x', 3, '(');
const span = pick<unknown>('3 days', 'P1M', '0 days', '3 fortnights', 5, null);
const { steps: stepList } = fc.letrec<{ steps: unknown[]; step: unknown }>((tie) => ({
  steps: fc.array(tie('step'), { maxLength: 3 }),
  step: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record(
      { email: pick<unknown>('a/b', 'a/c', 'a b', 3), topic: pick('news', 'nws', 'No'), id: pick('x', 'y', 'x y') },
      { requiredKeys: ['email'] },
    ),
    fc.record(
      {
        wait: pick<unknown>('3 days', 'until 09:00', 'until x', 4, { until: 'customer.renewal_date' }, { untl: 3 }),
        if: condition,
      },
      { requiredKeys: ['wait'] },
    ),
    fc.record({ tag: pick<unknown>('a', '', ['a']), untag: pick('b') }, { requiredKeys: ['tag'] }),
    fc.record({ set: pick<unknown>({ plan: 'x' }, { plan: 3 }, { 'a b': 1 }, [], 'x') }),
    fc.record({ if: condition, then: tie('steps'), else: tie('steps'), elze: pick(1) }, { requiredKeys: ['if'] }),
    fc.record(
      {
        wait_for: fc.record({ event: pick('review.posted', 'x'), up_to: span }, { requiredKeys: ['event'] }),
        then: tie('steps'),
      },
      { requiredKeys: ['wait_for'] },
    ),
    fc.record({
      choose: fc.array(fc.record({ when: condition, steps: tie('steps') }, { requiredKeys: ['when'] }), {
        maxLength: 2,
      }),
    }),
    pick<unknown>(
      {},
      'text',
      null,
      7,
      [],
      { foo: 1 },
      { __proto__: null, constructor: 1 },
      { split: 's', arms: { x: { share: 1, steps: [] } } },
    ),
  ),
}));

const playbook = fc.record(
  {
    title: pick<unknown>('Hello', '', 3),
    topic: pick('news', 'nws'),
    trigger: pick<unknown>(
      { event: 'order.placed' },
      { event: 'x', if: 'event.y' },
      { date: 'customer.birthday', every: 'year' },
      { launch: 'any' },
      { manual: true },
      { manual: false },
      {},
      'x',
    ),
    priority: pick<unknown>(1, 1.5, 'x'),
    audience: condition,
    late_after: span,
    send_window: pick<unknown>(
      'any',
      'x',
      { days: 'mon-fri', hours: '09:00-18:00' },
      { days: ['mon', 'x'] },
      { hours: 9 },
    ),
    exit: pick<unknown>([], [{ if: 'customer.x' }], [{ event: 'order.refunded' }, {}], {}),
    extra: pick(1),
    steps: stepList,
  },
  { requiredKeys: ['trigger', 'steps'] },
);

describe('reading by the schema', () => {
  it('accepts what the schema accepts, refuses what it refuses, and gives the same values', () => {
    fc.assert(
      fc.property(playbook, (data) => {
        const { problems, value } = read(stringify(data, { aliasDuplicateObjects: false }));
        const wanted = z.safeParse(SCHEMAS.playbook, data);
        expect(problems.length === 0).toBe(wanted.success);
        if (wanted.success) expect(value).toEqual(wanted.data);
      }),
      { numRuns: 250 },
    );
  });

  it('checks any of them whole, without throwing, every problem within its file', () => {
    fc.assert(
      fc.property(playbook, (data) => {
        const text = stringify(data, { aliasDuplicateObjects: false });
        const lines = text.split('\n');
        for (const problem of compileOne(text).problems) {
          if (problem.file !== 'playbooks/one.yaml') continue;
          expect(problem.line).toBeLessThanOrEqual(lines.length);
          expect(problem.column).toBeLessThanOrEqual((lines[problem.line - 1] ?? '').length + 1);
          expect(problem.message).not.toMatch(/undefined|\[object/);
        }
      }),
      { numRuns: 80 },
    );
  });
});

describe('any text', () => {
  const fragment = pick(
    'a',
    ': ',
    '- ',
    '\n',
    '  ',
    '[',
    ']',
    '{',
    '}',
    ',',
    '"',
    "'",
    '#',
    '&x',
    '*x',
    '!t',
    '|',
    '>',
    '?',
    '---',
    '\t',
    'steps:',
    'email: a/b',
    'if: x',
    'trigger:',
    '@',
    '%',
    'é😀',
    '\r\n',
    '\u0000',
    '\uFEFF',
    '1',
    'null',
    '~',
  );
  const text = fc.oneof(
    fc.array(fragment, { maxLength: 40 }).map((parts) => parts.join('')),
    fc.string({ unit: 'binary', maxLength: 200 }),
  );

  it('is read or refused, never thrown over, as a playbook and as perennial.yaml', () => {
    fc.assert(
      fc.property(text, (source) => {
        expect(compileOne(source).release).toBeNull();
        expect(
          compileOne('topic: news\ntrigger: { manual: true }\nsteps: [ { email: a/b } ]', {}, source).release,
        ).toBeNull();
      }),
      { numRuns: 250 },
    );
  });

  it('of a sound file with one piece put in is read or refused', () => {
    const sound =
      'topic: news\ntrigger: { event: order.placed, if: event.total > 3 }\nsteps:\n  - email: a/b\n  - wait: 3 days\n';
    fc.assert(
      fc.property(fc.nat(sound.length), fragment, (at, piece) => {
        const { release, problems } = compileOne(sound.slice(0, at) + piece + sound.slice(at));
        expect(release === null).toBe(problems.some(({ level }) => level === 'error'));
      }),
      { numRuns: 80 },
    );
  });
});

describe('what would take long is refused', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['20,000 brackets', '['.repeat(20_000), 'too-deep'],
    ['20,000 closed brackets', `${'['.repeat(20_000)}${']'.repeat(20_000)}`, 'too-deep'],
    ['brackets of both kinds', '[{'.repeat(100_000), 'too-deep'],
    ['brackets that close nothing', ']'.repeat(200_000), 'yaml-syntax'],
    ['dashes in a line', '- '.repeat(100_000), 'too-deep'],
    ['question marks in a line', '? '.repeat(100_000), 'too-deep'],
    ['colons in a line', 'a: '.repeat(80_000), 'too-deep'],
    ['many documents', '---\n'.repeat(60_000), 'yaml-documents'],
    ['deep lines', Array.from({ length: 600 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'), 'too-deep'],
    ['a file of 257 KB', `# ${'x'.repeat(257 * 1024)}`, 'too-large'],
    [
      'laughs by the billion',
      `a: &a [ x, x ]\n${Array.from({ length: 30 }, (_, i) => `b${i}: &b${i} [ *a, *a ]`).join('\n')}`,
      'yaml-alias',
    ],
  ];

  it.each(cases)('%s', (_what, text, code) => {
    const { release, problems } = compileOne(text);
    expect(release).toBeNull();
    expect(problems.map((problem) => problem.code)).toContain(code);
  });

  it('exactly 20 levels and 256 KB are not', () => {
    const nested = `${'{ a: '.repeat(19)}1${' }'.repeat(19)}`;
    expect(
      compileOne(
        'topic: news\ntrigger: { manual: true }\nsteps: [ { email: a/b } ]',
        {},
        COMPANY.replace('12 Mill Lane', `12 Mill Lane, x: ${nested.slice(10, -4)}`),
      ).problems,
    ).toEqual([]);
    const head = 'topic: news\ntrigger: { manual: true }\nsteps: [ { email: a/b } ]\n# ';
    expect(compileOne(head + 'x'.repeat(256 * 1024 - head.length)).problems).toEqual([]);
    expect(compileOne(head + 'x'.repeat(256 * 1024 - head.length + 1)).problems).toHaveLength(1);
  });

  it('thousands of mistakes are cut off, and that is said', () => {
    const { problems } = compileOne(Array.from({ length: 5_000 }, (_, i) => `k${i}: 1`).join('\n'));
    expect(problems.length).toBeLessThan(300);
    expect(problems.map((problem) => problem.code)).toContain('too-many');
  });
});

describe('keys that stand twice', () => {
  const head = 'trigger: { manual: true }\n';
  it('are refused at once where there are hundreds, and told one by one where there are a few', () => {
    const few = read(`${head}${'topic: news\n'.repeat(3)}steps: [ { tag: x } ]\n`).problems;
    expect(few.map(({ code, line }) => `${line} ${code}`)).toEqual(['3 duplicate-key', '4 duplicate-key']);
    const many = read(`${head}${'topic: news\n'.repeat(1_000)}`).problems;
    expect(many.map(({ code, line, column }) => `${line}:${column} ${code}`)).toEqual(['203:1 duplicate-key']);
  });

  it('are none in different maps, however deep they stand', () => {
    const flat = `${head}steps:\n${'- tag: x\n'.repeat(500)}`;
    const deep = `${head}steps:\n${'  - tag: x\n    if: customer.orders > 1\n'.repeat(500)}`;
    const text = `${head}description: |\n${'  topic: news\n'.repeat(500)}steps: [ { tag: x } ]\n`;
    expect([flat, deep, text].map((source) => read(source).problems)).toEqual([[], [], []]);
  });
});
