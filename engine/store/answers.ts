/** Answers to surveys by the links in their mails: which survey a link is for, and the answer on record. */
import { ANSWERED } from '../journey/survey.ts';
import type { CustomerEvent } from '../journey/types.ts';
import type { Json } from '../playbook/types.ts';
import type { Instant } from '../time/types.ts';
import type { ReleaseCache } from './context.ts';
import { businessNow, type Database, type Queryable } from './database.ts';
import { ingest, type Ingested } from './ingest.ts';

/** A survey that somebody was sent. */
export interface AskedSurvey {
  readonly sendId: number;
  /** The company's id of the customer. */
  readonly customer: string;
  readonly customerId: number;
  /** What is asked, such as `nps`. */
  readonly ask: string;
  readonly playbook: string;
  readonly step: string;
  readonly locale: string | null;
  /** The customer was erased: nothing more may be stored about them. */
  readonly erased: boolean;
  /** The score that was given before; undefined when none was. */
  readonly given: number | undefined;
}

/** The event id of an answer by link: a survey's mail is answered once. */
export function answerKey(sendId: number): string {
  return `perennial:survey:${sendId}`;
}

/** The survey of a mail that was handed over; null for any other. */
export async function findAsked(db: Queryable, sendId: number): Promise<AskedSurvey | null> {
  const { rows } = await db.query<AskedSurvey & Record<string, unknown>>(
    `select s.id as "sendId", c.key as customer, c.id as "customerId", s.ask, p.name as playbook, s.step, c.locale,
       c.erased_at is not null or c.merged_into is not null as erased
     from sends s join customers c on c.id = s.customer_id join playbooks p on p.id = s.playbook_id
     where s.id = $1 and s.ask is not null and s.handed_at is not null`,
    [sendId],
  );
  const [asked] = rows;
  if (asked === undefined) return null;
  const answer = (await loadAnswers(db, [asked])).get(sendId);
  const score = answer?.data['score'];
  return { ...asked, given: typeof score === 'number' ? score : undefined };
}

/** The answers by link that came to these mails, by send. */
export async function loadAnswers(
  db: Queryable,
  sends: readonly { readonly sendId: number; readonly customerId: number }[],
): Promise<ReadonlyMap<number, CustomerEvent>> {
  if (sends.length === 0) return new Map();
  const byKey = new Map(sends.map(({ sendId }) => [answerKey(sendId), sendId]));
  const { rows } = await db.query<{ key: string; at: Instant; data: Readonly<Record<string, Json>> }>(
    `select key, at, data from events where customer_id = any($1::bigint[]) and key = any($2::text[])`,
    [sends.map(({ customerId }) => customerId), [...byKey.keys()]],
  );
  return new Map(
    rows.map(({ key, at, data }) => [byKey.get(key) ?? 0, { id: key, event: ANSWERED, at, data }] as const),
  );
}

/**
 * Takes an answer in as the event `survey.answered`, in one transaction with what it brings about. The first answer to
 * a mail counts; a repeated one is a duplicate.
 */
export async function answerSurvey(
  db: Database,
  cache: ReleaseCache,
  asked: AskedSurvey,
  answer: { readonly score: number; readonly comment: string | null },
): Promise<Ingested> {
  const { sendId, customer, ask, playbook, step } = asked;
  const comment = answer.comment === null ? {} : { comment: answer.comment };
  const event: CustomerEvent = {
    id: answerKey(sendId),
    event: ANSWERED,
    at: await businessNow(db),
    data: { survey: ask, score: answer.score, ...comment, playbook, step },
  };
  return ingest(db, cache, [{ kind: 'track', customer, createIfMissing: false, event }], { history: false });
}
