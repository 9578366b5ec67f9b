import { mkdtemp, readdir } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { expect, it } from '@jest/globals';
import { withFileLock } from '../../workers/embedded/file-lock.ts';
import { startProcess } from '../support/process.ts';

const newFolder = () => mkdtemp(path.join(process.env['TEST_RUN_DIR'] ?? '', 'lock-'));

it('lets one at a time in, many times over, and leaves nothing piled up', async () => {
  const dir = await newFolder();
  let inside = 0;
  let most = 0;
  const once = () =>
    withFileLock(dir, 30_000, async () => {
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setImmediate(resolve));
      inside--;
    });
  await Promise.all(Array.from({ length: 24 }, once));
  expect(most).toBe(1);
  expect((await readdir(dir)).length).toBeLessThan(6);
});

it('is released when its body throws', async () => {
  const dir = await newFolder();
  await expect(withFileLock(dir, 1_000, () => Promise.reject(new Error('inner')))).rejects.toThrow('inner');
  await expect(withFileLock(dir, 1_000, async () => 'entered')).resolves.toBe('entered');
});

it('names the living holder when it waits in vain, and is taken over once the holder is killed', async () => {
  const dir = await newFolder();
  const holder = startProcess(path.join(import.meta.dirname, 'lock-process.ts'), [dir]);
  expect(await holder.nextLine()).toBe('locked');
  await expect(withFileLock(dir, 100, async () => 'entered')).rejects.toMatchObject({
    code: 'lock_timeout',
    message: expect.stringContaining(`Process ${holder.child.pid} `),
  });
  await holder.end('SIGKILL');
  const heirs = await Promise.all([1, 2, 3].map((heir) => withFileLock(dir, 10_000, async () => heir)));
  expect(heirs).toEqual([1, 2, 3]);
});
