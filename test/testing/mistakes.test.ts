/** Mistakes in tests of playbooks: each with its place and what to do, and none of them keeps a playbook from running. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compileProject } from '../../engine/playbook/compile.ts';
import { compileTests } from '../../engine/playbook/tests/compile.ts';
import { checkSources } from '../../engine/project/check.ts';
import { runTests } from '../../scripts/test/run.ts';
import { FILES, said, sourcesOf } from './support.ts';

const FILE = 'playbooks/welcome.test.yaml';

function problemsOf(text: string, file = FILE): readonly string[] {
  return said(checkSources(sourcesOf({ ...FILES, [file]: text })).problems, file);
}

/** A whole test with some of its lines replaced. */
function test(changes: Readonly<Record<string, string>> = {}): string {
  const keys = {
    name: 'it',
    customer: '{ id: ada, email: ada@example.com }',
    from: '2026-03-01',
    until: '2026-04-01',
    events: '[{ at: 2026-03-02T10:00, event: order.placed }]',
    expect: '[{ email: welcome/hello }]',
    ...changes,
  };
  const lines = Object.entries(keys).filter(([, value]) => value !== '');
  return `tests:\n${lines.map(([key, value], index) => `${index === 0 ? '  - ' : '    '}${key}: ${value}\n`).join('')}`;
}

describe('a test file', () => {
  it('has no mistake when there is none', () => {
    expect(problemsOf(test())).toEqual([]);
  });

  it.each<[string, Readonly<Record<string, string>>, readonly string[]]>([
    [
      'misspelt keys',
      { expct: '[]', expect: '' },
      [
        '7:5 unknown-key `expct` means nothing here; expected one of `name`, `customer`, `customers`, `from`, `until`, `playbooks`, `company`, `events`, `start`, `expect`, `expect_all`, `not` → did you mean `expect`?',
      ],
    ],
    [
      'no time',
      { from: 'yesterday' },
      ['4:11 bad-value "yesterday" is no moment: expected a day and a time, such as "2026-03-02T10:15"'],
    ],
    [
      'a day that is not there',
      { until: '2026-02-30' },
      [
        '5:12 bad-value "2026-02-30" names a day that does not exist: expected a day of the calendar as YYYY-MM-DD, such as "2026-12-24"',
      ],
    ],
    [
      'an end before the start',
      { until: '2026-02-01' },
      [
        '5:12 outside `until` must be later than `from`',
        '6:20 outside this is at or after `until`, where the test ends',
      ],
    ],
    [
      'a slip of two centuries',
      { until: '2226-04-01' },
      ['5:12 too-long the test lasts longer than a hundred years → let it end earlier'],
    ],
    [
      'no customer',
      { customer: '' },
      [
        '2:5 missing-key a test has one `customer`, or several `customers` → add `customer: { id: ada, email: ada@example.com }`',
        '5:14 missing-key whose event? the test has several customers → add `customer:`',
      ],
    ],
    [
      'a misspelt attribute',
      { customer: '{ id: ada, pln: pro }' },
      ['3:26 unknown-field the attribute `pln` is declared nowhere → did you mean `plan`?'],
    ],
    [
      'an attribute of another type',
      { customer: '{ id: ada, score: high }' },
      ['3:33 wrong-type `score` is declared as number: expected a number'],
    ],
    [
      'what the engine keeps itself',
      { customer: '{ id: ada, stage: new }' },
      ['3:26 not-given `stage` is kept by the engine and cannot be given here → leave it out, or let events bring it'],
    ],
    [
      'a topic that is not there',
      { customer: '{ id: ada, unsubscribed: [nwes] }' },
      ['3:41 unknown-topic the topic `nwes` is declared nowhere → did you mean `news`?'],
    ],
    [
      'a zone that is none',
      { customer: '{ id: ada, timezone: Berlin }' },
      [
        "3:36 unknown-zone `Berlin` is no IANA zone: the company's holds, as it would for such a customer → such as `Europe/Berlin`",
      ],
    ],
    [
      'an event that is not declared',
      { events: '[{ at: 2026-03-02, event: order.plced }]' },
      ['6:39 unknown-event the event `order.plced` is declared nowhere → did you mean `order.placed`?'],
    ],
    [
      'data that is not declared',
      { events: '[{ at: 2026-03-02, event: order.placed, data: { totl: 4 } }]' },
      ['6:61 unknown-field the field of `order.placed` `totl` is declared nowhere → did you mean `total`?'],
    ],
    [
      'data of another type',
      { events: '[{ at: 2026-03-02, event: order.placed, data: { total: "4" } }]' },
      ['6:68 wrong-type `total` is declared as number: expected a number'],
    ],
    [
      'an event after the end',
      { events: '[{ at: 2026-04-01, event: order.placed }]' },
      ['6:20 outside this is at or after `until`, where the test ends'],
    ],
    [
      'a change of what the engine keeps',
      { events: '[{ at: 2026-03-02, change: { orders: 3 } }]' },
      ['6:42 not-given `orders` is kept by the engine and cannot be given here → leave it out, or let events bring it'],
    ],
    [
      'a template that no step sends',
      { expect: '[{ email: welcome/tip }]' },
      ['7:23 never-comes no step of `welcome` sends `welcome/tip` → did you mean `welcome/tips`?'],
    ],
    [
      'a kind of step that the playbook lacks',
      { expect: '[{ untag: greeted }]' },
      ['7:23 never-comes no step of `welcome` takes the tag `greeted`'],
    ],
    [
      'a reason that the playbook lacks',
      { expect: '[{ exit: event order.placed }]' },
      [
        '7:22 never-comes no enrolment of `welcome` ends for the reason `event order.placed` → there is `event order.refunded`',
      ],
    ],
    [
      'a mail before the start',
      { expect: '[{ at: 2026-02-02, email: welcome/hello }]' },
      ['7:20 outside this is before `from`, where the test begins'],
    ],
    [
      'a playbook that is not there',
      { playbooks: '[welcom]' },
      ['8:17 unknown-playbook there is no playbook `welcom` → did you mean `welcome`?'],
    ],
    [
      'a playbook that does not run',
      { start: '{ at: 2026-03-02, playbook: sorry }' },
      [
        '8:40 unknown-playbook `sorry` does not run in this test → name it under `playbooks:` of the test, or write `company: true`',
      ],
    ],
    [
      'nothing expected',
      { expect: '' },
      ['2:5 missing-key the test expects nothing → add `expect:`, with an empty list [] where nothing must come'],
    ],
    [
      'a customer of another name',
      { events: '[{ at: 2026-03-02, event: order.placed, customer: adda }]' },
      ['6:63 unknown-customer no customer of this test is called `adda` → did you mean `ada`?'],
    ],
  ])('%s', (_, changes, expected) => {
    expect(problemsOf(test(changes))).toEqual(expected);
  });

  it('names a playbook that is there, or says which run', () => {
    expect(problemsOf(test(), 'playbooks/welcom.test.yaml')).toEqual([
      '2:11 unknown-playbook there is no playbook `welcom`, after which this file is named → did you mean welcome.test.yaml?',
    ]);
    expect(problemsOf(test({ company: 'true' }), 'playbooks/together.test.yaml')).toEqual([]);
  });

  it('stands beside playbooks, under a name like theirs', () => {
    const at = (file: string): readonly string[] => problemsOf(test(), file);
    expect(at('playbooks/launches/welcome.test.yaml')).toEqual([
      '1:1 bad-file-name playbooks and their tests stand in playbooks/ itself, launches in playbooks/launches/ → move the file there',
    ]);
    expect(at('playbooks/welcome.test.yml')).toEqual([
      '1:1 bad-file-name the name of a playbook ends in .yaml → rename it to playbooks/welcome.test.yaml',
    ]);
  });

  it('of two tests with one name and two customers with one id, the second', () => {
    const twice = `${test()}${test().replace('tests:\n', '')}`;
    expect(problemsOf(twice)).toEqual([
      '8:11 duplicate-name there is another test of the name "it" in this file → say what is different about this one',
    ]);
    expect(problemsOf(test({ customer: '', customers: '[{ id: ada }, { id: ada }]', events: '' }))).toEqual([
      '6:36 duplicate-id two customers are called `ada` → give each an id of its own',
    ]);
  });
});

