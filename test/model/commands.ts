/** The commands of the model test, each an act of people or workers followed by a look at every invariant. */
import fc from 'fast-check';
import type { MailLane } from '../../engine/store/claim.ts';
import { advance } from '../../engine/store/advance.ts';
import { expireLeases } from '../../engine/store/expire.ts';
import { ADDRESSES, CUSTOMERS, PLAYBOOKS, TOPICS, ZONES } from './company.ts';
import { expectInvariants } from './invariants.ts';
import {
  allow,
  callOff,
  deploy,
  dropOne,
  enrol,
  forbid,
  goOn,
  happen,
  hold,
  identify,
  retryAll,
  stop,
} from './people.ts';
import type { Hand, Promised } from './promised.ts';
import {
  asWorker,
  claimBy,
  crash,
  deliverAll,
  drain,
  handOverBy,
  kill,
  reportBy,
  restart,
  settled,
  type Ending,
} from './work.ts';
import type { World } from './world.ts';

interface Act {
  readonly label: string;
  readonly run: (promised: Promised, world: World) => Promise<void>;
  /** Whether there is anything to be done. Default: always. */
  readonly check?: (promised: Readonly<Promised>) => boolean;
}
type ModelCommand = fc.AsyncCommand<Promised, World>;

const customer = fc.constantFrom(...CUSTOMERS);
const address = fc.constantFrom(...ADDRESSES);
const playbook = fc.constantFrom(...PLAYBOOKS, 'care' as const, 'care' as const);
const worker = fc.nat({ max: 3 });
const lane = fc.constantFrom<MailLane>('bulk', 'bulk', 'transactional');
const scope = fc.constantFrom('*', ...TOPICS);
const pausable = fc.constantFrom('*', 'welcome', 'thanks', 'thanks', 'care', 'browse', 'lapse');
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

function act<T>(arbitrary: fc.Arbitrary<T>, name: string, run: (p: Promised, w: World, value: T) => Promise<void>) {
  return arbitrary.map((value): Act => ({
    label: `${name} ${JSON.stringify(value)}`,
    run: async (promised, world) => run(promised, world, value),
  }));
}

const events = act(
  fc.record({
    id: fc.nat({ max: 100 }).map((number) => `e${number}`),
    customers: fc.shuffledSubarray([...CUSTOMERS], { minLength: 1, maxLength: 4 }),
    event: fc.constantFrom(
      'order.placed',
      'order.placed',
      'order.placed',
      'order.refunded',
      'page.viewed',
      'review.posted',
    ),
    agoMs: fc.constantFrom(0, 0, 0, MINUTE_MS, 3 * HOUR_MS, 30 * HOUR_MS, -4 * MINUTE_MS),
  }),
  'event',
  happen,
);
const identities = act(
  fc.tuple(
    customer,
    fc.oneof(
      { weight: 4, arbitrary: fc.record({ email: address }) },
      { weight: 1, arbitrary: fc.record({ email: fc.constantFrom(null, 'no address') }) },
      { weight: 2, arbitrary: fc.record({ timezone: fc.constantFrom(...ZONES.keys()) }) },
      { weight: 1, arbitrary: fc.record({ birthday: fc.constantFrom('1990-06-03', '1985-06-20', null) }) },
    ),
  ),
  'identify',
  async (_, world, [who, traits]) => identify(world, who, traits),
);
const enrolments = act(fc.tuple(customer, playbook), 'enrol', async (_, world, [who, into]) => enrol(world, who, into));
const suppressions = act(fc.tuple(address, scope), 'suppress', async (p, world, [to, of]) => forbid(p, world, to, of));
const permissions = act(fc.nat({ max: 9 }), 'unsuppress', allow);
const pauses = act(pausable, 'pause', stop);
const resumptions = act(
  fc.tuple(fc.nat({ max: 4 }), fc.constantFrom(0, HOUR_MS)),
  'resume',
  async (promised, world, [pick, spreadMs]) => {
    const paused = [...promised.paused];
    const of = paused[pick % Math.max(1, paused.length)];
    if (of !== undefined) await goOn(promised, world, of, spreadMs);
  },
).map((one): Act => ({ ...one, check: ({ paused }) => paused.size > 0 }));
const cancels = act(fc.tuple(customer, fc.option(playbook)), 'cancel', async (promised, world, [who, from]) =>
  callOff(promised, world, who, from),
);
const deploys = act(fc.constantFrom('first' as const, 'second' as const), 'deploy', async (_, world, to) =>
  deploy(world, to),
);
const culprit = fc.constantFrom('customer' as const, 'enrolment' as const, 'enrolment' as const);
const holds = act(fc.tuple(customer, culprit), 'hold', async (_, world, [who, what]) => hold(world, who, what));
const retries = act(fc.constant('all'), 'retry held', retryAll);
const drops = act(fc.nat({ max: 9 }), 'drop held', dropOne);

const jumps = act(
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
const advances = act(fc.constant('everyone'), 'advance', async (_, world) => {
  await advance(world.db, world.cache, await everyone(world));
});
const claims = act(
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
const sendings = act(fc.tuple(worker, lane), 'claim and hand over', async (promised, world, [by, of]) => {
  await claimBy(promised, world, by, of, await everyone(world));
  await handOverBy(promised, world, by, 5);
});
const handOvers = workerAct(fc.integer({ min: 1, max: 6 }), 'hand over', hasClaims, handOverBy);
const ending = fc.constantFrom<Ending>('accepted', 'accepted', 'retry', 'permanent', 'unknown', 'withheld', 'broken');
const reports = workerAct(fc.array(ending, { minLength: 1, maxLength: 5 }), 'report', hasMail, reportBy);
const crashes = workerAct(fc.constant('and forget'), 'crash', hasMail, crash);
const expiries = act(fc.constant('leases'), 'expire', async (_, world) => {
  await expireLeases(world.db, world.cache, 100);
});
const drains = act(fc.constant('all'), 'drain', async (promised, world) => drain(promised, world));

const deliveries = act(worker, 'deliver', async (promised, world, by) =>
  asWorker(promised, by, async () => deliverAll(promised, world, by, await everyone(world))),
);
const kills = act(worker, 'kill', kill);

/** Everything at once: workers on the same customers, people forbidding and changing, connections cut. */
const storms = act(
  fc
    .tuple(
      fc.array(deliveries, { minLength: 2, maxLength: 4 }),
      fc.array(
        fc.oneof(
          { weight: 3, arbitrary: identities },
          { weight: 3, arbitrary: events },
          { weight: 1, arbitrary: enrolments },
          { weight: 2, arbitrary: suppressions },
          { weight: 2, arbitrary: pauses },
          { weight: 1, arbitrary: cancels },
          { weight: 1, arbitrary: expiries },
          { weight: 1, arbitrary: deploys },
          { weight: 1, arbitrary: kills },
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

async function everyone(world: World): Promise<number[]> {
  return (await world.rows<{ id: number }>('select id from customers order by id')).map(({ id }) => id);
}

const WEIGHTED: readonly (readonly [number, fc.Arbitrary<Act>])[] = [
  [16, events],
  [5, identities],
  [6, enrolments],
  [2, suppressions],
  [6, permissions],
  [2, pauses],
  [6, resumptions],
  [1, cancels],
  [1, deploys],
  [3, holds],
  [3, retries],
  [1, drops],
  [8, jumps],
  [3, advances],
  [12, claims],
  [6, sendings],
  [16, handOvers],
  [16, reports],
  [6, crashes],
  [6, expiries],
  [3, drains],
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
