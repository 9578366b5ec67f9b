/** Where a measurement runs: a folder of its own with the embedded PostgreSQL (fsync and synchronous_commit on). */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { SourceFile } from '../../engine/playbook/problem.ts';
import { deployRelease } from '../../engine/store/releases.ts';
import { readConfig } from '../../workers/config.ts';
import { openLog } from '../../workers/log.ts';
import { compileSources, openParts, type Parts } from '../../workers/parts.ts';

/** The folder and the parts in it. */
export interface Place {
  readonly parts: Parts;
  close(): Promise<void>;
}

/** Opens the parts with these variables of the environment, and deploys these sources. */
export async function openPlace(env: Readonly<Record<string, string>>, sources: readonly SourceFile[]): Promise<Place> {
  const dir = await mkdtemp(path.join(tmpdir(), 'perennial-bench-'));
  // Run by root, PostgreSQL runs under another account, which has to get in here.
  await chmod(dir, 0o711);
  // Without it, it is no company folder, and gets no database.
  const company = sources.find(({ path: name }) => name === 'perennial.yaml');
  if (company === undefined) throw new Error('the sources have no perennial.yaml');
  await writeFile(path.join(dir, 'perennial.yaml'), company.text);
  const config = readConfig(
    { PERENNIAL_PUBLIC_PORT: '0', PERENNIAL_PUBLIC_URL: 'https://mail.hearth.example', ...env },
    dir,
  );
  const parts = await openParts(config, openLog({ level: 'warn', name: 'bench' }));
  await deployRelease(parts.db, compileSources, sources, { author: 'bench', note: null, gitCommit: null });
  return {
    parts,
    close: async () => {
      await parts.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
