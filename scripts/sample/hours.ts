import { DAY_MS, MINUTE_MS } from '../../engine/time/calendar.ts';
import { fromLocal, toLocal } from '../../engine/time/local.ts';
import type { Instant, Zone } from '../../engine/time/types.ts';

/** A quarter of an hour, the grid on which the sample's events lie. */
export const QUARTER_MS = 15 * MINUTE_MS;

/** How busy each hour of the day is, from midnight on; only the proportions count. */
type DayShape = readonly number[];

/** People shop over lunch and after supper, and hardly at all before six. */
export const AT_HOME: DayShape = [
  0.3, 0.1, 0.1, 0, 0, 0.1, 0.5, 1.5, 2.5, 3.5, 4, 4, 5, 5, 4, 3.5, 3.5, 4, 4.5, 5.5, 6.5, 6.5, 4, 1.5,
];

/** A shop's day, ten to six. */
export const SHOP_HOURS: DayShape = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 3, 3, 2, 3, 3, 3, 2, 0, 0, 0, 0, 0, 0];

/**
 * Moves an instant to a plausible time of its own local day, on the quarter hour. The earlier of two instants of a day
 * never comes after the later one: the day's even flow is bent to the shape of the day, nothing is drawn anew. So the
 * purchase process keeps its days, its counts and its order.
 */
export function atPlausibleTime(at: Instant, shape: DayShape, zone: Zone): Instant {
  const local = toLocal(at, zone);
  const hour = quantile(shape, local.ms / DAY_MS);
  return fromLocal({ ...local, ms: Math.floor((hour * 60 * MINUTE_MS) / QUARTER_MS) * QUARTER_MS }, zone);
}

/** The hour of day, 0 to 24, before which the share `u` (0 to 1, exclusive) of the day's business is done. */
function quantile(shape: DayShape, u: number): number {
  let left = u * shape.reduce((sum, weight) => sum + weight, 0);
  for (const [hour, weight] of shape.entries()) {
    if (left < weight) return hour + left / weight;
    left -= weight;
  }
  throw new RangeError(`quantile: ${u} is not in [0, 1)`);
}
