/**
 * Taking claims back: the part of forbidding mail that puts it in one order with hand-overs (see hand.ts).
 * Revoked mail is planned again; the next claim decides on it by what then holds.
 */
import type { Queryable } from './database.ts';

const TAKE_BACK = `update sends set status = 'planned', claimed_at = null, lease_until = null`;

/**
 * Revokes the claims on mail of these customers; with a topic, of its non-transactional mail only (`*topics`: of all topics). To be called in the
 * transaction that forbids it, after `lockCustomers`. Returns how many.
 */
export async function revokeFromCustomers(
  tx: Queryable,
  customerIds: readonly number[],
  topic: string | null = null,
): Promise<number> {
  // The three open states are named so that the partial index on open sends serves.
  const { rowCount } = await tx.query(
    `${TAKE_BACK} where customer_id = any($1::bigint[]) and status in ('planned', 'claimed', 'handed')
       and status = 'claimed' and ($2::text is null or (($2 = '*topics' or topic = $2) and lane = 'bulk'))`,
    [customerIds, topic],
  );
  return rowCount ?? 0;
}

/**
 * The same for mail to one address, whoever has it now. Whoever changes the address loses the claims on the way to the
 * old one, so this is a second net: for a customer who was merged, or moved past the protocol.
 */
export async function revokeFromAddress(tx: Queryable, address: string, topic: string | null = null): Promise<number> {
  const { rowCount } = await tx.query(
    `${TAKE_BACK} where status in ('claimed', 'handed') and status = 'claimed' and address = $1
       and ($2::text is null or (($2 = '*topics' or topic = $2) and lane = 'bulk'))`,
    [address, topic],
  );
  return rowCount ?? 0;
}

/**
 * Revokes the claims on mail of one playbook, or of all ('*'). To be called in the transaction that pauses it, after
 * `lockFleet`. Returns how many.
 */
export async function revokeFromPlaybook(tx: Queryable, scope: string): Promise<number> {
  const { rowCount } = await tx.query(
    `${TAKE_BACK} where status in ('claimed', 'handed') and status = 'claimed'
       and ($1 = '*' or playbook_id = (select id from playbooks where name = $1))`,
    [scope],
  );
  return rowCount ?? 0;
}
