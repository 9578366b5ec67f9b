/** The key with which events and profiles are sent. */
import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { codeOf } from '../engine/ingest/error-code.ts';
import { ConfigError, type Config } from './config.ts';

/**
 * The configured key. Without one, an embedded project makes its own, once, in `.perennial/write-key`, readable for its
 * owner only. @throws ConfigError where there is a database of its own, and so perhaps a network, but no key.
 */
export async function writeKeyOf(config: Pick<Config, 'writeKey' | 'database'>): Promise<string> {
  if (config.writeKey !== null) return config.writeKey;
  if (config.database.kind === 'external') {
    const message =
      'is not set, and the role "public" needs it to take in events. Make one with: openssl rand -hex 24. ' +
      'A process without that role needs none: perennial work --roles scheduler,advance,deliver';
    throw new ConfigError([{ variable: 'PERENNIAL_WRITE_KEY', message }]);
  }
  return ownKey(config.database.dir);
}

async function ownKey(dir: string): Promise<string> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const file = path.join(dir, 'write-key');
  const known = await readKey(file);
  if (known !== null) return known;
  // Written whole under another name and then linked: of several processes that start at once the first one's key is
  // everybody's, and nobody reads half a key.
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  await writeFile(draft, `${randomBytes(24).toString('hex')}\n`, { mode: 0o600, flag: 'wx' });
  try {
    await link(draft, file);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  } finally {
    await unlink(draft);
  }
  const key = await readKey(file);
  if (key === null) throw new Error(`${file} vanished while it was made: start again`);
  return key;
}

async function readKey(file: string): Promise<string | null> {
  try {
    const key = (await readFile(file, 'utf8')).trim();
    if (key !== '') return key;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
  throw new Error(`${file} is empty: delete it, and a new key is made at the next start`);
}
