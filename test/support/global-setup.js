import { spawn } from 'node:child_process';
import { chmod, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';

/** One folder per jest run for the servers that its test files share; they are started when first asked for. */
export default async function globalSetup() {
  const dir = await mkdtemp(path.join(tmpdir(), 'perennial-test-'));
  // The account that PostgreSQL runs as must be able to pass through.
  await chmod(dir, 0o711);
  process.env['TEST_RUN_DIR'] = dir;
  const guard = spawn(process.execPath, [path.join(import.meta.dirname, 'guard.js'), dir], {
    stdio: ['pipe', 'ignore', 'inherit'],
    detached: true,
  });
  guard.unref();
  guard.stdin.unref();
}
