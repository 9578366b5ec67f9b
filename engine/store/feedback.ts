/**
 * Records what came back of mails, with what follows from it, in one transaction for each report.
 *
 * 1. A report concerns nobody unless it is about a mail that we handed over; what is suppressed is where that mail went.
 * 2. The same report twice counts once, and does not undo what a person has decided in between.
 * 3. Suppressing revokes open claims like every other suppression (docs/architecture.md P3).
 */
import type { Instant } from '../time/types.ts';
import { businessNow, type Database, type Queryable } from './database.ts';
import { provenSend, refusedSend, sendTo, type ReportedSend, type ReturnedMail } from './feedback-sends.ts';
import { domainOf } from '../message/address.ts';
import { holdDomain } from './pace/holds.ts';
import { patientTransaction } from './patience.ts';
import { time } from './sql.ts';
import { EVERYTHING, lockReaders, suppressIn } from './suppress.ts';

/** A bounce by what it means; see docs/operations.md. */
export type BounceVerdict = 'hard' | 'soft' | 'sender' | 'unclear';

/** One recipient of a report. `address` is normalised, null when it names none. */
export interface ReturnedRecipient {
  readonly address: string | null;
  readonly originalAddress: string | null;
  readonly verdict: BounceVerdict | 'delayed' | 'delivered' | 'complaint';
  readonly status: string | null;
  /** The server's words; of a complaint, its type. */
  readonly detail: string | null;
}

/** A report about mail, read. */
export interface Returned {
  readonly about: ReturnedMail;
  readonly recipients: readonly ReturnedRecipient[];
}

/** What one recipient of a report came to. */
export interface Taken {
  readonly recipient: ReturnedRecipient;
  /** null: no mail of ours. */
  readonly send: ReportedSend | null;
  readonly outcome: 'suppressed' | 'recorded' | 'known before' | 'no matter' | 'not ours';
}

/** Soft bounces in a row after which nothing more goes to an address, and how far apart the first and the last are. */
export const SOFT_IN_A_ROW = 5;
/** In milliseconds: 10 days. */
export const SOFT_OVER_MS = 10 * 86_400_000;

/** Finds the mails that a report is about, and changes nothing. */
export async function findReported(
  db: Queryable,
  { about, recipients }: Returned,
): Promise<readonly Omit<Taken, 'outcome'>[]> {
  const proven = await provenSend(db, about);
  if (proven !== null) {
    const recipient = recipientFor(proven, recipients);
    return recipient === null ? [] : [{ recipient, send: proven }];
  }
  const now = await businessNow(db);
  const found: Omit<Taken, 'outcome'>[] = [];
  for (const recipient of recipients) {
    const addresses = [recipient.originalAddress, recipient.address].filter((address) => address !== null);
    let send: ReportedSend | null = null;
    for (const address of addresses) send ??= await sendTo(db, address, about, now);
    found.push({ recipient, send });
  }
  return found;
}

/** Records a report and does what follows from it. */
export async function recordReturned(db: Database, returned: Returned): Promise<readonly Taken[]> {
  const found = await findReported(db, returned);
  const taken: Taken[] = [];
  for (const { recipient, send } of found) {
    if (send === null) taken.push({ recipient, send, outcome: 'not ours' });
    else
      taken.push({ recipient, send, outcome: await patientTransaction(db, async (tx) => record(tx, recipient, send)) });
  }
  return taken;
}

/** The same for a mail that the server refused at once, after it was recorded as failed, or as planned again. */
export async function recordRefused(
  db: Database,
  sendId: number,
  recipient: ReturnedRecipient,
): Promise<Taken['outcome']> {
  const send = await refusedSend(db, sendId);
  return send === null ? 'no matter' : patientTransaction(db, async (tx) => record(tx, recipient, send));
}

/** The same for a mail that is already found. */
export async function recordAbout(
  db: Database,
  recipient: ReturnedRecipient,
  send: ReportedSend,
): Promise<Taken['outcome']> {
  return patientTransaction(db, async (tx) => record(tx, recipient, send));
}

/** A mail that came back, or that never left. */
type AnySend = Omit<ReportedSend, 'handedAt'>;

/** From the mildest on: of several whom one mail was passed on to, the mildest speaks for the address it went to. */
const MILDEST: readonly ReturnedRecipient['verdict'][] = [
  'delivered',
  'delayed',
  'unclear',
  'sender',
  'soft',
  'hard',
  'complaint',
];

/** A mail of ours has one recipient; a report names others where it was forwarded. */
function recipientFor(send: ReportedSend, recipients: readonly ReturnedRecipient[]): ReturnedRecipient | null {
  const own = recipients.find(
    ({ address, originalAddress }) => address === send.address || originalAddress === send.address,
  );
  const byMildness = [...recipients].sort((a, b) => MILDEST.indexOf(a.verdict) - MILDEST.indexOf(b.verdict));
  return own ?? byMildness[0] ?? null;
}

