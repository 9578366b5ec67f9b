/** A company folder's sources as they were at a git revision, without checking anything out. */
import { execFile, spawn } from 'node:child_process';
import { LARGEST_BYTES } from '../playbook/yaml/limits.ts';
import { COMPANY_FILE } from '../playbook/layout.ts';
import type { SourceFile } from '../playbook/problem.ts';
import { decodeSource, isSource, sourceProblem, SOURCE_FOLDERS, type ProjectSources } from './read.ts';

/** The sources of a revision. Paths are those of the company folder. */
export interface RevisionSources extends ProjectSources {
  /** The full id of the commit. */
  readonly commit: string;
}

/**
 * - `no-git`: the program is not there.
 * - `no-repository`: the folder is in no repository, or git refuses to read it.
 * - `unknown-revision`: the repository has no such commit.
 * - `no-company`: the commit has no company in this folder.
 */
export type RevisionErrorCode = 'no-git' | 'no-repository' | 'unknown-revision' | 'no-company';

/** The revision cannot be read. The message says what to do. */
export class RevisionError extends Error {
  override readonly name = 'RevisionError';
  readonly code: RevisionErrorCode;

  constructor(code: RevisionErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Git's answers are small but for the list of files. */
const MAX_BUFFER = 64 * 1024 * 1024;

/** Reads the sources of `revision`, which is whatever git takes for a commit. @throws RevisionError. */
export async function readRevision(dir: string, revision: string): Promise<RevisionSources> {
  await git(dir, ['rev-parse', '--show-prefix']).catch((error: unknown) => {
    throw noRepository(dir, error);
  });
  if (revision.startsWith('-')) throw new RevisionError('unknown-revision', `"${revision}" is no name of a commit`);
  const commit = await git(dir, ['rev-parse', '--verify', `${revision}^{commit}`]).catch((cause: unknown) => {
    const message = `git knows no commit "${revision}" here: see "git log", or name a branch, tag or id`;
    throw cause instanceof RevisionError ? cause : new RevisionError('unknown-revision', message, { cause });
  });
  const id = commit.trim();
  const entries = await listSources(dir, id);
  if (!entries.some(({ path }) => path === COMPANY_FILE)) {
    throw new RevisionError('no-company', `at ${revision} (${id.slice(0, 8)}) there is no ${COMPANY_FILE} in ${dir}`);
  }
  return { commit: id, ...(await readEntries(dir, entries)) };
}

function noRepository(dir: string, cause: unknown): RevisionError {
  if (cause instanceof RevisionError) return cause;
  const said = cause instanceof Error ? cause.message.trim() : String(cause);
  return new RevisionError('no-repository', `revisions of ${dir} cannot be read: ${said}`, { cause });
}

interface Entry {
  readonly path: string;
  readonly object: string;
  readonly bytes: number;
  readonly isLink: boolean;
}

/** `MODE TYPE OBJECT SIZE<tab>PATH`, ended by NUL; paths are relative to the folder that git runs in. */
const ENTRY = /^(\d+) blob ([0-9a-f]+) +(\d+)\t(.+)$/s;

async function listSources(dir: string, commit: string): Promise<readonly Entry[]> {
  const listing = await git(dir, ['ls-tree', '-r', '-z', '-l', commit, '--', COMPANY_FILE, ...SOURCE_FOLDERS]);
  return listing.split('\0').flatMap((text): readonly Entry[] => {
    const [, mode = '', object = '', bytes = '', path = ''] = ENTRY.exec(text) ?? [];
    const isHidden = path.split('/').some((part) => part.startsWith('.'));
    if (path === '' || isHidden || !isSource(path)) return [];
    return [{ path, object, bytes: Number(bytes), isLink: mode === '120000' }];
  });
}

async function readEntries(dir: string, entries: readonly Entry[]): Promise<ProjectSources> {
  const links = entries.filter((entry) => entry.isLink);
  const large = entries.filter((entry) => !entry.isLink && entry.bytes > LARGEST_BYTES);
  const problems = [
    ...links.map(({ path }) =>
      sourceProblem(path, 'link', 'at this revision it is a link', 'put the file itself here'),
    ),
    ...large.map(({ path }) => sourceProblem(path, 'too-large')),
  ];
  const readable = entries.filter((entry) => !entry.isLink && entry.bytes <= LARGEST_BYTES);
  const blobs = await readBlobs(
    dir,
    readable.map((entry) => entry.object),
  );
  const sources: SourceFile[] = [];
  for (const [index, { path }] of readable.entries()) {
    const text = decodeSource(blobs[index] ?? Buffer.alloc(0));
    if (text === null) problems.push(sourceProblem(path, 'not-utf-8'));
    else sources.push({ path, text });
  }
  sources.sort((a, b) => (a.path < b.path ? -1 : 1));
  return { sources, problems };
}

/** All objects by one process: `git cat-file --batch` answers `OBJECT TYPE SIZE<newline>CONTENT<newline>` for each. */
async function readBlobs(dir: string, objects: readonly string[]): Promise<readonly Buffer[]> {
  const answer = await feed(dir, ['cat-file', '--batch'], objects.map((object) => `${object}\n`).join(''));
  const blobs: Buffer[] = [];
  let place = 0;
  for (const object of objects) {
    const end = answer.indexOf('\n', place);
    const [, type, size] = answer.toString('latin1', place, end).split(' ');
    if (end === -1 || type !== 'blob') throw new Error(`git cat-file did not give the object ${object}`);
    blobs.push(answer.subarray(end + 1, end + 1 + Number(size)));
    place = end + 1 + Number(size) + 1;
  }
  return blobs;
}

async function git(dir: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile('git', [...args], { ...options(dir), maxBuffer: MAX_BUFFER }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(failure(error, dir, stderr));
    });
  });
}

async function feed(dir: string, args: readonly string[], input: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = spawn('git', [...args], { ...options(dir), stdio: ['pipe', 'pipe', 'pipe'] });
    const [out, err]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.on('error', (error) => reject(failure(error, dir, '')));
    child.on('close', (code) => {
      if (code === 0) resolve(Buffer.concat(out));
      else reject(failure(new Error(`git ended with code ${code}`), dir, Buffer.concat(err).toString('utf8')));
    });
    // Git may end before it has read all; what it says then is the reason.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}

/** Git's own words are shown, so they are asked for in English. */
function options(dir: string): { readonly cwd: string; readonly env: NodeJS.ProcessEnv } {
  return { cwd: dir, env: { ...process.env, LC_ALL: 'C' } };
}

function failure(cause: Error, dir: string, stderr: string): Error {
  if ('code' in cause && cause.code === 'ENOENT') {
    const message = `git cannot be run in ${dir}: is it installed, and is the folder there?`;
    return new RevisionError('no-git', message, { cause });
  }
  return new Error(stderr.trim() === '' ? cause.message : stderr.trim(), { cause });
}
