/** Processes of a working fleet are killed one after the other, and replaced. */
import { setTimeout as sleep } from 'node:timers/promises';
import { conclude, endings } from '../conclude.ts';
import { countConversations } from '../conversations.ts';
import type { Fleet, Member } from '../fleet.ts';
import { watchHands } from '../hands.ts';
import { openLoad } from '../load.ts';
import { pick, randomFrom, type Random } from '../random.ts';
import type { Scenario } from '../scenario.ts';
import { FLEET } from '../site.ts';
import { untilTaken } from '../until.ts';

/** In full only kills of workers count; schedulers are killed beside them. */
const KILLS = { full: { workers: 200, all: 0 }, short: { workers: 0, all: 50 } } as const;
const RATE = {
  full: { orders: 25, pauseMs: 150, maxBacklog: 800 },
  short: { orders: 8, pauseMs: 150, maxBacklog: 150 },
} as const;
/** Every kill hits a fleet at work, however slow the machine is. */
const MAILS_BETWEEN = 20;
const MAX_PAUSE_MS = 200;
/** Of a process that is only starting. */
const STARTING_SHARE = 0.1;

export const kills: Scenario = {
  name: 'kills',
  title: 'SIGKILL of workers and schedulers under load',
  backends: ['postgres', 'redis'],
  run: async (site, seed, scale) => {
    const random = randomFrom(seed);
    const load = openLoad(site);
    const fleet = site.startFleet(FLEET);
    await fleet.whenRunning();
    const hands = watchHands(site.db);
    const conversations = countConversations(site.sink);
    load.start(RATE[scale]);
    const killed = { workers: 0, all: 0 };
    while (killed.workers < KILLS[scale].workers || killed.all < KILLS[scale].all) {
      await untilTaken({ site, load, fleet }, MAILS_BETWEEN);
      await sleep(random() * MAX_PAUSE_MS);
      const victim = await chooseVictim(fleet, random);
      if (victim.isRunning() && isWorker(victim)) killed.workers += 1;
      killed.all += 1;
      conversations.killed();
      await victim.end('SIGKILL');
      fleet.replace(victim);
    }
    await load.stop();
    await load.finish();
    const recoveryMs = await hands.stop();
    const wrong = endings(await drainWhole(fleet));
    const unknownBound = await conversations.count();
    return conclude(site, load, [fleet], { faults: killed.all, unknownBound, recoveryMs, wrong });
  },
};

/** When all of them run: one that is told to end while it starts has nothing to drain. */
async function drainWhole(fleet: Fleet): ReturnType<Fleet['drain']> {
  await fleet.whenRunning();
  return fleet.drain();
}

function isWorker(member: Member): boolean {
  return member.roles.includes('deliver');
}

/** Mostly one that works, or nothing would be worth killing; now and then one that is still starting. */
async function chooseVictim(fleet: Fleet, random: Random): Promise<Member> {
  const workers = fleet.members.filter(isWorker);
  // On a slow machine processes would be killed before they have done anything.
  if (!workers.some((member) => member.isRunning())) await Promise.race(workers.map(async (member) => member.running));
  const running = fleet.members.filter((member) => member.isRunning());
  return pick(random, random() < STARTING_SHARE ? fleet.members : running);
}
