/**
 * When mails under one limit may go: places in time, evenly apart, each given out once.
 *
 * 1. Places are given out for a short time ahead (`horizonMs`), so that what hands mail over is never late for them, and a
 *    process that dies with its places loses no more than that.
 * 2. Transactional mail takes the first place that no other transactional mail has, and pushes all other mail back.
 *    Until that has made room, both go: for the length of the horizon there may be twice as many.
 * 3. Mail without a place is told when to come again, at times as far apart as places, so that it does not come all at once.
 */
import type { MailLane } from '../lane.ts';

/** The places of one limit, as they stand. Times are business time in ms, with parts of them. */
export interface Slots {
  /** Between two mails. */
  readonly spacingMs: number;
  /** The next place of mail that is not transactional, and of transactional mail. */
  nextMs: number;
  firstMs: number;
  /** Up to when mail that waits has been told to come, in each lane. */
  nextBookMs: number;
  firstBookMs: number;
}

/** A limit's places as they were stored. */
export type StoredSlots = Omit<Slots, 'spacingMs'>;

const LONGEST_HORIZON_MS = 1_000;
const SHORTEST_HORIZON_MS = 250;
/** Between those two, a horizon holds so many mails: few enough to be claimed while they wait. */
const MAILS_AHEAD = 100;
/** Mail comes again a little faster than it goes, since some of it will not go. */
const SURPLUS = 1.05;
/** Times are told up to so long ahead, then from the front again: what becomes free is not left unused for longer. */
const BOOK_AHEAD_MS = 600_000;

/** How long ahead places are given out, in ms: at most a second. */
export function horizonMs(spacingMs: number): number {
  return Math.min(LONGEST_HORIZON_MS, Math.max(SHORTEST_HORIZON_MS, MAILS_AHEAD * spacingMs));
}

/** Makes the stored places fit for now and for this limit, which may be another than when they were stored. */
export function openSlots(stored: StoredSlots, spacingMs: number, now: number): Slots {
  // A faster limit, or a clock that was set back, must not have to wait for what the former one gave out.
  const latest = now + 2 * (horizonMs(spacingMs) + spacingMs);
  const nextMs = Math.min(stored.nextMs, latest);
  const firstMs = Math.min(stored.firstMs, latest);
  return {
    spacingMs,
    nextMs,
    firstMs,
    // Where places stay free, nobody comes at the times that were told.
    nextBookMs: nextMs <= now ? 0 : stored.nextBookMs,
    firstBookMs: firstMs <= now ? 0 : stored.firstBookMs,
  };
}

/** The place that a mail of this lane would get: `now` or later. */
export function nextSlot(slots: Slots, lane: MailLane, now: number): number {
  return Math.max(now, lane === 'transactional' ? slots.firstMs : slots.nextMs);
}

/** Whether that place is near enough to be given out. */
export function isWithinHorizon(slots: Slots, slotMs: number, now: number): boolean {
  return slotMs <= now + horizonMs(slots.spacingMs);
}

/** Gives out a place. */
export function takeSlot(slots: Slots, lane: MailLane, slotMs: number, now: number): void {
  if (lane === 'transactional') {
    slots.firstMs = slotMs + slots.spacingMs;
    slots.nextMs = Math.max(slots.nextMs, now) + slots.spacingMs;
  } else {
    slots.nextMs = slotMs + slots.spacingMs;
  }
}

/** Tells a mail when to come again: not before `fromMs`. */
export function bookSlot(slots: Slots, lane: MailLane, fromMs: number): number {
  const bookedMs = lane === 'transactional' ? slots.firstBookMs : slots.nextBookMs;
  const ahead = Math.max(bookedMs, fromMs);
  const atMs = ahead > fromMs + BOOK_AHEAD_MS ? fromMs : ahead;
  const nextMs = atMs + slots.spacingMs / SURPLUS;
  if (lane === 'transactional') slots.firstBookMs = nextMs;
  else slots.nextBookMs = nextMs;
  return atMs;
}
