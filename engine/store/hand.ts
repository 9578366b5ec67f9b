/**
 * The point of no return: `claimed` becomes `handed`, in group commits, before the last bytes of each message.
 *
 * 1. A send is handed over only while its claim is ours (fence, lease), its enrolment lives, and nothing forbids it.
 * 2. Whoever gets `true` may send; the commit came before the answer, with `synchronous_commit` on.
 * 3. Whoever gets `false` must not send, and the row is in order already: planned again (so that the next claim skips
 *    it with its reason, or leaves it alone while paused), or cancelled with its enrolment.
 *
 * Why no mail passes after an opt-out, a suppression, a cancel or a pause has committed (docs/architecture.md P3), although this
 * takes no customer locks. READ COMMITTED lets a statement decide by a snapshot that is older than its commit, so
 * reading alone is not enough. Let W be the transaction that forbids, H this statement.
 * - H never waits: rows that are locked are skipped, and refused. So W and H conflict on the row of the send itself.
 * - W updates the row: it revokes every claim that it forbids (revoke.ts; record-sends.ts for exits, goals and cancels).
 *   If W has the row first, H finds it locked (refused), or changed and no longer `claimed` (re-checked on its newest
 *   version: refused). If H has it first, W waits for H and so commits after it: the mail was handed over before.
 * - W sees every claim that could be meant. It holds the locks of the customers (suppression, cancel) or the fleet
 *   lock (pause) before it looks, and a claim is made under both: it has committed, or it starts after W and sees W.
 *   Those customers are all who have the address. A claimed mail goes to no other: who takes a new address loses their
 *   claims in the same transaction (record-facts.ts).
 * - What committed before H's snapshot is also read by H itself: a second net, for writers that revoke nothing, and for
 *   a customer who takes a suppressed address in the very moment in which it is being suppressed.
 */
import type { Database, Queryable } from './database.ts';

/**
 * How long a hand-over lasts, in ms of machine time. A process that lives renews it while it waits for the server's
 * answer, so this is no limit to how long servers may take: it is how soon the mails of a dead process are looked at.
 */
export const HANDED_FOR_MS = 20_000;

/** One claim of one send. */
export interface HandOverRequest {
  readonly sendId: number;
  readonly fence: number;
}

/** Hands over in groups: requests that come while a statement is under way share the next one. */
export interface HandOver {
  /** Resolves to whether the last bytes may go out. Rejects when the database cannot say: then they must not. */
  handOver(send: HandOverRequest): Promise<boolean>;
  /**
   * Notes that the server has accepted a mail that was handed over, ahead of its outcome: with the next group, so that a
   * crash leaves no more mails in doubt than each conversation's present one and the one that follows it. Resolves when it
   * is noted; also when it could not be, since the outcome says it again.
   */
  accepted(send: HandOverRequest): Promise<void>;
  /** Waits for what is under way; later requests are refused. */
  close(): Promise<void>;
}

/** How to group. */
export interface HandOverOptions {
  /** How many requests may be there within a moment, those that wait included: with so many, nobody waits for more. Default: none. */
  readonly expected?: () => number;
  /** How long the first request of a group waits for those that are expected, in milliseconds. Default 3. */
  readonly windowMs?: number;
  /** At most so many in one statement. Default 256. */
  readonly max?: number;
  /**
   * After how long without an outcome and without `renewHandOvers` a handed send counts as `unknown`, in milliseconds.
   * Default `HANDED_FOR_MS`.
   */
  readonly answerMs?: number;
}

interface Waiting extends HandOverRequest {
  readonly resolve: (handed: boolean) => void;
  readonly reject: (error: unknown) => void;
}

interface Acceptance extends HandOverRequest {
  readonly done: () => void;
}

/** How long an acceptance waits for a hand-over to go along with, in ms. */
const NOTE_WITHIN_MS = 10;

/** Opens the group commits of one process. */
export function openHandOver(db: Database, options: HandOverOptions = {}): HandOver {
  const { expected = () => 0, windowMs = 3, max = 256, answerMs = HANDED_FOR_MS } = options;
  let waiting: Waiting[] = [];
  let acceptances: Acceptance[] = [];
  let flushing: Promise<void> | null = null;
  let closed = false;
  let noting: NodeJS.Timeout | null = null;
  let endGathering: (() => void) | null = null;
  const isGathered = (): boolean => closed || waiting.length >= Math.min(max, expected());

  const isLeft = (): boolean => waiting.length > 0 || (closed && acceptances.length > 0);

  /** A statement costs hardly more for eight than for one. */
  const gather = async (): Promise<void> => {
    await nextTurn();
    if (isGathered() || waiting.length === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, windowMs);
      endGathering = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    endGathering = null;
    // One answer of a server may both accept a mail and ask for the next: then the note of the first comes in this turn, too.
    await nextTurn();
  };

  const flush = async (): Promise<void> => {
    do {
      await gather();
      const group = waiting.slice(0, max);
      waiting = waiting.slice(max);
      const accepted = acceptances;
      acceptances = [];
      await answer(db, group, accepted, answerMs);
    } while (isLeft());
    flushing = null;
    noteLater();
  };
  const begin = (): void => {
    if (noting !== null) clearTimeout(noting);
    noting = null;
    flushing ??= flush();
  };
  /** A statement for what was accepted alone is only worth it when no mail follows. */
  const noteLater = (): void => {
    if (acceptances.length === 0 || flushing !== null) return;
    noting ??= setTimeout(begin, closed ? 0 : NOTE_WITHIN_MS);
  };

  return {
    handOver: async (send) => {
      if (closed) throw new Error('the hand-over is closed: no mail may go out any more');
      return new Promise((resolve, reject) => {
        waiting.push({ sendId: send.sendId, fence: send.fence, resolve, reject });
        if (isGathered()) endGathering?.();
        begin();
      });
    },
    accepted: async ({ sendId, fence }) =>
      new Promise((done) => {
        acceptances.push({ sendId, fence, done });
        noteLater();
      }),
    close: async () => {
      closed = true;
      endGathering?.();
      if (acceptances.length > 0) begin();
      await flushing;
    },
  };
}

