/** The folder in which the demonstration runs: a copy of the sample company, so that the checkout stays as it is. */
import { cp, mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { openDatabase } from '../../engine/store/database.ts';

const SOURCES = ['perennial.yaml', 'playbooks', 'templates', 'schemas'] as const;

/** Copies the sources anew and empties the inbox of an earlier demonstration. */
export async function makeDemoCompany(packageRoot: string, dir: string, inbox: string): Promise<void> {
  await mkdir(dir, { recursive: true });
  await rm(inbox, { recursive: true, force: true });
  for (const name of SOURCES) {
    const to = path.join(dir, name);
    await rm(to, { recursive: true, force: true });
    await cp(path.join(packageRoot, name), to, { recursive: true });
  }
}

/** Empties the database of an earlier demonstration. The server may keep its data outside of the folder. */
export async function emptyDatabase(url: string): Promise<void> {
  const db = openDatabase(url, { max: 1, name: 'perennial demo' });
  try {
    const { rows } = await db.query<{ name: string }>(
      `select nspname as name from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'`,
    );
    for (const { name } of rows) await db.query(`drop schema "${name}" cascade`);
    await db.query('create schema public');
  } finally {
    await db.close();
  }
}
