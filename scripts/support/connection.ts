/** One plain connection to the company's database, for what copies all of it. */
import type pg from 'pg';
import { openConnection } from '../../engine/store/database.ts';
import { readConfig, type Config } from '../../workers/config.ts';
import { openIfEmbedded } from '../../workers/embedded/existing.ts';
import { openLog } from '../../workers/log.ts';

/** What a command that copies works with. */
export interface ConnectionContext {
  readonly client: pg.Client;
  readonly config: Config;
}

/** Opens the configured database, or the embedded one, as it is: nothing is brought up to date. Closes it after `work`. */
export async function withConnection<T>(
  project: string,
  name: string,
  work: (context: ConnectionContext) => Promise<T>,
): Promise<T> {
  const config = readConfig(process.env, project);
  const { database } = config;
  const log = openLog({ level: 'warn', name: 'command' });
  const embedded = await openIfEmbedded(config, log);
  try {
    const client = await openConnection(embedded?.url ?? (database.kind === 'external' ? database.url : ''), name);
    try {
      return await work({ client, config });
    } finally {
      await client.end();
    }
  } finally {
    await embedded?.close();
  }
}

/** Which database the configuration names, without its password. */
export function databaseName({ database }: Pick<Config, 'database'>): string {
  return database.kind === 'embedded' ? `the embedded database in ${database.dir}` : serverName(database.url);
}

/** A database as a person names it: where it is and what it is called; no user, no password. */
export function serverName(url: string): string {
  const { host, pathname, searchParams } = new URL(url);
  // What the driver prefers to the name before the path: such as the folder of a Unix socket.
  const preferred = ['host', 'port'].flatMap((name) => searchParams.get(name) ?? []);
  return `${host}${pathname}${preferred.length === 0 ? '' : ` (at ${preferred.join(', ')})`}`;
}
