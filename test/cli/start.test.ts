import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { describe, expect, it } from '@jest/globals';
import { startTicks } from '../../workers/embedded/liveness.ts';
import { AlreadyRunning, noteStart } from '../../workers/start-file.ts';
import { testFolder } from '../support/folder.ts';

/** A project whose note says that `pid` is its engine. */
async function projectOf(pid: number, ticks: string | null): Promise<string> {
  const dir = await testFolder();
  await mkdir(path.join(dir, '.perennial'));
  await writeFile(path.join(dir, '.perennial', 'start.json'), `${JSON.stringify({ pid, ticks })}\n`);
  return dir;
}

describe('the second "perennial start" of a project', () => {
  it('is told of the first one, which goes on', async () => {
    const dir = await projectOf(process.ppid, await startTicks(process.ppid));
    const refused: unknown = await noteStart(dir).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(AlreadyRunning);
    expect((refused as AlreadyRunning).message).toContain(`already running here (pid ${process.ppid})`);
  });

  it.each([
    ['has ended', 2 ** 22 + 1, '1'],
    ['was killed, and its number belongs to another process now', process.ppid, '1'],
  ])('starts when the first one %s, and leaves nothing behind', async (_case, pid, ticks) => {
    const dir = await projectOf(pid, ticks);
    const forget = await noteStart(dir);
    const file = path.join(dir, '.perennial', 'start.json');
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ pid: process.pid });
    await forget();
    expect(await readdir(path.dirname(file))).toEqual(['start.lock']);
  });

  it('starts when the note is torn', async () => {
    const dir = await projectOf(1, null);
    await writeFile(path.join(dir, '.perennial', 'start.json'), '{"pid":');
    await (
      await noteStart(dir)
    )();
  });
});
