/** Material beside the checkout (worked examples, real data). Everything else must work without it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import type { SourceFile } from '../../engine/playbook/problem.ts';

const SHARED = resolve(import.meta.dirname, '../../../shared');

/** The folder of that name beside the checkout; null, said in one line, when it is not there. */
export function sharedFolder(name: string): string | null {
  const folder = join(SHARED, name);
  if (existsSync(folder)) return folder;
  process.stderr.write(`Left out: no ../shared/${name} beside the checkout\n`);
  return null;
}

/** All files of a company folder that the compiler wants. */
export function sourcesIn(folder: string): readonly SourceFile[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => name === 'perennial.yaml' || /^(playbooks|templates)\/.*\.(yaml|hbs)$/.test(name))
    .sort()
    .map((name) => ({
      path: relative(folder, join(folder, name)).replaceAll('\\', '/'),
      text: readFileSync(join(folder, name), 'utf8'),
    }));
}
