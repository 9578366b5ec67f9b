/** What becomes of places after the claim: those that nobody used, and limits that nobody uses. */
import type { MailLane } from '../lane.ts';
import type { Queryable } from '../database.ts';
import { execute } from '../sql.ts';

/** Gives back the places of mails that were claimed and came to no server: how many, by the key of their limit. */
export async function giveBack(db: Queryable, lane: MailLane, unused: ReadonlyMap<string, number>): Promise<void> {
  await execute(
    db,
    [...unused].map(([key, mails]) => ({ key, mails })),
    `, locked as materialized (
       select p.key, r.mails from pace p join rows r on r.key = p.key order by p.key for no key update of p)
     update pace p set next_ms = p.next_ms - l.mails * p.spacing_ms,
       first_ms = p.first_ms - case when $2 = 'transactional' then l.mails * p.spacing_ms else 0 end,
       day_count = greatest(0, p.day_count - l.mails)
     from locked l where p.key = l.key`,
    'key text, mails int',
    [lane],
  );
}

/** Forgets limits that were not used for a day, and holds that ended long ago; by the database's own time. */
export async function forgetIdle(db: Queryable): Promise<void> {
  await db.query(`delete from pace where used_at < clock_timestamp() - interval '2 days'`);
  await db.query(
    `delete from domain_holds h using engine where h.until < coalesce(engine.stepped_at, clock_timestamp()) - interval '3 days'`,
  );
}
