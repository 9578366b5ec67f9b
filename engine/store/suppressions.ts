/** The list of suppressions, to be read by people. */
import type { Instant } from '../time/types.ts';
import type { Queryable } from './database.ts';

/** One entry of the list. */
export interface SuppressionEntry {
  /** Normalised. */
  readonly address: string;
  /** `*` (everything) or a topic. */
  readonly scope: string;
  readonly at: Instant;
  /** Where it comes from: `staff`, `import`, `bounce`, `complaint`, … */
  readonly source: string;
  readonly reason: string | null;
}

/** What to list. What is null does not matter. */
export interface SuppressionFilter {
  /** A part of the address, such as `@example.com`. */
  readonly part: string | null;
  readonly source: string | null;
  /** `*` or a topic. */
  readonly scope: string | null;
  /** At most so many entries. */
  readonly limit: number;
}

/** Entries, and how many there are in all. */
export interface SuppressionList {
  readonly total: number;
  readonly entries: readonly (SuppressionEntry & {
    /** The company's ids of those who have the address now. */
    readonly customers: readonly string[];
  })[];
}

/** The latest entries first. */
export async function listSuppressions(db: Queryable, filter: SuppressionFilter): Promise<SuppressionList> {
  const { part, source, scope, limit } = filter;
  const where = `($1::text is null or position(lower($1) in s.address) > 0) and ($2::text is null or s.source = $2)
    and ($3::text is null or s.scope = $3)`;
  const { rows: counted } = await db.query<{ total: number }>(
    `select count(*) as total from suppressions s where ${where}`,
    [part, source, scope],
  );
  const { rows: entries } = await db.query<SuppressionList['entries'][number] & Record<string, unknown>>(
    `select s.address, s.scope, s.at, s.source, s.reason,
       array(select c.key from customers c where c.address = s.address order by c.id) as customers
     from suppressions s where ${where} order by s.at desc, s.address, s.scope limit $4`,
    [part, source, scope, limit],
  );
  return { total: counted[0]?.total ?? 0, entries };
}

/** All entries of one address, that of everything first. */
export async function suppressionsAt(db: Queryable, address: string): Promise<readonly SuppressionEntry[]> {
  const { rows } = await db.query<SuppressionEntry & Record<string, unknown>>(
    'select address, scope, at, source, reason from suppressions where address = $1 order by scope',
    [address],
  );
  return rows;
}
