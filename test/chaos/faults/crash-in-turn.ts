/** Puts workers that kill themselves at named points into a working fleet, one after the other. */
import { crashingWorker, type Crash } from '../crash.ts';
import type { Ending } from '../fleet.ts';
import { until } from '../until.ts';
import type { Ground } from './field.ts';

/** That a process has ended is heard of later than its connections are closed. */
const CRASH_SEEN_WITHIN_MS = 1_000;

/** Starts a worker for each of these crashes, `atOnce` beside each other, and waits until all have died as ordered. */
export async function crashInTurn(ground: Ground, crashes: readonly Crash[], atOnce: number): Promise<void> {
  const waiting = [...crashes];
  const one = async (): Promise<void> => {
    for (let crash = waiting.shift(); crash !== undefined; crash = waiting.shift()) await crashOnce(ground, crash);
  };
  await Promise.all(Array.from({ length: atOnce }, one));
}

async function crashOnce(ground: Ground, crash: Crash): Promise<void> {
  const { site, conversations, wrong } = ground;
  const crashing = site.startFleet([crashingWorker(crash)]);
  const [worker] = crashing.members;
  if (worker === undefined) throw new Error('a fleet of one has no member');
  let ending: Ending | null = null;
  const dying = async (): Promise<void> => {
    ending = await worker.ended;
    conversations.killed(CRASH_SEEN_WITHIN_MS);
  };
  void dying();
  // However long a busy machine takes to start it.
  await Promise.race([worker.running, worker.ended]);
  await until(
    { site, load: ground.load, fleet: crashing },
    `a worker dies ${crash.point}`,
    async () => ending !== null,
  );
  const how = await worker.ended;
  if (how !== 'SIGKILL') wrong.push(`a worker that was to die ${crash.point} ended with ${how}`);
  wrong.push(...crashing.complaints);
}
