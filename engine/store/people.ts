/** Finding a customer by what a person types. */
import { normaliseAddress } from '../message/address.ts';
import { nearestAll } from '../playbook/nearest.ts';
import type { Instant } from '../time/types.ts';
import type { Queryable } from './database.ts';
import { erasedAs } from './erasures.ts';

/** A customer's short form. `key` is the company's own id, `id` the database's. */
export interface FoundCustomer {
  readonly id: number;
  readonly key: string;
  readonly email: string | null;
}

/** One customer, several with one address, or nobody, with the nearest ids and addresses. */
export type Found =
  | { readonly outcome: 'found'; readonly customer: FoundCustomer }
  | { readonly outcome: 'ambiguous'; readonly candidates: readonly FoundCustomer[] }
  | {
      readonly outcome: 'unknown';
      readonly nearest: readonly string[];
      /** Somebody with this id or address was erased then. */
      readonly erasedAt?: Instant;
    };

/** Candidates that are compared in full; enough for a typing mistake, and bounded for a database of millions. */
const CANDIDATES = 500;
const SHOWN = 5;

type CustomerRow = FoundCustomer & { readonly [column: string]: unknown };

/** Finds a customer by id, or else by e-mail address in any spelling. Records that were merged lead to the one they are in. */
export async function findCustomer(db: Queryable, idOrEmail: string): Promise<Found> {
  const typed = idOrEmail.trim();
  const byKey = await db.query<CustomerRow>(
    `select c.id, c.key, c.email from customers k join customers c on c.id = coalesce(k.merged_into, k.id) where k.key = $1`,
    [typed],
  );
  const exact = byKey.rows[0];
  if (exact !== undefined) return { outcome: 'found', customer: exact };
  const byAddress = await db.query<CustomerRow>(
    'select id, key, email from customers where address = $1 and merged_into is null order by id limit 20',
    [normaliseAddress(typed)],
  );
  const [first, ...others] = byAddress.rows;
  if (first === undefined) {
    const erasedAt = await erasedAs(db, typed);
    if (erasedAt !== null) return { outcome: 'unknown', nearest: [], erasedAt };
    return { outcome: 'unknown', nearest: await nearestCustomers(db, typed) };
  }
  if (others.length > 0) return { outcome: 'ambiguous', candidates: byAddress.rows };
  return { outcome: 'found', customer: first };
}

/**
 * The ids and addresses nearest to what was typed. Edit distance is asked of those that share a beginning or contain
 * the text, then of the latest customers: without an index for misspellings, a wrong first letter in an old record of
 * a large database is not found.
 */
async function nearestCustomers(db: Queryable, typed: string): Promise<readonly string[]> {
  const pattern = typed.replace(/[\\%_]/g, String.raw`\$&`);
  const beginning = typed.slice(0, 2).replace(/[\\%_]/g, String.raw`\$&`);
  const { rows } = await db.query<{ key: string; email: string | null; contains: boolean }>(
    `(select key, email, true as contains from customers
        where erased_at is null and (key ilike '%' || $1 || '%' or email ilike '%' || $1 || '%') limit $3)
     union all
     (select key, email, false from customers
        where erased_at is null and (key ilike $2 || '%' or email ilike $2 || '%') limit $3)
     union all
     (select key, email, false from customers where erased_at is null order by id desc limit $3)`,
    [pattern, beginning, CANDIDATES],
  );
  const names = rows.flatMap((row) => [row.key, ...(row.email === null ? [] : [row.email])]);
  const near = nearestAll(typed, names, SHOWN);
  const containing = rows
    .filter((row) => row.contains && typed.length > 1)
    .map((row) => (row.email?.toLowerCase().includes(typed.toLowerCase()) === true ? row.email : row.key));
  return [...new Set([...near, ...containing])].slice(0, SHOWN);
}
