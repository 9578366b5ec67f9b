/** Where an embedded database lies: what a copy of its folder does not take along. */
import { createHash } from 'node:crypto';
import { readFile, realpath, stat } from 'node:fs/promises';
import type { Site } from '../../engine/store/home.ts';

/** Its name lasts only where systemd has started the machine (machine-id(5)): in containers it is the image's, or changes with them. */
const STARTED_BY_SYSTEMD = '/run/systemd/system';
const MACHINE_ID = '/etc/machine-id';

/** The site of the data in this folder. */
export async function siteOf(dataDir: string): Promise<Site> {
  return { machine: await machineName(), dir: await realpath(dataDir) };
}

/** A hash: the name itself is not to be told on (machine-id(5)), and what we keep goes into backups. */
async function machineName(): Promise<string | null> {
  if ((await stat(STARTED_BY_SYSTEMD).catch(() => null)) === null) return null;
  const id = (await readFile(MACHINE_ID, 'utf8').catch(() => '')).trim();
  return /^[0-9a-f]{32}$/.test(id) ? createHash('sha256').update(`perennial ${id}`).digest('hex').slice(0, 16) : null;
}
