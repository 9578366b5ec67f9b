/**
 * Calls of other systems: recorded with their step, made afterwards.
 *
 * 1. A call is recorded exactly once and made at least once: whoever is called tells repeats by its key.
 * 2. A claim lasts for a lease and raises the fence; what an earlier holder still reports changes nothing.
 * 3. Times are machine time of the database: a server that is away is away whatever the business clock says.
 */
import type { Database, Queryable } from './database.ts';

/** A call that its holder may make. */
export interface ClaimedCall {
  readonly id: number;
  /** Names this claim among all of the call's. */
  readonly fence: number;
  /** The same for every attempt. */
  readonly key: string;
  readonly url: string;
  /** JSON. */
  readonly body: string;
  /** Attempts so far, this one included. */
  readonly attempts: number;
  readonly playbook: string;
  readonly step: string;
}

/** What became of one attempt. */
export type CallResult =
  | { readonly kind: 'done'; readonly answer: string }
  /** `delayMs` until the next attempt. */
  | { readonly kind: 'retry'; readonly answer: string; readonly delayMs: number }
  /** Not again: a person decides. */
  | { readonly kind: 'failed'; readonly answer: string };

/** Claims what is due, at most `max`; calls of paused playbooks wait. */
export async function claimCalls(
  db: Queryable,
  options: { readonly max: number; readonly leaseMs: number },
): Promise<readonly ClaimedCall[]> {
  const { rows } = await db.query<ClaimedCall & Record<string, unknown>>(
    `with due as (
       select w.id, p.name as playbook from webhook_calls w join playbooks p on p.id = w.playbook_id
       where w.status = 'planned' and w.due_at <= clock_timestamp()
         and (w.lease_until is null or w.lease_until < clock_timestamp())
         and not exists (select from pauses x where x.scope = '*' or x.scope = p.name)
       order by w.due_at limit $1 for update of w skip locked)
     update webhook_calls w set fence = w.fence + 1, attempts = w.attempts + 1,
       lease_until = clock_timestamp() + $2 * interval '1 millisecond'
     from due where w.id = due.id
     returning w.id, w.fence, w.key, w.url, w.body, w.attempts, due.playbook, w.step`,
    [options.max, options.leaseMs],
  );
  return rows;
}

/** Records what became of a claim; false when it is somebody else's by now. */
export async function settleCall(
  db: Database,
  { id, fence }: Pick<ClaimedCall, 'id' | 'fence'>,
  result: CallResult,
): Promise<boolean> {
  const status = result.kind === 'retry' ? 'planned' : result.kind;
  const error = result.kind === 'failed' ? result.answer : null;
  const { rowCount } = await db.query(
    `update webhook_calls set status = $3, answer = $4, lease_until = null,
       due_at = clock_timestamp() + $5 * interval '1 millisecond',
       settled_at = case when $3 <> 'planned' then clock_timestamp() end,
       held_at = case when $6::text is not null then clock_timestamp() end, held_error = $6
     where id = $1 and fence = $2 and status = 'planned'`,
    [id, fence, status, result.answer, result.kind === 'retry' ? result.delayMs : 0, error],
  );
  return rowCount === 1;
}
