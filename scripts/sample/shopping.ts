import { DAY_MS } from '../../engine/time/calendar.ts';
import { formatInstant } from '../../engine/time/text.ts';
import type { Instant, Zone } from '../../engine/time/types.ts';
import { CDNOW, repeatPurchaseWeeks } from './bgnbd.ts';
import { AT_HOME, QUARTER_MS, SHOP_HOURS, atPlausibleTime } from './hours.ts';
import { between, chance, normal, pick, pickWeighted } from './random.ts';
import type { Random } from './random.ts';
import type { SampleEvent } from './types.ts';

/** A week in milliseconds: the model's unit of time. */
export const WEEK_MS = 7 * DAY_MS;

/** Who shops, and until when. */
export interface Shopper {
  readonly id: string;
  readonly zone: Zone;
  /** When the first purchase happens, before it is moved to a plausible time of its day. */
  readonly first: Instant;
  readonly until: Instant;
}

type Happening = Pick<SampleEvent, 'event' | 'data'> & { readonly at: Instant };

const ROOMS = ['kitchen', 'bedroom', 'living room', 'garden'] as const;
const RATINGS = [
  [50, 5],
  [30, 4],
  [10, 3],
  [6, 2],
  [4, 1],
] as const;

/** All that one customer ever does before `until`, in order; the first is never later than the first order. */
export function drawEvents(random: Random, shopper: Shopper): readonly SampleEvent[] {
  const orders = orderTimes(random, shopper);
  const favourite = pick(random, ROOMS);
  const happenings = orders.flatMap((at, n) => aroundOrder(random, shopper, at, n + 1, favourite));
  return [...happenings, ...inBetween(random, shopper)]
    .filter(({ at }) => at < shopper.until)
    .sort((a, b) => a.at - b.at)
    .map(({ at, event, data }, n) => ({
      id: `${shopper.id}-${n + 1}`,
      customer: shopper.id,
      event,
      at: formatInstant(at),
      data,
    }));
}

function orderTimes(random: Random, { first, until, zone }: Shopper): readonly Instant[] {
  const weeks = repeatPurchaseWeeks(random, CDNOW, (until - first) / WEEK_MS);
  const times: Instant[] = [];
  for (const week of [0, ...weeks]) {
    const at = atPlausibleTime(first + Math.round(week * WEEK_MS), AT_HOME, zone);
    // Two orders may fall into one quarter of an hour; nobody places both at once.
    times.push(Math.max(at, (times.at(-1) ?? -Infinity) + QUARTER_MS));
  }
  return times;
}

function aroundOrder(random: Random, { id, zone }: Shopper, at: Instant, n: number, favourite: string): Happening[] {
  const order_id = `HH-${id.slice(1)}-${n}`;
  const room = chance(random, 0.6) ? favourite : pick(random, ROOMS);
  const later = (lowDays: number, highDays: number): Instant =>
    atPlausibleTime(at + Math.round((lowDays + random.next() * (highDays - lowDays)) * DAY_MS), AT_HOME, zone);
  const happenings: Happening[] = [{ event: 'order.placed', at, data: { order_id, total: drawTotal(random), room } }];
  if (chance(random, 0.3)) {
    happenings.push({ event: 'app.opened', at: at - between(random, 1, 4) * QUARTER_MS, data: { screen: room } });
  }
  if (chance(random, 0.04)) happenings.push({ event: 'order.refunded', at: later(3, 20), data: { order_id } });
  else if (chance(random, 0.3)) {
    const rating = pickWeighted(random, RATINGS);
    happenings.push({ event: 'review.posted', at: later(6, 40), data: { order_id, rating } });
  }
  return happenings;
}

/** Lognormal with a median of 46 pounds, in steps of 50 pence, never under five pounds. */
function drawTotal(random: Random): number {
  return Math.max(5, Math.round(2 * 46 * Math.exp(0.65 * normal(random))) / 2);
}

/** Looking round without buying: in the app, and for those who live near Bath in the shop. */
function inBetween(random: Random, { zone, first, until }: Shopper): Happening[] {
  const happenings: Happening[] = [];
  const hasApp = chance(random, 0.3);
  const livesNear = chance(random, 0.12) && zone.name === 'Europe/London';
  for (let month = first + DAY_MS; month < until; month += 4 * WEEK_MS) {
    const at = month + Math.floor(random.next() * 4 * WEEK_MS);
    if (hasApp && chance(random, 0.3)) {
      happenings.push({ event: 'app.opened', at: atPlausibleTime(at, AT_HOME, zone), data: { screen: 'home' } });
    }
    if (livesNear && chance(random, 0.2)) {
      happenings.push({
        event: 'shop.visited',
        at: atPlausibleTime(at, SHOP_HOURS, zone),
        data: { shop: 'Mill Lane' },
      });
    }
  }
  return happenings;
}
