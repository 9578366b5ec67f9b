// Takes a file lock, says so, and keeps it until it is killed.
import process from 'node:process';
import { withFileLock } from '../../workers/embedded/file-lock.ts';

const [dir = ''] = process.argv.slice(2);
await withFileLock(dir, 10_000, async () => {
  process.stdout.write('locked\n');
  await new Promise((resolve) => process.stdin.once('end', resolve).resume());
});
