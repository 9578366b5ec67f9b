/**
 * Forgetting a customer: all that is personal goes, in one transaction.
 *
 * 1. What is under way ends. Mail that is planned or claimed does not go out once this has committed (docs/architecture.md
 *    P3): the customers are locked, and the row of each mail is updated (see hand.ts).
 * 2. Killed at any point, nothing has happened or all has: there is one commit.
 * 3. Nothing brings them back: keyed hashes of their ids and addresses stay, and whatever would store something about
 *    them asks for those under the same locks (see ingest-erased.ts, suppress.ts).
 * 4. No rule of a playbook is asked, and no release is needed: a customer whom the rules cannot work on can be forgotten.
 */
import type { Instant } from '../time/types.ts';
import { writeAudit } from './audit.ts';
import { settleCodesOf } from './coupon-codes.ts';
import { businessNow, type Database, type Queryable } from './database.ts';
import { noteErased } from './erasures.ts';
import { ERASED_PARTS, type ErasedThing } from './forget-tables.ts';
import { lockCustomers } from './lock.ts';
import { lookOnly } from './look.ts';
import { patientTransaction } from './patience.ts';
import { findCustomer, type Found, type FoundCustomer } from './people.ts';
import { time } from './sql.ts';

/** Whom to forget. */
export interface ForgetRequest {
  /** A customer's id or e-mail address. */
  readonly customer: string;
  /** Also all who have the same address. */
  readonly sharing: boolean;
  readonly by: string;
  /** Stays on record: it should name nobody. */
  readonly reason: string;
  /** Says what would be erased, and changes nothing. */
  readonly dryRun: boolean;
}

/** What was, or would be, erased. */
export interface Erasing {
  readonly customer: FoundCustomer;
  /** All records that go, the customer's own included: those merged into it, those that share the address. */
  readonly customers: readonly FoundCustomer[];
  /** Playbooks that were under way. */
  readonly playbooks: readonly string[];
  readonly counts: Readonly<Record<ErasedThing, number>>;
  /** Mails past the point of no return: they cannot be called back. */
  readonly handed: number;
}

/** What came of it. */
export type Forgotten =
  | Exclude<Found, { readonly outcome: 'found' }>
  | { readonly outcome: 'erased before'; readonly at: Instant }
  /** Others have the address: `sharing` would forget them, too. */
  | { readonly outcome: 'shared'; readonly customer: FoundCustomer; readonly others: readonly FoundCustomer[] }
  | ({ readonly outcome: 'forgotten'; readonly dryRun: boolean } & Erasing);

/** A customer with ten years of daily events takes seconds; nobody but this customer waits for it. */
const TIMEOUT = '10min';

/** Forgets a customer, with an audit record that says who did it and why. */
export async function forget(db: Database, request: ForgetRequest): Promise<Forgotten> {
  if (request.dryRun) return lookOnly(db, async (tx) => forgetIn(tx, request));
  return patientTransaction(db, async (tx) => {
    await tx.query(`set local statement_timeout = '${TIMEOUT}'`);
    return forgetIn(tx, request);
  });
}

/** Whom and what a forgetting is about: rows of customers, and normalised addresses that nobody else has. */
interface Scope {
  readonly ids: readonly number[];
  readonly addresses: readonly string[];
  readonly at: Instant;
}

async function forgetIn(tx: Queryable, request: ForgetRequest): Promise<Forgotten> {
  const { customer: typed, sharing, dryRun } = request;
  const found = await findCustomer(tx, typed);
  if (found.outcome === 'unknown' && found.erasedAt !== undefined)
    return { outcome: 'erased before', at: found.erasedAt };
  if (found.outcome !== 'found') return found;
  const { customer } = found;
  const ids = dryRun ? await recordsOf(tx, customer.id, sharing) : await lockRecords(tx, customer.id, sharing);
  const erased = await erasedRow(tx, customer.id);
  if (erased !== null) return { outcome: 'erased before', at: erased };
  const others = await sharersOf(tx, ids);
  if (others.length > 0) return { outcome: 'shared', customer, others };
  const scope: Scope = { ids, addresses: await addressesOf(tx, ids), at: await businessNow(tx) };
  const standing = { customer, customers: await customersOf(tx, ids), ...(await underWay(tx, ids)) };
  const counts = dryRun ? await count(tx, scope) : await erase(tx, scope, request, standing.customers);
  return { outcome: 'forgotten', dryRun, ...standing, counts };
}

async function erasedRow(tx: Queryable, id: number): Promise<Instant | null> {
  const { rows } = await tx.query<{ at: Instant | null }>('select erased_at as at from customers where id = $1', [id]);
  return rows[0]?.at ?? null;
}

/** Whoever is merged or takes the address while we wait for a lock is locked as well. */
async function lockRecords(tx: Queryable, id: number, sharing: boolean): Promise<readonly number[]> {
  let ids = await recordsOf(tx, id, sharing);
  for (let locked: readonly number[] = []; ids.some((one) => !locked.includes(one));) {
    await lockCustomers(tx, ids);
    locked = ids;
    ids = await recordsOf(tx, id, sharing);
  }
  return ids;
}

