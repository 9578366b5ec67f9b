import { lstat, opendir, readFile, realpath } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { LARGEST_BYTES } from '../playbook/yaml/limits.ts';
import { COMPANY_FILE } from '../playbook/layout.ts';
import type { Problem, SourceFile } from '../playbook/problem.ts';
import { codeOf } from './errors.ts';

/** The folders of a company whose files are sources, besides `perennial.yaml`. */
export const SOURCE_FOLDERS = ['playbooks', 'templates'] as const;

/** A company has a few hundred files; more means that the wrong folder was named. */
const MOST_FILES = 5_000;

/** What was read from a company folder. A file that cannot be a source is a problem, and not among the sources. */
export interface ProjectSources {
  readonly sources: readonly SourceFile[];
  readonly problems: readonly Problem[];
}

/** The company folder itself cannot be read. `code` is the file system's, such as `ENOENT`; `cause` its error. */
export class ProjectError extends Error {
  readonly code: string;

  constructor(message: string, code: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ProjectError';
    this.code = code;
  }
}

interface Reading {
  readonly root: string;
  readonly sources: SourceFile[];
  readonly problems: Problem[];
}

function refuse(reading: Reading, file: string, code: string, message?: string, fix?: string): void {
  reading.problems.push(sourceProblem(file, code, message, fix));
}

const KNOWN: Readonly<Record<string, readonly [message: string, fix: string]>> = {
  'too-large': [`the file is larger than ${LARGEST_BYTES / 1024} KB`, 'split it into several files'],
  'not-utf-8': ['the file is no text in UTF-8', 'save it as UTF-8'],
};

/** A file that cannot be a source. What is to be said of `too-large` and `not-utf-8` is known. */
export function sourceProblem(file: string, code: string, message?: string, fix?: string): Problem {
  const [known = code, mend = 'take it away'] = KNOWN[code] ?? [];
  return { file, line: 1, column: 1, level: 'error', code, message: message ?? known, fix: fix ?? mend };
}

/** Whether a file of that name is a source, in one of the folders that have some. */
export function isSource(path: string): boolean {
  return /\.(?:ya?ml|hbs|mjml)$/.test(path);
}

/** The text of a source; null when it is no UTF-8. */
export function decodeSource(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    if (codeOf(error) !== 'ERR_ENCODING_INVALID_ENCODED_DATA') throw error;
    return null;
  }
}

/** Reads one file; what lies outside of the folder, is too large or is no UTF-8 becomes a problem. */
async function readOne(reading: Reading, path: string): Promise<void> {
  const full = join(reading.root, path);
  const real = await realpath(full);
  if (real !== reading.root && !real.startsWith(reading.root + sep)) {
    refuse(reading, path, 'outside', 'this is a link that leads out of the company folder', 'put the file itself here');
    return;
  }
  const { size } = await lstat(real);
  if (size > LARGEST_BYTES) {
    refuse(reading, path, 'too-large');
    return;
  }
  const text = decodeSource(await readFile(real));
  if (text === null) refuse(reading, path, 'not-utf-8');
  else reading.sources.push({ path, text });
}

async function readEntry(reading: Reading, path: string, isFolder: boolean): Promise<void> {
  if (reading.sources.length + reading.problems.length >= MOST_FILES) {
    throw new ProjectError(`${reading.root} holds more than ${MOST_FILES} sources: expected a company folder`, 'EFBIG');
  }
  try {
    if (isFolder) await readFolder(reading, path);
    else if (isSource(path)) await readOne(reading, path);
  } catch (error) {
    if (error instanceof ProjectError) throw error;
    const code = codeOf(error);
    if (code === null) throw error;
    // It went away while we read: an editor saves by renaming, and the watcher comes again.
    if (code === 'ENOENT' && !(await isLink(join(reading.root, path)))) return;
    refuse(
      reading,
      path,
      'unreadable',
      `the file cannot be read (${code})`,
      'check its permissions, or where the link leads',
    );
  }
}

async function isLink(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isSymbolicLink();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

async function readFolder(reading: Reading, folder: string): Promise<void> {
  for await (const entry of await opendir(join(reading.root, folder))) {
    if (entry.name.startsWith('.')) continue;
    // A link to a folder is read as a file, which fails: sources stand where they seem to stand.
    await readEntry(reading, `${folder}/${entry.name}`, entry.isDirectory());
  }
}

async function rootOf(dir: string): Promise<string> {
  try {
    return await realpath(resolve(dir));
  } catch (error) {
    const code = codeOf(error);
    if (code === null) throw error;
    const message = `the company folder ${resolve(dir)} cannot be read (${code}): name another with --project`;
    throw new ProjectError(message, code, { cause: error });
  }
}

/**
 * Reads a company folder's sources: `perennial.yaml`, and the YAML, Handlebars and MJML files under playbooks/ and templates/,
 * sorted by path. Throws `ProjectError` when the folder itself cannot be read.
 */
export async function readSources(dir: string): Promise<ProjectSources> {
  const reading: Reading = { root: await rootOf(dir), sources: [], problems: [] };
  await readEntry(reading, COMPANY_FILE, false);
  for (const folder of SOURCE_FOLDERS) await readEntry(reading, folder, true);
  reading.sources.sort((a, b) => (a.path < b.path ? -1 : 1));
  return reading;
}

/** Some of a company folder's sources cannot be read; `problems` says which and why. */
export class UnreadableSources extends Error {
  readonly code = 'unreadable-sources';
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(({ file, message, fix }) => `${file}: ${message}${fix === null ? '' : `; ${fix}`}`).join('\n'));
    this.name = 'UnreadableSources';
    this.problems = problems;
  }
}

/**
 * Reads a company folder's sources, all or none.
 * Throws `ProjectError` for the folder, `UnreadableSources` for files that cannot be sources.
 */
export async function readProject(dir: string): Promise<readonly SourceFile[]> {
  const { sources, problems } = await readSources(dir);
  if (problems.length > 0) throw new UnreadableSources(problems);
  return sources;
}
