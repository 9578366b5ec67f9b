/** What a customer's mail of some playbooks is filled with, for looking at it. Reads only. */
import type { CustomerEvent, Enrolment, Profile } from '../journey/types.ts';
import type { Json } from '../playbook/types.ts';
import type { Instant } from '../time/types.ts';
import type { Queryable } from './database.ts';
import { loadCustomers } from './load-rows.ts';
import { unpackOrigin, type StoredOrigin } from './origin.ts';

/** An enrolment, as far as its mails show it. */
export interface MailingEnrolment extends Pick<Enrolment, 'origin' | 'vars' | 'startedAt'> {
  readonly playbook: string;
}

/** The profile of a customer by the database's id; null for one who is not there. */
export async function profileOf(db: Queryable, customerId: number): Promise<Profile | null> {
  const [row] = await loadCustomers(db, [customerId]);
  return row?.profile ?? null;
}

/** The customer's latest enrolment in one of these playbooks, over or not; null without one. */
export async function latestEnrolment(
  db: Queryable,
  customerId: number,
  playbooks: readonly string[],
): Promise<MailingEnrolment | null> {
  type Row = {
    name: string;
    entry_key: string;
    started_at: Instant;
    origin: StoredOrigin | null;
    vars: Readonly<Record<string, Json>> | null;
  };
  const { rows } = await db.query<Row>(
    `select p.name, e.entry_key, e.started_at, e.origin, e.vars
       from enrolments e join playbooks p on p.id = e.playbook_id
      where e.customer_id = $1 and p.name = any($2::text[]) order by e.started_at desc, e.id desc limit 1`,
    [customerId, playbooks],
  );
  const [row] = rows;
  if (row === undefined) return null;
  const { name, entry_key: key, started_at: startedAt, origin, vars } = row;
  return { playbook: name, startedAt, origin: unpackOrigin(origin, key, startedAt), vars: vars ?? {} };
}

/** The customer's latest event among these kinds; null without one. */
export async function latestEvent(
  db: Queryable,
  customerId: number,
  events: readonly string[],
): Promise<CustomerEvent | null> {
  type Row = { key: string; event: string; at: Instant; data: Readonly<Record<string, Json>> };
  const { rows } = await db.query<Row>(
    `select key, event, at, data from events where customer_id = $1 and event = any($2::text[])
      order by at desc, id desc limit 1`,
    [customerId, events],
  );
  const [row] = rows;
  return row === undefined ? null : { id: row.key, event: row.event, at: row.at, data: row.data };
}
