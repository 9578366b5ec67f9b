/** Acts of people and their shops. */
import fc from 'fast-check';
import { act, HOUR_MS, MINUTE_MS, type Act } from './act.ts';
import { ADDRESSES, CUSTOMERS, PLAYBOOKS, TOPICS, ZONES } from './company.ts';
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

const customer = fc.constantFrom(...CUSTOMERS);
const address = fc.constantFrom(...ADDRESSES);
const playbook = fc.constantFrom(...PLAYBOOKS, 'care' as const, 'care' as const);
const scope = fc.constantFrom('*', ...TOPICS);
const pausable = fc.constantFrom('*', 'welcome', 'thanks', 'thanks', 'care', 'browse', 'lapse');

/** Events, some of them late, repeated, or a little ahead. */
export const events = act(
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
/** Profiles that change: addresses, zones, birthdays. */
export const identities = act(
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
/** Enrolments by hand. */
export const enrolments = act(fc.tuple(customer, playbook), 'enrol', async (_, world, [who, into]) =>
  enrol(world, who, into),
);
/** Suppressions of an address, wholly or for a topic. */
export const suppressions = act(fc.tuple(address, scope), 'suppress', async (p, world, [to, of]) =>
  forbid(p, world, to, of),
);
/** Suppressions taken back. */
export const permissions = act(fc.nat({ max: 9 }), 'unsuppress', allow);
/** Pauses of one playbook or all. */
export const pauses = act(pausable, 'pause', stop);
/** The end of a pause in force. */
export const resumptions = act(
  fc.tuple(fc.nat({ max: 4 }), fc.constantFrom(0, HOUR_MS)),
  'resume',
  async (promised, world, [pick, spreadMs]) => {
    const paused = [...promised.paused];
    const of = paused[pick % Math.max(1, paused.length)];
    if (of !== undefined) await goOn(promised, world, of, spreadMs);
  },
).map((one): Act => ({ ...one, check: ({ paused }) => paused.size > 0 }));
/** Cancels of a customer, in one playbook or all. */
export const cancels = act(fc.tuple(customer, fc.option(playbook)), 'cancel', async (promised, world, [who, from]) =>
  callOff(promised, world, who, from),
);
/** Deploys of either release. */
export const deploys = act(fc.constantFrom('first' as const, 'second' as const), 'deploy', async (_, world, to) =>
  deploy(world, to),
);
const culprit = fc.constantFrom('customer' as const, 'enrolment' as const, 'enrolment' as const);
/** Culprits that are held. */
export const holds = act(fc.tuple(customer, culprit), 'hold', async (_, world, [who, what]) => hold(world, who, what));
/** Retries of all that is held. */
export const retries = act(fc.constant('all'), 'retry held', retryAll);
/** Drops of one thing that is held. */
export const drops = act(fc.nat({ max: 9 }), 'drop held', dropOne);
