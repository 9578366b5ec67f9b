/** The clocks of two workers are ten minutes apart. */
import path from 'node:path';
import { openField } from '../faults/field.ts';
import type { Post } from '../fleet.ts';
import type { Scenario } from '../scenario.ts';
import { QUIET } from '../site.ts';
import { untilTaken } from '../until.ts';

const OFF_MS = 5 * 60_000;
const MAILS = { full: 5_000, short: 300 } as const;
const preload = [path.join(import.meta.dirname, '../skewed-clock.js')];

/** Workers of which one is five minutes fast and the other five minutes slow. */
export const SKEWED: readonly Post[] = [OFF_MS, -OFF_MS].map((offMs) => ({
  roles: 'advance,deliver',
  preload,
  env: { CHAOS_CLOCK_MS: String(offMs) },
}));

export const clocks: Scenario = {
  name: 'clocks',
  title: 'the clocks of two workers are 10 minutes apart',
  backends: ['postgres', 'redis'],
  run: async (site, seed, scale) => {
    const field = await openField(site, { posts: ['scheduler', ...SKEWED], seed, rate: QUIET });
    for (let taken = 0; taken < MAILS[scale]; taken += 100) await untilTaken(field, 100);
    return field.conclude({ faults: SKEWED.length });
  },
};
