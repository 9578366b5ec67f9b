/** A process stands still for longer than its leases last, and wakes up when others have done its work. */
import { openField } from '../faults/field.ts';
import { fallAsleep, type Sleep, type Sleepers } from '../faults/sleep-at-work.ts';
import type { ChaosSite, Outcome, Scale, Scenario } from '../scenario.ts';
import { QUIET } from '../site.ts';

const PROCESSES = { full: 4, short: 1 } as const;

async function oversleep(site: ChaosSite, seed: number, scale: Scale, how: Sleep): Promise<Outcome> {
  const asleep = Array.from({ length: PROCESSES[scale] }, () => how);
  const sleepers: Sleepers[] = [];
  const field = await openField(site, {
    posts: ['scheduler', 'advance,deliver', 'advance,deliver'],
    seed,
    rate: QUIET,
    before: async (ground) => {
      sleepers.push(await fallAsleep(ground.site, ground.load, asleep));
    },
  });
  for (const group of sleepers) field.wrong.push(...(await group.wake()));
  const outcome = await field.conclude({ faults: asleep.length });
  const underWay = sleepers.reduce((sum, group) => sum + group.underWay, 0);
  return { ...outcome, unknownBound: outcome.unknownBound + underWay };
}

export const paused: Scenario = {
  name: 'paused',
  title: 'a worker is stopped for longer than its leases, and wakes up',
  backends: ['postgres', 'redis'],
  run: async (site, seed, scale) => oversleep(site, seed, scale, 'stopped'),
};

export const blocked: Scenario = {
  name: 'blocked',
  title: 'the event loop of a worker is blocked for three leases',
  backends: ['postgres', 'redis'],
  run: async (site, seed, scale) => oversleep(site, seed, scale, 'blocked'),
};
