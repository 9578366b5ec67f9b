/** Processes of a working fleet are killed one after the other, and replaced. */
import { openField } from '../faults/field.ts';
import { killUntil } from '../faults/kill.ts';
import { MOODY } from '../runner.ts';
import type { Scenario } from '../scenario.ts';
import { BUSY, FLEET, QUIET } from '../site.ts';

/** Kills of workers; schedulers are killed beside them. */
const KILLS = { full: 200, short: 20 } as const;

export const kills: Scenario = {
  name: 'kills',
  title: 'SIGKILL of workers (and of schedulers beside them)',
  backends: ['postgres', 'redis'],
  counter: MOODY,
  run: async (site, seed, scale) => {
    const field = await openField(site, { posts: FLEET, seed, rate: scale === 'full' ? BUSY : QUIET });
    const faults = await killUntil(field, (workers) => workers >= KILLS[scale]);
    return field.conclude({ faults });
  },
};
