/** `npm run docs`: writes the generated parts of the documentation anew. */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { findPackageRoot } from '../init/package-root.ts';
import { PAGES } from './pages.ts';

const root = await findPackageRoot(import.meta.dirname);
for (const page of PAGES) {
  const file = path.join(root, page.path);
  const text = await readFile(file, 'utf8');
  const renewed = page.renew(text);
  if (renewed !== text) await writeFile(file, renewed);
  process.stdout.write(`${page.path}: ${renewed === text ? 'as it was' : 'renewed'}\n`);
}
