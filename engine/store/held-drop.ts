/** Giving up what is held, so that the rest goes on. */
import { endEnrolment } from '../journey/end.ts';
import { RANK } from '../journey/order.ts';
import { advance } from './advance.ts';
import { writeAudit } from './audit.ts';
import { onCustomers } from './chunk.ts';
import type { ReleaseCache } from './context.ts';
import { businessNow, type Database, type Tx } from './database.ts';
import type { HeldRef } from './held.ts';
import { ownerOf, type Act } from './held-retry.ts';
import { lockCustomers } from './lock.ts';
import { loadOpenSends, resolveSends, type Resolution } from './open-sends.ts';
import { patientTransaction } from './patience.ts';
import { storedOf } from './stored.ts';

/** What became of it. */
export type Dropped =
  | { readonly outcome: 'dropped' }
  | { readonly outcome: 'not held' }
  /** Its customer is held as well: that comes first. */
  | { readonly outcome: 'customer held'; readonly customerId: number };

/**
 * Drops one held thing, with its audit record. A customer is released, its kept events and the launches that it missed
 * are discarded, and what it has under way goes on; an enrolment is cancelled; a mail counts as failed (or, where it may have gone out, as sent) and its playbook goes on; an event is
 * discarded; a call of another system is not made.
 */
export async function dropHeld(db: Database, cache: ReleaseCache, ref: HeldRef, act: Act): Promise<Dropped> {
  const dropped = await patientTransaction(db, async (tx): Promise<Dropped> => {
    const customerId = await ownerOf(tx, ref);
    if (customerId === null) return { outcome: 'not held' };
    switch (ref.kind) {
      case 'customer':
      case 'event':
        return dropFromCustomer(tx, ref, customerId, act);
      case 'webhook':
        return dropCall(tx, ref, customerId, act);
      case 'enrolment':
      case 'send':
        return dropFromDraft(tx, cache, ref, customerId, act);
    }
  });
  // Timers that were to be armed in the meantime are armed when the customer is touched, which nothing else promises.
  if (ref.kind === 'customer' && dropped.outcome === 'dropped') await advance(db, cache, [ref.id]);
  return dropped;
}

async function dropFromCustomer(tx: Tx, ref: HeldRef, customerId: number, act: Act): Promise<Dropped> {
  await lockCustomers(tx, [customerId]);
  if (ref.kind === 'customer') {
    const sql = 'update customers set held_at = null, held_error = null where id = $1 and held_at is not null';
    if ((await tx.query(sql, [customerId])).rowCount !== 1) return { outcome: 'not held' };
    await tx.query('delete from run_owed where customer_id = $1', [customerId]);
  }
  const { rows } = await tx.query<{ event: unknown }>(
    `delete from held_events where customer_id = $1 and ($2::bigint is null or id = $2) returning event`,
    [customerId, ref.kind === 'event' ? ref.id : null],
  );
  if (ref.kind === 'event' && rows.length === 0) return { outcome: 'not held' };
  // What is discarded stays on record: it is somebody's order.
  const detail = { ...ref, discarded: rows.map((row) => row.event) };
  const businessAt = await businessNow(tx);
  await writeAudit(tx, { ...act, businessAt, action: 'held.drop', customerId, detail });
  return { outcome: 'dropped' };
}

async function dropCall(tx: Tx, ref: HeldRef, customerId: number, act: Act): Promise<Dropped> {
  const sql = `update webhook_calls set status = 'dropped', held_at = null, held_error = null
    where id = $1 and held_at is not null`;
  if ((await tx.query(sql, [ref.id])).rowCount !== 1) return { outcome: 'not held' };
  const businessAt = await businessNow(tx);
  await writeAudit(tx, { ...act, businessAt, action: 'held.drop', customerId, detail: { ...ref } });
  return { outcome: 'dropped' };
}

async function dropFromDraft(
  tx: Tx,
  cache: ReleaseCache,
  ref: HeldRef,
  customerId: number,
  act: Act,
): Promise<Dropped> {
  return onCustomers(
    tx,
    cache,
    [customerId],
    async (_tx, [draft], ctx): Promise<Dropped> => {
      if (draft === undefined) return { outcome: 'customer held', customerId };
      if (ref.kind === 'send') {
        const of = (await loadOpenSends(tx, [ref.id], ctx)).get(ref.id);
        if (of === undefined) return { outcome: 'not held' };
        await resolveSends(tx, [draft], [dropped(of, ctx.now, act)], ctx);
      } else {
        const entry = [...storedOf(draft).enrolments.values()].find((stored) => stored.id === ref.id && stored.held);
        if (entry === undefined) return { outcome: 'not held' };
        const at = ctx.now;
        const { playbook } = entry.as;
        draft.item = { at, rank: RANK.event, seq: 0, priority: 0, playbook, customer: draft.profile.id };
        endEnrolment(draft, entry.as, { how: 'cancel', at, reason: act.reason });
        await resolveSends(tx, [draft], [], ctx);
      }
      await writeAudit(tx, { ...act, businessAt: ctx.now, action: 'held.drop', customerId, detail: { ...ref } });
      return { outcome: 'dropped' };
    },
    { only: customerId, recordsItself: true },
  );
}

function dropped(of: Resolution['of'], now: number, act: Act): Resolution {
  // What is to be sent again may have gone out already, and the server's answer may still come.
  const isUnknown = of.status === 'unknown' || of.resends > 0;
  return {
    of,
    from: ['planned', 'unknown'],
    status: isUnknown ? 'unknown' : 'failed',
    settlement: isUnknown ? { outcome: 'unknown', at: of.handedAt ?? now } : { outcome: 'failed', at: now },
    dueAt: null,
    attempt: false,
    resend: false,
    reason: `dropped by ${act.by}: ${act.reason}`,
    heldError: null,
  };
}
