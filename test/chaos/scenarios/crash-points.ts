/** Workers kill themselves at each named point of the protocol. */
import { CRASH_POINTS } from '../crash.ts';
import { crashInTurn } from '../faults/crash-in-turn.ts';
import { openField } from '../faults/field.ts';
import { randomFrom } from '../random.ts';
import type { Scenario } from '../scenario.ts';
import { QUIET } from '../site.ts';

const TIMES = { full: 20, short: 1 } as const;
const AT_ONCE = 3;
/** It dies at one of its first passes. */
const MAX_PASSES = 10;

export const crashPoints: Scenario = {
  name: 'crash-points',
  title: `crashes ${CRASH_POINTS.join(', ')}`.replaceAll('-', ' '),
  backends: ['postgres', 'redis'],
  run: async (site, seed, scale) => {
    const field = await openField(site, { posts: ['scheduler', 'advance,deliver'], seed, rate: QUIET });
    const random = randomFrom(seed);
    const crashes = Array.from({ length: TIMES[scale] }).flatMap(() =>
      CRASH_POINTS.map((point) => ({ point, atPass: 1 + Math.floor(random() * MAX_PASSES) })),
    );
    await crashInTurn(field, crashes, AT_ONCE);
    return field.conclude({ faults: crashes.length });
  },
};
