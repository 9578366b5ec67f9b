/**
 * Domains to which nothing goes for a while: those that asked us to go slower, and those that refuse us for what we are.
 * Nobody's address is suppressed by it, and mail to other domains goes on.
 */
import type { Instant } from '../../time/types.ts';
import { writeAudit } from '../audit.ts';
import { businessNow, type Database, type Queryable } from '../database.ts';
import { patientTransaction } from '../patience.ts';
import { time } from '../sql.ts';

/** Why: "slower" (421 and 451 with 4.7.x), or a refusal of the sender (5.7.x). */
export type HoldReason = 'throttled' | 'refused';

/** A domain that is held. */
export interface DomainHold {
  readonly domain: string;
  readonly because: HoldReason;
  readonly sinceAt: Instant;
  readonly untilAt: Instant;
  /** Holds in a row. */
  readonly strikes: number;
  /** The server's words. */
  readonly detail: string | null;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** How long, by the number of holds in a row, in ms. */
const LENGTHS: Readonly<Record<HoldReason, readonly number[]>> = {
  throttled: [MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS, HOUR_MS],
  refused: [HOUR_MS, 4 * HOUR_MS, 12 * HOUR_MS, 24 * HOUR_MS],
};
/** A hold that begins so long after the end of the one before is the first in a row, in ms. */
const CALM_MS: Readonly<Record<HoldReason, number>> = { throttled: 2 * HOUR_MS, refused: 48 * HOUR_MS };

/**
 * Holds a domain; null when it is held already for as much. What is said several times during one hold counts once: mails
 * that were under way hear the same.
 */
export async function holdDomain(
  db: Queryable,
  domain: string,
  because: HoldReason,
  detail: string | null,
): Promise<DomainHold | null> {
  const lengths = LENGTHS[because].map((ms) => ms);
  const { rows } = await db.query<DomainHold & Record<string, unknown>>(
    `insert into domain_holds as d (domain, because, since, until, strikes, detail)
     select $1, $2, now.at, now.at + ($3::float8[])[1] * interval '1 ms', 1, $4
     from (select date_trunc('milliseconds', coalesce(stepped_at, clock_timestamp())) as at from engine) now
     on conflict (domain) do update set because = excluded.because, since = excluded.since, detail = excluded.detail,
       strikes = case when d.because <> excluded.because or d.until < excluded.since - $5::float8 * interval '1 ms' then 1
         else d.strikes + 1 end,
       until = excluded.since + ($3::float8[])[case when d.because <> excluded.because
           or d.until < excluded.since - $5::float8 * interval '1 ms' then 1
         else least(d.strikes + 1, cardinality($3::float8[])) end] * interval '1 ms'
     where d.until <= excluded.since or (d.because = 'throttled' and excluded.because = 'refused')
     returning domain, because, since as "sinceAt", until as "untilAt", strikes, detail`,
    [domain, because, lengths, detail, CALM_MS[because]],
  );
  return rows[0] ?? null;
}

/** Domains that are held at the present business time, the longest first. */
export async function listHolds(db: Queryable): Promise<readonly DomainHold[]> {
  const { rows } = await db.query<DomainHold & Record<string, unknown>>(
    `select domain, because, since as "sinceAt", until as "untilAt", strikes, detail from domain_holds, engine
     where until > coalesce(engine.stepped_at, clock_timestamp()) order by until desc, domain`,
  );
  return rows;
}

/** What lifting did: `mails` that had waited for it are due again, spread over `spreadMs`. */
export type Lifted = { readonly outcome: 'not held' } | { readonly outcome: 'lifted'; readonly mails: number };

/** Mails that come again in a second after a hold was lifted; a limit, where there is one, still holds. */
const MAILS_PER_SECOND = 100;

/** Ends a hold before its time; the next one begins small again. */
export async function liftHold(db: Database, domain: string, by: string, reason: string): Promise<Lifted> {
  return patientTransaction(db, async (tx) => {
    const now = await businessNow(tx);
    const { rowCount } = await tx.query('delete from domain_holds where domain = $1 and until > $2', [
      domain,
      time(now),
    ]);
    if (rowCount !== 1) return { outcome: 'not held' };
    // Rows that a chunk has at this moment are left: they come by themselves when the hold would have ended.
    const { rowCount: mails } = await tx.query(
      `with waiting as materialized (
         select s.id from sends s join customers c on c.id = s.customer_id
         where s.status = 'planned' and s.held_at is null and s.waits_for = 'domain' and s.due_at = s.waits_until and s.due_at > $2
           and split_part(c.address, '@', -1) = $1
         order by s.due_at for no key update of s skip locked),
       spread as (select id, $2::timestamptz + (row_number() over ()) * interval '${1_000 / MAILS_PER_SECOND} ms' as at
         from waiting)
       update sends s set due_at = spread.at, waits_until = spread.at from spread where s.id = spread.id`,
      [domain, time(now)],
    );
    await writeAudit(tx, { businessAt: now, by, action: 'pace.lift', reason, detail: { domain, mails: mails ?? 0 } });
    return { outcome: 'lifted', mails: mails ?? 0 };
  });
}
