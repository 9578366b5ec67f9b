/** The command line `perennial`. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { AlreadyRunning } from '../workers/start-file.ts';
import { ConfigError } from '../workers/config.ts';
import { EmbeddedPostgresError } from '../workers/embedded/error.ts';
import { ProjectError } from '../engine/project/read.ts';
import { QueueUnavailable, QueueUnsuitable } from '../engine/queue/error.ts';
import { FillError } from '../engine/store/whole/fill-database.ts';
import { DatabaseAway } from '../engine/store/home.ts';
import { NewerDatabaseError } from '../engine/store/migrate.ts';
import { findPackageRoot } from './init/package-root.ts';
import { perennialProgram } from './program.ts';
import { databaseAway } from './support/database-away.ts';
import { fileTrouble } from './support/file-trouble.ts';
import { shown } from './support/terminal.ts';

/** What a person can mend: the message is enough. Anything else is a bug and shows its stack. */
const EXPECTED = [
  AlreadyRunning,
  ConfigError,
  DatabaseAway,
  EmbeddedPostgresError,
  FillError,
  NewerDatabaseError,
  ProjectError,
  QueueUnavailable,
  QueueUnsuitable,
];

async function main(): Promise<void> {
  const root = await findPackageRoot(import.meta.dirname);
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { readonly version: string };
  const program = await perennialProgram(version, process.argv[2]);
  await program.parseAsync();
}

/** What to say of an error that ends the program. */
function wordsFor(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (EXPECTED.some((kind) => error instanceof kind)) return error.message;
  return databaseAway(error) ?? error.stack ?? error.message;
}

/** Whoever reads may have enough, as `head` does after some lines. What the command does, it finishes all the same. */
function carryOnUnread(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') return;
  process.exitCode = 1;
  // A command that writes a file there listens as well, and says it in its own words.
  if (process.stdout.listenerCount('error') > 1) return;
  const trouble = fileTrouble(error, 'written', 'standard output');
  process.stderr.write(`${trouble instanceof Error ? trouble.message : String(trouble)}.\n`);
}

process.stdout.on('error', carryOnUnread);
// Where nothing can be said, the exit code is left.
process.stderr.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') process.exitCode = 1;
});

try {
  await main();
} catch (error) {
  process.stderr.write(`${shown(wordsFor(error))}\n`);
  process.exitCode = 1;
}