async function record(tx: Queryable, recipient: ReturnedRecipient, send: AnySend): Promise<Taken['outcome']> {
  const { verdict } = recipient;
  if (verdict === 'delayed') return 'no matter';
  // Customers come before sends in the order of locks; a row of feedback locks its send.
  await lockReaders(tx, send.address);
  const now = await businessNow(tx);
  const isNew = await addFeedback(tx, recipient, send, now);
  // A mail that is tried again hears the same again, and its domain is held for longer.
  const isAgain = verdict === 'sender' && send.proof === 'conversation';
  if (!isNew && !isAgain) return 'known before';
  switch (verdict) {
    case 'delivered':
      return 'recorded';
    case 'complaint':
      return suppressFor(tx, send, 'complaint', `complaint (${recipient.detail ?? 'abuse'})`);
    case 'hard':
      return suppressFor(tx, send, 'bounce', `hard bounce${words(recipient)}`);
    case 'sender':
      await addRefusal(tx, recipient, send, now);
      return 'recorded';
    case 'soft':
    case 'unclear': {
      if (!(await hasBouncedInARow(tx, send.address))) return 'recorded';
      return suppressFor(
        tx,
        send,
        'bounce',
        `${SOFT_IN_A_ROW} mails in a row came back, the last with${words(recipient)}`,
      );
    }
  }
}

/** ` 5.1.1 of ada@example.com: 550 …` */
function words({ status, detail, address }: ReturnedRecipient): string {
  return `${status === null ? '' : ` ${status}`}${address === null ? '' : ` of ${address}`}${detail === null ? '' : `: ${detail}`}`;
}

async function suppressFor(
  tx: Queryable,
  send: AnySend,
  source: 'bounce' | 'complaint',
  reason: string,
): Promise<'suppressed' | 'recorded'> {
  const suppression = { address: send.address, scope: EVERYTHING, source, by: 'perennial', sendId: send.id };
  const outcome = await suppressIn(tx, { ...suppression, reason: `${reason} (mail ${send.id} of ${send.playbook})` });
  return outcome === 'changed' ? 'suppressed' : 'recorded';
}

async function addFeedback(
  tx: Queryable,
  { verdict, status, detail }: ReturnedRecipient,
  send: AnySend,
  now: Instant,
): Promise<boolean> {
  const kind = verdict === 'delivered' ? 'delivered' : verdict === 'complaint' ? 'complained' : 'bounced';
  const { rowCount } = await tx.query(
    `insert into feedback (send_id, kind, verdict, at, status, detail) values ($1, $2, $3, $4, $5, $6)
     on conflict (send_id, kind, verdict) do nothing`,
    [send.id, kind, kind === 'bounced' ? verdict : '', time(now), status, detail],
  );
  return rowCount === 1;
}

async function addRefusal(
  tx: Queryable,
  { status, detail }: ReturnedRecipient,
  send: AnySend,
  now: Instant,
): Promise<void> {
  const domain = domainOf(send.address);
  await tx.query(
    `insert into refusing_domains as d (domain, first_at, last_at, status, detail) values ($1, $2, $2, $3, $4)
     on conflict (domain) do update
       set last_at = excluded.last_at, count = d.count + 1, status = excluded.status, detail = excluded.detail`,
    [domain, time(now), status, detail],
  );
  await holdDomain(tx, domain, 'refused', detail ?? status);
}

/** Whether the latest mails to the address all came back, over more than some days. */
async function hasBouncedInARow(tx: Queryable, address: string): Promise<boolean> {
  const { rows } = await tx.query<{ bounced: number; over: number | null }>(
    `select count(*) filter (where came_back) as bounced,
       floor(extract(epoch from max(handed_at) - min(handed_at)) * 1000)::bigint as over
     from (
       select s.handed_at, exists (select from feedback f where f.send_id = s.id and f.kind = 'bounced'
         and f.verdict in ('soft', 'unclear', 'hard')) as came_back
       from sends s
       where s.customer_id = any(array(select id from customers where address = $1)) and lower(s.address) = $1
         and s.handed_at is not null
       order by s.handed_at desc limit ${SOFT_IN_A_ROW}) latest`,
    [address],
  );
  const { bounced = 0, over = 0 } = rows[0] ?? {};
  return bounced >= SOFT_IN_A_ROW && (over ?? 0) >= SOFT_OVER_MS;
}

/** A domain that refused us, for what we are. */
export interface RefusingDomain {
  readonly domain: string;
  readonly firstAt: Instant;
  readonly lastAt: Instant;
  readonly count: number;
  readonly status: string | null;
  readonly detail: string | null;
}

/** Domains that refused us in the 7 days before the business clock, the latest first. */
export async function listRefusingDomains(db: Queryable): Promise<readonly RefusingDomain[]> {
  const since = (await businessNow(db)) - 7 * 86_400_000;
  const { rows } = await db.query<RefusingDomain & Record<string, unknown>>(
    `select domain, first_at as "firstAt", last_at as "lastAt", count, status, detail from refusing_domains
     where last_at > $1 order by last_at desc, domain limit 100`,
    [time(since)],
  );
  return rows;
}
