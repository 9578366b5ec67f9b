/**
 * Seeded chance: xoshiro128** by Blackman and Vigna (https://prng.di.unimi.it), seeded through splitmix32, and the
 * distributions that the sample needs. The same seed gives the same numbers on every machine.
 */

/** A stream of chance. Each draw moves it on, so the order of the draws is part of the outcome. */
export interface Random {
  /** Uniform in [0, 1), with 53 random bits. */
  next(): number;
}

/** The stream of `seed` (any integer) numbered `stream`: streams of one seed have nothing to do with each other. */
export function createRandom(seed: number, stream = 0): Random {
  const mix = splitmix32(Math.imul(seed, 0x9e3779b1) ^ Math.imul(stream + 1, 0x85ebca77));
  const s: [number, number, number, number] = [mix(), mix(), mix(), mix()];
  const bits = (): number => {
    const result = Math.imul(rotateLeft(Math.imul(s[1], 5), 7), 9) >>> 0;
    const t = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotateLeft(s[3], 11);
    return result;
  };
  return { next: () => ((bits() >>> 5) * 0x4000000 + (bits() >>> 6)) / 0x20000000000000 };
}

function splitmix32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let z = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return z ^ (z >>> 15);
  };
}

function rotateLeft(x: number, by: number): number {
  return (x << by) | (x >>> (32 - by));
}

/** True with probability `p`, 0 to 1. */
export function chance(random: Random, p: number): boolean {
  return random.next() < p;
}

/** A whole number from `low` to `high`, both included. */
export function between(random: Random, low: number, high: number): number {
  return low + Math.floor(random.next() * (high - low + 1));
}

/** One of the items, each as likely; throws RangeError when there is none. */
export function pick<T>(random: Random, items: readonly T[]): T {
  const item = items[Math.floor(random.next() * items.length)];
  if (item === undefined) throw new RangeError('pick: there is nothing to pick from');
  return item;
}

/** One of the items, each in proportion to its weight (>= 0); throws RangeError when there is none. */
export function pickWeighted<T>(random: Random, items: readonly (readonly [weight: number, item: T])[]): T {
  let left = random.next() * items.reduce((sum, [weight]) => sum + weight, 0);
  for (const [weight, item] of items) {
    if (left < weight) return item;
    left -= weight;
  }
  const last = items.at(-1);
  if (last === undefined) throw new RangeError('pickWeighted: there is nothing to pick from');
  return last[1];
}

/** Exponential with the given rate (> 0): the time until the next event of a Poisson process. */
export function exponential(random: Random, rate: number): number {
  return -Math.log(1 - random.next()) / rate;
}

/** Normal with mean 0 and variance 1, by Box and Muller. */
export function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}

/** Gamma with `shape` and `rate` (both > 0), by Marsaglia and Tsang (2000), with their boost for shapes below 1. */
export function gamma(random: Random, shape: number, rate: number): number {
  if (shape < 1) return gamma(random, shape + 1, rate) * (1 - random.next()) ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal(random);
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - random.next()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return (d * v) / rate;
  }
}

/** Beta with shapes `a` and `b` (both > 0), as a share of two gammas. */
export function beta(random: Random, a: number, b: number): number {
  const x = gamma(random, a, 1);
  const y = gamma(random, b, 1);
  return x / (x + y);
}
