/** Acts of workers, and of time. */
import fc from 'fast-check';
import { advance } from '../../engine/store/advance.ts';
import type { MailLane } from '../../engine/store/claim.ts';
import { expireLeases } from '../../engine/store/expire.ts';
import { acts, actsOfOne, HOUR_MS, MINUTE_MS, runTogether, sharedActs, type Item } from './act.ts';
import { cancels, events, identities, suppressions, wishes } from './acts-of-people.ts';
import { circleOf } from './company.ts';
import { drain } from './drain.ts';
import type { Promised } from './promised.ts';
import * as work from './work.ts';
import type { World } from './world.ts';

const worker = fc.nat({ max: 3 });
const lane = fc.constantFrom<MailLane>('bulk', 'bulk', 'transactional');

/** Time that passes: seconds to days. */
export const jumps = sharedActs(
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
/** Advances of everyone in the circle. */
export const advances = acts(fc.constant('everyone'), 'advance', async (promised, world, items) => {
  await advance(world.db, world.cache, membersOf(promised, items));
});

interface Claim {
  readonly by: number;
  readonly lane: MailLane;
  readonly max: number;
}
const claim = fc.record({ by: worker, lane, max: fc.constantFrom(1, 2, 3, 4, 5, 6, 100) });

/** Circles that claim in one lane share a claim; each mail comes into the hands of its circle's worker. */
async function claimAll(promised: Promised, world: World, items: readonly Item<Claim>[]): Promise<void> {
  const claimIn = async (of: MailLane): Promise<void> => {
    const asking = items.filter(({ value }) => value.lane === of);
    const [first] = asking;
    if (first === undefined) return;
    const max = asking.reduce((sum, { value }) => sum + value.max, 0);
    const claimed = await work.claimAs(promised, world, first.value.by, of, membersOf(promised, asking), max);
    const by = new Map(asking.map(({ circle, value }) => [circle, value.by]));
    for (const mail of claimed) {
      promised.hands[by.get(circleOf(mail.profile.id)) ?? -1]?.claimed.push(mail);
    }
  };
  await work.settled(work.LANES.map(claimIn));
}

function membersOf({ members }: Promised, items: readonly Item<unknown>[]): readonly number[] {
  return items.flatMap(({ circle }) => members.get(circle) ?? []);
}

/** The first mails that the circle has claimed, up to `count` of each. */
function claimedOf(promised: Promised, asking: readonly Item<{ readonly by: number; readonly count: number }>[]) {
  return asking.flatMap(({ circle, value: { by, count } }) =>
    work.take(promised.hands[by]?.claimed ?? [], circle, count).map((mail) => ({ number: by, mail })),
  );
}

/** One of the workers with something of the circle in hand, picked by number; an act of nobody is no act. */
function busy(promised: Promised, circle: string, pick: number, piles: readonly Pile[]): number | null {
  const workers = promised.hands.flatMap((hand, number) =>
    piles.some((pile) => hand[pile].some((mail) => mail.profile.id.startsWith(circle))) ? [number] : [],
  );
  if (workers.length === 0) promised.idle += 1;
  return workers[pick % Math.max(1, workers.length)] ?? null;
}
type Pile = 'claimed' | 'handed' | 'withheld';
const ALL_PILES: readonly Pile[] = ['claimed', 'handed', 'withheld'];

/** Claims of a few mails. */
export const claims = acts(claim, 'claim', claimAll);
/** Claims of all mail, handed over at once. */
export const sendings = acts(claim, 'claim and hand over', async (promised, world, items) => {
  await claimAll(promised, world, items);
  const asked = items.map(({ circle, value: { by } }) => ({ circle, value: { by, count: 5 } }));
  await work.handOverAll(promised, world, claimedOf(promised, asked));
});
const ending = fc.constantFrom<work.Ending>(
  'accepted',
  'accepted',
  'retry',
  'permanent',
  'unknown',
  'withheld',
  'broken',
);
/** Between the claim and the hand-over, something is forbidden or changes. */
export const interferences = acts(
  fc.tuple(claim, fc.oneof(suppressions, wishes, cancels, events, identities)),
  'claim, hand over after',
  async (promised, world, items) => {
    const asking = items.map(({ circle, value: [value] }) => ({ circle, value: { ...value, max: 100 } }));
    await claimAll(promised, world, asking);
    await runTogether(
      promised,
      world,
      items.map(({ circle, value: [, meanwhile] }) => ({ circle, act: meanwhile })),
    );
    const asked = asking.map(({ circle, value: { by } }) => ({ circle, value: { by, count: 100 } }));
    await work.handOverAll(promised, world, claimedOf(promised, asked));
  },
);
/** A worker sleeps past its leases, another one takes over, and the first goes on as if nothing had happened. */
export const oversleepings = acts(
  fc.tuple(claim, fc.boolean(), fc.array(ending, { minLength: 1, maxLength: 3 })),
  'oversleep',
  async (promised, world, items) => {
    const sleepers = items.map(({ circle, value: [value] }) => ({ circle, value: { ...value, max: 100, count: 100 } }));
    const others = sleepers.map(({ circle, value }) => ({
      circle,
      value: { ...value, by: (value.by + 1) % world.workers.length },
    }));
    const early = sleepers.filter((_, index) => items[index]?.value[1] === true);
    const late = sleepers.filter((_, index) => items[index]?.value[1] === false);
    const reports = (who: typeof sleepers): work.Report[] =>
      who.map(({ circle, value: { by } }, index) => ({ number: by, circle, endings: items[index]?.value[2] ?? [] }));
    await claimAll(promised, world, sleepers);
    await work.handOverAll(promised, world, claimedOf(promised, early));
    const asleep = sleepers.flatMap(({ circle, value: { by } }) => inHandOf(promised, by, circle));
    await work.runOut(world, asleep);
    await expireLeases(world.db, world.cache, 1_000);
    await claimAll(promised, world, others);
    await work.handOverAll(promised, world, claimedOf(promised, late));
    await work.reportAll(promised, world, reports(sleepers));
    await work.handOverAll(promised, world, claimedOf(promised, others));
    await work.reportAll(promised, world, reports(sleepers));
    await work.reportAll(promised, world, reports(others));
  },
);

function inHandOf({ hands }: Promised, number: number, circle: string) {
  const hand = hands[number];
  if (hand === undefined) return [];
  return ALL_PILES.flatMap((pile) => hand[pile].filter((mail) => mail.profile.id.startsWith(circle)));
}

/** Hand-overs of what was claimed. */
export const handOvers = acts(
  fc.tuple(worker, fc.integer({ min: 1, max: 6 })),
  'hand over',
  async (promised, world, items) => {
    const asked = items.flatMap(({ circle, value: [pick, count] }) => {
      const by = busy(promised, circle, pick, ['claimed']);
      return by === null ? [] : [{ circle, value: { by, count } }];
    });
    await work.handOverAll(promised, world, claimedOf(promised, asked));
  },
);
/** Reports of how conversations ended. */
export const reports = acts(
  fc.tuple(worker, fc.array(ending, { minLength: 1, maxLength: 5 })),
  'report',
  async (promised, world, items) => {
    const reporting = items.flatMap(({ circle, value: [pick, endings] }): work.Report[] => {
      const number = busy(promised, circle, pick, ALL_PILES);
      return number === null ? [] : [{ number, circle, endings }];
    });
    await work.reportAll(promised, world, reporting);
  },
);
/** Crashes of workers that have something in hand. */
export const crashes = actsOfOne(worker, 'crash', async (promised, world, circle, pick) => {
  const by = busy(promised, circle, pick, ALL_PILES);
  if (by !== null) await work.crash(promised, world, by, circle);
});
/** Expiries of leases. */
export const expiries = acts(fc.constant('leases'), 'expire', async (_, world) => {
  await expireLeases(world.db, world.cache, 1_000);
});
/** Workers side by side, until nothing is due. */
export const drains = sharedActs(fc.integer({ min: 1, max: 3 }), 'drain', drain);
/** One worker, from the claim to the report, of everyone. */
export const deliveries = sharedActs(worker, 'deliver', async (promised, world, by) =>
  work.asWorker(promised, by, async () => work.deliverAll(promised, world, by, [...promised.members.values()].flat())),
);
/** Connections that are cut. */
export const kills = sharedActs(worker, 'kill', work.kill);
