/** What belongs to an address, not to one record: consent, earlier hand-overs, launches taken. And launches due. */
import { launchKey } from '../journey/launch.ts';
import type { Consent } from '../journey/types.ts';
import type { Cap } from '../playbook/types.ts';
import type { Instant } from '../time/types.ts';
import type { StoreContext } from './context.ts';
import type { Queryable } from './database.ts';
import type { CustomerRow } from './load-rows.ts';

/** Of somebody who never said anything. */
export const NO_CONSENT: Consent = { suppressed: false, unsubscribed: new Set(), subscribed: new Set() };

/** Launches at whose instant one customer has still to be asked, ascending, with the runs that would ask. */
export type LaunchesDue = readonly {
  readonly playbook: string;
  readonly launch: string;
  readonly at: Instant;
  readonly runId: number;
}[];

/** The addresses of the customers $1, as an array: what is compared with it is looked up, not joined. */
const ADDRESSES = 'array(select address from customers where id = any($1::bigint[]) and address is not null)';

/** What the addresses of these customers allow; those without an entry never said anything. */
export async function loadConsent(tx: Queryable, ids: readonly number[]): Promise<ReadonlyMap<string, Consent>> {
  const { rows } = await tx.query<ConsentRow>(
    `select address, scope, false as yes from suppressions where address = any(${ADDRESSES})
     union all
     select address, topic, true from opt_ins where address = any(${ADDRESSES})`,
    [ids],
  );
  return consentByAddress(rows);
}

type ConsentRow = { address: string; scope: string; yes: boolean };

/** What one address allows. */
export async function loadConsentOf(tx: Queryable, address: string): Promise<Consent> {
  const { rows } = await tx.query<ConsentRow>(
    `select address, scope, false as yes from suppressions where address = $1
     union all
     select address, topic, true from opt_ins where address = $1`,
    [address],
  );
  return consentByAddress(rows).get(address) ?? NO_CONSENT;
}

function consentByAddress(rows: readonly ConsentRow[]): ReadonlyMap<string, Consent> {
  const all = new Map<string, { suppressed: boolean; unsubscribed: Set<string>; subscribed: Set<string> }>();
  for (const { address, scope, yes } of rows) {
    const consent = all.get(address) ?? { suppressed: false, unsubscribed: new Set(), subscribed: new Set() };
    all.set(address, consent);
    if (yes) consent.subscribed.add(scope);
    else if (scope === '*') consent.suppressed = true;
    else consent.unsubscribed.add(scope);
  }
  return all;
}

/**
 * Non-transactional hand-overs that caps may still count, by reader (address, or customer id without one). A claimed
 * mail counts from its claim: it may be on the wire already. One that is to be sent again, whatever becomes of that,
 * counts from its last hand-over: the reader may have it. An address counts what its present customers got, wherever
 * that was, and what went there while others had it (copies of a mail may have gone to two addresses).
 */
export async function loadHandOvers(
  tx: Queryable,
  ids: readonly number[],
  ctx: StoreContext,
): Promise<ReadonlyMap<string, Instant[]>> {
  const { caps } = ctx.release.company;
  const log = new Map<string, Instant[]>();
  if (caps.length === 0) return log;
  const since = new Date(ctx.now - Math.max(...caps.map(longestMs))).toISOString();
  const { rows } = await tx.query<{ reader: string; at: Instant }>(
    // The ids as an array make each branch a walk of its index, whatever the statistics say of states that last seconds.
    `with readers as materialized (
       select id, address as reader, true as present from customers where address = any(${ADDRESSES})
       union all
       select customer_id, address, false from former_addresses where address = any(${ADDRESSES})
       union all
       select id, id::text, true from customers where id = any($1::bigint[]) and address is null),
     mails as materialized (
       select customer_id, handed_at as at, address, resends from sends
       where customer_id = any(array(select id from readers)) and handed_at > $2 and lane = 'bulk'
         and (status in ('handed', 'sent', 'unknown') or resends > 0 and status <> 'claimed')
       union all
       select customer_id, claimed_at, address, resends from sends
       where customer_id = any(array(select id from readers)) and lane = 'bulk'
         and status in ('planned', 'claimed', 'handed') and status = 'claimed')
     select r.reader, m.at from mails m join readers r on r.id = m.customer_id
     where r.present or m.address = r.reader or m.resends > 0`,
    [ids, since],
  );
  for (const { reader, at } of rows) {
    const of = log.get(reader);
    if (of === undefined) log.set(reader, [at]);
    else of.push(at);
  }
  return log;
}

