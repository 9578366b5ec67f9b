/** `perennial test` as its user meets it: what it prints, its exit codes, its files, and watching. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { readSources } from '../../engine/project/read.ts';
import { createProject } from '../../scripts/init/create.ts';
import { findPackageRoot } from '../../scripts/init/package-root.ts';
import { testFolder } from '../support/folder.ts';
import { startProcess } from '../support/process.ts';
import { examplesOf, readPage } from '../docs/pages.ts';
import { FILES, folderOf, perennialTest } from './support.ts';

const PASSING = `tests:
  - name: tips & tricks <soon>
    customer: { id: ada, email: ada@example.com, first_name: Ada }
    from: 2026-03-01
    until: 2026-04-01
    events:
      - { at: 2026-03-02T10:00, event: order.placed, data: { order_id: A-1 } }
    expect:
      - { at: 2026-03-02T10:00, email: welcome/hello }
      - { at: 2026-03-05T10:00, email: welcome/tips }
`;
const FAILING = PASSING.replace('name: tips', 'name: late tips').replace('03-05T10:00', '03-06T10:00');
const SORRY = `tests:
  - name: by hand
    customer: { id: ada, email: ada@example.com }
    from: 2026-03-01
    until: 2026-04-01
    start: { at: 2026-03-02T10:00, vars: { order_id: A-1 } }
    expect: [{ email: care/sorry }]
`;
const WELCOME_TEST = 'playbooks/welcome.test.yaml';

let packageRoot: string;
beforeAll(async () => {
  packageRoot = await findPackageRoot(import.meta.dirname);
});

/** Without the time it took. */
function steady(text: string): string {
  return text.replaceAll(/\(\d+\.\d\d s\)/g, '(n s)');
}

describe('perennial test', () => {
  it('passes for the sample company, which tests every playbook', async () => {
    const { out, err, code } = await perennialTest(packageRoot);
    expect({ err, code, failed: /FAIL/.test(out) }).toEqual({ err: '', code: 0, failed: false });
    expect(out).toMatch(/^\d\d tests: \d\d passed/m);
    expect(out.match(/^pass {2}playbooks\/[a-z-]+\.test\.yaml/gm)?.length).toBeGreaterThanOrEqual(10);
  });

  it('passes for a company that init makes', async () => {
    const dir = path.join(await testFolder(), 'company');
    await createProject({ dir, name: 'A & B', timezone: 'America/New_York', packageRoot });
    expect(await perennialTest(dir)).toMatchObject({ code: 0, err: '' });
  });

  it('shows what failed, and exits with 1', async () => {
    const dir = await folderOf({ ...FILES, [WELCOME_TEST]: FAILING, 'playbooks/sorry.test.yaml': SORRY });
    const { out, err, code } = await perennialTest(dir);
    expect({ code, err }).toEqual({ code: 1, err: '' });
    expect(steady(out)).toBe(`pass  playbooks/sorry.test.yaml  1 test
FAIL  playbooks/welcome.test.yaml  1 of 1 test

  late tips & tricks <soon>  (playbooks/welcome.test.yaml:2)
      - expected  + came  (times in Europe/London)
      ·  Mon 2026-03-02 10:00  enrol
         Mon 2026-03-02 10:00  email     welcome/hello
      ·  Mon 2026-03-02 10:00  tag       greeted
      -  Fri 2026-03-06 10:00  email     welcome/tips   ← came 1 day earlier
      +  Thu 2026-03-05 10:00  email     welcome/tips   ← not expected
      ·  Thu 2026-03-05 10:00  complete


2 tests: 1 passed, 1 failed (n s)
`);
  });

  it('runs what a filter names, by file or by name', async () => {
    const dir = await folderOf({ ...FILES, [WELCOME_TEST]: FAILING, 'playbooks/sorry.test.yaml': SORRY });
    expect((await perennialTest(dir, 'SORRY')).code).toBe(0);
    expect((await perennialTest(dir, 'by hand')).out).toContain('1 test: 1 passed');
    expect((await perennialTest(dir, 'nothing', 'late')).out).toContain('1 test: 0 passed, 1 failed');
    const { err, code } = await perennialTest(dir, 'nothing', 'neither');
    expect({ err, code }).toEqual({
      err: 'No test has "nothing" or "neither" in its name or its file\'s name.\n',
      code: 2,
    });
  });

  it('runs the others where one file has mistakes, and exits with 2', async () => {
    const wrong = PASSING.replace('welcome/hello', 'welcome/helo');
    const dir = await folderOf({ ...FILES, [WELCOME_TEST]: wrong, 'playbooks/sorry.test.yaml': SORRY });
    const { out, err, code } = await perennialTest(dir);
    expect(code).toBe(2);
    expect(err).toContain(
      'playbooks/welcome.test.yaml:9:40 error never-comes no step of `welcome` sends `welcome/helo`',
    );
    expect(out).toContain('1 test: 1 passed, 1 file not run because of mistakes');
  });

  it('runs nothing where playbooks have mistakes, where there are no tests, and where there is no company', async () => {
    const broken = await folderOf({ ...FILES, 'playbooks/sorry.yaml': 'steps: []', [WELCOME_TEST]: PASSING });
    const first = await perennialTest(broken);
    expect(first).toMatchObject({ out: '', code: 2 });
    expect(first.err).toMatch(/^\d errors?.*: no test was run\.\n$/m);
    const none = await perennialTest(await folderOf(FILES));
    expect(none.err).toBe('There are no tests: write playbooks/NAME.test.yaml beside playbooks/NAME.yaml.\n');
    expect(none.code).toBe(2);
    expect((await perennialTest('/nowhere/at/all')).code).toBe(2);
  });

  it('prints one object a line for programs', async () => {
    const dir = await folderOf({ ...FILES, [WELCOME_TEST]: FAILING, 'playbooks/sorry.test.yaml': SORRY });
    const { out } = await perennialTest(dir, '--json');
    const lines = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatchObject({ file: 'playbooks/sorry.test.yaml', line: 2, name: 'by hand', passed: true });
    expect(lines[1]).toMatchObject({ playbook: 'welcome', passed: false });
    expect(lines[1]?.['rows']).toContainEqual({
      is: 'missing',
      customer: null,
      playbook: null,
      do: 'email',
      what: 'welcome/tips',
      note: 'came 1 day earlier',
    });
    expect(lines[2]).toMatchObject({ tests: 2, passed: 1, failed: 1, unusable: 0 });
  });
});

