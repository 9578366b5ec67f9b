/**
 * Lets mails through at their pace, within the claim's own transaction: the limits' rows are locked after the customers,
 * in the order of their keys, and what is decided on them commits with the claims or not at all.
 */
import { formatLocalDate } from '../../time/text.ts';
import type { Draft } from '../../journey/draft.ts';
import type { PaceWait } from '../../journey/types.ts';
import type { Sending } from '../../playbook/types.ts';
import type { Instant, LocalDate } from '../../time/types.ts';
import type { MailLane } from '../lane.ts';
import type { StoreContext } from '../context.ts';
import type { Queryable, Tx } from '../database.ts';
import { execute } from '../sql.ts';
import { storedOf } from '../stored.ts';
import { bookSlot, horizonMs, isWithinHorizon, nextSlot, openSlots, takeSlot, type Slots } from './slots.ts';
import { volumeAt, type DayVolume } from './volume.ts';

/** What a mail that may go is told. */
export type Admission =
  /** It goes after so long, counted from the claim. `limits` are the keys of what it counts towards. */
  | { readonly goes: true; readonly waitMs: number; readonly limits: readonly string[] }
  | { readonly goes: false; readonly until: Instant; readonly waitsFor: PaceWait };

/** The limits that concern one claim, locked. */
export interface Gate {
  admit(address: string): Admission;
  /** Stores what was given out. Last of all, since nothing may be given out afterwards. */
  record(tx: Tx): Promise<void>;
}

const WARM_UP = 'warm-up';
/** Where a domain that was held has no limit, its mail comes again so far apart. */
const AFTER_HOLD_SPACING_MS = 100;
/** The same for a day's mails, when a new day has come. */
const NEW_DAY_SPACING_MS = 10;
const SECOND_MS = 1_000;

/** The key of a mail server's limit. */
export function serverKey(server: string): string {
  return `server ${server}`;
}

/** The key of a recipient domain's limit. */
export function domainKey(domain: string): string {
  return `domain ${domain}`;
}

/** The domain of an address. */
export function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1);
}

/** How many mails of a warm-up's day have gone. */
export async function warmUpUse(db: Queryable, day: LocalDate): Promise<number> {
  const { rows } = await db.query<{ n: number }>('select day_count as n from pace where key = $1 and day = $2', [
    WARM_UP,
    formatLocalDate(day),
  ]);
  return rows[0]?.n ?? 0;
}

interface Row extends Record<string, unknown> {
  readonly key: string;
  readonly next: number;
  readonly first: number;
  readonly next_book: number;
  readonly first_book: number;
  readonly day: string | null;
  readonly day_count: number;
}

interface Limit {
  readonly key: string;
  readonly slots: Slots;
  /** Whether it keeps mails apart, or only says when those come again that wait for something else. */
  readonly isRate: boolean;
}

interface Needs {
  readonly server: { readonly key: string; readonly perSecond: number } | null;
  readonly volume: DayVolume | null;
  /** Null: no limit, but a hold. */
  readonly domains: ReadonlyMap<string, number | null>;
}

/**
 * Opens what concerns the mail of these customers that is due in the lane. Null, without a statement, where nothing is
 * limited and nothing is held.
 */
export async function openGate(
  tx: Tx,
  lane: MailLane,
  server: string,
  drafts: readonly Draft[],
  ctx: StoreContext,
): Promise<Gate | null> {
  const sending = ctx.release.company.sending ?? null;
  if (sending === null && ctx.holds.size === 0) return null;
  const needs = needsOf(sending, server, domainsDue(drafts, lane, ctx), ctx);
  const keys = [
    ...(needs.server === null ? [] : [needs.server.key]),
    ...(needs.volume === null ? [] : [WARM_UP]),
    ...[...needs.domains.keys()].map(domainKey),
  ].sort();
  if (keys.length === 0) return null;
  const rows = await lockLimits(tx, keys);
  return makeGate(needs, rows, lane, ctx);
}

function domainsDue(drafts: readonly Draft[], lane: MailLane, ctx: StoreContext): ReadonlySet<string> {
  const domains = new Set<string>();
  for (const draft of drafts) {
    const { address } = storedOf(draft);
    if (address === null) continue;
    for (const send of draft.sends.values()) {
      if (send.dueAt <= ctx.now && send.transactional === (lane === 'transactional')) domains.add(domainOf(address));
    }
  }
  return domains;
}

function needsOf(sending: Sending | null, server: string, due: ReadonlySet<string>, ctx: StoreContext): Needs {
  const none: Needs = { server: null, volume: null, domains: new Map() };
  if (due.size === 0) return none;
  const domains = new Map<string, number | null>();
  for (const domain of due) {
    const perSecond = rateOf(sending, domain);
    if (perSecond !== null || ctx.holds.has(domain)) domains.set(domain, perSecond);
  }
  if (sending === null) return { ...none, domains };
  return {
    server: sending.perSecond === null ? null : { key: serverKey(server), perSecond: sending.perSecond },
    volume: volumeAt(sending.warmUp, ctx.now, ctx.release.company.zone),
    domains,
  };
}

/** Mails per second to a domain; null: no limit. */
export function rateOf(sending: Sending | null, domain: string): number | null {
  if (sending === null) return null;
  const { domains } = sending;
  return (Object.hasOwn(domains, domain) ? domains[domain] : domains['*']) ?? null;
}

