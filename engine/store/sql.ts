/** Sets of rows as one parameter. */
import type { Instant } from '../time/types.ts';
import type { Queryable } from './database.ts';

/** The last one that was written: most of a chunk's rows hold the instant of the chunk. */
let lastTime = { at: Number.NaN, text: '' };

/** An Instant as a parameter of type timestamptz. */
export function time(at: Instant): string {
  if (lastTime.at !== at) lastTime = { at, text: new Date(at).toISOString() };
  return lastTime.text;
}

/** The same, where there may be none. */
export function timeOrNull(at: Instant | null): string | null {
  return at === null ? null : time(at);
}

/**
 * Runs `sql` with a table `rows` made of `rows`, its columns as `columns` declares them, and `place`, the place in the
 * list from 1. `values` are $2 and following. Does nothing for no rows. JSON is the fastest way to bring some hundred
 * rows of mixed types over, and the only one for arrays within rows.
 *
 * Join by id alone, and give a state that is expected as a column of `rows`: a plan that trusts statistics about states
 * that last for seconds would look at every row of that state for each of ours.
 */
export async function execute(
  tx: Queryable,
  rows: readonly object[],
  sql: string,
  columns: string,
  values: readonly unknown[] = [],
): Promise<{ readonly rows: Record<string, unknown>[]; readonly rowCount: number | null }> {
  if (rows.length === 0) return { rows: [], rowCount: 0 };
  const names = columns.split(',').map((column) => column.trim().split(/\s/, 1)[0]);
  return tx.query(
    `with rows as materialized (
       select * from rows from (json_to_recordset($1::json) as (${columns})) with ordinality as r (${names.join(', ')}, place))
     ${sql}`,
    [JSON.stringify(rows), ...values],
  );
}
