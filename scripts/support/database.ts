/** Opening the company's database for one command. */
import { openReleaseCache, type ReleaseCache } from '../../engine/store/context.ts';
import type { Database } from '../../engine/store/database.ts';
import type { Site } from '../../engine/store/home.ts';
import { readConfig, type Config } from '../../workers/config.ts';
import { openLog } from '../../workers/log.ts';
import { compileSources, openConfiguredDatabase } from '../../workers/parts.ts';

/** What a command works with. */
export interface CommandContext {
  readonly db: Database;
  readonly cache: ReleaseCache;
  /** Of the embedded database; null for a server. */
  readonly site: Site | null;
  readonly config: Config;
}

/**
 * Opens the configured database, or the embedded one, brings it up to date (`readOnly`: looks whether it is), and
 * closes it after `work`. @throws ConfigError for a configuration that cannot be used.
 */
export async function withDatabase<T>(
  options: { readonly project: string; readonly readOnly?: boolean },
  work: (context: CommandContext) => Promise<T>,
): Promise<T> {
  const config = readConfig(process.env, options.project);
  // A command's own output is for people: only what goes wrong is logged.
  const log = openLog({ level: 'warn', name: 'command' });
  const opened = await openConfiguredDatabase(config, log, {
    max: 2,
    name: 'perennial command',
    indexed: true,
    readOnly: options.readOnly ?? false,
  });
  try {
    const { db, site } = opened;
    return await work({ db, site, cache: openReleaseCache(compileSources), config });
  } finally {
    await opened.close();
  }
}
