/**
 * Rolling spans: the goal's `within` and the caps' `per`. Calendar units count in the zone, so a span may be shorter
 * or longer than it looks: `t - 1 month` stands still at the end of March, and steps back where months are clamped.
 */
import { DAY_MS } from './calendar.ts';
import { firstInstant, firstOffsetChange } from './change.ts';
import { addDuration, negate } from './duration.ts';
import type { Duration, Instant, Zone } from './types.ts';

/** Whether an instant lies within a span from `start`; the start counts, the end does not. docs/playbooks.md. */
export function isWithin(at: Instant, start: Instant, span: Duration, zone: Zone): boolean {
  return at >= start && at < addDuration(start, span, zone);
}

/** How many of the hand-overs lie in (at - per, at]. docs/playbooks.md, caps. */
export function countIn(handedAt: readonly Instant[], at: Instant, per: Duration, zone: Zone): number {
  const start = addDuration(at, negate(per), zone);
  return handedAt.reduce((count, handed) => (handed > start && handed <= at ? count + 1 : count), 0);
}

/** Months clamp by up to three days and zones change by up to one: before the calendar's answer less this, no span has passed. */
const SLACK_MS = 5 * DAY_MS;

/** The end of the piece from `at` in which the wall clock runs evenly on one day. */
function endOfPiece(at: Instant, zone: Zone): Instant {
  const local = at + zone.offsetAt(at);
  const midnight = at + (Math.floor(local / DAY_MS) + 1) * DAY_MS - local;
  return firstOffsetChange(zone, at, midnight) ?? midnight;
}

/**
 * The first instant from `from` on at which a hand-over at `handed` is not in (t - per, t]: then `countIn` does not
 * count it. `from` defaults to the hand-over. Spans in months may count it once more later (handed on 28 February, it is
 * out of `1 month` on 28 March and in again on the 29th): ask again with a later `from`.
 */
export function leavesSpanAt(handed: Instant, per: Duration, zone: Zone, from: Instant = handed): Instant {
  if (from < handed) return from;
  if (per.months === 0 && per.days === 0) return Math.max(from, handed + per.ms);
  const back = negate(per);
  const spanStart = (at: Instant): Instant => addDuration(at, back, zone);
  let at = Math.max(from, addDuration(handed, per, zone) - SLACK_MS);
  while (spanStart(at) < handed) {
    const end = endOfPiece(at, zone);
    const lastLag = spanStart(end - 1) - (end - 1);
    const lag = spanStart(at) - at;
    // Within a piece the span's start runs evenly, but for one change of offset on the day on which it stands.
    const turn = lag === lastLag ? end : firstInstant(at, end - 1, (t) => spanStart(t) - t === lastLag);
    const passed = Math.max(at, handed - lag);
    at = passed < turn ? passed : turn;
  }
  return at;
}
