/** A deployed company on a real database with a stepped clock, for the tests of what people and the scheduler do. */
import { openReleaseCache, type CompiledRelease, type ReleaseCache } from '../../engine/store/context.ts';
import { openDatabase, type Database } from '../../engine/store/database.ts';
import { migrate } from '../../engine/store/migrate.ts';
import { deployRelease, type Deployed } from '../../engine/store/releases.ts';
import { compileTemplates } from '../../engine/message/templates.ts';
import { compileProject } from '../../engine/playbook/compile.ts';
import type { SourceFile } from '../../engine/playbook/problem.ts';
import { testDatabase } from './postgres.ts';

/** A real compilation; a mistake in a test's own sources fails the test. */
export function compileSources(sources: readonly SourceFile[]): CompiledRelease {
  const { release, problems } = compileProject(sources);
  const { templates, problems: inTemplates } = compileTemplates(sources);
  const errors = [...problems, ...inTemplates].filter(({ level }) => level === 'error');
  if (release === null || errors.length > 0) throw new Error(JSON.stringify(errors, null, 2));
  return { release, templates };
}

/** Files by path, as sources. A template needs only its body. */
export function sourcesOf(files: Readonly<Record<string, string>>): readonly SourceFile[] {
  return Object.entries(files).map(([path, text]) => ({
    path,
    text: path.startsWith('templates/') ? `---\nsubject: ${path}\n---\n${text}` : text,
  }));
}

/** An open database that holds a company. */
export interface Staffed {
  readonly db: Database;
  readonly cache: ReleaseCache;
  deploy(files: Readonly<Record<string, string>>, author?: string): Promise<Deployed>;
  /** Sets the business clock. */
  at(instant: string): Promise<void>;
  /** Creates customers of these keys, with `KEY@example.com`, arrived at the present business time; gives their ids. */
  customers(
    keys: readonly string[],
    fields?: { readonly timezone?: string; readonly birthday?: string },
  ): Promise<number[]>;
  /** The rows of a statement. */
  rows<T extends Record<string, unknown>>(sql: string, values?: readonly unknown[]): Promise<T[]>;
  close(): Promise<void>;
}

/** Opens an empty, migrated database at the business time `instant`. */
export async function openStaffed(instant: string): Promise<Staffed> {
  const database = await testDatabase();
  const db = openDatabase(database.url, { max: 6 });
  await migrate(db);
  const at = async (to: string): Promise<void> => {
    await db.query('update engine set stepped_at = $1', [to]);
  };
  await at(instant);
  return {
    db,
    cache: openReleaseCache(compileSources),
    deploy: async (files, author = 'test') =>
      deployRelease(db, compileSources, sourcesOf(files), { author, note: null, gitCommit: null }),
    at,
    customers: async (keys, fields = {}) => {
      const { rows } = await db.query<{ id: number }>(
        `insert into customers (key, email, address, timezone, birthday, arrived_at)
         select k, k || '@example.com', k || '@example.com', $2, $3, (select stepped_at from engine)
         from unnest($1::text[]) with ordinality as u (k, n) order by n returning id`,
        [keys, fields.timezone ?? null, fields.birthday ?? null],
      );
      return rows.map((row) => row.id);
    },
    rows: async <T extends Record<string, unknown>>(sql: string, values: readonly unknown[] = []) =>
      (await db.query<T>(sql, values)).rows,
    close: async () => {
      await db.close();
      await database.drop();
    },
  };
}

/** A small company: news mail at any hour, no caps. */
export const COMPANY = `company:
  name: Sample
  address: 1 Sample Street
mail:
  from: Sample <hello@sample.example>
defaults:
  timezone: Europe/London
  at: "09:00"
  send_window: any
  late_after: 3 days
events:
  order.placed: { total: number }
attributes:
  plan: string
topics:
  news: { title: News, default: in }
  service: { title: Service, transactional: true }
`;
