/** The worked examples of the language: `simulate` must give their timelines, line by line. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { simulate } from '../../engine/simulate/simulate.ts';
import { expectedLines, readExample } from '../support/examples.ts';
import { sharedFolder } from '../support/shared.ts';

const folder = sharedFolder('conformance');
const examples = folder === null ? [] : readdirSync(folder).sort();

(folder === null ? describe.skip : describe)('the worked examples', () => {
  it.each(examples)('%s', (example) => {
    const dir = join(folder ?? '', example);
    expect(simulate(readExample(dir))).toEqual(expectedLines(dir));
  });
});
