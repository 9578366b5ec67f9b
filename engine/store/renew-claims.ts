/** Prolonging claims: a server may take longer to be reached and addressed than a claim lasts. */
import type { Queryable } from './database.ts';
import type { HandOverRequest } from './hand.ts';

/**
 * Prolongs these claims to `lastsMs` of machine time from now. One that has run out, was revoked or is another's stays as
 * it is: whoever has slept finds out at the hand-over.
 */
export async function renewClaims(db: Queryable, sends: readonly HandOverRequest[], lastsMs: number): Promise<void> {
  if (sends.length === 0) return;
  await db.query(
    `update sends s set lease_until = clock_timestamp() + $3 * interval '1 millisecond'
     from unnest($1::bigint[], $2::int[]) as a (id, fence)
     where s.id = a.id and s.fence = a.fence and s.status = 'claimed' and s.lease_until > clock_timestamp()`,
    [sends.map((send) => send.sendId), sends.map((send) => send.fence), lastsMs],
  );
}
