/**
 * Records what mail providers report, with the same consequences as delivery reports.
 *
 * 1. An event counts once: by its id, and, should that be forgotten, by the row that it left (feedback.ts).
 * 2. Its id is kept after what it says is recorded: who is interrupted between the two records the same again.
 * 3. Only an event that names our mail says something of a mail. Without a name, a dead address and a complaint still count,
 *    as they do in delivery reports, and everything else is about some other mail.
 */
import { businessNow, type Database, type Queryable } from './database.ts';
import { recordAbout, type ReturnedRecipient, type Taken } from './feedback.ts';
import { sendTo, type ReportedSend } from './feedback-sends.ts';
import { execute, time } from './sql.ts';

/** One event of one recipient. */
export interface ReportedEvent {
  /** The same in every repetition. */
  readonly id: string;
  /** What stands before the `@` of our Message-ID. */
  readonly reference: string | null;
  readonly sendId: number | null;
  readonly recipient: ReturnedRecipient;
}

/** What an event came to. `known before`: it, or another one that says the same. */
export type EventOutcome = Taken['outcome'];

/** What the events of one request came to. */
export interface RecordedEvents {
  readonly outcomes: readonly { readonly event: ReportedEvent; readonly outcome: EventOutcome }[];
  /** True when a complaint is among what is new. */
  readonly hasComplaint: boolean;
}

/** How long ids are kept: no provider tries for longer than a few days. */
const KEPT_DAYS = 30;
/** Forgetting is shared among requests, so that none takes long. */
const FORGOTTEN_AT_ONCE = 2_000;

/**
 * Records the events of one request, in any order and any mixture. `batchId` is for providers whose signature covers a token
 * and not the events: what comes with a token that was there before is known before, whatever it says.
 */
export async function recordEvents(
  db: Database,
  provider: string,
  events: readonly ReportedEvent[],
  batchId: string | null = null,
): Promise<RecordedEvents> {
  const known = await knownIds(db, provider, [...events.map(({ id }) => id), ...(batchId === null ? [] : [batchId])]);
  const isSpent = batchId !== null && known.has(batchId);
  const fresh = new Map(isSpent ? [] : events.filter(({ id }) => !known.has(id)).map((event) => [event.id, event]));
  const outcomes = await recordFresh(db, [...fresh.values()]);
  const all = events.map((event) => {
    const outcome = fresh.get(event.id) === event ? outcomes.get(event.id) : undefined;
    return { event, outcome: outcome ?? ('known before' as const) };
  });
  const ids = [...fresh.keys(), ...(batchId === null || isSpent ? [] : [batchId])];
  await keep(db, provider, ids, all);
  const hasComplaint = all.some(
    ({ event, outcome }) => event.recipient.verdict === 'complaint' && outcome !== 'known before',
  );
  return { outcomes: all, hasComplaint };
}

async function knownIds(db: Queryable, provider: string, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const { rows } = await db.query<{ id: string }>(
    'select id from provider_events where provider = $1 and id = any($2::text[])',
    [provider, ids],
  );
  return new Set(rows.map(({ id }) => id));
}

async function recordFresh(db: Database, events: readonly ReportedEvent[]): Promise<ReadonlyMap<string, EventOutcome>> {
  const sends = await namedSends(db, events);
  const outcomes = new Map<string, EventOutcome>();
  const delivered: { readonly id: string; readonly sendId: number }[] = [];
  for (const event of events) {
    const { id, recipient } = event;
    const send = sends.get(id) ?? (await sendByAddress(db, event));
    if (send === null) outcomes.set(id, 'not ours');
    else if (recipient.verdict === 'delivered') delivered.push({ id, sendId: send.id });
    else outcomes.set(id, await recordAbout(db, recipient, send));
  }
  const isNew = await recordDelivered(
    db,
    delivered.map(({ sendId }) => sendId),
  );
  for (const { id, sendId } of delivered) outcomes.set(id, isNew.has(sendId) ? 'recorded' : 'known before');
  return outcomes;
}

const SEND = `s.id, lower(s.address) as address, c.key as customer, p.name as playbook, s.handed_at as "handedAt"`;

type Row = Omit<ReportedSend, 'proof'> & { readonly event: string } & Record<string, unknown>;

