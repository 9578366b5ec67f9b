/** Numbers that look random and are the same for the same seed. */

/** A source of numbers from 0 to less than 1. */
export type Random = () => number;

/** The source of a seed (mulberry32). */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One of several. @throws RangeError when there are none. */
export function pick<T>(random: Random, among: readonly T[]): T {
  const chosen = among[Math.floor(random() * among.length)];
  if (chosen === undefined) throw new RangeError('there is nothing to choose from');
  return chosen;
}
