/** The commands of the model test, each an act of people or workers followed by a look at every invariant. */
import fc from 'fast-check';
import { act, type Act } from './act.ts';
import * as people from './acts-of-people.ts';
import * as workers from './acts-of-workers.ts';
import { expectInvariants } from './invariants.ts';
import type { Promised } from './promised.ts';
import { restart, settled } from './work.ts';
import type { World } from './world.ts';

type ModelCommand = fc.AsyncCommand<Promised, World>;

/** Everything at once: workers on the same customers, people forbidding and changing, connections cut. */
const storms = act(
  fc
    .tuple(
      fc.array(workers.deliveries, { minLength: 2, maxLength: 4 }),
      fc.array(
        fc.oneof(
          { weight: 3, arbitrary: people.identities },
          { weight: 3, arbitrary: people.events },
          { weight: 1, arbitrary: people.enrolments },
          { weight: 2, arbitrary: people.suppressions },
          { weight: 2, arbitrary: people.pauses },
          { weight: 1, arbitrary: people.cancels },
          { weight: 1, arbitrary: workers.expiries },
          { weight: 1, arbitrary: people.deploys },
          { weight: 1, arbitrary: workers.kills },
        ),
        { minLength: 1, maxLength: 4 },
      ),
    )
    .map((parts) => parts.flat()),
  'at once',
  async (promised, world, acts) => {
    await settled(acts.map(async (one) => one.run(promised, world)));
    for (const number of promised.hands.keys()) await restart(promised, world, number);
  },
);

const WEIGHTED: readonly (readonly [number, fc.Arbitrary<Act>])[] = [
  [16, people.events],
  [5, people.identities],
  [6, people.enrolments],
  [2, people.suppressions],
  [6, people.permissions],
  [2, people.pauses],
  [6, people.resumptions],
  [1, people.cancels],
  [1, people.deploys],
  [3, people.holds],
  [3, people.retries],
  [1, people.drops],
  [8, workers.jumps],
  [3, workers.advances],
  [12, workers.claims],
  [6, workers.sendings],
  [7, workers.interferences],
  [5, workers.oversleepings],
  [16, workers.handOvers],
  [16, workers.reports],
  [6, workers.crashes],
  [6, workers.expiries],
  [3, workers.drains],
  [5, storms],
];

/** Commands of a run; `replayPath` is fast-check's own, of a run to be repeated. */
export function commandsOf(most: number, replayPath: string | undefined): fc.Arbitrary<Iterable<ModelCommand>> {
  // One arbitrary for each act, as often as it weighs: fast-check picks among them evenly.
  const kinds = WEIGHTED.flatMap(([weight, acts]) => Array.from({ length: weight }, () => acts.map(commandOf)));
  return fc.commands(kinds, { maxCommands: most, size: 'max', ...(replayPath === undefined ? {} : { replayPath }) });
}

function commandOf({ label, run, check }: Act): ModelCommand {
  return {
    check: (promised) => check?.(promised) ?? true,
    toString: () => label,
    run: async (promised, world) => {
      await run(promised, world);
      await expectInvariants(promised, world);
    },
  };
}