describe('--junit', () => {
  /** The elements of a document in which every tag is closed; throws for others. No more of XML than we write. */
  function elementsOf(
    xml: string,
  ): readonly { readonly name: string; readonly values: Readonly<Record<string, string>> }[] {
    const body = xml.replace(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n/, '');
    const open: string[] = [];
    const found: { readonly name: string; readonly values: Record<string, string> }[] = [];
    const token = /<(\/?)([a-z]+)((?: [a-z]+="[^"<]*")*)(\/?)>|[^<&]+|&(?:amp|lt|gt|quot|#10|#13|#9);/gy;
    for (const [text, closing, name = '', values = '', alone] of body.matchAll(token)) {
      if (!text.startsWith('<')) continue;
      if (closing === '/') expect(open.pop()).toBe(name);
      else {
        found.push({
          name,
          values: Object.fromEntries([...values.matchAll(/ ([a-z]+)="([^"]*)"/g)].map(([, k, v]) => [k, v])),
        });
        if (alone !== '/') open.push(name);
      }
    }
    expect(open).toEqual([]);
    expect([...body.matchAll(token)].map(([text]) => text).join('')).toBe(body);
    return found;
  }

  it('writes a suite for each file, with failures, mistakes and odd characters', async () => {
    const odd = FAILING.replace('tips & tricks <soon>', '"tips & \\"tricks\\" <soon> \\u0001\\n]]>"').replace(
      'name: late ',
      'name: ',
    );
    const dir = await folderOf({
      ...FILES,
      [WELCOME_TEST]: FAILING.replace('<soon>', '<soon> ]]> "q"'),
      'playbooks/sorry.test.yaml': SORRY,
      'playbooks/other.yaml': FILES['playbooks/welcome.yaml'] ?? '',
      'playbooks/other.test.yaml': odd,
    });
    const file = path.join(dir, 'results.xml');
    expect((await perennialTest(dir, '--junit', file)).code).toBe(2);
    const elements = elementsOf(await readFile(file, 'utf8'));
    const [whole] = elements;
    expect(whole).toMatchObject({ name: 'testsuites', values: { tests: '3', failures: '1', errors: '1' } });
    const cases = elements
      .filter(({ name }) => name === 'testcase')
      .map(({ values }) => [values['classname'], values['name']]);
    expect(cases).toEqual([
      ['sorry', 'by hand'],
      ['welcome', 'late tips &amp; tricks &lt;soon&gt; ]]&gt; &quot;q&quot;'],
      ['playbooks/other.test.yaml', 'the file can be read'],
    ]);
    expect(elements.filter(({ name }) => name === 'failure' || name === 'error')).toHaveLength(2);
  });
});

describe('--watch', () => {
  it('runs again what a changed file concerns', async () => {
    const dir = await folderOf({ ...FILES, [WELCOME_TEST]: PASSING, 'playbooks/sorry.test.yaml': SORRY });
    const watch = startProcess(path.join(import.meta.dirname, 'watch-process.ts'), ['--project', dir]);
    // Whole or not at all: a file that was read half-written would be a mistake for a moment.
    const put = async (file: string, text: string): Promise<void> => {
      await writeFile(path.join(dir, '.new'), text);
      await rename(path.join(dir, '.new'), path.join(dir, file));
    };
    const until = async (wanted: RegExp): Promise<string> => {
      for (;;) {
        const line = await watch.nextLine();
        if (wanted.test(line)) return line;
      }
    };
    expect(await until(/^\d+ tests?:/)).toMatch(/^2 tests: 2 passed/);
    await until(/^Watching/);
    await put('playbooks/welcome.yaml', (FILES['playbooks/welcome.yaml'] ?? '').replace('3 days', '4 days'));
    expect(await until(/^\d+ tests?:/)).toMatch(/^1 test: 0 passed, 1 failed/);
    await put('templates/care/sorry.hbs', '---\nsubject: Sorry\n---\nSorry.');
    expect(await until(/^\d+ tests?:/)).toMatch(/^1 test: 1 passed/);
    await put(WELCOME_TEST, PASSING.replace('03-05T10:00', '03-06T10:00'));
    expect(await until(/^\d+ tests?:/)).toMatch(/^1 test: 1 passed/);
    await put('templates/unused.hbs', '---\nsubject: Unused\n---\nUnused.');
    await until(/^templates\/unused\.hbs changed$/);
    await put('templates/welcome/tips.hbs', '---\nsubject: Tips\n---\nTips.');
    // The unused template brought no run in between.
    expect(await until(/^(?:\d+ tests?:|templates)/)).toBe('templates/welcome/tips.hbs changed');
    expect(await until(/^\d+ tests?:/)).toMatch(/^1 test: 1 passed/);
    // Some of what ran in the meantime failed.
    expect(await watch.end('SIGINT')).toBe(1);
  });
});

describe('docs/testing-playbooks.md', () => {
  const EXAMPLES = examplesOf(readPage('docs/testing-playbooks.md'));
  const YAML = EXAMPLES.filter(({ language }) => language === 'yaml');

  /** The sample company with the tests of the page instead of its own. */
  async function sampleWith(tests: Readonly<Record<string, string>>): Promise<string> {
    const { sources } = await readSources(packageRoot);
    const own = sources.filter(({ path: file }) => !file.endsWith('.test.yaml'));
    return folderOf({ ...Object.fromEntries(own.map((source) => [source.path, source.text])), ...tests });
  }

  it('shows what the program prints for its first example', async () => {
    const [example, shown] = [YAML[0], EXAMPLES.find(({ language }) => language === 'text')];
    const dir = await sampleWith({ 'playbooks/welcome-series.test.yaml': example?.text ?? '' });
    const printed = await perennialTest(dir);
    expect(printed.code).toBe(1);
    expect(printed.out.slice(0, shown?.text.length ?? 0)).toBe(shown?.text);
  });

  it('has examples that pass', async () => {
    const tests: Record<string, string> = {};
    for (const { info, text } of YAML.slice(1)) {
      tests[info] = `${tests[info] ?? 'tests:\n'}${text.replaceAll(/^(?=.)/gm, '  ')}`;
    }
    const { out, err, code } = await perennialTest(await sampleWith(tests));
    expect({ out: code === 0 ? '' : out, err, code }).toEqual({ out: '', err: '', code: 0 });
    expect(Object.keys(tests).length).toBeGreaterThan(4);
  });
});
