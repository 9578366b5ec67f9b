/**
 * Coupon codes: each goes out once.
 *
 * 1. A code is reserved for an enrolment, step and visit under its customer's lock, in the transaction that takes the step.
 *    Rows that others are about to take are passed over, so two workers never have one code.
 * 2. It is committed once a mail that may carry it was handed over (or a task or a call that may name it is on record);
 *    one whose enrolment ends before that is free again.
 * 3. An empty pool holds the enrolment: no mail goes out without its code. Importing codes lets it go on. Whoever finds a
 *    pool empty holds its row while they say so, and whoever imports waits for that: none is held past an import.
 */
import { enrolmentKey, type Draft } from '../journey/draft.ts';
import type { Enrolment } from '../journey/types.ts';
import type { Playbook } from '../playbook/types.ts';
import type { Instant } from '../time/types.ts';
import type { StoreContext } from './context.ts';
import type { Queryable } from './database.ts';
import { execute, time } from './sql.ts';
import { storedOf, type Recording } from './stored.ts';

/** An enrolment that stands at a coupon step. */
interface Wanting {
  readonly draft: Draft;
  readonly enrolment: Enrolment;
  readonly enrolmentId: number;
  readonly step: string;
  readonly pool: string;
  readonly at: Instant;
}

/** The error of an enrolment that waits for codes; importing looks for it. */
export function emptyPoolError(pool: string): string {
  return `the coupon pool "${pool}" has no code left: add some with "perennial coupons import ${pool} FILE"`;
}

/** Gives codes to the drafts that wait for them now. Before any work on them, under their customers' locks. */
export async function reserveCodes(tx: Queryable, drafts: readonly Draft[], ctx: StoreContext): Promise<void> {
  const wanting = drafts.flatMap((draft) => wantingOf(draft, ctx));
  for (const pool of new Set(wanting.map((one) => one.pool))) {
    await reserveFrom(
      tx,
      pool,
      wanting.filter((one) => one.pool === pool),
      ctx,
    );
  }
}

function wantingOf(draft: Draft, ctx: StoreContext): readonly Wanting[] {
  const stored = storedOf(draft);
  return [...draft.enrolments.values()].flatMap((enrolment) => {
    const { position } = enrolment;
    if (position.on !== 'time' || !position.ready || position.dueAt > ctx.now) return [];
    if (ctx.isPaused(enrolment.playbook)) return [];
    const step = ctx.playbookOf(enrolment.playbook, enrolment.version).steps.get(position.step);
    const row = stored.enrolments.get(enrolmentKey(enrolment));
    if (step?.kind !== 'coupon' || row === undefined || row.held) return [];
    return [{ draft, enrolment, enrolmentId: row.id, step: step.id, pool: step.pool, at: position.dueAt }];
  });
}

async function reserveFrom(tx: Queryable, pool: string, all: readonly Wanting[], ctx: StoreContext): Promise<void> {
  const left = await reserve(tx, pool, await giveReserved(tx, all));
  if (left.length === 0) return;
  await tx.query('insert into coupon_pools (name) values ($1) on conflict do nothing', [pool]);
  await tx.query('select from coupon_pools where name = $1 for share', [pool]);
  // Codes that others hold are neither ours nor gone: the enrolment stays due, and the next look tells.
  const { rows } = await tx.query<{ some: boolean }>(
    `select exists (select from coupon_codes where pool = $1 and status = 'free') as some`,
    [pool],
  );
  for (const { draft, enrolment } of left) draft.awaitCode(enrolment);
  if (rows[0]?.some === true) return;
  await execute(
    tx,
    left.map(({ enrolmentId }) => ({ id: enrolmentId, was: 'active' })),
    `update enrolments e set held_at = $2, held_error = $3 from rows r where e.id = r.id and e.status = r.was`,
    'id bigint, was text',
    [time(ctx.now), emptyPoolError(pool)],
  );
}

/** Reserved before for the very step: a guard kept it from being taken then. Returns those without. */
async function giveReserved(tx: Queryable, wanting: readonly Wanting[]): Promise<readonly Wanting[]> {
  const { rows } = await tx.query<{ enrolment_id: number; step: string; code: string }>(
    `select enrolment_id, step, code from coupon_codes where enrolment_id = any($1::bigint[]) and visit = 0`,
    [wanting.map(({ enrolmentId }) => enrolmentId)],
  );
  return give(wanting, rows);
}

