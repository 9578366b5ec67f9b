/** Which version of the program runs. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { findPackageRoot } from '../init/package-root.ts';

/** As package.json says. */
export async function programVersion(): Promise<string> {
  const root = await findPackageRoot(import.meta.dirname);
  return (JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as { readonly version: string }).version;
}
