/**
 * The record of what people did: written in the transaction of the act itself. It is never changed afterwards, except that
 * forgetting a customer empties the reasons and details of what was done about them.
 */
import type { Instant } from '../time/types.ts';
import type { Queryable } from './database.ts';

/** What a person can do. */
export type AuditAction =
  | 'deploy'
  | 'rollback'
  | 'pause'
  | 'resume'
  | 'trigger'
  | 'cancel'
  | 'suppress'
  | 'unsuppress'
  | 'forget'
  | 'held.retry'
  | 'held.drop'
  | 'unknown.settle'
  | 'task.done'
  | 'coupons.import'
  | 'pace.lift'
  | 'recovered'
  | 'move'
  | 'move.cancel'
  | 'keys.rotate';

/** One act, as it is written. `businessAt` is the business time of the transaction. */
export interface AuditEntry {
  readonly businessAt: Instant;
  readonly by: string;
  readonly action: AuditAction;
  readonly customerId?: number | null;
  readonly playbook?: string | null;
  readonly reason?: string | null;
  /** Plain JSON; holds no secrets. */
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** One act, as it is read. `at` is the database's machine time. */
export interface AuditRow {
  readonly id: number;
  readonly at: Instant;
  readonly businessAt: Instant;
  readonly by: string;
  readonly action: string;
  readonly customerId: number | null;
  readonly playbook: string | null;
  readonly reason: string | null;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** Writes one act; call it inside the transaction that carries the act out, so that neither is without the other. */
export async function writeAudit(tx: Queryable, entry: AuditEntry): Promise<void> {
  await tx.query(
    `insert into audit (business_at, by, action, customer_id, playbook, reason, detail)
     values (to_timestamp($1::float8 / 1000), $2, $3, $4, $5, $6, $7)`,
    [
      entry.businessAt,
      entry.by,
      entry.action,
      entry.customerId ?? null,
      entry.playbook ?? null,
      entry.reason ?? null,
      JSON.stringify(entry.detail ?? {}),
    ],
  );
}

/** The latest acts, newest first; of one customer where `customerId` is given. `limit` defaults to 50. */
export async function readAudit(
  db: Queryable,
  which: { readonly customerId?: number; readonly limit?: number } = {},
): Promise<readonly AuditRow[]> {
  const { rows } = await db.query<AuditRow & { readonly [column: string]: unknown }>(
    `select id, at, business_at as "businessAt", by, action, customer_id as "customerId", playbook, reason, detail
     from audit where $1::bigint is null or customer_id = $1 order by id desc limit $2`,
    [which.customerId ?? null, which.limit ?? 50],
  );
  return rows;
}
