/**
 * What is held: stopped with its error, counted and shown until a person retries or drops it (docs/architecture.md P1). Five things
 * can be: a customer with all that is theirs, one enrolment, one mail, an event that came for a held customer, and a call of
 * another system that was given up.
 */
import type { Instant } from '../time/types.ts';
import type { Queryable } from './database.ts';

/** The kinds of held things. */
export type HeldKind = 'customer' | 'enrolment' | 'send' | 'event' | 'webhook';

/** Names one held thing; written `KIND:ID`, with the database's id. */
export interface HeldRef {
  readonly kind: HeldKind;
  readonly id: number;
}

/** A held thing, as a list shows it. */
export interface HeldItem extends HeldRef {
  readonly customerId: number;
  /** The company's id of the customer. */
  readonly customer: string;
  readonly playbook: string | null;
  readonly step: string | null;
  /** Of a mail. */
  readonly template: string | null;
  /** A mail of which nobody knows whether the server took it. */
  readonly unknown: boolean;
  readonly at: Instant;
  readonly error: string;
}

/** How much is held, by kind. */
export type HeldCounts = Readonly<Record<HeldKind, number>>;

/** No longer than numbers are exact: 10^16 would be somebody else's. */
const REF = /^(customer|enrolment|send|event|webhook):([1-9]\d{0,14})$/;

/** Reads `send:12`; null for anything else. */
export function parseHeldRef(text: string): HeldRef | null {
  const match = REF.exec(text.trim());
  return match === null ? null : { kind: match[1] as HeldKind, id: Number(match[2]) };
}

/** Writes a reference as `parseHeldRef` reads it. */
export function formatHeldRef({ kind, id }: HeldRef): string {
  return `${kind}:${id}`;
}

const HELD = `
  select 'customer' as kind, c.id, c.id as customer_id, null::int as playbook_id, null as step, null as template,
    false as unknown, c.held_at as at, c.held_error as error from customers c where c.held_at is not null
  union all
  select 'enrolment', e.id, e.customer_id, e.playbook_id, e.step, null, false, e.held_at, e.held_error
    from enrolments e where e.held_at is not null
  union all
  select 'send', s.id, s.customer_id, s.playbook_id, s.step, s.template, s.status = 'unknown', s.held_at, s.held_error
    from sends s where s.held_at is not null
  union all
  select 'event', h.id, h.customer_id, null, null, null, false, h.held_at, h.error from held_events h
  union all
  select 'webhook', w.id, w.customer_id, w.playbook_id, w.step, null, false, w.held_at, w.held_error
    from webhook_calls w where w.held_at is not null`;

/** Everything that is held, the oldest first, at most `limit` (default 500). */
export async function listHeld(db: Queryable, options: { readonly limit?: number } = {}): Promise<readonly HeldItem[]> {
  const { rows } = await db.query<HeldItem & Record<string, unknown>>(
    `select h.kind, h.id, h.customer_id as "customerId", c.key as customer, p.name as playbook, h.step, h.template, h.unknown,
       h.at, h.error
     from (${HELD}) h join customers c on c.id = h.customer_id left join playbooks p on p.id = h.playbook_id
     order by h.at, h.kind, h.id limit $1`,
    [options.limit ?? 500],
  );
  return rows;
}

/** Counts what is held. */
export async function countHeld(db: Queryable): Promise<HeldCounts> {
  const { rows } = await db.query<{ kind: HeldKind; count: number }>(
    `select kind, count(*) as count from (${HELD}) h group by kind`,
  );
  const counts = { customer: 0, enrolment: 0, send: 0, event: 0, webhook: 0 };
  for (const { kind, count } of rows) counts[kind] = count;
  return counts;
}
