import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import { sampleCommand } from '../../scripts/sample.ts';
import { testFolder } from '../support/folder.ts';

describe('perennial sample', () => {
  it('makes the year before today, and prints the commands that use it', async () => {
    const out = await testFolder();
    let printed = '';
    const write = jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
      printed += String(text);
      return true;
    });
    await sampleCommand()
      .parseAsync(['--customers', '20', '--out', out], { from: 'user' })
      .finally(() => write.mockRestore());
    const lines = (await readFile(path.join(out, 'events.jsonl'), 'utf8')).trim().split('\n');
    const times = lines.map((line) => Date.parse((JSON.parse(line) as { readonly at: string }).at));
    // What lies ahead would be refused by the import.
    expect(Math.max(...times)).toBeLessThanOrEqual(Date.now());
    const [, from = '', until = ''] = /--from (\S+) --until (\S+)/.exec(printed) ?? [];
    expect(Date.parse(until) - Date.parse(from)).toBeGreaterThan(364 * 86_400_000);
    expect(Math.min(...times.filter((at) => at >= Date.parse(from)))).toBeLessThan(Date.parse(until));
    expect(printed).toContain(
      `perennial simulate --customers ${out}/customers.jsonl --events ${out}/events.jsonl \\\n`,
    );
    expect(printed).toContain(`perennial import customers ${out}/customers.jsonl\n`);
    expect(printed).toContain(`perennial import events ${out}/events.jsonl --history\n`);
  });
});
