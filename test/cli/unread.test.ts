/** A command whose output nobody reads to its end, as with `| head`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { expect, it } from '@jest/globals';

it('ends as if all had been read', async () => {
  const child = spawn(process.execPath, ['bin/perennial.js', 'schema', 'playbook'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.destroy();
  const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  expect({ code: code as unknown, said }).toEqual({ code: 0, said: '' });
});
