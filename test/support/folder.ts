import { chmod, mkdtemp } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';

/**
 * A new, empty folder that goes with the jest run, for a project with an embedded PostgreSQL for example.
 * @param mode 755 by default: the account that PostgreSQL runs as under root can enter it, which it cannot
 *   enter what `mkdtemp` makes (700), and the data would be put into a folder of the machine and stay there.
 */
export async function testFolder(mode = 0o755): Promise<string> {
  const runDir = process.env['TEST_RUN_DIR'];
  if (runDir === undefined)
    throw new Error('TEST_RUN_DIR is not set: run the tests through jest and its global setup.');
  const dir = await mkdtemp(path.join(runDir, 'folder-'));
  await chmod(dir, mode);
  return dir;
}
