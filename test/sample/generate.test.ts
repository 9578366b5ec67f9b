import { describe, expect, it } from '@jest/globals';
import { toLocal } from '../../engine/time/local.ts';
import { parseInstant } from '../../engine/time/text.ts';
import { zone } from '../../engine/time/zone.ts';
import { CDNOW } from '../../scripts/sample/bgnbd.ts';
import type { PurchaseModel } from '../../scripts/sample/bgnbd.ts';
import { HISTORY_WEEKS, generateSample } from '../../scripts/sample/generate.ts';
import type { Sample } from '../../scripts/sample/types.ts';

const from = parseInstant('2026-01-01T00:00:00Z');
const until = parseInstant('2027-01-01T00:00:00Z');
const WEEK = 7 * 86_400_000;
const QUARTER = 15 * 60_000;

/** Equation (10) of Fader, Hardie and Lee (2005): the expected number of repeat purchases in t weeks. */
function expectedRepeats({ r, alpha, a, b }: PurchaseModel, t: number): number {
  const z = t / (alpha + t);
  let term = 1;
  let hypergeometric = 1;
  for (let n = 0; term > 1e-15; n += 1) {
    term *= (((r + n) * (b + n)) / (a + b - 1 + n) / (n + 1)) * z;
    hypergeometric += term;
  }
  return ((a + b - 1) / (a - 1)) * (1 - (alpha / (alpha + t)) ** r * hypergeometric);
}

/** Equation (8) of the paper: the probability of x repeat purchases in t weeks, for x = 0, 1, 2 … up to `count` - 1. */
function repeatProbabilities({ r, alpha, a, b }: PurchaseModel, t: number, count: number): number[] {
  const probabilities: number[] = [];
  let stay = 1; // B(a, b + x) / B(a, b)
  let poisson = (alpha / (alpha + t)) ** r; // Γ(r + x) / Γ(r) / x! (α / (α + t))^r (t / (α + t))^x
  let below = 0; // the sum of `poisson` below x
  for (let x = 0; x < count; x += 1) {
    const stayBefore = stay * ((a + b + x - 1) / (b + x - 1));
    const leave = x === 0 ? 0 : stayBefore * (a / (a + b + x - 1)); // B(a + 1, b + x - 1) / B(a, b)
    probabilities.push(stay * poisson + leave * (1 - below));
    below += poisson;
    poisson *= ((r + x) / (x + 1)) * (t / (alpha + t));
    stay *= (b + x) / (a + b + x);
  }
  return probabilities;
}

function orderTimes(sample: Sample): Map<string, number[]> {
  const times = new Map<string, number[]>();
  for (const { event, customer, at } of sample.events) {
    if (event !== 'order.placed') continue;
    const own = times.get(customer);
    if (own === undefined) times.set(customer, [Date.parse(at)]);
    else own.push(Date.parse(at));
  }
  return times;
}

const moment = (values: readonly number[], power: number, centre: number): number =>
  values.reduce((sum, value) => sum + (value - centre) ** power, 0) / values.length;

describe('the sample against the BG/NBD model', () => {
  const sample = generateSample({ seed: 1, customers: 24_000, from, until });
  const orders = [...orderTimes(sample).values()];
  const span = 52;
  const observed = orders
    .filter(([first]) => first! + span * WEEK <= until)
    .map((times) => times.filter((at) => at < times[0]! + span * WEEK).length - 1);
  const p = repeatProbabilities(CDNOW, span, 600);
  const mean = p.reduce((sum, px, x) => sum + px * x, 0);
  const central = (power: number): number => p.reduce((sum, px, x) => sum + px * (x - mean) ** power, 0);

  it('has enough customers to say anything', () => expect(observed.length).toBeGreaterThan(14_000));

  it('is judged by formulas that agree with each other', () => {
    expect(p.reduce((sum, px) => sum + px, 0)).toBeCloseTo(1, 10);
    expect(mean).toBeCloseTo(expectedRepeats(CDNOW, span), 8);
  });

  // Tolerances are five standard errors of the statistic under the model, so a right generator stays inside.
  it('buys again as often in 52 weeks', () => {
    const tolerance = 5 * Math.sqrt(central(2) / observed.length);
    expect(Math.abs(moment(observed, 1, 0) - mean)).toBeLessThan(tolerance);
    expect(tolerance).toBeLessThan(0.1 * mean);
  });

  it('varies as much', () => {
    const variance = central(2);
    const tolerance = 5 * Math.sqrt((central(4) - variance ** 2) / observed.length);
    expect(Math.abs(moment(observed, 2, moment(observed, 1, 0)) - variance)).toBeLessThan(tolerance);
    expect(tolerance).toBeLessThan(variance / 3);
  });

  it.each([0, 1, 2, 3, 5, 8])('has its share of customers with %i repeat purchases', (x) => {
    const share = observed.filter((count) => count === x).length / observed.length;
    expect(Math.abs(share - p[x]!)).toBeLessThan(5 * Math.sqrt((p[x]! * (1 - p[x]!)) / observed.length));
  });

  it('agrees over all customers, each from the own first order to the end', () => {
    const expected = orders.reduce((sum, [first]) => sum + expectedRepeats(CDNOW, (until - first!) / WEEK), 0);
    const total = orders.reduce((sum, times) => sum + times.length - 1, 0);
    expect(Math.abs(total - expected) / expected).toBeLessThan(0.05);
  });
});

