/** Acts of workers, and of time. */
import fc from 'fast-check';
import { advance } from '../../engine/store/advance.ts';
import type { MailLane } from '../../engine/store/claim.ts';
import { expireLeases } from '../../engine/store/expire.ts';
import { act, HOUR_MS, MINUTE_MS, type Act } from './act.ts';
import { cancels, events, identities, pauses, suppressions } from './acts-of-people.ts';
import { drain } from './drain.ts';
import type { Hand, Promised } from './promised.ts';
import { asWorker, claimBy, crash, deliverAll, handOverBy, kill, reportBy, type Ending } from './work.ts';
import type { World } from './world.ts';

const worker = fc.nat({ max: 3 });
const lane = fc.constantFrom<MailLane>('bulk', 'bulk', 'transactional');

/** Time that passes: seconds to days. */
export const jumps = act(
  fc.oneof(
    fc.integer({ min: 1, max: 60 }).map((seconds) => seconds * 1_000),
    fc.integer({ min: 1, max: 90 }).map((minutes) => minutes * MINUTE_MS),
    fc.integer({ min: 2, max: 30 }).map((hours) => hours * HOUR_MS),
    fc.integer({ min: 2, max: 5 }).map((days) => days * 24 * HOUR_MS),
  ),
  'jump',
  async (promised, world, ms) => {
    promised.now += ms;
    await world.setClock(promised.now, ms);
  },
);
/** Advances of everyone. */
export const advances = act(fc.constant('everyone'), 'advance', async (_, world) => {
  await advance(world.db, world.cache, await everyone(world));
});
/** Claims of a few mails. */
export const claims = act(
  fc.tuple(worker, lane, fc.integer({ min: 1, max: 6 })),
  'claim',
  async (promised, world, [by, of, max]) => claimBy(promised, world, by, of, await everyone(world), max),
);

/** One of the workers with something in hand, picked by number; an act of nobody is no act. */
function busy(hands: readonly Hand[], pick: number, has: (hand: Hand) => boolean): number | null {
  const workers = hands.flatMap((hand, number) => (has(hand) ? [number] : []));
  return workers[pick % Math.max(1, workers.length)] ?? null;
}

function workerAct<T>(
  arbitrary: fc.Arbitrary<T>,
  name: string,
  has: (hand: Hand) => boolean,
  run: (p: Promised, w: World, by: number, value: T) => Promise<void>,
) {
  const acts = act(fc.tuple(worker, arbitrary), name, async (promised, world, [pick, value]) => {
    const by = busy(promised.hands, pick, has);
    if (by !== null) await run(promised, world, by, value);
  });
  return acts.map((one): Act => ({ ...one, check: ({ hands }) => hands.some(has) }));
}

const hasClaims = ({ claimed }: Hand): boolean => claimed.length > 0;
const hasMail = ({ claimed, handed, withheld }: Hand): boolean => claimed.length + handed.length + withheld.length > 0;
/** Claims of all mail, handed over at once. */
export const sendings = act(fc.tuple(worker, lane), 'claim and hand over', async (promised, world, [by, of]) => {
  await claimBy(promised, world, by, of, await everyone(world));
  await handOverBy(promised, world, by, 5);
});
const ending = fc.constantFrom<Ending>('accepted', 'accepted', 'retry', 'permanent', 'unknown', 'withheld', 'broken');
/** Between the claim and the hand-over, something is forbidden or changes. */
export const interferences = act(
  fc.tuple(worker, lane, fc.oneof(suppressions, suppressions, pauses, cancels, events, identities)),
  'claim, hand over after',
  async (promised, world, [by, of, meanwhile]) => {
    await claimBy(promised, world, by, of, await everyone(world));
    await meanwhile.run(promised, world);
    await handOverBy(promised, world, by, 100);
  },
);
/** A worker sleeps past its leases, another one takes over, and the first goes on as if nothing had happened. */
export const oversleepings = act(
  fc.tuple(worker, lane, fc.boolean(), fc.array(ending, { minLength: 1, maxLength: 3 })),
  'oversleep',
  async (promised, world, [by, of, isHanded, endings]) => {
    const other = (by + 1) % world.workers.length;
    await claimBy(promised, world, by, of, await everyone(world));
    if (isHanded) await handOverBy(promised, world, by, 100);
    promised.now += MINUTE_MS;
    await world.setClock(promised.now, MINUTE_MS);
    await expireLeases(world.db, world.cache, 100);
    await claimBy(promised, world, other, of, await everyone(world));
    if (!isHanded) await handOverBy(promised, world, by, 100);
    await reportBy(promised, world, by, endings);
    await handOverBy(promised, world, other, 100);
    await reportBy(promised, world, by, endings);
    await reportBy(promised, world, other, endings);
  },
);
/** Hand-overs of what was claimed. */
export const handOvers = workerAct(fc.integer({ min: 1, max: 6 }), 'hand over', hasClaims, handOverBy);
/** Reports of how conversations ended. */
export const reports = workerAct(fc.array(ending, { minLength: 1, maxLength: 5 }), 'report', hasMail, reportBy);
/** Crashes of workers that have something in hand. */
export const crashes = workerAct(fc.constant('and forget'), 'crash', hasMail, crash);
/** Expiries of leases. */
export const expiries = act(fc.constant('leases'), 'expire', async (_, world) => {
  await expireLeases(world.db, world.cache, 100);
});
/** All workers, until nothing is due. */
export const drains = act(fc.constant('all'), 'drain', async (promised, world) => drain(promised, world));

/** One worker, from the claim to the report. */
export const deliveries = act(worker, 'deliver', async (promised, world, by) =>
  asWorker(promised, by, async () => deliverAll(promised, world, by, await everyone(world))),
);
/** Connections that are cut. */
export const kills = act(worker, 'kill', kill);

async function everyone(world: World): Promise<number[]> {
  return (await world.rows<{ id: number }>('select id from customers order by id')).map(({ id }) => id);
}
