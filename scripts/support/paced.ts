/** Long work in turns, so that signals and streams get theirs. */
import { setImmediate } from 'node:timers/promises';

/** The same items; after every `often` of them, others have their turn. */
export async function* paced<T>(items: Iterable<T>, often: number): AsyncGenerator<T> {
  let taken = 0;
  for (const item of items) {
    yield item;
    taken += 1;
    if (taken % often === 0) await setImmediate();
  }
}

/** Does something with every item; after every `often` of them, others have their turn. */
export async function eachPaced<T>(items: Iterable<T>, often: number, take: (item: T) => void): Promise<void> {
  let taken = 0;
  for (const item of items) {
    take(item);
    taken += 1;
    if (taken % often === 0) await setImmediate();
  }
}