async function answer(
  db: Database,
  group: readonly Waiting[],
  accepted: readonly Acceptance[],
  answerMs: number,
): Promise<void> {
  try {
    const handed = await markHanded(db, group, accepted, answerMs);
    for (const { sendId, fence, resolve } of group) resolve(handed.has(`${sendId} ${fence}`));
  } catch (error) {
    for (const { reject } of group) reject(error);
  }
  for (const { done } of accepted) done();
}

/**
 * Which of the claims are now handed over, as `ID FENCE`; a handed row with `accepted_at` is one that was accepted. The
 * row's own columns are read on its newest version: they come from the locking CTE, which re-checks what changed since the
 * snapshot. That CTE asks for ids only: statistics know nothing of a state that lasts for seconds, and a plan that starts
 * from "the few claimed rows" starts from all of them.
 */
async function markHanded(
  db: Database,
  group: readonly HandOverRequest[],
  accepted: readonly HandOverRequest[],
  answerMs: number,
): Promise<ReadonlySet<string>> {
  const { rows } = await db.query<{ id: number; fence: number; status: string }>(
    `with asked as (select * from unnest($1::bigint[], $2::int[]) as a (id, fence)),
     found as materialized (
       select s.id, s.status, s.lease_until, s.address, s.lane, s.topic, s.enrolment_id, s.playbook_id
       from asked a join sends s on s.id = a.id
       where s.fence = a.fence and set_config('synchronous_commit', 'on', true) = 'on'
       for no key update of s skip locked),
     ours as materialized (
       select f.id, e.status as enrolment, e.reason,
         case
           when e.status not in ('active', 'complete') then 'cancelled'
           when f.lease_until <= clock_timestamp() or e.held_at is not null
             or exists (select from pauses p where p.scope = '*' or p.scope = b.name)
             or exists (select from suppressions x where x.address = f.address
                 and (x.scope = '*' or (f.lane = 'bulk' and (x.scope = f.topic or x.scope = '*topics'
                   and not exists (select from opt_ins o where o.address = f.address and o.topic = f.topic))))) then 'planned'
           else 'handed'
         end as verdict
       from found f
       join enrolments e on e.id = f.enrolment_id
       join playbooks b on b.id = f.playbook_id
       where f.status = 'claimed'),
     clock as (select date_trunc('milliseconds', coalesce(stepped_at, clock_timestamp())) as now from engine),
     known as materialized (
       select s.id, s.status from unnest($4::bigint[], $5::int[]) as a (id, fence) join sends s on s.id = a.id
       where s.fence = a.fence for no key update of s skip locked),
     noted as (
       update sends s set accepted_at = clock.now from known k, clock where s.id = k.id and k.status = 'handed')
     update sends s set status = o.verdict,
       handed_at = case when o.verdict = 'handed' then clock.now else s.handed_at end,
       claimed_at = case when o.verdict = 'handed' then s.claimed_at end, accepted_at = null,
       lease_until = case when o.verdict = 'handed' then clock_timestamp() + $3 * interval '1 millisecond' end,
       settled_at = case when o.verdict = 'cancelled' then clock.now end,
       reason = case when o.verdict = 'cancelled' then coalesce(o.reason, o.enrolment) else s.reason end
     from ours o, clock where s.id = o.id
     returning s.id, s.fence, s.status`,
    [
      group.map((send) => send.sendId),
      group.map((send) => send.fence),
      answerMs,
      accepted.map((send) => send.sendId),
      accepted.map((send) => send.fence),
    ],
  );
  return new Set(rows.filter((row) => row.status === 'handed').map((row) => `${row.id} ${row.fence}`));
}

/** Prolongs hand-overs whose outcome their process still waits for. One that others have taken over stays as it is. */
export async function renewHandOvers(
  db: Queryable,
  sends: readonly HandOverRequest[],
  answerMs: number = HANDED_FOR_MS,
): Promise<void> {
  if (sends.length === 0) return;
  await db.query(
    `update sends s set lease_until = clock_timestamp() + $3 * interval '1 millisecond'
     from unnest($1::bigint[], $2::int[]) as a (id, fence)
     where s.id = a.id and s.fence = a.fence and s.status = 'handed'`,
    [sends.map((send) => send.sendId), sends.map((send) => send.fence), answerMs],
  );
}

async function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
