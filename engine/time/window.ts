/**
 * Send windows and blackouts. Whether they are open is read off the wall clock; when they open is found piece by piece
 * between changes of the zone's offset, within which the wall clock runs evenly. So an opening edge that falls into a
 * gap opens at the gap, and an hour that comes twice is open twice.
 */
import { DAY_MS, MINUTE_MS, epochDay } from './calendar.ts';
import { firstOffsetChange } from './change.ts';
import { weekdayOfEpochDay } from './local.ts';
import type { Blackout, Instant, SendWindow, WeeklyWindow, Zone } from './types.ts';

function isWeeklyOpen(window: WeeklyWindow, day: number, ms: number): boolean {
  const opensOn = (epochDay: number): boolean => window.days.includes(weekdayOfEpochDay(epochDay));
  const [from, until] = [window.from * MINUTE_MS, window.until * MINUTE_MS];
  if (from === until) return opensOn(day);
  if (from < until) return ms >= from && ms < until && opensOn(day);
  return (ms >= from && opensOn(day)) || (ms < until && opensOn(day - 1));
}

/** The blackout that covers a day counted from 1970-01-01, if any. */
function blackoutOn(blackouts: readonly Blackout[], day: number): Blackout | undefined {
  return blackouts.find((blackout) => day >= epochDay(blackout.from) && day < epochDay(blackout.until));
}

/** `local` is the wall clock in milliseconds after 1970-01-01T00:00. */
function isOpenLocally(local: number, window: SendWindow, blackouts: readonly Blackout[]): boolean {
  const day = Math.floor(local / DAY_MS);
  if (blackoutOn(blackouts, day) !== undefined) return false;
  return window === 'any' || isWeeklyOpen(window, day, local - day * DAY_MS);
}

/** The first open reading at or after `local` on a clock that runs evenly. */
function nextOpeningLocally(local: number, window: SendWindow, blackouts: readonly Blackout[]): number {
  // A window opens at its own edge; at midnight when it lasts all day or a blackout ended.
  const edges = window === 'any' ? [0] : [0, window.from * MINUTE_MS];
  for (let day = Math.floor(local / DAY_MS); ; day += 1) {
    const blackout = blackoutOn(blackouts, day);
    if (blackout !== undefined) {
      day = epochDay(blackout.until) - 1;
      continue;
    }
    for (const edge of edges) {
      const reading = day * DAY_MS + edge;
      if (reading >= local && isOpenLocally(reading, window, blackouts)) return reading;
    }
  }
}

/**
 * Whether mail may go out at an instant. A window includes its start and excludes its end; a night window belongs to
 * the day on which it opens, and equal start and end mean the whole of its days. A blackout closes whole local days,
 * the small hours of a night window among them.
 */
export function isOpen(at: Instant, window: SendWindow, blackouts: readonly Blackout[], zone: Zone): boolean {
  if (window === 'any' && blackouts.length === 0) return true;
  return isOpenLocally(at + zone.offsetAt(at), window, blackouts);
}

/** The first instant at or after `at` that is open. Throws a RangeError for a window without days, which never is. */
export function nextOpening(at: Instant, window: SendWindow, blackouts: readonly Blackout[], zone: Zone): Instant {
  if (window !== 'any' && window.days.length === 0) throw new RangeError('a send window without days never opens');
  for (let now = at; ;) {
    if (isOpen(now, window, blackouts, zone)) return now;
    const local = now + zone.offsetAt(now);
    const opening = now + nextOpeningLocally(local, window, blackouts) - local;
    const change = firstOffsetChange(zone, now, opening);
    if (change === null) return opening;
    now = change;
  }
}
