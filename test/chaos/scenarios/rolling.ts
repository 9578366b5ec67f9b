/** Processes are told to end under load, one after the other: none of it may leave a trace. */
import { openField } from '../faults/field.ts';
import { roll } from '../faults/roll.ts';
import { MOODY } from '../runner.ts';
import type { Scenario } from '../scenario.ts';
import { FLEET, QUIET } from '../site.ts';

const RESTARTS = { full: 100, short: 10 } as const;

export const rolling: Scenario = {
  name: 'rolling',
  title: 'rolling restarts by SIGTERM under load',
  backends: ['postgres', 'redis'],
  counter: MOODY,
  run: async (site, seed, scale) => {
    const field = await openField(site, { posts: FLEET, seed, rate: QUIET });
    await roll(field, RESTARTS[scale]);
    const outcome = await field.conclude({ faults: RESTARTS[scale], recoveryMs: null });
    return { ...outcome, unknownBound: 0 };
  },
};
