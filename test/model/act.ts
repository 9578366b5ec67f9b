/** Acts of a model run. Acts of one kind that several circles do in one round are done together. */
import fc from 'fast-check';
import { settled } from './work.ts';
import type { Promised } from './promised.ts';
import type { World } from './world.ts';

/** What one circle does: it concerns its own customers alone. */
export interface Item<T> {
  readonly circle: string;
  readonly value: T;
}

/** A kind of act. */
export interface Kind<T> {
  readonly name: string;
  readonly runAll: (promised: Promised, world: World, items: readonly Item<T>[]) => Promise<void>;
}

/** An act without its circle; acts of one kind have the same `kind`. */
export interface Act {
  readonly kind: Kind<unknown>;
  readonly value: unknown;
}

/** Acts of a kind, for every value of `arbitrary`. */
export function acts<T>(arbitrary: fc.Arbitrary<T>, name: string, runAll: Kind<T>['runAll']): fc.Arbitrary<Act> {
  // Its values come from `arbitrary` alone.
  const kind: Kind<unknown> = { name, runAll: async (p, w, items) => runAll(p, w, items as readonly Item<T>[]) };
  return arbitrary.map((value) => ({ kind, value }));
}

/** Acts that are done one by one, at the same time in different circles. */
export function actsOfOne<T>(
  arbitrary: fc.Arbitrary<T>,
  name: string,
  run: (promised: Promised, world: World, circle: string, value: T) => Promise<void>,
): fc.Arbitrary<Act> {
  return acts(arbitrary, name, async (promised, world, items) =>
    settled(items.map(async ({ circle, value }) => run(promised, world, circle, value))),
  );
}

/** An act of a circle. */
export interface Doing {
  readonly circle: string;
  readonly act: Act;
}

/** Runs acts of different circles at the same time, those of one kind together. */
export async function runTogether(promised: Promised, world: World, all: readonly Doing[]): Promise<void> {
  const byKind = new Map<Kind<unknown>, Item<unknown>[]>();
  for (const { circle, act } of all) {
    const items = byKind.get(act.kind) ?? [];
    byKind.set(act.kind, [...items, { circle, value: act.value }]);
  }
  await settled([...byKind].map(async ([kind, items]) => kind.runAll(promised, world, items)));
}

/** What is done to all circles at once: by the clock, by staff, by the fleet. */
export interface Shared {
  readonly label: string;
  readonly run: (promised: Promised, world: World) => Promise<void>;
}

/** Shared acts, for every value of `arbitrary`. */
export function sharedActs<T>(
  arbitrary: fc.Arbitrary<T>,
  name: string,
  run: (promised: Promised, world: World, value: T) => Promise<void>,
): fc.Arbitrary<Shared> {
  return arbitrary.map((value) => ({
    label: `${name} ${JSON.stringify(value)}`,
    run: async (promised, world) => run(promised, world, value),
  }));
}

/** In milliseconds. */
export const MINUTE_MS = 60_000;
/** In milliseconds. */
export const HOUR_MS = 60 * MINUTE_MS;
