import { readFile } from 'node:fs/promises';
import path from 'node:path';

/**
 * The folder of this package: the nearest one from `start` upwards whose package.json is ours. It is found alike from
 * the TypeScript sources, from `dist/` and from an installed package. Throws when there is none.
 */
export async function findPackageRoot(start: string): Promise<string> {
  for (let folder = path.resolve(start); ; folder = path.dirname(folder)) {
    if ((await packageName(folder)) === 'perennial') return folder;
    if (folder === path.dirname(folder)) {
      throw new Error(`perennial's own package.json is in no folder above ${start}: the installation is incomplete`);
    }
  }
}

async function packageName(folder: string): Promise<string | null> {
  try {
    const manifest = JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8')) as { name?: string };
    return manifest.name ?? null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
