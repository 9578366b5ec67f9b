/** The worked examples of the language, written as tests of playbooks: every line of each is expected, and passes. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { checkSources } from '../../engine/project/check.ts';
import { formatInstant } from '../../engine/time/text.ts';
import { runTests } from '../../scripts/test/run.ts';
import { expectedLines } from '../support/examples.ts';
import { sharedFolder, sourcesIn } from '../support/shared.ts';
import { differenceOf } from './support.ts';

function jsonLines(dir: string, name: string): readonly Readonly<Record<string, unknown>>[] {
  const text = readFileSync(join(dir, name), 'utf8').trim();
  return text === '' ? [] : text.split('\n').map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
}

/** A line of a timeline as a test expects it. */
function expectationOf({
  at,
  customer,
  playbook,
  step,
  do: kind,
  template,
  reason,
}: ReturnType<typeof expectedLines>[number]) {
  const what = kind === 'exit' ? reason : (template ?? step ?? true);
  const where = step === undefined ? {} : { step };
  const why = kind === 'skip' ? { reason } : {};
  return { at: formatInstant(at), customer, playbook, ...where, [kind]: what, ...why };
}

/** An example as a file of tests: JSON is YAML. The second test lacks the last line. */
function asTest(dir: string): string {
  const events = jsonLines(dir, 'events.jsonl').map(({ at, customer, event, data }) => ({
    at,
    customer,
    event,
    data: data ?? {},
  }));
  const { from, until } = JSON.parse(readFileSync(join(dir, 'run.json'), 'utf8')) as Readonly<Record<string, string>>;
  const lines = expectedLines(dir).map(expectationOf);
  const test = { company: true, customers: jsonLines(dir, 'customers.jsonl'), from, until, events, expect_all: true };
  return JSON.stringify({
    tests: [
      { name: 'whole', ...test, expect: lines },
      { name: 'a line short', ...test, expect: lines.slice(0, -1) },
    ],
  });
}

const folder = sharedFolder('conformance');
const examples = folder === null ? [] : readdirSync(folder).sort();

(folder === null ? describe.skip : describe)('an example of the language as a test', () => {
  it.each(examples)('%s', (name) => {
    const dir = join(folder ?? '', name);
    const sources = [...sourcesIn(dir), { path: 'playbooks/example.test.yaml', text: asTest(dir) }];
    const { release, templates, tests, problems } = checkSources(sources);
    expect(problems.filter(({ level }) => level === 'error')).toEqual([]);
    if (release === null) throw new Error('no release, and no mistake');
    const all = tests.flatMap((file) => file.tests ?? []);
    const [whole, short] = runTests(all, release, templates, () => 0);
    expect(whole?.passed === true ? [] : whole && differenceOf(whole)).toEqual([]);
    expect(short?.rows.filter(({ is }) => is !== 'same')).toHaveLength(1);
  });
});