/** Mails by what the events name, by the events' ids. A number alone may be another database's, so the address must be the same. */
async function namedSends(db: Queryable, events: readonly ReportedEvent[]): Promise<ReadonlyMap<string, ReportedSend>> {
  const asked = events.flatMap(({ id, reference, sendId, recipient }) => {
    const number = reference === null ? sendId : Number(/^send-(\d+)/.exec(reference)?.[1]);
    return number === null ? [] : [{ event: id, send_id: number, reference, address: recipient.address }];
  });
  const { rows } = await execute(
    db,
    asked,
    `select r.event, ${SEND}
     from rows r join sends s on s.id = r.send_id join customers c on c.id = s.customer_id
       join playbooks p on p.id = s.playbook_id
     where s.handed_at is not null
       and case when r.reference is null then lower(s.address) = r.address
         else split_part(s.message_id, '@', 1) = '<' || r.reference end`,
    'event text, send_id bigint, reference text, address text',
  );
  return new Map((rows as Row[]).map(({ event, ...send }) => [event, { ...send, proof: 'message id' }]));
}

async function sendByAddress(db: Queryable, event: ReportedEvent): Promise<ReportedSend | null> {
  const { reference, sendId, recipient } = event;
  const { address, verdict } = recipient;
  const isOfAddress = verdict === 'hard' || verdict === 'complaint';
  if (reference !== null || sendId !== null || address === null || !isOfAddress) return null;
  return sendTo(db, address, { signedIds: [], messageId: null, sendId: null }, await businessNow(db));
}

/**
 * In one statement, since there is one for nearly every mail. It locks no customer and needs none: it changes nothing but
 * itself, and the key of a mail that it refers to is never changed.
 */
async function recordDelivered(db: Queryable, sendIds: readonly number[]): Promise<ReadonlySet<number>> {
  if (sendIds.length === 0) return new Set();
  const { rows } = await db.query<{ id: number }>(
    `insert into feedback (send_id, kind, at) select id, 'delivered', $2 from unnest($1::bigint[]) as i (id)
     order by id on conflict do nothing returning send_id as id`,
    [[...new Set(sendIds)], time(await businessNow(db))],
  );
  return new Set(rows.map(({ id }) => id));
}

async function keep(
  db: Database,
  provider: string,
  ids: readonly string[],
  all: RecordedEvents['outcomes'],
): Promise<void> {
  const counts = new Map<string, number>();
  for (const { outcome } of all) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  const rows = [...counts]
    .map(([outcome, count]) => ({ outcome, count }))
    .sort((a, b) => (a.outcome < b.outcome ? -1 : 1));
  await db.transaction(async (tx) => {
    await tx.query(
      `insert into provider_events (provider, id) select $1, id from unnest($2::text[]) as i (id) order by id
       on conflict do nothing`,
      [provider, ids],
    );
    await execute(
      tx,
      rows,
      `insert into provider_counts as c (provider, outcome, count, last_at)
       select $2, outcome, count, $3 from rows order by place
       on conflict (provider, outcome) do update set count = c.count + excluded.count, last_at = excluded.last_at`,
      'outcome text, count bigint',
      [provider, time(await businessNow(tx))],
    );
  });
}

/** Forgets ids that no provider repeats any more, some at a time. */
export async function forgetEvents(db: Queryable): Promise<number> {
  const { rowCount } = await db.query(
    // A clock that moves on within the statement could not be looked up in the index.
    `delete from provider_events where ctid = any(array(
       select ctid from provider_events
       where received_at < statement_timestamp() - interval '${KEPT_DAYS} days' order by received_at
       limit ${FORGOTTEN_AT_ONCE} for update skip locked))`,
  );
  return rowCount ?? 0;
}

/** How many events of a provider came to what. */
export interface ProviderCount {
  readonly provider: string;
  readonly outcome: EventOutcome;
  readonly count: number;
  /** Business time. */
  readonly lastAt: number;
}

/** All counts, by provider and outcome. */
export async function countEvents(db: Queryable): Promise<readonly ProviderCount[]> {
  const { rows } = await db.query<ProviderCount & Record<string, unknown>>(
    'select provider, outcome, count, last_at as "lastAt" from provider_counts order by provider, outcome',
  );
  return rows;
}
