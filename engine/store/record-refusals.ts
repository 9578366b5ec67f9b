/** Entries that were refused: the answer to why somebody is not in a playbook. Mostly there are none, and no statement. */
import type { StoreContext } from './context.ts';
import type { Queryable } from './database.ts';
import { execute, time } from './sql.ts';
import type { Recording } from './stored.ts';

/** Keeps the newest of each customer, playbook and reason. */
export async function recordRefusals(
  tx: Queryable,
  recordings: readonly Recording[],
  ctx: StoreContext,
): Promise<void> {
  const rows = recordings.flatMap(({ stored, changes }) =>
    changes.refusals.map(({ playbook, because, at, entryKey, values }) => ({
      customer_id: stored.customerId,
      playbook_id: ctx.ids.playbookId(playbook),
      because,
      at: time(at),
      entry_key: entryKey,
      values: Object.keys(values).length === 0 ? null : values,
    })),
  );
  await execute(
    tx,
    rows,
    `insert into refusals as o (customer_id, playbook_id, because, at, entry_key, release_id, values)
     select customer_id, playbook_id, because, at, entry_key, $2, values from rows
     on conflict (customer_id, playbook_id, because) do update
       set at = excluded.at, entry_key = excluded.entry_key, release_id = excluded.release_id, values = excluded.values
       where excluded.at >= o.at`,
    'customer_id bigint, playbook_id int, because text, at timestamptz, entry_key text, values jsonb',
    [ctx.releaseId],
  );
}
