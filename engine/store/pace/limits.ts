/** Limits as rows: locked, made places of, and written back. */
import type { PaceWait } from '../../journey/types.ts';
import type { Instant } from '../../time/types.ts';
import type { Tx } from '../database.ts';
import type { MailLane } from '../lane.ts';
import { execute } from '../sql.ts';
import { bookSlot, horizonMs, isWithinHorizon, nextSlot, openSlots, takeSlot, type Slots } from './slots.ts';

/** What a mail that may go is told. */
export type Admission =
  /** It goes after so long, counted from the claim. `limits` are the keys of what it counts towards. */
  | { readonly goes: true; readonly waitMs: number; readonly limits: readonly string[] }
  | { readonly goes: false; readonly until: Instant; readonly waitsFor: PaceWait };

/** The key of the warm-up's volume. */
export const WARM_UP = 'warm-up';
const SECOND_MS = 1_000;

/** A limit's row. */
export interface LimitRow extends Record<string, unknown> {
  readonly key: string;
  readonly next: number;
  readonly first: number;
  readonly next_book: number;
  readonly first_book: number;
  readonly day: string | null;
  readonly day_count: number;
}

/** A limit that concerns a claim. */
export interface Limit {
  readonly key: string;
  readonly slots: Slots;
  /** Whether it keeps mails apart, or only says when those come again that wait for something else. */
  readonly isRate: boolean;
}

/** Locks the rows in the order of their keys, and makes those that are not there; read in a statement after the lock. */
export async function lockLimits(tx: Tx, keys: readonly string[]): Promise<ReadonlyMap<string, LimitRow>> {
  const [, { rows }] = await Promise.all([
    // Locked without being changed: a row that were changed twice for each claim would leave twice as much behind.
    tx.query(
      `insert into pace (key) select unnest($1::text[]) on conflict (key) do update set key = excluded.key where false`,
      [keys],
    ),
    tx.query<LimitRow>(
      `select key, next_ms as next, first_ms as first, next_book_ms as next_book, first_book_ms as first_book,
         day::text as day, day_count from pace where key = any($1::text[])`,
      [keys],
    ),
  ]);
  return new Map(rows.map((row) => [row.key, row]));
}

/** What a row says at present; `perSecond` null: no rate, its mail comes again `idleSpacingMs` apart. */
export function openLimit(
  key: string,
  row: LimitRow | undefined,
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

/** Tells a mail to come again, not before `fromMs`. */
export function wait({ slots }: Limit, lane: MailLane, fromMs: number, waitsFor: PaceWait, now: Instant): Admission {
  return { goes: false, until: Math.max(now + 1, Math.ceil(bookSlot(slots, lane, fromMs))), waitsFor };
}

/** A place at the server and at the domain, where these are limited, or at neither. */
export function takePlaces(server: Limit | null, own: Limit | null, lane: MailLane, now: Instant): Admission {
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

/** Writes them back; `today` and `dayCount` are those of the warm-up. */
export async function recordLimits(
  tx: Tx,
  limits: Iterable<Limit>,
  today: string | null,
  dayCount: number,
): Promise<void> {
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