async function reserve(tx: Queryable, pool: string, wanting: readonly Wanting[]): Promise<readonly Wanting[]> {
  const { rows } = await execute(
    tx,
    wanting.map(({ draft, enrolmentId, step, at }) => ({
      customer_id: storedOf(draft).customerId,
      enrolment_id: enrolmentId,
      step,
      at: time(at),
    })),
    `, free as (
       select id, row_number() over (order by id) as place
       from (select id from coupon_codes where pool = $2 and status = 'free' order by id limit $3
             for update skip locked) f)
     update coupon_codes c set status = 'reserved', customer_id = r.customer_id, enrolment_id = r.enrolment_id,
       step = r.step, visit = 0, reserved_at = r.at,
       after_send = (select coalesce(max(s.id), 0) from sends s where s.enrolment_id = r.enrolment_id)
     from free f join rows r on r.place = f.place where c.id = f.id
     returning c.enrolment_id, c.step, c.code`,
    'customer_id bigint, enrolment_id bigint, step text, at timestamptz',
    [pool, wanting.length],
  );
  return give(wanting, rows as { enrolment_id: number; step: string; code: string }[]);
}

function give(
  wanting: readonly Wanting[],
  codes: readonly { readonly enrolment_id: number; readonly step: string; readonly code: string }[],
): readonly Wanting[] {
  const byStep = new Map(codes.map(({ enrolment_id: id, step, code }) => [`${id}\n${step}`, code]));
  return wanting.filter(({ draft, enrolment, enrolmentId, step }) => {
    const code = byStep.get(`${enrolmentId}\n${step}`);
    if (code !== undefined) draft.giveCode(enrolment, step, code);
    return code === undefined;
  });
}

/** Codes of enrolments that have just ended: free again unless they may have gone out. After their mails are recorded. */
export async function settleCodes(tx: Queryable, recordings: readonly Recording[], ctx: StoreContext): Promise<void> {
  const ended = recordings.flatMap(({ stored, changes }) =>
    changes.enrolments.flatMap((enrolment) => {
      if (enrolment.position.on !== 'ended' || !mayHoldCode(enrolment, ctx)) return [];
      return [{ id: stored.enrolments.get(enrolmentKey(enrolment))?.id, was: 'reserved' }];
    }),
  );
  await settleReserved(tx, ended, ctx.now);
}

/** The same for all that these customers have under way, when they are forgotten. Before their tasks and calls are emptied. */
export async function settleCodesOf(tx: Queryable, customerIds: readonly number[], now: Instant): Promise<void> {
  const { rows } = await tx.query<{ id: number }>(`select id from enrolments where customer_id = any($1::bigint[])`, [
    customerIds,
  ]);
  await settleReserved(
    tx,
    rows.map(({ id }) => ({ id, was: 'reserved' })),
    now,
  );
}

async function settleReserved(tx: Queryable, ended: readonly object[], now: Instant): Promise<void> {
  await execute(
    tx,
    ended,
    `, judged as (
       select c.id, ${MAY_BE_OUT} as is_out
       from rows r join coupon_codes c on c.enrolment_id = r.id where c.status = r.was)
     update coupon_codes c set status = case when j.is_out then 'committed' else 'free' end,
       committed_at = case when j.is_out then $2::timestamptz end,
       customer_id = case when j.is_out then c.customer_id end,
       enrolment_id = case when j.is_out then c.enrolment_id end,
       step = case when j.is_out then c.step end, visit = case when j.is_out then c.visit end,
       after_send = case when j.is_out then c.after_send end,
       reserved_at = case when j.is_out then c.reserved_at end
     from judged j where c.id = j.id`,
    'id bigint, was text',
    [time(now)],
  );
}

/** A mail after the step was handed over, or somebody else may have been told of the code. */
const MAY_BE_OUT = `(
    exists (select from sends s where s.enrolment_id = c.enrolment_id and s.id > c.after_send and s.handed_at is not null)
    or exists (select from tasks t where t.enrolment_id = c.enrolment_id and t.created_at >= c.reserved_at)
    or exists (select from webhook_calls w where w.enrolment_id = c.enrolment_id and w.at >= c.reserved_at))`;

/** Codes of mails that have gone out are committed. */
export async function commitCodes(
  tx: Queryable,
  sends: readonly { readonly enrolmentId: number; readonly sendId: number; readonly at: Instant }[],
): Promise<void> {
  await execute(
    tx,
    sends.map(({ enrolmentId, sendId, at }) => ({
      id: enrolmentId,
      was: 'reserved',
      send_id: sendId,
      at: time(at),
    })),
    `update coupon_codes c set status = 'committed', committed_at = r.at
     from rows r where c.enrolment_id = r.id and c.status = r.was and c.after_send < r.send_id`,
    'id bigint, was text, send_id bigint, at timestamptz',
  );
}

/** Whether codes may be reserved for it: few playbooks have any, and all others need not ask. */
function mayHoldCode({ playbook, version, vars }: Enrolment, ctx: StoreContext): boolean {
  return hasCoupons(ctx.playbookOf(playbook, version)) || Object.values(vars).some(isCode);
}

function isCode(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'code' in value;
}

const known = new WeakMap<Playbook, boolean>();

/** Whether a playbook has coupon steps. */
export function hasCoupons(playbook: Playbook): boolean {
  let has = known.get(playbook);
  if (has === undefined) {
    has = [...playbook.steps.values()].some((step) => step.kind === 'coupon');
    known.set(playbook, has);
  }
  return has;
}
