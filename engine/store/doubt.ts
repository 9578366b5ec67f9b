/** Mails in doubt: a crash or a broken connection left open whether the server took them (docs/architecture.md P2). */
import type { Instant } from '../time/types.ts';
import type { Queryable } from './database.ts';
import type { MailLane } from './lane.ts';

/**
 * What the policy of the playbook did: `waits`: the mail is held, and its enrolment waits for a person; `assumed`: it was taken as
 * sent, and its enrolment went on.
 */
export type Doubt = 'waits' | 'assumed';

/** A mail in doubt. */
export interface DoubtfulSend {
  readonly id: number;
  readonly doubt: Doubt;
  readonly customerId: number;
  /** The company's id of the customer. */
  readonly customer: string;
  readonly playbook: string;
  readonly step: string;
  readonly template: string;
  readonly lane: MailLane;
  readonly messageId: string | null;
  /** When it was handed over: its last bytes were about to leave. */
  readonly handedAt: Instant | null;
  /** Since when it is known to be in doubt. */
  readonly at: Instant;
  /** What became of the conversation. */
  readonly reason: string | null;
  /** How often it was sent again before: the reader may have copies. */
  readonly resends: number;
}

/** How many mails are in doubt. */
export type DoubtCounts = Readonly<Record<Doubt, number>>;

/** Mails in doubt: first those that wait for a person, the oldest first; then the others, the newest first. */
export async function listDoubtful(
  db: Queryable,
  options: { readonly limit: number },
): Promise<readonly DoubtfulSend[]> {
  const { rows } = await db.query<DoubtfulSend & Record<string, unknown>>(
    `select s.id, case when s.held_at is null then 'assumed' else 'waits' end as doubt, s.customer_id as "customerId",
       c.key as customer, p.name as playbook, s.step, s.template, s.lane, s.message_id as "messageId",
       s.handed_at as "handedAt", coalesce(s.held_at, s.settled_at) as at, s.reason, s.resends
     from sends s join customers c on c.id = s.customer_id join playbooks p on p.id = s.playbook_id
     where s.status = 'unknown'
     order by s.held_at, s.settled_at desc, s.id desc limit $1`,
    [options.limit],
  );
  return rows;
}

/** Counts the mails in doubt. */
export async function countDoubtful(db: Queryable): Promise<DoubtCounts> {
  const { rows } = await db.query<{ waits: number; assumed: number }>(
    `select count(*) filter (where held_at is not null) as waits, count(*) filter (where held_at is null) as assumed
     from sends where status = 'unknown'`,
  );
  return rows[0] ?? { waits: 0, assumed: 0 };
}