/** Locks the rows in the order of their keys, and makes those that are not there; read in a statement after the lock. */
async function lockLimits(tx: Tx, keys: readonly string[]): Promise<ReadonlyMap<string, Row>> {
  const [, { rows }] = await Promise.all([
    // Locked without being changed: a row that were changed twice for each claim would leave twice as much behind.
    tx.query(
      `insert into pace (key) select unnest($1::text[]) on conflict (key) do update set key = excluded.key where false`,
      [keys],
    ),
    tx.query<Row>(
      `select key, next_ms as next, first_ms as first, next_book_ms as next_book, first_book_ms as first_book,
         day::text as day, day_count from pace where key = any($1::text[])`,
      [keys],
    ),
  ]);
  return new Map(rows.map((row) => [row.key, row]));
}

function makeGate(needs: Needs, rows: ReadonlyMap<string, Row>, lane: MailLane, ctx: StoreContext): Gate {
  const { now } = ctx;
  const { volume } = needs;
  const limits = new Map<string, Limit>();
  const open = (key: string, perSecond: number | null, idleSpacingMs: number): Limit => {
    const limit = limits.get(key) ?? openLimit(key, rows.get(key), perSecond, idleSpacingMs, now);
    limits.set(key, limit);
    return limit;
  };
  const server = needs.server === null ? null : open(needs.server.key, needs.server.perSecond, 0);
  const warmUp = volume === null ? null : open(WARM_UP, null, NEW_DAY_SPACING_MS);
  const today = volume === null ? null : formatLocalDate(volume.day);
  const warmUpRow = rows.get(WARM_UP);
  let dayCount = warmUpRow?.day === today ? (warmUpRow?.day_count ?? 0) : 0;

  return {
    admit: (address) => {
      const domain = domainOf(address);
      const perSecond = needs.domains.get(domain);
      const own = perSecond === undefined ? null : open(domainKey(domain), perSecond, AFTER_HOLD_SPACING_MS);
      const heldUntil = ctx.holds.get(domain);
      if (own !== null && heldUntil !== undefined) return wait(own, lane, heldUntil, 'domain', now);
      // Transactional mail counts, but a day's volume does not hold it.
      if (warmUp !== null && volume !== null && lane === 'bulk' && dayCount >= volume.mails) {
        return wait(warmUp, lane, volume.endsAt, 'warm_up', now);
      }
      const admission = takePlaces(server, own, lane, now);
      if (!admission.goes || warmUp === null) return admission;
      dayCount += 1;
      return { ...admission, limits: [...admission.limits, WARM_UP] };
    },
    record: async (tx) => recordLimits(tx, limits.values(), today, dayCount),
  };
}

function openLimit(
  key: string,
  row: Row | undefined,
  perSecond: number | null,
  idleSpacingMs: number,
  now: Instant,
): Limit {
  const stored = {
    nextMs: row?.next ?? 0,
    firstMs: row?.first ?? 0,
    nextBookMs: row?.next_book ?? 0,
    firstBookMs: row?.first_book ?? 0,
  };
  // What is no rate gives out no places, and so says nothing of whether anybody waits.
  if (perSecond === null) return { key, slots: { ...stored, spacingMs: idleSpacingMs }, isRate: false };
  return { key, slots: openSlots(stored, SECOND_MS / perSecond, now), isRate: true };
}

function wait({ slots }: Limit, lane: MailLane, fromMs: number, waitsFor: PaceWait, now: Instant): Admission {
  return { goes: false, until: Math.max(now + 1, Math.ceil(bookSlot(slots, lane, fromMs))), waitsFor };
}

/** A place at the server and at the domain, where these are limited, or at neither. */
function takePlaces(server: Limit | null, own: Limit | null, lane: MailLane, now: Instant): Admission {
  const rates = [server, own].filter((limit) => limit !== null).filter(({ isRate }) => isRate);
  const places = rates.map((limit) => ({ limit, slotMs: nextSlot(limit.slots, lane, now) }));
  const full = places
    .filter(({ limit, slotMs }) => !isWithinHorizon(limit.slots, slotMs, now))
    .sort((a, b) => b.slotMs - a.slotMs)[0];
  if (full !== undefined) {
    // It comes when its place is half a horizon ahead: a little late is not too late, a little early not too early.
    return wait(full.limit, lane, full.slotMs - horizonMs(full.limit.slots.spacingMs) / 2, 'pace', now);
  }
  const slotMs = Math.max(now, ...places.map((place) => place.slotMs));
  for (const place of places) {
    // A mail that waits for its domain keeps its place at the server, or it would be in the way of other domains.
    takeSlot(place.limit.slots, lane, place.limit === server ? place.slotMs : slotMs, now);
  }
  return { goes: true, waitMs: slotMs - now, limits: rates.map(({ key }) => key) };
}

async function recordLimits(tx: Tx, limits: Iterable<Limit>, today: string | null, dayCount: number): Promise<void> {
  await execute(
    tx,
    [...limits].map(({ key, slots, isRate }) => ({
      key,
      next_ms: slots.nextMs,
      first_ms: slots.firstMs,
      next_book_ms: slots.nextBookMs,
      first_book_ms: slots.firstBookMs,
      spacing_ms: isRate ? slots.spacingMs : 0,
      day: key === WARM_UP ? today : null,
      day_count: key === WARM_UP ? dayCount : 0,
    })),
    `update pace p set next_ms = r.next_ms, first_ms = r.first_ms, next_book_ms = r.next_book_ms,
       first_book_ms = r.first_book_ms, spacing_ms = r.spacing_ms, day = r.day, day_count = r.day_count,
       used_at = clock_timestamp()
     from rows r where p.key = r.key`,
    `key text, next_ms double precision, first_ms double precision, next_book_ms double precision,
     first_book_ms double precision, spacing_ms double precision, day date, day_count int`,
  );
}
