/**
 * Looking at customers without locking and without writing: for what would happen, not for what does. One snapshot of
 * the database, so that a look that takes a minute shows one moment; it keeps nobody from working.
 */
import { sendKey } from '../journey/draft.ts';
import { byReader } from '../journey/reader.ts';
import type { CustomerState, Send } from '../journey/types.ts';
import type { Instant } from '../time/types.ts';
import type { StoreContext } from './context.ts';
import type { Database, Queryable, Tx } from './database.ts';
import { loadStates, type Loaded } from './load.ts';
import { SEND_COLUMNS, sendOf, type SendRow } from './load-rows.ts';

/** The customers of one address, or one without a valid one, as they stand. */
export interface StandingReader {
  /** Without planned mails that are held: nothing becomes of those. */
  readonly states: readonly CustomerState[];
  /** Hand-overs that caps count, without those that a copy which is still to go out takes the place of. */
  readonly handedAt: readonly Instant[];
  /** Mails that a worker has: `handedAt` is null until the server may have it. */
  readonly onTheirWay: readonly OnItsWay[];
}

/** A mail between its claim and its outcome. */
export interface OnItsWay {
  /** The company's id of the customer. */
  readonly customer: string;
  readonly send: Send;
  readonly handedAt: Instant | null;
}

/** Runs `work` in one snapshot, in which nothing can be written, and which may take its time. */
export async function lookOnly<T>(db: Database, work: (tx: Tx) => Promise<T>): Promise<T> {
  return db.transaction(async (tx) => {
    await tx.query('set transaction isolation level repeatable read, read only');
    // A look holds no locks, so nobody waits for one that was stopped.
    await tx.query('set local idle_in_transaction_session_timeout = 0');
    await tx.query('set local statement_timeout = 0');
    return work(tx);
  });
}

/** Who can be looked at, and who is left out because nothing goes on for them. */
export interface Crowd {
  readonly customers: number;
  readonly held: number;
}

const WORKABLE = 'held_at is null and erased_at is null and merged_into is null';

/** Counts the customers. */
export async function countCustomers(tx: Queryable): Promise<Crowd> {
  const { rows } = await tx.query<{ customers: number; held: number }>(
    `select count(*) filter (where ${WORKABLE}) as customers,
       count(*) filter (where held_at is not null and erased_at is null and merged_into is null) as held from customers`,
  );
  return { customers: rows[0]?.customers ?? 0, held: rows[0]?.held ?? 0 };
}

/** How to go through the customers. */
export interface LookOptions {
  /** Launches up to then are loaded, too. */
  readonly until: Instant;
  /** Only this customer, and who shares the address. */
  readonly only?: number;
  /** Customers that are loaded at a time. Default 500. */
  readonly chunk?: number;
}

/** Everybody for whom something can go on, reader by reader, ascending by the lowest customer id of each. */
export async function* standingReaders(
  tx: Queryable,
  ctx: StoreContext,
  options: LookOptions,
): AsyncGenerator<StandingReader> {
  const limit = options.chunk ?? 500;
  let after = options.only === undefined ? 0 : options.only - 1;
  for (;;) {
    const firsts = options.only === undefined ? await nextFirsts(tx, after, limit) : [options.only];
    const last = firsts.at(-1);
    if (last === undefined) return;
    const ids = await withSharers(tx, firsts);
    const loaded = await loadStates(tx, ids, ctx, { launchesUpTo: options.until });
    const onTheirWay = await loadOnTheirWay(tx, ids, ctx);
    for (const group of byReader(loaded)) yield asItStands(group, onTheirWay);
    if (options.only !== undefined || firsts.length < limit) return;
    after = last;
  }
}

/** The customer of the lowest id of each reader. */
async function nextFirsts(tx: Queryable, after: number, limit: number): Promise<readonly number[]> {
  const { rows } = await tx.query<{ id: number }>(
    `select c.id from customers c where c.id > $1 and ${WORKABLE} and not exists (
       select from customers o where o.address = c.address and o.id < c.id
         and o.held_at is null and o.erased_at is null and o.merged_into is null)
     order by c.id limit $2`,
    [after, limit],
  );
  return rows.map((row) => row.id);
}

async function withSharers(tx: Queryable, ids: readonly number[]): Promise<readonly number[]> {
  const { rows } = await tx.query<{ id: number }>(
    `select id from customers where id = any($1::bigint[]) and ${WORKABLE}
     union
     select id from customers where ${WORKABLE} and address = any(array(
       select address from customers where id = any($1::bigint[]) and address is not null))`,
    [ids],
  );
  return rows.map((row) => row.id);
}

async function loadOnTheirWay(
  tx: Queryable,
  ids: readonly number[],
  ctx: StoreContext,
): Promise<ReadonlyMap<number, readonly Omit<OnItsWay, 'customer'>[]>> {
  const { rows } = await tx.query<SendRow & { customer_id: number; handed_at: Instant | null; status: string }>(
    `select s.customer_id, s.handed_at, s.status, ${SEND_COLUMNS} from sends s join enrolments e on e.id = s.enrolment_id
     where s.customer_id = any($1::bigint[]) and s.status in ('planned', 'claimed', 'handed') and s.status <> 'planned'
       and s.held_at is null and e.held_at is null and e.status = 'active'`,
    [ids],
  );
  const of = new Map<number, Omit<OnItsWay, 'customer'>[]>();
  for (const row of rows.sort((a, b) => a.id - b.id)) {
    // A claimed copy of a mail has the hand-over of the one before it.
    const mail = { send: sendOf(row, ctx), handedAt: row.status === 'handed' ? row.handed_at : null };
    const known = of.get(row.customer_id);
    if (known === undefined) of.set(row.customer_id, [mail]);
    else known.push(mail);
  }
  return of;
}

type Mails = ReadonlyMap<number, readonly Omit<OnItsWay, 'customer'>[]>;

function asItStands(group: readonly Loaded[], onTheirWay: Mails): StandingReader {
  const handedAt = [...(group[0]?.reader.handedAt ?? [])];
  const states = group.map(({ state, stored }) => {
    const sends = state.sends.filter((send) => stored.sends.get(sendKey(send))?.held !== true);
    for (const send of sends) {
      const copyAt = stored.sends.get(sendKey(send))?.copyAt ?? null;
      const place = copyAt === null ? -1 : handedAt.lastIndexOf(copyAt);
      if (place !== -1) handedAt.splice(place, 1);
    }
    return { ...state, sends };
  });
  const mails = group.flatMap(({ state, stored }) =>
    (onTheirWay.get(stored.customerId) ?? []).map((mail) => ({ ...mail, customer: state.profile.id })),
  );
  return { states, handedAt, onTheirWay: mails };
}
