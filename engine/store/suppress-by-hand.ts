/** Suppressing an address at a person's word, and taking a suppression back: each with what it means for mail that waits. */
import { ALL_TOPICS } from '../journey/attempt.ts';
import { nearestAll } from '../playbook/nearest.ts';
import type { Instant } from '../time/types.ts';
import { findAddressee, type Addressee, type AddresseeFound } from './addressee.ts';
import { writeAudit } from './audit.ts';
import type { ReleaseCache } from './context.ts';
import { businessNow, type Database, type Tx } from './database.ts';
import { erasedAt, liftErasure } from './erasures.ts';
import { normaliseAddress } from '../message/address.ts';
import { patientTransaction } from './patience.ts';
import { EVERYTHING, lockReaders, suppressIn, unsuppressIn } from './suppress.ts';
import { suppressionsAt, type SuppressionEntry } from './suppressions.ts';

/** Whom, of what, and why. */
export interface HandSuppression {
  /** An address, or a customer's id. */
  readonly target: string;
  /** null: everything, transactional mail included; `ALL_TOPICS`: everything else. */
  readonly topic: string | null;
  readonly by: string;
  readonly reason: string;
}

/** Mail to an address, of what is meant. */
export interface MailWaiting {
  /** Mails that wait to go out, now or at their time. */
  readonly waiting: number;
  /** Mails past the point of no return. */
  readonly handed: number;
}

type NotFound = Exclude<AddresseeFound, { readonly outcome: 'found' }>;

type WrongTopic =
  | { readonly outcome: 'unknown topic'; readonly nearest: readonly string[] }
  /** Its mail goes out whatever a reader has unsubscribed from: only suppressing everything stops it. */
  | { readonly outcome: 'transactional topic' };

/** What came of suppressing. */
export type SuppressedByHand =
  | NotFound
  | WrongTopic
  | { readonly outcome: 'erased'; readonly at: Instant }
  | ({ readonly outcome: 'suppressed before'; readonly entry: SuppressionEntry } & Addressee)
  | ({ readonly outcome: 'suppressed'; readonly scope: string } & Addressee & MailWaiting);

/** Suppresses an address, for one topic or everything, with its audit record. */
export async function suppressByHand(
  db: Database,
  cache: ReleaseCache,
  request: HandSuppression,
): Promise<SuppressedByHand> {
  const { topic, by, reason } = request;
  return patientTransaction(db, async (tx): Promise<SuppressedByHand> => {
    const wrong = topic === null ? null : await wrongTopic(tx, cache, topic);
    if (wrong !== null) return wrong;
    const found = await findAddressee(tx, request.target);
    if (found.outcome !== 'found') return found;
    const { address, customers } = found;
    await lockReaders(tx, address);
    const erased = await erasedAt(tx, 'address', address);
    if (erased !== null) return { outcome: 'erased', at: erased };
    const scope = topic ?? EVERYTHING;
    const entry = (await suppressionsAt(tx, address)).find((one) => one.scope === scope);
    if (entry !== undefined) return { outcome: 'suppressed before', entry, address, customers };
    const mail = await mailTo(tx, address, topic);
    await suppressIn(tx, { address, scope, source: 'staff', reason, by });
    return { outcome: 'suppressed', scope, address, customers, ...mail };
  });
}

/** What came of taking a suppression back. */
export type UnsuppressedByHand =
  | NotFound
  | { readonly outcome: 'erased'; readonly at: Instant }
  /** Its id or address may come in again. */
  | { readonly outcome: 'erasure lifted' }
  | { readonly outcome: 'not erased' }
  | ({ readonly outcome: 'not suppressed'; readonly others: readonly SuppressionEntry[] } & Addressee)
  /** It is not staff's own: `despite` must name where it comes from. */
  | ({ readonly outcome: 'not ours to undo'; readonly entry: SuppressionEntry } & Addressee)
  | ({
      readonly outcome: 'unsuppressed';
      readonly entry: SuppressionEntry;
      /** What still forbids mail to the address. */
      readonly others: readonly SuppressionEntry[];
    } & Addressee &
      MailWaiting);

