/** Puts two sequences side by side so that as many as possible stand beside their own. */

/** A place in both sequences, or in one of them. */
export interface Pair {
  readonly left: number | null;
  readonly right: number | null;
}

/** Beyond so many comparisons two timelines are shown one after the other: nobody reads so long a difference. */
const MOST_CELLS = 250_000;

/** Aligns by the longest common subsequence, where `same` says whether two belong together. */
export function align(
  leftCount: number,
  rightCount: number,
  same: (left: number, right: number) => boolean,
): readonly Pair[] {
  let start = 0;
  while (start < leftCount && start < rightCount && same(start, start)) start += 1;
  let end = 0;
  while (end < leftCount - start && end < rightCount - start && same(leftCount - 1 - end, rightCount - 1 - end))
    end += 1;
  const head = Array.from({ length: start }, (_, index): Pair => ({ left: index, right: index }));
  const tail = Array.from({ length: end }, (_, index): Pair => ({
    left: leftCount - end + index,
    right: rightCount - end + index,
  }));
  const [rows, columns] = [leftCount - start - end, rightCount - start - end];
  const middle = alignMiddle(rows, columns, (row, column) => same(start + row, start + column));
  const moved = middle.map(({ left, right }): Pair => ({
    left: left === null ? null : left + start,
    right: right === null ? null : right + start,
  }));
  return [...head, ...moved, ...tail];
}

function alignMiddle(rows: number, columns: number, same: (row: number, column: number) => boolean): readonly Pair[] {
  if (rows * columns > MOST_CELLS) return [...lefts(0, rows), ...rights(0, columns)];
  const width = columns + 1;
  // longest[row * width + column]: how many can be paired of what comes from there on.
  const longest = new Uint32Array((rows + 1) * width);
  const at = (row: number, column: number): number => longest[row * width + column] ?? 0;
  for (let row = rows - 1; row >= 0; row -= 1) {
    for (let column = columns - 1; column >= 0; column -= 1) {
      longest[row * width + column] = same(row, column)
        ? at(row + 1, column + 1) + 1
        : Math.max(at(row + 1, column), at(row, column + 1));
    }
  }
  const pairs: Pair[] = [];
  let [row, column] = [0, 0];
  while (row < rows && column < columns) {
    if (same(row, column)) pairs.push({ left: row++, right: column++ });
    else if (at(row + 1, column) >= at(row, column + 1)) pairs.push({ left: row++, right: null });
    else pairs.push({ left: null, right: column++ });
  }
  return [...pairs, ...lefts(row, rows), ...rights(column, columns)];
}

function lefts(from: number, until: number): readonly Pair[] {
  return Array.from({ length: until - from }, (_, index) => ({ left: from + index, right: null }));
}

function rights(from: number, until: number): readonly Pair[] {
  return Array.from({ length: until - from }, (_, index) => ({ left: null, right: from + index }));
}
