import { cp, mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { GITIGNORE, companyYaml, readme } from './company.ts';

/** What to make, and from what. */
export interface NewProject {
  readonly dir: string;
  readonly name: string;
  /** An IANA zone. */
  readonly timezone: string;
  /** See `findPackageRoot`. */
  readonly packageRoot: string;
}

/** What came of it. `found` names some of what is in the way. */
export type Created =
  | { readonly kind: 'created' }
  | { readonly kind: 'not-empty'; readonly found: readonly string[] }
  | { readonly kind: 'not-a-folder' };

/**
 * Makes a company folder, whole or not at all: it is written beside its place and then moved there.
 * A folder that exists must be empty. Throws on errors of the disk, and then leaves nothing behind.
 */
export async function createProject(project: NewProject): Promise<Created> {
  const target = path.resolve(project.dir);
  const found = await contents(target);
  if (found === 'not-a-folder') return { kind: 'not-a-folder' };
  if (found !== 'missing' && found.length > 0) return { kind: 'not-empty', found: found.slice(0, 5) };
  const parent = found === 'missing' ? path.dirname(target) : target;
  await mkdir(parent, { recursive: true });
  const draft = await mkdtemp(path.join(parent, '.perennial-init-'));
  try {
    const whole = path.join(draft, 'project');
    await writeProject(whole, project);
    if (found === 'missing') await rename(whole, target);
    else await moveInto(whole, target);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return { kind: 'created' };
}

async function contents(target: string): Promise<readonly string[] | 'missing' | 'not-a-folder'> {
  try {
    return await readdir(target);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return 'missing';
    if (code === 'ENOTDIR') return 'not-a-folder';
    throw error;
  }
}

async function writeProject(folder: string, { name, timezone, packageRoot }: NewProject): Promise<void> {
  const starter = path.join(packageRoot, 'scripts', 'init', 'starter');
  await cp(starter, folder, { recursive: true });
  // The look, and the letter of apology, are the sample company's: one set of them to care for.
  for (const shared of ['templates/layouts', 'templates/partials', 'templates/apology/sorry.hbs', 'schemas']) {
    await cp(path.join(packageRoot, shared), path.join(folder, shared), { recursive: true });
  }
  const company = await readFile(path.join(starter, 'perennial.yaml'), 'utf8');
  await writeFile(path.join(folder, 'perennial.yaml'), companyYaml(company, name, timezone));
  await writeFile(path.join(folder, '.gitignore'), GITIGNORE);
  await writeFile(path.join(folder, 'README.md'), readme(name));
}

/** The folder itself stays, since a shell may be standing in it. perennial.yaml comes last: it makes it a project. */
async function moveInto(whole: string, target: string): Promise<void> {
  const entries = (await readdir(whole)).sort(
    (a, b) => Number(a === 'perennial.yaml') - Number(b === 'perennial.yaml'),
  );
  const moved: string[] = [];
  try {
    for (const entry of entries) {
      await rename(path.join(whole, entry), path.join(target, entry));
      moved.push(entry);
    }
  } catch (error) {
    for (const entry of moved) await rm(path.join(target, entry), { recursive: true, force: true });
    throw error;
  }
}
