/**
 * What readers say by the links in their mails: what they want no more of, and what they want.
 *
 * 1. A *no* holds for the address that the mail went to and for the one that its customer has now.
 * 2. A *yes* is for the address that the mail went to alone, for its reader said it, and is on record word for word.
 * 3. A suppression of everything (a complaint, a dead address, a person's decision) is not taken back here.
 */
import { ALL_TOPICS, isSubscribed } from '../journey/attempt.ts';
import type { Company } from '../playbook/types.ts';
import type { Instant } from '../time/types.ts';
import { writeAudit } from './audit.ts';
import { businessNow, type Database, type Queryable } from './database.ts';
import { erasedAmong } from './erasures.ts';
import { loadConsentOf } from './load-readers.ts';
import { patientTransaction } from './patience.ts';
import { time } from './sql.ts';
import { lockReaders, suppressLocked } from './suppress.ts';

/** Whom a mail was for. */
export interface MailReader {
  readonly sendId: number;
  /** Of the mail. */
  readonly topic: string;
  readonly transactional: boolean;
  /** Where it went, normalised; null when the reader was erased. */
  readonly address: string | null;
  /** Where the customer's mail goes now; null without an address. */
  readonly presentAddress: string | null;
  readonly locale: string | null;
}

/** Whom a mail was for; null when there is no such mail. */
export async function findReader(db: Queryable, sendId: number): Promise<MailReader | null> {
  const { rows } = await db.query<MailReader & Record<string, unknown>>(
    `select s.id as "sendId", s.topic, s.lane = 'transactional' as transactional, c.locale,
       case when c.erased_at is null then lower(s.address) end as address,
       case when c.erased_at is null then c.address end as "presentAddress"
     from sends s join customers o on o.id = s.customer_id join customers c on c.id = coalesce(o.merged_into, o.id)
     where s.id = $1`,
    [sendId],
  );
  return rows[0] ?? null;
}

/** How a reader stands to the topics that can be chosen, in the order of `perennial.yaml`. */
export interface Standing {
  /** Nothing goes to the address at all, whatever is chosen. */
  readonly blocked: boolean;
  readonly topics: readonly { readonly name: string; readonly title: string; readonly wanted: boolean }[];
}

/** How an address stands to the topics. */
export async function standingOf(db: Queryable, address: string, company: Company): Promise<Standing> {
  const consent = await loadConsentOf(db, address);
  const topics = Object.values(company.topics).filter(({ transactional }) => !transactional);
  return {
    blocked: consent.suppressed,
    topics: topics.map(({ name, title }) => ({ name, title, wanted: isSubscribed(consent, name, company) })),
  };
}

/** What a reader chose, and where. */
export interface Choices {
  readonly source: 'unsubscribe' | 'preferences';
  /** Topics that are not wanted; `ALL_TOPICS` for all that are not transactional, also later ones. */
  readonly no: readonly string[];
  readonly yes: readonly { readonly topic: string; readonly wording: string }[];
  /** Of the wording. */
  readonly language: string;
}

/** Records what a reader chose, in one transaction: open claims on what is not wanted are taken back. Twice is once. */
export async function recordChoices(db: Database, reader: MailReader, choices: Choices): Promise<void> {
  const { address, presentAddress, sendId } = reader;
  if (address === null) return;
  const { source } = choices;
  const by = 'the reader';
  const reason = `by the link in mail ${sendId}`;
  const addresses = [...new Set([address, presentAddress ?? address])];
  await patientTransaction(db, async (tx) => {
    const ids = await lockReaders(tx, ...addresses);
    const [erased, now] = await Promise.all([erasedAmong(tx, 'address', addresses), businessNow(tx)]);
    // Forgotten since the link was looked up: nothing more is written about them.
    if (erased.has(address)) return;
    for (const scope of choices.no) {
      for (const one of addresses.filter((each) => !erased.has(each))) {
        const suppression = { address: one, scope, source, reason, by, sendId };
        await suppressLocked(tx, suppression, { address: one, ids, now });
      }
    }
    for (const yes of choices.yes)
      await subscribe(tx, { address, source, reason, by, sendId, now, ...yes }, choices.language);
  });
}

/** All that has to be forbidden for a reader who wants no letters at all. */
export function everyTopic(company: Company): readonly string[] {
  const topics = Object.values(company.topics).filter(({ transactional }) => !transactional);
  return [ALL_TOPICS, ...topics.map(({ name }) => name)];
}

interface Subscription {
  readonly address: string;
  readonly topic: string;
  readonly source: string;
  readonly reason: string;
  readonly by: string;
  readonly sendId: number;
  readonly wording: string;
  readonly now: Instant;
}

async function subscribe(tx: Queryable, subscription: Subscription, language: string): Promise<void> {
  const { address, topic, source, reason, by, sendId, wording, now } = subscription;
  const { rowCount } = await tx.query('delete from suppressions where address = $1 and scope = $2', [address, topic]);
  await tx.query(
    `with fresh as (
       insert into opt_ins (address, topic, at, source) values ($1, $2, $3, $4)
       on conflict (address, topic) do nothing returning address)
     insert into consents (address, topic, given, at, source, wording, language, send_id)
       select $1, $2, true, $3, $4, $5, $6, $7::bigint where $8 or exists (select from fresh)`,
    [address, topic, time(now), source, wording, language, sendId, rowCount === 1],
  );
  if (rowCount !== 1) return;
  await writeAudit(tx, {
    businessAt: now,
    by,
    action: 'unsuppress',
    reason,
    detail: { address, scope: topic, source },
  });
}