async function recordsOf(tx: Queryable, id: number, sharing: boolean): Promise<readonly number[]> {
  const { rows } = await tx.query<{ id: number }>(
    `with recursive theirs (id) as (
       select $1::bigint
       union
       select c.id from theirs t cross join lateral (
         select m.id from customers m where m.merged_into = t.id
         union all
         select s.id from customers o join customers s on s.address = o.address where $2 and o.id = t.id) c)
     select id from theirs order by id`,
    [id, sharing],
  );
  return rows.map((row) => row.id);
}

async function customersOf(tx: Queryable, ids: readonly number[]): Promise<readonly FoundCustomer[]> {
  const { rows } = await tx.query<FoundCustomer & Record<string, unknown>>(
    'select id, key, email from customers where id = any($1::bigint[]) order by id',
    [ids],
  );
  return rows;
}

async function sharersOf(tx: Queryable, ids: readonly number[]): Promise<readonly FoundCustomer[]> {
  const { rows } = await tx.query<FoundCustomer & Record<string, unknown>>(
    `select id, key, email from customers
     where address = any(array(select address from customers where id = any($1::bigint[]) and address is not null))
       and id <> all($1::bigint[]) order by id`,
    [ids],
  );
  return rows;
}

/** Their addresses, and those that they had before, unless somebody else has taken those since. */
async function addressesOf(tx: Queryable, ids: readonly number[]): Promise<readonly string[]> {
  const { rows } = await tx.query<{ address: string }>(
    `select address from customers where id = any($1::bigint[]) and address is not null
     union
     select f.address from former_addresses f where f.customer_id = any($1::bigint[])
       and not exists (select from customers c where c.address = f.address and c.id <> all($1::bigint[]))`,
    [ids],
  );
  return rows.map((row) => row.address);
}

async function underWay(
  tx: Queryable,
  ids: readonly number[],
): Promise<{ readonly playbooks: readonly string[]; readonly handed: number }> {
  const { rows: playbooks } = await tx.query<{ name: string }>(
    `select distinct p.name from enrolments e join playbooks p on p.id = e.playbook_id
     where e.customer_id = any($1::bigint[]) and e.status = 'active' order by p.name`,
    [ids],
  );
  const { rows } = await tx.query<{ handed: number }>(
    `select count(*) as handed from sends
     where customer_id = any($1::bigint[]) and status in ('planned', 'claimed', 'handed') and status = 'handed'`,
    [ids],
  );
  return { playbooks: playbooks.map(({ name }) => name), handed: rows[0]?.handed ?? 0 };
}

async function erase(
  tx: Queryable,
  scope: Scope,
  { by, reason }: ForgetRequest,
  customers: readonly FoundCustomer[],
): Promise<Erasing['counts']> {
  const { ids, addresses, at } = scope;
  const counts = noCounts();
  await settleCodesOf(tx, ids, at);
  for (const part of ERASED_PARTS) {
    const sql =
      part.set === null
        ? `delete from ${part.table} where ${part.where}`
        : `update ${part.table} set ${part.set} where ${part.where}`;
    const { rowCount } = await tx.query(...bound(sql, scope));
    if (part.counted !== undefined) counts[part.counted] += rowCount ?? 0;
  }
  await noteErased(
    tx,
    'id',
    customers.map(({ key }) => key),
    at,
  );
  await noteErased(tx, 'address', addresses, at);
  const detail = { customers: ids.length, ...counts };
  await writeAudit(tx, { businessAt: at, by, action: 'forget', customerId: ids[0] ?? null, reason, detail });
  return counts;
}

async function count(tx: Queryable, scope: Scope): Promise<Erasing['counts']> {
  const counts = noCounts();
  for (const { table, where, counted } of ERASED_PARTS) {
    if (counted === undefined) continue;
    const { rows } = await tx.query<{ n: number }>(
      ...bound(`select count(*) as n from ${table} where ${where}`, scope),
    );
    counts[counted] += rows[0]?.n ?? 0;
  }
  return counts;
}

function noCounts(): Record<ErasedThing, number> {
  return { events: 0, enrolments: 0, mails: 0, tasks: 0, webhooks: 0, suppressions: 0, 'audit entries': 0 };
}

/** One part's statement: its names become parameters, in the order in which they come. */
function bound(sql: string, { ids, addresses, at }: Scope): readonly [string, readonly unknown[]] {
  const known: Readonly<Record<string, unknown>> = { ids, addresses, at: time(at) };
  const names: string[] = [];
  const text = sql.replaceAll(/(?<!:):(ids|addresses|at)\b/g, (_all, name: string) => {
    if (!names.includes(name)) names.push(name);
    return `$${names.indexOf(name) + 1}`;
  });
  return [text, names.map((name) => known[name])];
}
