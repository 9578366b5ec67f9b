/** Acts of a model run: what the commands are made of. */
import fc from 'fast-check';
import type { Promised } from './promised.ts';
import type { World } from './world.ts';

/** Something that people, shops, workers or the clock do. */
export interface Act {
  /** With all its values, for the report of a failure. */
  readonly label: string;
  readonly run: (promised: Promised, world: World) => Promise<void>;
  /** Whether there is anything to be done. Default: always. */
  readonly check?: (promised: Readonly<Promised>) => boolean;
}

/** Acts of one kind, for every value of `arbitrary`. */
export function act<T>(
  arbitrary: fc.Arbitrary<T>,
  name: string,
  run: (promised: Promised, world: World, value: T) => Promise<void>,
): fc.Arbitrary<Act> {
  return arbitrary.map((value) => ({
    label: `${name} ${JSON.stringify(value)}`,
    run: async (promised, world) => run(promised, world, value),
  }));
}

/** In milliseconds. */
export const MINUTE_MS = 60_000;
/** In milliseconds. */
export const HOUR_MS = 60 * MINUTE_MS;
