/** The command line `perennial`. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ConfigError } from '../workers/config.ts';
import { EmbeddedPostgresError } from '../workers/embedded/error.ts';
import { ProjectError } from '../engine/project/read.ts';
import { QueueUnavailable, QueueUnsuitable } from '../engine/queue/queue.ts';
import { findPackageRoot } from './init/package-root.ts';
import { perennialProgram } from './program.ts';

/** What a person can mend: the message is enough. Anything else is a bug and shows its stack. */
const EXPECTED = [ConfigError, EmbeddedPostgresError, ProjectError, QueueUnavailable, QueueUnsuitable];

async function main(): Promise<void> {
  const root = await findPackageRoot(import.meta.dirname);
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { readonly version: string };
  await perennialProgram(version).parseAsync();
}

try {
  await main();
} catch (error) {
  const expected = EXPECTED.some((kind) => error instanceof kind);
  process.stderr.write(
    `${expected ? (error as Error).message : error instanceof Error ? error.stack : String(error)}\n`,
  );
  process.exitCode = 1;
}
