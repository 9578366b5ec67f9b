/** Which of our mails a report is about: by what proves it, or else by address and time. */
import type { Queryable } from './database.ts';
import type { Instant } from '../time/types.ts';
import { time } from './sql.ts';

/** What a report says of the mail that came back; `tokens` are those whose signature is ours. */
export interface ReturnedMail {
  /** Ids in signed return paths. */
  readonly signedIds: readonly number[];
  /** With its angle brackets. */
  readonly messageId: string | null;
  /** Header X-Perennial-Send. */
  readonly sendId: number | null;
}

/** How sure it is that a report is about a mail: the first two cannot be had without it, the third the server told us. */
export type Proof = 'return path' | 'message id' | 'conversation' | 'address';

/** A mail of ours that a report is about. */
export interface ReportedSend {
  readonly id: number;
  /** Where it went, normalised. */
  readonly address: string;
  readonly customer: string;
  readonly playbook: string;
  readonly handedAt: Instant;
  readonly proof: Proof;
}

/** How old a mail may be that only address and time speak for: servers give up after 5 days (RFC 5321 section 4.5.4.1). */
const RECENT_MS = 7 * 86_400_000;
const OUR_MESSAGE_ID = /^<send-([1-9]\d{0,14})[.@]/;

const SEND = `select s.id, lower(s.address) as address, c.key as customer, p.name as playbook, s.handed_at as "handedAt"
  from sends s join customers c on c.id = s.customer_id join playbooks p on p.id = s.playbook_id`;

type Row = Omit<ReportedSend, 'proof'> & Record<string, unknown>;

/** The mail of a signed return path or of our Message-ID; null when the report proves none, or its reader was erased. */
export async function provenSend(db: Queryable, about: ReturnedMail): Promise<ReportedSend | null> {
  for (const id of about.signedIds) {
    const { rows } = await db.query<Row>(
      `${SEND} where s.id = $1 and s.handed_at is not null and s.address is not null`,
      [id],
    );
    if (rows[0] !== undefined) return { ...rows[0], proof: 'return path' };
  }
  const named = OUR_MESSAGE_ID.exec(about.messageId ?? '')?.[1];
  if (named === undefined) return null;
  const { rows } = await db.query<Row>(`${SEND} where s.id = $1 and s.message_id = $2 and s.handed_at is not null`, [
    Number(named),
    about.messageId,
  ]);
  return rows[0] === undefined ? null : { ...rows[0], proof: 'message id' };
}

/** The mail that the server refused while it was handed to it; null when it has neither failed nor is tried again. */
export async function refusedSend(db: Queryable, id: number): Promise<Omit<ReportedSend, 'handedAt'> | null> {
  const { rows } = await db.query<Row>(
    `${SEND} where s.id = $1 and s.status in ('failed', 'planned') and s.address is not null`,
    [id],
  );
  return rows[0] === undefined ? null : { ...rows[0], proof: 'conversation' };
}

/**
 * Without proof: the mail that the returned one names, if it went to that address, else the latest that went there in
 * the 7 days before `now`; null when none did, so that a report about somebody else's mail concerns nobody here.
 */
export async function sendTo(
  db: Queryable,
  address: string,
  about: ReturnedMail,
  now: Instant,
): Promise<ReportedSend | null> {
  const { rows } = await db.query<Row>(
    `${SEND} where s.customer_id = any(array(
         select id from customers where address = $1
         union select customer_id from former_addresses where address = $1))
       and lower(s.address) = $1 and (s.id = $2 or s.handed_at > $3) and s.handed_at is not null
     order by (s.id = $2) desc nulls last, s.handed_at desc, s.id desc limit 1`,
    [address, about.sendId, time(now - RECENT_MS)],
  );
  return rows[0] === undefined ? null : { ...rows[0], proof: 'address' };
}