const DAY_MS = 86_400_000;

/** No calendar makes the span longer: months of 31 days, and a margin for zones and clock changes. */
function longestMs({ per }: Cap): number {
  return (per.months * 31 + per.days + 2) * DAY_MS + per.ms;
}

/**
 * Launch runs that have come due (or will by `upTo`) and have not asked these customers yet: open ones whose cursor is still to come, and
 * those that went past a customer who was held then.
 */
export async function loadLaunches(
  tx: Queryable,
  ids: readonly number[],
  ctx: StoreContext,
  upTo: Instant = ctx.now,
): Promise<{ readonly any: boolean; of(customer: CustomerRow): LaunchesDue }> {
  type Run = {
    id: number;
    playbook_id: number;
    launch: string;
    due_at: Instant;
    cursor_id: number;
    until_id: number | null;
    /** To whom it is owed; null: the run itself, which is open. */
    owed_to: number | null;
  };
  const { rows: runs } = await tx.query<Run>(
    `select id, playbook_id, launch, due_at, cursor_id, until_id, null::bigint as owed_to from runs
     where kind = 'launch' and status <> 'done' and due_at <= $1
     union all
     select r.id, r.playbook_id, r.launch, r.due_at, r.cursor_id, r.until_id, o.customer_id
     from run_owed o join runs r on r.id = o.run_id where o.customer_id = any($2::bigint[])
     order by due_at, id`,
    [new Date(upTo).toISOString(), ids],
  );
  if (runs.length === 0) return { any: false, of: () => [] };
  const { rows: asked } = await tx.query<{ key: string }>(
    `select run_id || ' ' || customer_id as key from run_asked
     where run_id = any($1::bigint[]) and customer_id = any($2::bigint[])`,
    [runs.map((run) => run.id), ids],
  );
  const done = new Set(asked.map((row) => row.key));
  return {
    any: true,
    of: ({ id, arrivedAt }) =>
      runs
        .filter((run) =>
          run.owed_to === null
            ? run.cursor_id < id &&
              (run.until_id === null || id <= run.until_id) &&
              arrivedAt <= run.due_at &&
              !done.has(`${run.id} ${id}`)
            : run.owed_to === id,
        )
        .map((run) => ({
          playbook: ctx.ids.playbookName(run.playbook_id),
          launch: run.launch,
          at: run.due_at,
          runId: run.id,
        })),
  };
}

/** `PLAYBOOK/LAUNCH` of every launch enrolment, by reader (address, or customer id without one). */
export async function loadLaunchesTaken(
  tx: Queryable,
  addresses: readonly string[],
  ids: readonly number[],
  ctx: StoreContext,
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const { rows } = await tx.query<{ reader: string; playbook_id: number; launch: string }>(
    `with readers as materialized (
       select id, address as reader from customers where address = any($1::text[])
       union all
       select id, id::text from customers where id = any($2::bigint[]) and address is null)
     select r.reader, e.playbook_id, substr(e.entry_key, length('launch:') + 1) as launch
     from readers r join enrolments e on e.customer_id = r.id where e.entry_key like 'launch:%'`,
    [addresses, ids],
  );
  const taken = new Map<string, Set<string>>();
  for (const { reader, playbook_id: playbookId, launch } of rows) {
    const key = launchKey(ctx.ids.playbookName(playbookId), launch);
    const of = taken.get(reader);
    if (of === undefined) taken.set(reader, new Set([key]));
    else of.add(key);
  }
  return taken;
}
