import { DAY_MS, MINUTE_MS } from '../../engine/time/calendar.ts';
import type { Instant } from '../../engine/time/types.ts';
import { zone } from '../../engine/time/zone.ts';
import { drawPerson, drawPlace } from './people.ts';
import { between, chance, createRandom } from './random.ts';
import type { Random } from './random.ts';
import { WEEK_MS, drawEvents } from './shopping.ts';
import { AT_HOME, atPlausibleTime } from './hours.ts';
import type { Sample, SampleCustomer, SampleEvent, SampleOptions } from './types.ts';

/** How far back the first orders reach before the period: far enough for first and second anniversaries in it. */
export const HISTORY_WEEKS = 78;

/**
 * Makes the customers of *Hearth & Home* and what they do until `until`. Pure: the same options give the same sample,
 * and with more customers the first ones stay who they were.
 * Throws RangeError when there are no customers to make, or the period is shorter than a day.
 */
export function generateSample(options: SampleOptions): Sample {
  if (!Number.isInteger(options.customers) || options.customers < 1) {
    throw new RangeError(`generateSample: customers is ${options.customers}, expected a whole number from 1`);
  }
  if (options.until - options.from < DAY_MS) {
    throw new RangeError('generateSample: until must be at least a day after from');
  }
  const customers: SampleCustomer[] = [];
  const events: SampleEvent[] = [];
  for (let number = 1; number <= options.customers; number += 1) {
    const made = generateCustomer(createRandom(options.seed, number), number, options);
    customers.push(made.customer);
    for (const event of made.events) events.push(event);
  }
  return { customers, events: events.sort(byTime) };
}

function generateCustomer(
  random: Random,
  number: number,
  options: SampleOptions,
): { readonly customer: SampleCustomer; readonly events: readonly SampleEvent[] } {
  const place = drawPlace(random);
  const home = zone(place.timezone);
  if (home === null) throw new Error(`generateSample: this machine does not know the zone ${place.timezone}`);
  // The last day is left out, so that a first order moved within its day is still inside the period.
  const start = options.from - HISTORY_WEEKS * WEEK_MS;
  const first = start + Math.floor(random.next() * (options.until - DAY_MS - start));
  const createdAt = atPlausibleTime(first, AT_HOME, home) - signUpLead(random);
  const customer = drawPerson(random, number, place, createdAt);
  return { customer, events: drawEvents(random, { id: customer.id, zone: home, first, until: options.until }) };
}

/** Half sign up while they order, the others some time before. At least 90 minutes, so that nothing happens earlier. */
function signUpLead(random: Random): Instant {
  return chance(random, 0.5) ? 90 * MINUTE_MS : between(random, 2, 30 * 24) * 60 * MINUTE_MS;
}

function byTime(a: SampleEvent, b: SampleEvent): number {
  if (a.at !== b.at) return a.at < b.at ? -1 : 1;
  return a.id < b.id ? -1 : 1;
}
