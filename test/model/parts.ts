/** Which parts of something long are left in: all of them, and ever fewer of them while fast-check makes a failure small. */
import fc from 'fast-check';

/** Numbers from 0 to below `count`: all, shrinking by leaving out halves, quarters and so on down to single ones; `least` stay. */
export function partsOf(count: number, least = 0): fc.Arbitrary<readonly number[]> {
  return new Parts(count, least);
}

class Parts extends fc.Arbitrary<readonly number[]> {
  readonly #all: readonly number[];
  readonly #least: number;

  constructor(count: number, least: number) {
    super();
    this.#least = least;
    this.#all = Array.from({ length: count }, (_, index) => index);
  }

  override generate(): fc.Value<readonly number[]> {
    return new fc.Value(this.#all, undefined);
  }

  override canShrinkWithoutContext(value: unknown): value is readonly number[] {
    return Array.isArray(value);
  }

  override shrink(value: readonly number[]): fc.Stream<fc.Value<readonly number[]>> {
    return new fc.Stream(smaller(value, this.#least));
  }
}

function* smaller(value: readonly number[], least: number): IterableIterator<fc.Value<readonly number[]>> {
  for (let size = Math.ceil(value.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let first = 0; first < value.length; first += size) {
      const rest = [...value.slice(0, first), ...value.slice(first + size)];
      if (rest.length >= least) yield new fc.Value(rest, undefined);
    }
  }
}