describe('whatever is written', () => {
  const words = [...test().matchAll(/[^\s,{}[\]]+/g)].map(([word]) => word);
  const piece = fc.oneof(
    fc.constantFrom(
      '[]',
      '{}',
      'null',
      '',
      '- ',
      ': ',
      '2026-03-29T01:30',
      '0001-01-01',
      '9999-12-31T23:59Z',
      '{ a: [b] }',
    ),
    fc.constantFrom(...words),
    fc.string({ maxLength: 6 }),
  );

  it('is read or refused, and what is read runs', () => {
    const { release, templates } = checkSources(sourcesOf(FILES));
    if (release === null) throw new Error('the company has mistakes');
    fc.assert(
      fc.property(fc.nat(words.length - 1), piece, fc.nat(words.length - 1), piece, (one, put, other, also) => {
        let count = 0;
        const text = test().replaceAll(/[^\s,{}[\]]+/g, (word) => {
          count += 1;
          return count - 1 === one ? put : count - 1 === other ? also : word;
        });
        const [file] = compileTests([{ path: FILE, text }], release).files;
        expect(file?.tests === null).toBe(file?.problems.some(({ level }) => level === 'error'));
        expect(runTests(file?.tests ?? [], release, templates, () => 0)).toHaveLength(file?.tests?.length ?? 0);
      }),
      { numRuns: 200 },
    );
  });
});

describe('tests and what runs', () => {
  const release = (files: Readonly<Record<string, string>>) => checkSources(sourcesOf(files)).release;

  it('a mistake in a test keeps no playbook from running, and no other test', () => {
    const checked = checkSources(
      sourcesOf({ ...FILES, [FILE]: 'tests: [', 'playbooks/sorry.test.yaml': test({ expect: '[]' }) }),
    );
    expect(checked.release?.playbooks.map(({ name }) => name)).toEqual(['sorry', 'welcome']);
    expect(checked.tests.map(({ path, tests }) => [path, tests?.length ?? null])).toEqual([
      ['playbooks/welcome.test.yaml', null],
      ['playbooks/sorry.test.yaml', 1],
    ]);
  });

  it('a release is the same with other tests, or none', () => {
    const without = release(FILES);
    expect(without?.id).toBeDefined();
    expect(release({ ...FILES, [FILE]: test() })?.id).toBe(without?.id);
    expect(compileProject(sourcesOf({ ...FILES, [FILE]: test() })).release?.byName.has('welcome.test')).toBe(false);
    expect(release({ ...FILES, 'playbooks/other.yaml': FILES['playbooks/welcome.yaml'] ?? '' })?.id).not.toBe(
      without?.id,
    );
  });
});
