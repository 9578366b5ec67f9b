/** One customer's mail kills whoever takes it, five times; then it goes out like any other. */
import { endings } from '../conclude.ts';
import { crashOnOneCustomer } from '../faults/one-customer.ts';
import { openField } from '../faults/field.ts';
import type { Scenario } from '../scenario.ts';
import { QUIET } from '../site.ts';

/** Of one claim each, so that a lease runs out between most of them. */
const POINTS = ['before-claim', 'after-claim', 'after-last-byte', 'after-250', 'before-recording'] as const;

export const sameJob: Scenario = {
  name: 'same-job',
  title: 'the same job kills its worker five times',
  backends: ['postgres', 'redis'],
  run: async (site, seed) => {
    const field = await openField(site, { posts: ['scheduler'], seed, rate: QUIET });
    await crashOnOneCustomer(field, POINTS);
    const rest = site.startFleet(['advance,deliver', 'advance,deliver']);
    await rest.whenRunning();
    const outcome = await field.conclude({ faults: POINTS.length });
    const ends = endings(await rest.drain());
    return { ...outcome, wrong: [...outcome.wrong, ...ends, ...rest.complaints] };
  },
};
