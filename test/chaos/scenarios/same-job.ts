/** One customer's mail kills whoever takes it, five times; then it goes out like any other. */
import { crashOnOneCustomer } from '../faults/one-customer.ts';
import { openField } from '../faults/field.ts';
import type { Scenario } from '../scenario.ts';
import { QUIET } from '../site.ts';

export const sameJob: Scenario = {
  name: 'same-job',
  title: 'the same job kills its worker five times',
  backends: ['postgres', 'redis'],
  run: async (site, seed) => {
    const field = await openField(site, { posts: ['scheduler'], seed, rate: QUIET });
    const faults = await crashOnOneCustomer(field);
    const rest = site.startFleet(['advance,deliver', 'advance,deliver']);
    await rest.whenRunning();
    const outcome = await field.conclude({ faults });
    await rest.drain();
    return { ...outcome, wrong: [...outcome.wrong, ...rest.complaints] };
  },
};
