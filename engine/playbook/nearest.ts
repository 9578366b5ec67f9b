/** How far a misspelling may be from a name of that length to be taken for it. */
function tolerance(length: number): number {
  return length <= 3 ? 1 : length <= 6 ? 2 : Math.min(4, Math.floor(length / 3));
}

/** Edit distance with neighbours swapped counting as one (optimal string alignment); more than `limit` gives `limit + 1`. */
function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, (before[j - 2] ?? 0) + 1);
      row.push(cost);
    }
    if (Math.min(...row) > limit) return limit + 1;
    before = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

/** Compared without what people most often get wrong: capitals, and which of `-_. /` parts the words. */
function folded(name: string): string {
  return name.toLowerCase().replaceAll(/[\s._/-]+/g, '-');
}

/** More than any tolerance. */
const BEHIND_WHOLE_NAMES = 10;

/** How far a misspelling is from a name, or from its first words: people cut names short. More than its tolerance: null. */
function costOf(wanted: string, have: string): number | null {
  const limit = tolerance(Math.max(wanted.length, have.length));
  const whole = distance(wanted, have, limit);
  if (whole <= limit) return whole;
  const words = have.split('-');
  for (let count = words.length - 1; count > 0; count--) {
    const start = words.slice(0, count).join('-');
    const startLimit = Math.min(2, tolerance(start.length));
    const cost = start.length < 4 ? startLimit + 1 : distance(wanted, start, startLimit);
    // A name that is meant as a whole comes first.
    if (cost <= startLimit) return BEHIND_WHOLE_NAMES + cost;
  }
  return null;
}

/**
 * The candidates that a misspelt name may mean, nearest first, at most `count`.
 * Ties keep the order of the candidates.
 */
export function nearestAll(name: string, candidates: Iterable<string>, count: number): readonly string[] {
  const wanted = folded(name.slice(0, 200));
  const found: { readonly candidate: string; readonly cost: number }[] = [];
  for (const candidate of new Set(candidates)) {
    const cost = costOf(wanted, folded(candidate));
    if (cost !== null) found.push({ candidate, cost });
  }
  return found
    .sort((a, b) => a.cost - b.cost)
    .slice(0, count)
    .map((entry) => entry.candidate);
}

/** The candidate that a misspelt name most likely means; null when none is near. */
export function nearest(name: string, candidates: Iterable<string>): string | null {
  return nearestAll(name, candidates, 1)[0] ?? null;
}
