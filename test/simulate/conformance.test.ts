/** The worked examples of the language: `simulate` must give their timelines, line by line. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { compileProject } from '../../engine/playbook/compile.ts';
import { simulate } from '../../engine/simulate/simulate.ts';
import { expectedLines, NOT_YET, readExample } from '../support/examples.ts';
import { sharedFolder, sourcesIn } from '../support/shared.ts';

const folder = sharedFolder('conformance');
const examples = folder === null ? [] : readdirSync(folder).sort();

(folder === null ? describe.skip : describe)('the worked examples', () => {
  it.each(examples.filter((example) => !NOT_YET.includes(example)))('%s', (example) => {
    const dir = join(folder ?? '', example);
    expect(simulate(readExample(dir))).toEqual(expectedLines(dir));
  });

  it.each(NOT_YET)('%s is refused: not supported yet', (example) => {
    const { release, problems } = compileProject(sourcesIn(join(folder ?? '', example)));
    expect(release).toBeNull();
    expect(new Set(problems.map((problem) => problem.code))).toEqual(new Set(['not-supported-yet']));
  });
});