describe('the sample', () => {
  const options = { seed: 7, customers: 300, from, until };
  const sample = generateSample(options);
  const homes = new Map(sample.customers.map(({ id, timezone }) => [id, zone(timezone)!]));

  it('is the same for the same seed, byte for byte, and another for another', () => {
    expect(JSON.stringify(generateSample(options))).toBe(JSON.stringify(sample));
    expect(JSON.stringify(generateSample({ ...options, seed: 8 }).customers)).not.toBe(
      JSON.stringify(sample.customers),
    );
  });

  it('keeps its first customers when more are asked for', () => {
    const more = generateSample({ ...options, customers: 400 });
    expect(more.customers.slice(0, 300)).toEqual(sample.customers);
    expect(more.events.filter(({ customer }) => homes.has(customer))).toEqual(sample.events);
  });

  it('gives every customer a first order, spread over the history and the period', () => {
    const firsts = [...orderTimes(sample).values()].map(([first]) => first!);
    expect(firsts).toHaveLength(300);
    expect(Math.min(...firsts)).toBeGreaterThanOrEqual(from - HISTORY_WEEKS * WEEK - 86_400_000);
    expect(firsts.filter((at) => at < from).length).toBeGreaterThan(100);
    expect(firsts.filter((at) => at >= from).length).toBeGreaterThan(80);
  });

  it('has events in order, with unique ids, before the end, and none before the customer is known', () => {
    const created = new Map(sample.customers.map(({ id, created_at }) => [id, created_at]));
    expect(new Set(sample.events.map(({ id }) => id)).size).toBe(sample.events.length);
    const wrong = sample.events.filter(
      ({ at, customer }, n) =>
        at < (sample.events[n - 1]?.at ?? '') || at < created.get(customer)! || Date.parse(at) >= until,
    );
    expect(wrong).toEqual([]);
  });

  it('places orders on quarter hours, by day and not in the small hours', () => {
    const local = sample.events
      .filter(({ event }) => event === 'order.placed')
      .map(({ at, customer }) => toLocal(Date.parse(at), homes.get(customer)!).ms);
    expect(local.every((ms) => ms % QUARTER === 0)).toBe(true);
    const share = (from: number, until: number): number =>
      local.filter((ms) => ms >= from * 4 * QUARTER && ms < until * 4 * QUARTER).length / local.length;
    expect(share(0, 6)).toBeLessThan(0.03);
    expect(share(8, 23)).toBeGreaterThan(0.9);
  });

  it('has what makes a sample worth replaying', () => {
    const { customers } = sample;
    const zones = new Set(customers.map(({ timezone }) => timezone));
    expect(zones).toEqual(new Set(['Europe/London', 'Europe/Berlin', 'America/New_York', 'Australia/Sydney']));
    expect(customers.some(({ birthday }) => birthday?.endsWith('-02-29'))).toBe(true);
    expect(customers.some(({ birthday }) => birthday === undefined)).toBe(true);
    expect(customers.some(({ name }) => name === undefined)).toBe(true);
    expect(customers.some(({ unsubscribed }) => unsubscribed?.includes('news'))).toBe(true);
    const kinds = new Set(sample.events.map(({ event }) => event));
    expect(kinds.size).toBe(5);
  });

  it('writes to addresses that no real mailbox can have, one for each customer', () => {
    const addresses = sample.customers.flatMap(({ email }) => email ?? []);
    expect(new Set(addresses).size).toBe(addresses.length);
    expect(addresses.every((address) => /^[a-z]+\.[a-z]*\.?\d+@customers\.hearth\.example$/.test(address))).toBe(true);
  });

  it.each([
    ['no customers', { customers: 0 }],
    ['half a customer', { customers: 1.5 }],
    ['a period that ends before it begins', { until: from }],
  ])('refuses %s', (_, wrong) => expect(() => generateSample({ ...options, ...wrong })).toThrow(RangeError));
});
