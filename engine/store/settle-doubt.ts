/** Settling mails in doubt by hand: somebody has looked at the mail server, or asked the reader. */
import { writeAudit } from './audit.ts';
import { onCustomers } from './chunk.ts';
import type { ReleaseCache, StoreContext } from './context.ts';
import type { Database, Tx } from './database.ts';
import type { Doubt } from './doubt.ts';
import type { Act } from './held-retry.ts';
import { loadOpenSends, resolveSends, type OpenSend, type Resolution } from './open-sends.ts';
import { patientTransaction } from './patience.ts';

/** What a person says of such a mail: the server took it; it did not; it is to be sent again under the same Message-ID. */
export const VERDICTS = ['sent', 'failed', 'resend'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** What became of one. */
export type SettledByHand = { readonly id: number } & (
  | { readonly outcome: 'settled'; readonly was: Doubt }
  /** No such mail is in doubt (any more). */
  | { readonly outcome: 'not in doubt' }
  /** Its customer is held as well: that comes first. */
  | { readonly outcome: 'customer held'; readonly customerId: number }
  /** It cannot be sent again: its playbook has gone on, or is over. */
  | { readonly outcome: 'gone on'; readonly playbook: string; readonly customerKey: string }
);

/**
 * Settles each of these mails in a transaction of its own, with its audit record. Where the enrolment waits for it, it goes on as
 * after any mail: from the hand-over when it was `sent`, from now when it `failed`. Where it has gone on already, the record alone
 * changes: a failed mail counts towards no cap any more. Each id counts once.
 */
export async function settleDoubtful(
  db: Database,
  cache: ReleaseCache,
  ids: readonly number[],
  verdict: Verdict,
  act: Act,
): Promise<readonly SettledByHand[]> {
  const results: SettledByHand[] = [];
  for (const id of new Set(ids)) {
    results.push(await patientTransaction(db, async (tx) => settleOne(tx, cache, id, verdict, act)));
  }
  return results;
}

async function settleOne(tx: Tx, cache: ReleaseCache, id: number, verdict: Verdict, act: Act): Promise<SettledByHand> {
  const { rows } = await tx.query<{ customer: number; key: string }>(
    `select s.customer_id as customer, c.key from sends s join customers c on c.id = s.customer_id
     where s.id = $1 and s.status = 'unknown'`,
    [id],
  );
  const [owner] = rows;
  if (owner === undefined) return { id, outcome: 'not in doubt' };
  const customerId = owner.customer;
  return onCustomers(
    tx,
    cache,
    [customerId],
    async (_tx, [draft], ctx): Promise<SettledByHand> => {
      // Looked at again under the lock: somebody else may have settled it.
      const of = (await loadOpenSends(tx, [id], ctx)).get(id);
      if (of?.status !== 'unknown') return { id, outcome: 'not in doubt' };
      const was = await doubtOf(tx, id);
      if (verdict === 'resend' && (was === 'assumed' || of.ended !== null)) {
        return { id, outcome: 'gone on', playbook: of.send.playbook, customerKey: owner.key };
      }
      if (was === 'waits' && draft === undefined) return { id, outcome: 'customer held', customerId };
      await resolveSends(tx, draft === undefined ? [] : [draft], [resolved(of, was, verdict, act, ctx)], ctx);
      const detail = { kind: 'send', id, as: verdict, was };
      const { playbook } = of.send;
      await writeAudit(tx, { ...act, businessAt: ctx.now, action: 'unknown.settle', customerId, playbook, detail });
      return { id, outcome: 'settled', was };
    },
    { only: customerId, recordsItself: true },
  );
}

async function doubtOf(tx: Tx, id: number): Promise<Doubt> {
  const { rows } = await tx.query<{ held: boolean }>('select held_at is not null as held from sends where id = $1', [
    id,
  ]);
  return rows[0]?.held === true ? 'waits' : 'assumed';
}

function resolved(of: OpenSend, was: Doubt, verdict: Verdict, act: Act, ctx: StoreContext): Resolution {
  const reason = `settled by ${act.by}: ${act.reason}`;
  const plain = { of, from: ['unknown'] as const, dueAt: null, attempt: false, resend: false, reason, heldError: null };
  switch (verdict) {
    case 'sent': {
      const settlement = { outcome: 'sent', at: of.handedAt ?? ctx.now } as const;
      return { ...plain, status: 'sent', settlement: was === 'waits' ? settlement : null };
    }
    case 'failed': {
      const settlement = { outcome: 'failed', at: ctx.now } as const;
      return { ...plain, status: 'failed', settlement: was === 'waits' ? settlement : null };
    }
    case 'resend':
      return { ...plain, status: 'planned', settlement: null, dueAt: ctx.now, resend: true };
  }
}
