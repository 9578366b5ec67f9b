/** Holding a culprit: it stops, with its error on record, and waits for a person. */
import { businessNow, type Queryable } from './database.ts';
import { lockCustomers } from './lock.ts';

/** Who was held, and why. */
export interface Held {
  readonly customerId: number;
  /** Null: the whole customer is held. */
  readonly enrolment: { readonly playbook: string; readonly entryKey: string } | null;
  readonly error: string;
}

/** Holds one active enrolment; null when no row of it is there to be held. */
export async function holdEnrolment(
  tx: Queryable,
  customerId: number,
  enrolment: { readonly playbook: string; readonly entryKey: string },
  error: string,
): Promise<Held | null> {
  await lockCustomers(tx, [customerId]);
  const { rowCount } = await tx.query(
    `update enrolments e set held_at = $4, held_error = $5 from playbooks p
     where p.id = e.playbook_id and e.customer_id = $1 and p.name = $2 and e.entry_key = $3
       and e.status = 'active' and e.held_at is null`,
    [customerId, enrolment.playbook, enrolment.entryKey, await heldAt(tx), printable(error)],
  );
  return rowCount === 1 ? { customerId, enrolment, error } : null;
}

/** Holds a customer with all that is theirs. */
export async function holdCustomer(tx: Queryable, customerId: number, error: string): Promise<Held> {
  await lockCustomers(tx, [customerId]);
  await tx.query(`update customers set held_at = $2, held_error = $3 where id = $1 and held_at is null`, [
    customerId,
    await heldAt(tx),
    printable(error),
  ]);
  return { customerId, enrolment: null, error };
}

async function heldAt(tx: Queryable): Promise<string> {
  return new Date(await businessNow(tx)).toISOString();
}

const MAX_ERROR = 2_000;

/** PostgreSQL cannot store NUL, and the error may quote the very data that was refused. */
function printable(error: string): string {
  return error.replaceAll('\0', '').slice(0, MAX_ERROR);
}
