/** Figures of a handful of samples. */

/** The sample below which this share of all lies. @throws RangeError without samples. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const found = sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  if (found === undefined) throw new RangeError('no samples');
  return found;
}

/** The middle one. */
export function median(samples: readonly number[]): number {
  return quantile(samples, 0.5);
}
