/** What the record says about the git commit of a company folder. */
import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from '@jest/globals';
import { commitOf, commitText } from '../../scripts/support/commit.ts';
import { testFolder } from '../support/folder.ts';

it('names the commit, and says when other sources than the committed ones are deployed', async () => {
  const dir = await testFolder();
  const git = (...args: readonly string[]): string =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], {
      cwd: dir,
      encoding: 'utf8',
    });
  git('init', '-q');
  expect(await commitOf(dir)).toBeNull();

  await mkdir(path.join(dir, 'playbooks'));
  await writeFile(path.join(dir, 'perennial.yaml'), 'a');
  await writeFile(path.join(dir, 'playbooks', 'one.yaml'), 'a');
  git('add', '-A');
  git('commit', '-qm', 'One');
  const commit = git('rev-parse', 'HEAD').trim();
  await writeFile(path.join(dir, 'notes.txt'), 'no source');
  expect(await commitOf(dir)).toBe(commit);
  expect(commitText(commit)).toBe(`commit ${commit.slice(0, 12)}`);

  await writeFile(path.join(dir, 'playbooks', 'two.yaml'), 'new');
  expect(await commitOf(dir)).toBe(`${commit}-dirty`);
  expect(commitText(`${commit}-dirty`)).toBe(`commit ${commit.slice(0, 12)} and changes not committed`);
});
