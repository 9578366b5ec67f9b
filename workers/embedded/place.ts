import { randomUUID } from 'node:crypto';
import { chmod, lstat, mkdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import type { Logger } from 'pino';
import { canEnter, isRoot, serverAccount, type Account } from './account.ts';
import { folderFor } from './cluster.ts';
import { EmbeddedPostgresError } from './error.ts';

/** Where the parts of a project's embedded server live, and the account it runs as. */
export interface Place {
  /** `.perennial` of the project: password, lock, log, and where the data is when it is not here. */
  readonly home: string;
  readonly dataDir: string;
  /** null: the caller's own. */
  readonly account: Account | null;
  /** Where a copy of the programs may be put; makes the folder. */
  readonly copyRoot: () => Promise<string>;
}

interface Roots {
  readonly home: string;
  readonly machineRoot: () => Promise<string>;
}

/** Where root keeps what cannot be in a project, on most machines the first. */
export const MACHINE_FOLDERS: readonly string[] = ['/var/lib/perennial', path.join(tmpdir(), 'perennial-of-root')];

/** Names the folder with the data when the server's account cannot enter `.perennial`. */
const POINTER = 'postgres.where';

/**
 * Finds, or on the first start chooses, the place of a project's data: `.perennial/postgres`, or, for root in a
 * folder that the server's account cannot enter (such as root's home at mode 700), a folder of the machine,
 * with a pointer file in `.perennial` that says where. Call it under the project's lock.
 * @throws EmbeddedPostgresError `data_unusable` when data is there but cannot be used, `no_place`, `no_account`.
 */
export async function findPlace(projectDir: string, machineFolders: readonly string[], log: Logger): Promise<Place> {
  const project = await realpath(projectDir);
  const home = path.join(project, '.perennial');
  const machineRoot = () => makeMachineRoot(machineFolders);
  const inside = path.join(home, 'postgres');
  const owner = await ownerOf(inside);
  if (owner !== null) return placeOfOwner({ home, dataDir: inside, machineRoot }, owner);
  const outside = await pointedTo(home);
  if (outside !== null) return placeOfPointer(project, { home, machineRoot }, outside, log);
  const account = await serverAccount();
  if (account === null) return { home, dataDir: inside, account, copyRoot: async () => home };
  // Others may pass through, not look in: the account needs no more, and what is in there is not theirs.
  await chmod(home, (await lstat(home)).mode | 0o011);
  if (await canEnter(account, home)) return { home, dataDir: inside, account, copyRoot: machineRoot };
  return placeOutside(project, { home, machineRoot }, account, log);
}

async function placeOutside(project: string, roots: Roots, account: Account, log: Logger): Promise<Place> {
  const { home, machineRoot } = roots;
  // Not the project's name or a hash of it: a folder of that path that was deleted and made anew is another project.
  const outside = path.join(await machineRoot(), randomUUID());
  await folderFor(account, outside);
  await writeFile(path.join(outside, 'project'), `${project}\n`);
  await writeFile(path.join(home, POINTER), `${outside}\n`);
  const passing = outside.startsWith(tmpdir());
  log[passing ? 'warn' : 'info'](
    { dir: outside },
    `The account "${account.name}", as which PostgreSQL runs here, cannot enter ${home}: its data is in ${outside}` +
      (passing ? ', which the system may clear at a restart' : ''),
  );
  return { home, dataDir: path.join(outside, 'postgres'), account, copyRoot: machineRoot };
}

/** Data that is there decides the account: what one made, another cannot read. */
function placeOfOwner(at: Roots & { readonly dataDir: string }, owner: { uid: number; gid: number }): Place {
  const { home, dataDir, machineRoot } = at;
  // Without user ids (Windows) there is nobody else to be.
  const own = process.getuid === undefined || (owner.uid === process.getuid() && !isRoot());
  if (own) return { home, dataDir, account: null, copyRoot: async () => home };
  if (isRoot() && owner.uid !== 0) {
    return { home, dataDir, account: { ...owner, name: `uid ${owner.uid}` }, copyRoot: machineRoot };
  }
  throw new EmbeddedPostgresError(
    'data_unusable',
    `The data in ${dataDir} belongs to ${owner.uid === 0 ? 'root, as which PostgreSQL refuses to run' : `another account (uid ${owner.uid})`}. ` +
      `${owner.uid === 0 ? 'Give it to an ordinary account (chown -R)' : 'Start Perennial as that account or as root'}, or choose another project folder.`,
  );
}

async function placeOfPointer(project: string, roots: Roots, outside: string, log: Logger): Promise<Place> {
  const { home, machineRoot } = roots;
  const pointer = path.join(home, POINTER);
  const dataDir = path.join(outside, 'postgres');
  const owner = await ownerOf(outside);
  if (owner === null) {
    throw new EmbeddedPostgresError(
      'data_unusable',
      `${pointer} says that the data is in ${outside}, and that folder is gone. ` +
        'Bring it back from a backup, or delete the pointer file to begin with an empty database.',
    );
  }
  const place = placeOfOwner({ home, dataDir, machineRoot }, owner);
  await refuseCopy(project, outside, pointer);
  log.info({ dir: outside }, `The data of this project is kept outside of it, in ${outside}`);
  return place;
}

async function pointedTo(home: string): Promise<string | null> {
  const text = await readFile(path.join(home, POINTER), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  return text?.trim() ?? null;
}

/** A copied project folder brings its pointer along; two projects in one database would write to each other's customers. */
async function refuseCopy(project: string, outside: string, pointer: string): Promise<void> {
  const madeFor = (await readFile(path.join(outside, 'project'), 'utf8')).trim();
  if (madeFor === project) return;
  if ((await pointedTo(path.join(madeFor, '.perennial'))) === outside) {
    throw new EmbeddedPostgresError(
      'data_unusable',
      `${project} is a copy of ${madeFor}, which has its data in ${outside}. ` +
        `Delete ${pointer} to give the copy an empty database of its own.`,
    );
  }
  await writeFile(path.join(outside, 'project'), `${project}\n`);
}

async function ownerOf(dir: string): Promise<{ uid: number; gid: number } | null> {
  const found = await lstat(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  return found === null ? null : { uid: found.uid, gid: found.gid };
}

/** The first of these folders that can be made. */
async function makeMachineRoot(candidates: readonly string[]): Promise<string> {
  const refusals: string[] = [];
  for (const dir of candidates) {
    const refusal = await makeRootFolder(dir);
    if (refusal === null) return dir;
    refusals.push(`${dir}: ${refusal}`);
  }
  throw new EmbeddedPostgresError(
    'no_place',
    `The account that PostgreSQL runs as cannot enter the project, and no other folder can be made (${refusals.join('; ')}). ` +
      'Move the project to a folder that other users can enter, or set DATABASE_URL to a PostgreSQL server.',
  );
}

/** Makes a folder that only root can write and all can pass through; says why when it cannot. */
async function makeRootFolder(dir: string): Promise<string | null> {
  try {
    await mkdir(dir, { recursive: true, mode: 0o755 });
    const found = await lstat(dir);
    // In a temporary folder anybody could have put a link or a folder of theirs in its place.
    if (!found.isDirectory() || found.uid !== process.getuid?.() || (found.mode & 0o022) !== 0) {
      return 'it is not a folder that only root can write';
    }
    await chmod(dir, 0o755);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}
