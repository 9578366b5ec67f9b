/**
 * Everything that happens to processes, on one site: restarts, sleep, crashes at every point, one job that kills whoever
 * takes it, wrong clocks, and kills of workers and schedulers.
 */
import { CRASH_POINTS } from '../crash.ts';
import { crashInTurn } from '../faults/crash-in-turn.ts';
import { openField, type Ground } from '../faults/field.ts';
import { killUntil } from '../faults/kill.ts';
import { crashOnOneCustomer } from '../faults/one-customer.ts';
import { doubts, roll } from '../faults/roll.ts';
import { fallAsleep, type Sleepers } from '../faults/sleep-at-work.ts';
import { MOODY } from '../runner.ts';
import type { Scenario } from '../scenario.ts';
import { QUIET } from '../site.ts';
import { SKEWED } from './clocks.ts';

/** SIGKILLs of all kinds together. */
const KILLS = { full: 100, short: 50 } as const;
const MAX_PASSES = 10;
/** No lease runs out between them, so that five take seconds. */
const SAME_JOB = Array.from({ length: 5 }, () => 'before-claim' as const);
const ASLEEP = ['stopped', 'blocked'] as const;
const SCHEDULERS = ['scheduler', 'scheduler', 'scheduler'] as const;

export const medley: Scenario = {
  name: 'medley',
  title: 'all of this to one fleet',
  backends: ['postgres', 'redis'],
  counter: MOODY,
  run: async (site, seed, scale) => {
    const sleepers: Sleepers[] = [];
    const field = await openField(site, {
      posts: [...SCHEDULERS, ...SKEWED, 'advance,deliver'],
      seed,
      rate: QUIET,
      before: async (ground) => {
        await restartInOrder(ground);
        ground.load.start(QUIET);
        sleepers.push(await fallAsleep(site, ground.load, ASLEEP));
        await dieOfOneCustomer(ground);
      },
    });
    const crashes = CRASH_POINTS.map((point) => ({ point, atPass: 1 + Math.floor(field.random() * MAX_PASSES) }));
    const rest = KILLS[scale] - crashes.length - SAME_JOB.length;
    await Promise.all([crashInTurn(field, crashes, 1), killUntil(field, (_, all) => all >= rest)]);
    await field.load.stop();
    for (const group of sleepers) field.wrong.push(...(await group.wake()));
    const outcome = await field.conclude({ faults: KILLS[scale] + ASLEEP.length });
    const underWay = sleepers.reduce((sum, group) => sum + group.underWay, 0);
    return { ...outcome, unknownBound: outcome.unknownBound + underWay };
  },
};

/** Each process of a small fleet, of which no trace may be left. */
async function restartInOrder(ground: Ground): Promise<void> {
  const fleet = ground.site.startFleet(['scheduler', ...SKEWED]);
  await fleet.whenRunning();
  await roll({ ...ground, fleet }, fleet.members.length);
  await ground.load.stop();
  await ground.load.finish();
  const ends = await fleet.drain();
  const left = await doubts(ground);
  if (left > 0) ground.wrong.push(`SIGTERM left ${left} mails in doubt`);
  ground.wrong.push(...ends.filter((end) => end !== 0).map((end) => `SIGTERM: ended with ${end}`), ...fleet.complaints);
}

async function dieOfOneCustomer(ground: Ground): Promise<void> {
  const scheduler = ground.site.startFleet(['scheduler']);
  await crashOnOneCustomer(ground, SAME_JOB);
  await scheduler.drain();
}
