/**
 * What dead or stopped workers left: claims go back, hand-overs without an outcome become `unknown` and their policy
 * decides, unless it is on record that the server accepted. By the database's own time; safe to run anywhere, at any time, by several at once.
 */
import { withCustomers, type ChunkOptions } from './chunk.ts';
import type { ReleaseCache } from './context.ts';
import type { Database } from './database.ts';
import { dueAgain } from './due-again.ts';
import { joinMailDue, type MailDue } from './due-now.ts';
import { loadOpenSends, resolveSends } from './open-sends.ts';
import { resolveLeft } from './unknown.ts';

/** What was found. */
export interface Expired {
  /** Claims that are planned again. */
  readonly replanned: number;
  /** Hand-overs of which nobody knows what became of them. */
  readonly unknown: number;
  /** Customers with mail that can be claimed now. */
  readonly planned: MailDue;
  /** Culprits that were held. */
  readonly held: number;
}

/** How to take back. */
export interface ExpireOptions extends Pick<ChunkOptions, 'onHeld'> {
  /**
   * So long after the start of the database's server, hand-overs are left alone, in ms: while it was away, processes that
   * live could neither report nor renew them. Default 0.
   */
  readonly graceMs?: number;
}

/** Takes back up to `limit` claims, and resolves up to `limit` hand-overs, whose lease has run out. */
export async function expireLeases(
  db: Database,
  cache: ReleaseCache,
  limit: number,
  options: ExpireOptions = {},
): Promise<Expired> {
  const claims = await expireClaims(db, limit);
  const handed = await expireHandOvers(db, cache, limit, options);
  return {
    replanned: claims.replanned,
    unknown: handed.unknown,
    planned: joinMailDue([claims.planned, handed.planned]),
    held: handed.held,
  };
}

/** Nothing of a claim was sent, so its row alone changes; one that is being handed over at this moment is left. */
async function expireClaims(db: Database, limit: number): Promise<Pick<Expired, 'replanned' | 'planned'>> {
  const { rows } = await db.query<{ customer_id: number; lane: string }>(
    `update sends set status = 'planned', claimed_at = null, lease_until = null
     where id in (
       select id from sends where status in ('claimed', 'handed') and status = 'claimed' and lease_until < clock_timestamp()
       order by lease_until limit $1 for no key update skip locked)
     returning customer_id, lane`,
    [limit],
  );
  const inLane = (lane: string): number[] => rows.filter((row) => row.lane === lane).map((row) => row.customer_id);
  return { replanned: rows.length, planned: { transactional: inLane('transactional'), bulk: inLane('bulk') } };
}

async function expireHandOvers(
  db: Database,
  cache: ReleaseCache,
  limit: number,
  { graceMs = 0, ...options }: ExpireOptions,
): Promise<Pick<Expired, 'unknown' | 'planned' | 'held'>> {
  const { rows } = await db.query<{ id: number; customer_id: number }>(
    `select id, customer_id from sends
     where status in ('claimed', 'handed') and status = 'handed' and lease_until < clock_timestamp()
       and pg_postmaster_start_time() <= clock_timestamp() - $2 * interval '1 millisecond'
     order by lease_until limit $1`,
    [limit, graceMs],
  );
  if (rows.length === 0) return { unknown: 0, planned: { transactional: [], bulk: [] }, held: 0 };
  const { results, held } = await withCustomers(
    db,
    cache,
    rows.map((row) => row.customer_id),
    async (tx, drafts, ctx, asked) => {
      const concerned = new Set(asked);
      const ids = rows.filter((row) => concerned.has(row.customer_id)).map((row) => row.id);
      const open = [...(await loadOpenSends(tx, ids, ctx)).values()];
      // Looked at again under the lock: its worker may have reported in the meantime.
      const left = open.filter((send) => send.status === 'handed' && send.expired);
      const resolutions = left.map((send) => resolveLeft(send, ctx));
      await resolveSends(tx, drafts, resolutions, ctx);
      return {
        unknown: left.filter((send) => !send.accepted).length,
        planned: dueAgain(drafts, resolutions, ctx),
      };
    },
    { ...options, recordsItself: true, mail: false },
  );
  return {
    unknown: results.reduce((sum, result) => sum + result.unknown, 0),
    planned: joinMailDue(results.map((result) => result.planned)),
    held: held.length,
  };
}
