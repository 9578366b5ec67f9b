/**
 * What a simulation from files takes of memory: the command itself over a made-up year, with so many customers and with
 * four times as many. Both are more than is read into memory at once. Run it with:
 * npm run bench -- simulate-memory [CUSTOMERS]
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { findPackageRoot } from '../scripts/init/package-root.ts';

const CUSTOMERS = Number(process.argv[2] ?? 25_000);
const FACTORS = [1, 4] as const;
const SPAN = ['2025-11-01', '2026-11-01'] as const;
/** Says at the end how much the process had at most, in KiB. */
const SAY_PEAK = 'process.on("exit",()=>process.stderr.write(`peak ${process.resourceUsage().maxRSS}`))';

const root = await findPackageRoot(import.meta.dirname);
const run = promisify(execFile);
/** Each in a process of its own, so that this one stays small: a new process inherits the peak of its parent. */
const perennial = async (args: readonly string[]): Promise<{ readonly stderr: string }> =>
  run(process.execPath, ['--import', `data:text/javascript,${SAY_PEAK}`, path.join(root, 'bin/perennial.js'), ...args]);

const folder = await mkdtemp(path.join(tmpdir(), 'perennial-bench-'));
try {
  let first: number | null = null;
  for (const factor of FACTORS) {
    const customers = CUSTOMERS * factor;
    const [from, until] = SPAN;
    await perennial([
      'sample',
      '--customers',
      `${customers}`,
      '--out',
      folder,
      '--force',
      '--from',
      from,
      '--until',
      until,
    ]);
    const files = ['customers', 'events'].map((name) => path.join(folder, `${name}.jsonl`));
    const bytes = (await Promise.all(files.map(async (file) => stat(file)))).reduce((sum, { size }) => sum + size, 0);
    const input = ['customers', 'events'].flatMap((name, index) => [`--${name}`, files[index] ?? '']);
    const time = ['--from', `${from}T00:00:00Z`, '--until', `${until}T00:00:00Z`];
    const start = performance.now();
    const { stderr } = await perennial(['simulate', '--project', root, ...input, ...time]);
    const seconds = (performance.now() - start) / 1_000;
    const peak = Number(/peak (\d+)/.exec(stderr)?.[1] ?? Number.NaN) / 1_024;
    first ??= peak;
    const figures = [
      `${customers.toLocaleString('en')} customers, ${Math.round(bytes / 2 ** 20)} MB of input`,
      `${Math.round(peak)} MB at most, ${seconds.toFixed(1)} s`,
      `${(peak / first).toFixed(2)} times the memory for ${factor} times the customers`,
    ];
    process.stdout.write(`${figures.join('; ')}\n`);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
