/**
 * Mails that cannot be written, one after the other for the same reason: then it is the template or the data behind it that is
 * wrong, and going on would only hold customer after customer. The playbook is paused, on record; people mend it, and resume it.
 */
import type { Instant } from '../time/types.ts';
import type { Database } from './database.ts';
import { pause } from './pauses.ts';
import { ON_ITS_WAY, SETTLED } from './settled.ts';
import { time } from './sql.ts';

/** So many in a row with the same error pause a playbook. */
export const RENDER_ERRORS_IN_A_ROW = 10;

/**
 * Whether the last mails of a playbook, since it was last resumed, are all held with this error and none of it has been handed over in
 * between. `writtenAt` is when the asker last wrote one, where it knows: it saves a look at all mails.
 */
export async function failsInARow(
  db: Database,
  playbook: string,
  error: string,
  writtenAt: Instant | null,
): Promise<boolean> {
  const { rows } = await db.query<{ count: number; since: Instant | null; playbookId: number | null }>(
    `with latest as (
       select s.held_at, s.held_error, s.playbook_id from sends s join playbooks p on p.id = s.playbook_id
       where p.name = $1 and s.held_at > coalesce((select max(a.business_at) from audit a
         where a.action = 'resume' and (a.playbook = p.name or a.playbook is null)), '-infinity')
       order by s.held_at desc limit $3)
     select count(*)::int as count, min(held_at) as since, min(playbook_id) as "playbookId"
     from latest where held_error = $2`,
    [playbook, error, RENDER_ERRORS_IN_A_ROW],
  );
  const { count = 0, since = null, playbookId = null } = rows[0] ?? {};
  if (count < RENDER_ERRORS_IN_A_ROW || since === null) return false;
  if (writtenAt !== null && writtenAt >= since) return false;
  const { rows: handed } = await db.query(
    `(select 1 from sends where ${SETTLED} and playbook_id = $1 and handed_at >= $2 limit 1)
     union all
     (select 1 from sends where ${ON_ITS_WAY} and playbook_id = $1 and handed_at >= $2 limit 1)`,
    [playbookId, time(since)],
  );
  return handed.length === 0;
}

/** Pauses the playbook, audited; false when it was paused already. */
export async function pauseForErrors(db: Database, playbook: string, error: string): Promise<boolean> {
  const reason = `${RENDER_ERRORS_IN_A_ROW} mails in a row could not be written: ${error}`;
  return pause(db, playbook, 'perennial', reason.replaceAll('\0', '').slice(0, 500));
}
