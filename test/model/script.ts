/** What happens in a batch of runs: in each round one shared act or none, then one act in each circle. */
import fc from 'fast-check';
import { runTogether, sharedActs, type Act, type Doing, type Shared } from './act.ts';
import * as people from './acts-of-people.ts';
import * as workers from './acts-of-workers.ts';
import { expectEventsKept, expectInvariants } from './invariants.ts';
import { partsOf } from './parts.ts';
import type { Promised } from './promised.ts';
import { restart, settled } from './work.ts';
import type { World } from './world.ts';

/** One round. */
interface Round {
  readonly shared: Shared | null;
  readonly doings: readonly Doing[];
}

/** A batch, that says itself what it does. */
export interface Script {
  readonly circles: readonly string[];
  readonly rounds: readonly Round[];
  readonly [fc.toStringMethod]: () => string;
}

const OF_CIRCLES: readonly fc.WeightedArbitrary<Act>[] = [
  { weight: 16, arbitrary: people.events },
  { weight: 5, arbitrary: people.identities },
  { weight: 5, arbitrary: people.enrolments },
  { weight: 2, arbitrary: people.suppressions },
  { weight: 3, arbitrary: people.wishes },
  { weight: 6, arbitrary: people.permissions },
  { weight: 1, arbitrary: people.cancels },
  { weight: 3, arbitrary: people.holds },
  { weight: 3, arbitrary: people.retries },
  { weight: 1, arbitrary: people.drops },
  { weight: 3, arbitrary: workers.advances },
  { weight: 12, arbitrary: workers.claims },
  { weight: 11, arbitrary: workers.sendings },
  { weight: 7, arbitrary: workers.interferences },
  { weight: 5, arbitrary: workers.oversleepings },
  { weight: 7, arbitrary: workers.handOvers },
  { weight: 9, arbitrary: workers.reports },
  { weight: 4, arbitrary: workers.crashes },
  { weight: 5, arbitrary: workers.expiries },
];

/** Everything at once: workers on the same customers, people forbidding and changing, connections cut. */
const storms = sharedActs(
  fc.record({
    workers: fc.array(workers.deliveries, { minLength: 2, maxLength: 4 }),
    people: fc.array(
      fc.tuple(
        fc.nat({ max: 1_000 }),
        fc.oneof(
          { weight: 3, arbitrary: people.identities },
          { weight: 3, arbitrary: people.events },
          { weight: 1, arbitrary: people.enrolments },
          { weight: 2, arbitrary: people.suppressions },
          { weight: 1, arbitrary: people.wishes },
          { weight: 1, arbitrary: people.cancels },
          { weight: 1, arbitrary: workers.expiries },
        ),
      ),
      { minLength: 4, maxLength: 30, size: 'max' },
    ),
    staff: fc.array(fc.oneof(people.pauses, people.deploys, people.rollbacks, workers.kills), { maxLength: 2 }),
  }),
  'at once',
  async (promised, world, storm) => {
    const circles = [...promised.members.keys()];
    const doings = storm.people.map(([pick, act]) => ({ circle: circles[pick % circles.length] ?? '', act }));
    await settled([
      ...[...storm.workers, ...storm.staff].map(async (one) => one.run(promised, world)),
      ...doings.map(async (doing) => runTogether(promised, world, [doing])),
    ]);
    for (const number of promised.hands.keys()) await restart(promised, world, number);
  },
);

const OF_ALL = fc.oneof(
  { weight: 16, arbitrary: workers.jumps },
  { weight: 4, arbitrary: people.pauses },
  { weight: 10, arbitrary: people.resumptions },
  { weight: 2, arbitrary: people.deploys },
  { weight: 2, arbitrary: people.edits },
  { weight: 2, arbitrary: people.rollbacks },
  { weight: 4, arbitrary: workers.drains },
  { weight: 6, arbitrary: storms },
);

/** Batches of so many circles and rounds. A failing one is made small by leaving out circles, then rounds, then shared acts. */
export function scriptsOf(circles: number, rounds: number): fc.Arbitrary<Script> {
  const act = fc.oneof(...OF_CIRCLES);
  const sometimes = fc.oneof({ weight: 4, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: OF_ALL });
  const all = { minLength: circles, maxLength: circles };
  return fc
    .tuple(
      partsOf(circles, 1),
      partsOf(rounds),
      partsOf(rounds),
      fc.noShrink(fc.array(fc.array(act, all), { minLength: rounds, maxLength: rounds })),
      fc.noShrink(fc.array(sometimes, { minLength: rounds, maxLength: rounds })),
    )
    .map(([kept, inRounds, shared, acts, sharedOf]) =>
      scriptOf(
        kept.map((number) => `r${number}.`),
        inRounds.map((round) => ({
          shared: shared.includes(round) ? (sharedOf[round] ?? null) : null,
          doings: kept.flatMap((number) => {
            const one = acts[round]?.[number];
            return one === undefined ? [] : [{ circle: `r${number}.`, act: one }];
          }),
        })),
      ),
    );
}

const MOST_LINES = 300;

function scriptOf(circles: readonly string[], rounds: readonly Round[]): Script {
  const lines = (): string[] =>
    rounds.flatMap(({ shared, doings }, index) => [
      ...(shared === null ? [] : [`${index} all: ${shared.label}`]),
      ...doings.map(({ circle, act: { kind, value } }) => `${index} ${circle} ${kind.name} ${fc.stringify(value)}`),
    ]);
  return { circles, rounds, [fc.toStringMethod]: () => `\n${lines().slice(0, MOST_LINES).join('\n')}\n` };
}

/** Runs the rounds, with a look at every invariant after each. */
export async function play({ rounds }: Script, promised: Promised, world: World): Promise<void> {
  for (const { shared, doings } of rounds) {
    await world.holdClock();
    if (shared !== null) {
      await shared.run(promised, world);
      await expectInvariants(promised, world);
    }
    await runTogether(promised, world, doings);
    await expectInvariants(promised, world);
  }
  await expectEventsKept(promised, world);
}
