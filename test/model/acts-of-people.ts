/** Acts of people and their shops. */
import fc from 'fast-check';
import { ALL_TOPICS } from '../../engine/journey/attempt.ts';
import { acts, actsOfOne, HOUR_MS, MINUTE_MS, sharedActs } from './act.ts';
import { ADDRESSES, CUSTOMERS, edited, PLAYBOOKS, RELEASES, TOPICS, ZONES } from './company.ts';
import {
  allow,
  callOff,
  deploy,
  dropOne,
  enrol,
  forbid,
  goOn,
  happenAll,
  hold,
  identifyAll,
  retryAll,
  stop,
  wish,
} from './people.ts';

const customer = fc.constantFrom(...CUSTOMERS);
const address = fc.constantFrom(...ADDRESSES);
const playbook = fc.constantFrom(...PLAYBOOKS, 'care' as const, 'care' as const);
const scope = fc.constantFrom('*', ...TOPICS);
const letters = fc.constantFrom('news', 'offers');
const pausable = fc.constantFrom('*', 'welcome', 'thanks', 'thanks', 'care', 'browse', 'lapse');

/** Events, some of them late, repeated, or a little ahead. */
export const events = acts(
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
  async (promised, world, items) =>
    happenAll(
      promised,
      world,
      items.map(({ circle, value }) => ({ ...value, customers: value.customers.map((who) => circle + who) })),
    ),
);
/** Profiles that change: addresses, zones, birthdays. */
export const identities = acts(
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
  async (_, world, items) =>
    identifyAll(
      world,
      items.map(({ circle, value: [who, traits] }) => {
        const ofCircle = 'email' in traits && traits.email !== null ? { email: circle + traits.email } : traits;
        return { customer: circle + who, traits: ofCircle };
      }),
    ),
);
/** Enrolments by hand. */
export const enrolments = actsOfOne(fc.tuple(customer, playbook), 'enrol', async (_, world, circle, [who, into]) =>
  enrol(world, circle + who, into),
);
/** Suppressions of an address, wholly or for a topic. */
export const suppressions = actsOfOne(fc.tuple(address, scope), 'suppress', async (p, world, circle, [to, of]) =>
  forbid(p, world, circle, circle + to, of),
);
/** Suppressions taken back. */
export const permissions = actsOfOne(fc.nat({ max: 9 }), 'unsuppress', allow);
/** Readers who unsubscribe by the links in their mails, or choose a topic again. */
export const wishes = actsOfOne(
  fc.oneof(
    fc.record({
      pick: fc.nat({ max: 40 }),
      no: fc.oneof(letters, fc.constant(ALL_TOPICS)),
      yes: fc.constant<string | null>(null),
    }),
    fc.record({ pick: fc.nat({ max: 40 }), no: fc.constant<string | null>(null), yes: letters }),
  ),
  'choose',
  wish,
);
/** Cancels of a customer, in one playbook or all. */
export const cancels = actsOfOne(
  fc.tuple(customer, fc.option(playbook)),
  'cancel',
  async (p, world, circle, [who, of]) => callOff(p, world, circle + who, of),
);
const culprit = fc.constantFrom('customer' as const, 'enrolment' as const, 'enrolment' as const);
/** Culprits that are held. */
export const holds = actsOfOne(fc.tuple(customer, culprit), 'hold', async (_, world, circle, [who, what]) =>
  hold(world, circle + who, what),
);
/** Retries of all that is held in the circle. */
export const retries = actsOfOne(fc.constant('all'), 'retry held', retryAll);
/** Drops of one thing that is held. */
export const drops = actsOfOne(fc.nat({ max: 9 }), 'drop held', dropOne);

/** Pauses of one playbook or all. */
export const pauses = sharedActs(pausable, 'pause', stop);
/** The end of a pause in force. */
export const resumptions = sharedActs(
  fc.tuple(fc.nat({ max: 4 }), fc.constantFrom(0, HOUR_MS)),
  'resume',
  async (promised, world, [pick, spreadMs]) => {
    const paused = [...promised.paused];
    const of = paused[pick % Math.max(1, paused.length)];
    if (of !== undefined) await goOn(promised, world, of, spreadMs);
  },
);
/** Deploys of either release. */
export const deploys = sharedActs(
  fc.constantFrom('first' as const, 'second' as const),
  'deploy',
  async (_, world, to) => deploy(world, RELEASES[to]),
);
/** Edits of a playbook, deployed. */
export const edits = sharedActs(
  fc.record({ hours: fc.constantFrom(1, 30), isTurned: fc.boolean(), priority: fc.constantFrom(2, 8) }),
  'edit',
  async (_, world, edit) => deploy(world, edited(edit)),
);
/** Steps back to the release before. */
export const rollbacks = sharedActs(fc.constant('one step'), 'roll back', async (_, world) => world.rollBack());
