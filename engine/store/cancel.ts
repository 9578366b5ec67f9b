/** Ending a customer's enrolments at a person's word. */
import { cancelEnrolments } from '../journey/run.ts';
import { writeAudit } from './audit.ts';
import { onCustomers } from './chunk.ts';
import type { ReleaseCache } from './context.ts';
import type { Database, Queryable } from './database.ts';
import { patientTransaction } from './patience.ts';
import { findCustomer, type Found, type FoundCustomer } from './people.ts';

/** Whose enrolments to end. */
export interface CancelRequest {
  /** A customer's id or e-mail address. */
  readonly customer: string;
  /** One playbook, or null for all. */
  readonly playbook: string | null;
  readonly by: string;
  readonly reason: string;
}

/** What came of it. */
export type Cancelled =
  | Exclude<Found, { readonly outcome: 'found' }>
  /** The customer is held, erased or merged away. */
  | { readonly outcome: 'not workable'; readonly customer: FoundCustomer }
  /** Nothing was under way; `active` are the playbooks in which something is. */
  | { readonly outcome: 'nothing active'; readonly customer: FoundCustomer; readonly active: readonly string[] }
  | {
      readonly outcome: 'cancelled';
      readonly customer: FoundCustomer;
      readonly playbooks: readonly string[];
      /** Mails already past the point of no return: they cannot be called back. */
      readonly handed: number;
    };

/**
 * Ends active enrolments; mail that is planned or claimed for them does not go out once this has committed (docs/architecture.md P3).
 * What is due is not carried out first: the word of a person counts from now.
 */
export async function cancel(db: Database, cache: ReleaseCache, request: CancelRequest): Promise<Cancelled> {
  return patientTransaction(db, async (tx) => {
    const found = await findCustomer(tx, request.customer);
    if (found.outcome !== 'found') return found;
    const { customer } = found;
    const { playbook, by, reason } = request;
    const cancelled = await onCustomers(
      tx,
      cache,
      [customer.id],
      async (_tx, [draft], ctx): Promise<Cancelled> => {
        if (draft === undefined) return { outcome: 'not workable', customer };
        const active = [...draft.enrolments.values()];
        const chosen = active.filter((enrolment) => playbook === null || enrolment.playbook === playbook);
        const names = (of: typeof active): string[] => [...new Set(of.map((enrolment) => enrolment.playbook))].sort();
        if (chosen.length === 0) return { outcome: 'nothing active', customer, active: names(active) };
        cancelEnrolments(draft, { playbook, at: ctx.now, reason });
        const detail = { enrolments: chosen.map((enrolment) => enrolment.id), playbooks: names(chosen) };
        const act = { businessAt: ctx.now, by, action: 'cancel', customerId: customer.id, playbook, reason } as const;
        await writeAudit(tx, { ...act, detail });
        return { outcome: 'cancelled', customer, playbooks: names(chosen), handed: 0 };
      },
      { only: customer.id },
    );
    if (cancelled.outcome !== 'cancelled') return cancelled;
    return { ...cancelled, handed: await handedOf(tx, customer.id, cancelled.playbooks) };
  });
}

/** After the claimed ones were cancelled, what is still open has been handed over. */
async function handedOf(tx: Queryable, customerId: number, playbooks: readonly string[]): Promise<number> {
  const { rows } = await tx.query<{ handed: number }>(
    `select count(*) as handed from sends s join playbooks p on p.id = s.playbook_id
     where s.customer_id = $1 and s.status in ('planned', 'claimed', 'handed') and s.status = 'handed'
       and p.name = any($2)`,
    [customerId, playbooks],
  );
  return rows[0]?.handed ?? 0;
}
