/** Three schedulers run, and the one that acts is killed again and again. */
import { openField } from '../faults/field.ts';
import { killActing } from '../faults/scheduler.ts';
import type { Scenario } from '../scenario.ts';
import { QUIET } from '../site.ts';

const KILLS = { full: 50, short: 3 } as const;

export const schedulerKills: Scenario = {
  name: 'scheduler-kills',
  title: 'SIGKILL of the acting scheduler, three running',
  backends: ['postgres', 'redis'],
  run: async (site, seed, scale) => {
    const posts = ['scheduler', 'scheduler', 'scheduler', 'advance,deliver', 'advance,deliver'];
    const field = await openField(site, { posts, seed, rate: QUIET });
    const recoveryMs = await killActing(field, KILLS[scale]);
    return field.conclude({ faults: KILLS[scale], recoveryMs });
  },
};
