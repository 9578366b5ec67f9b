/** Opening the embedded database of a company, and never one in a folder that was misspelt. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { requireCompanyFolder } from '../../engine/project/company-folder.ts';
import type { Config } from '../config.ts';
import type { Logger } from '../log.ts';
import { openEmbeddedPostgres, type EmbeddedPostgres } from './open.ts';

/** Whether the folder `.perennial` of a company has data, here or elsewhere. */
export function hasEmbeddedData(dir: string): boolean {
  return ['postgres', 'postgres.where'].some((name) => existsSync(path.join(dir, name)));
}

/** Opens the database that the configuration names, where that is the embedded one; otherwise null. @throws ProjectError `no-company`. */
export async function openIfEmbedded(
  { database, projectDir }: Pick<Config, 'database' | 'projectDir'>,
  log: Logger,
): Promise<EmbeddedPostgres | null> {
  if (database.kind !== 'embedded') return null;
  if (!hasEmbeddedData(database.dir)) await requireCompanyFolder(projectDir);
  return openEmbeddedPostgres({ projectDir, log });
}