/** The source of suppressions that staff made: what one of them has done, another one may undo. */
const STAFF = 'staff';
/** What `despite` names where somebody was erased. */
const ERASURE = 'erasure';

/**
 * Takes a suppression back, with its audit record. One that does not come from staff (a complaint, a bounce, the reader's
 * own no, an import) is taken back only where `despite` names its source; that somebody was erased, where it is `erasure`.
 */
export async function unsuppressByHand(
  db: Database,
  request: HandSuppression & { readonly despite: string | null },
): Promise<UnsuppressedByHand> {
  const { target, topic, by, reason, despite } = request;
  return patientTransaction(db, async (tx): Promise<UnsuppressedByHand> => {
    if (despite === ERASURE) return lift(tx, request);
    const found = await findAddressee(tx, target);
    if (found.outcome === 'unknown' && found.erasedAt !== undefined) return { outcome: 'erased', at: found.erasedAt };
    if (found.outcome !== 'found') return found;
    const { address, customers } = found;
    await lockReaders(tx, address);
    const at = await erasedAt(tx, 'address', address);
    if (at !== null) return { outcome: 'erased', at };
    const entries = await suppressionsAt(tx, address);
    const entry = entries.find((one) => one.scope === (topic ?? EVERYTHING));
    const others = entries.filter((one) => one !== entry);
    if (entry === undefined) return { outcome: 'not suppressed', others, address, customers };
    if (entry.source !== STAFF && entry.source !== despite) {
      return { outcome: 'not ours to undo', entry, address, customers };
    }
    await unsuppressIn(tx, { address, scope: entry.scope, source: entry.source, reason, by });
    return { outcome: 'unsuppressed', entry, others, address, customers, ...(await mailTo(tx, address, topic)) };
  });
}

/** Nothing is known of them any more, so the audit record cannot say who it is. */
async function lift(tx: Tx, { target, by, reason }: HandSuppression): Promise<UnsuppressedByHand> {
  const address = normaliseAddress(target);
  const id = await liftErasure(tx, 'id', target.trim());
  const lifted = [
    ...(id ? ['id'] : []),
    ...(address !== null && (await liftErasure(tx, 'address', address)) ? ['address'] : []),
  ];
  if (lifted.length === 0) return { outcome: 'not erased' };
  const businessAt = await businessNow(tx);
  await writeAudit(tx, { businessAt, by, action: 'unsuppress', reason, detail: { erased: lifted } });
  return { outcome: 'erasure lifted' };
}

async function wrongTopic(tx: Tx, cache: ReleaseCache, name: string): Promise<WrongTopic | null> {
  if (name === ALL_TOPICS) return null;
  const { topics } = (await cache.context(tx)).release.company;
  const topic = Object.hasOwn(topics, name) ? topics[name] : undefined;
  if (topic === undefined) {
    const names = Object.keys(topics);
    const near = nearestAll(name, names, 3);
    return { outcome: 'unknown topic', nearest: near.length > 0 ? near : names };
  }
  return topic.transactional ? { outcome: 'transactional topic' } : null;
}

async function mailTo(tx: Tx, address: string, topic: string | null): Promise<MailWaiting> {
  const { rows } = await tx.query<{ waiting: number; handed: number }>(
    `select count(*) filter (where s.status <> 'handed') as waiting, count(*) filter (where s.status = 'handed') as handed
     from sends s where s.status in ('planned', 'claimed', 'handed')
       and s.customer_id = any(array(select id from customers where address = $1))
       and ($2::text is null or ($2 in (s.topic, '${ALL_TOPICS}') and s.lane = 'bulk'))`,
    [address, topic],
  );
  return rows[0] ?? { waiting: 0, handed: 0 };
}
