/** `perennial migrate`: brings the database to the shape that this version needs. */
import { Command } from 'commander';
import { prepareQueue } from '../engine/queue/queue.ts';
import { openDatabase } from '../engine/store/database.ts';
import { migrate } from '../engine/store/migrate.ts';
import { readConfig } from '../workers/config.ts';
import { openEmbeddedPostgres } from '../workers/embedded/open.ts';
import { openLog } from '../workers/log.ts';

interface Options {
  readonly project: string;
}

/** The command. Every process does the same when it starts; this does it ahead of them. */
export function migrateCommand(): Command {
  return new Command('migrate')
    .description('bring the database to the shape that this version needs')
    .option('--project <dir>', 'the company folder', '.')
    .action(async ({ project }: Options) => {
      const config = readConfig(process.env, project);
      const log = openLog({ level: config.logLevel, name: 'migrate' });
      const embedded =
        config.database.kind === 'embedded' ? await openEmbeddedPostgres({ projectDir: config.projectDir, log }) : null;
      const url = config.database.kind === 'embedded' ? (embedded?.url ?? '') : config.database.url;
      const db = openDatabase(url, { max: 1, name: 'perennial migrate' });
      try {
        const applied = await migrate(db);
        if (config.redisUrl === null) await prepareQueue({ kind: 'postgres', url });
        process.stdout.write(
          applied.length === 0 ? 'The database is up to date.\n' : `Applied: ${applied.join(', ')}\n`,
        );
      } finally {
        await db.close();
        await embedded?.close();
      }
    });
}
