/** The worked examples of the language: `simulate` must give their timelines, line by line. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { compileProject } from '../../engine/playbook/compile.ts';
import { parseCustomers, parseEvents } from '../../engine/simulate/input.ts';
import { simulate } from '../../engine/simulate/simulate.ts';
import { parseInstant } from '../../engine/time/text.ts';
import { sharedFolder, sourcesIn } from '../support/shared.ts';

/** Examples of what the engine does not carry out yet; `check` must say so. */
const NOT_YET = ['08-split-and-holdout', '10-quarterly-check-in'];

interface ExpectedLine {
  readonly at: string;
}

const folder = sharedFolder('conformance');
const examples = folder === null ? [] : readdirSync(folder).sort();

/**
 * The text of the language orders lines by `at`. Three of the examples (02, 03, 07) are written customer by customer;
 * a stable sort brings them into the order of the language and leaves the other seven as they are.
 */
function expected(example: string): readonly ExpectedLine[] {
  const text = readFileSync(join(folder ?? '', example, 'expect.jsonl'), 'utf8');
  const lines = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as ExpectedLine);
  return lines.sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
}

function simulated(example: string): readonly unknown[] {
  const dir = join(folder ?? '', example);
  const read = (name: string): string => readFileSync(join(dir, name), 'utf8');
  const { release, problems } = compileProject(sourcesIn(dir));
  expect(problems.filter((problem) => problem.level === 'error')).toEqual([]);
  if (release === null) throw new Error('no release');
  const run = JSON.parse(read('run.json')) as { readonly from: string; readonly until: string };
  const customers = parseCustomers(read('customers.jsonl'), 'customers.jsonl');
  const ids = new Set(customers.map((customer) => customer.profile.id));
  const events = parseEvents(read('events.jsonl'), 'events.jsonl', ids);
  const from = parseInstant(run.from);
  const until = parseInstant(run.until);
  return simulate({ release, customers, events, from, until }).map((line) => ({
    ...line,
    at: new Date(line.at).toISOString(),
  }));
}

(folder === null ? describe.skip : describe)('the worked examples', () => {
  it.each(examples.filter((example) => !NOT_YET.includes(example)))('%s', (example) => {
    expect(simulated(example)).toEqual(expected(example));
  });

  it.each(NOT_YET)('%s is refused: not supported yet', (example) => {
    const { release, problems } = compileProject(sourcesIn(join(folder ?? '', example)));
    expect(release).toBeNull();
    expect(new Set(problems.map((problem) => problem.code))).toEqual(new Set(['not-supported-yet']));
  });
});
