/** The key with which this process signs links: the newest of the database, looked for now and then, so that none must be restarted. */
import type { SigningKey } from '../engine/message/link-token.ts';
import type { Queryable } from '../engine/store/database.ts';
import { signingKey } from '../engine/store/signing-keys.ts';
import type { Logger } from './log.ts';
import { startLoop } from './loop.ts';

/** How long a process may go on signing with the key before. Links of either are valid. */
export const LOOK_EVERY_MS = 60_000;

/** The key, kept up to date. */
export interface CurrentKey {
  readonly value: SigningKey;
  stop(): Promise<void>;
}

/** Loads the key and keeps it up to date. Rejects when there is none, or the database is away. */
export async function openCurrentKey(db: Queryable, log: Logger, everyMs = LOOK_EVERY_MS): Promise<CurrentKey> {
  let value = await signingKey(db);
  const look = async (): Promise<number> => {
    const found = await signingKey(db);
    if (found.id !== value.id) log.info({ key: found.id }, 'links are signed with a new key');
    value = found;
    return everyMs;
  };
  const loop = startLoop('signing key', look, log, { afterErrorMs: everyMs });
  return {
    get value() {
      return value;
    },
    stop: async () => loop.stop(),
  };
}
