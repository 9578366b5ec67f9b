/**
 * Ends a process that has work and does nothing, so that whoever started it starts it anew:
 * docs/decisions/0044-ending-a-stuck-process.md.
 *
 * 1. It counts its own looks and never reads a clock: a process that was stopped and goes on has missed looks, not work.
 * 2. A job is stuck when it has ended no transaction, and its lane has got nowhere, for so many looks. While a mail server is to
 *    answer a mail of the lane, it has not: such waits have ends of their own, far beyond the limit (docs/decisions/0052).
 *    A lane is asleep when no job
 *    of it ran or ended for so many looks, while the database has work of it that is due, and neither paused nor held nor paced.
 * 3. While the database does not answer, nothing is anybody's fault: counting begins anew.
 */
import type { Queryable } from '../../engine/store/database.ts';
import { readVitals, type Vitals } from '../../engine/store/vitals.ts';
import { startLoop } from '../loop.ts';
import type { Logger } from '../log.ts';
import type { Activity, RunningJob, Watched } from './activity.ts';
import type { Metrics } from './metrics.ts';
import { within } from './within.ts';

/** A process that does nothing: in which part, and what it should be doing. */
export interface Stuck {
  readonly lane: Watched;
  /** `in hand`: a job of it runs and gets nowhere; `asleep`: due work is left alone. */
  readonly how: 'in hand' | 'asleep';
}

/** What a watchdog looks at. */
export interface WatchdogParts {
  readonly activity: Activity;
  /** A connection of its own: those of the work may be what is stuck. */
  readonly db: Queryable;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** After so long, in ms. */
  readonly limitMs: number;
  /** Due work may always be left alone for so long, in ms: sweeps come every 5 s. Default 15,000. */
  readonly leastAsleepMs?: number;
  readonly onStuck: (stuck: Stuck) => void;
}

/** Looks within the limit. */
const LOOKS = 12;
const ANSWER_MS = 2_000;

interface Look {
  readonly progress: number;
  readonly ended: number;
}

/** Starts it. */
export function startWatchdog(parts: WatchdogParts): { stop(): Promise<void> } {
  const { activity, limitMs, leastAsleepMs = 15_000 } = parts;
  const everyMs = limitMs / LOOKS;
  const looksAsleep = Math.max(LOOKS, Math.ceil(leastAsleepMs / everyMs));
  const quietJobs = new Map<RunningJob, { steps: number; looks: number }>();
  const lanes = new Map(
    [...activity.watched].map((lane) => [lane, { last: lookAt(activity, lane), still: 0, asleep: 0 }]),
  );

  const forgetAll = (): void => {
    quietJobs.clear();
    for (const [lane, state] of lanes) Object.assign(state, { last: lookAt(activity, lane), still: 0, asleep: 0 });
  };
  /** The worst lane, and how much of its time has run out: 1 is all. */
  const look = (vitals: Vitals): { readonly stuck: Stuck | null; readonly spent: number } => {
    noteJobs(activity, quietJobs);
    let worst: { stuck: Stuck | null; spent: number } = { stuck: null, spent: 0 };
    for (const [lane, state] of lanes) {
      const now = lookAt(activity, lane);
      const isStill = now.progress === state.last.progress && !activity.isServersTurn(lane);
      state.still = isStill ? state.still + 1 : 0;
      const isIdle = now.ended === state.last.ended && ![...activity.running].some((job) => job.watched === lane);
      state.asleep = isIdle && isOverdue(vitals, lane, limitMs) ? state.asleep + 1 : 0;
      state.last = now;
      const inHand = Math.min(state.still, longestQuiet(quietJobs, lane)) / LOOKS;
      const asleep = state.asleep / looksAsleep;
      if (Math.max(inHand, asleep) <= worst.spent) continue;
      worst =
        inHand >= asleep
          ? { stuck: { lane, how: 'in hand' }, spent: inHand }
          : { stuck: { lane, how: 'asleep' }, spent: asleep };
    }
    return worst;
  };
  const round = async (): Promise<number> => {
    let vitals: Vitals;
    try {
      vitals = await within(ANSWER_MS, readVitals(parts.db));
    } catch {
      // The work itself says in the log that the database is away.
      forgetAll();
      return everyMs;
    }
    const { stuck, spent } = look(vitals);
    parts.metrics.stuckRatio.set(spent);
    if (stuck === null || spent < 1) return everyMs;
    parts.onStuck(stuck);
    return everyMs;
  };
  const loop = startLoop('watchdog', round, parts.log);
  return { stop: async () => loop.stop() };
}

function lookAt(activity: Activity, lane: Watched): Look {
  return { progress: activity.progressOf(lane), ended: activity.endedOf(lane) };
}

/** How many looks each running job has had without a step. */
function noteJobs(activity: Activity, quiet: Map<RunningJob, { steps: number; looks: number }>): void {
  for (const job of quiet.keys()) if (!activity.running.has(job)) quiet.delete(job);
  for (const job of activity.running) {
    const known = quiet.get(job);
    if (known === undefined) quiet.set(job, { steps: job.steps, looks: 0 });
    else if (known.steps === job.steps) known.looks += 1;
    else Object.assign(known, { steps: job.steps, looks: 0 });
  }
}

function longestQuiet(quiet: ReadonlyMap<RunningJob, { looks: number }>, lane: Watched): number {
  const looks = [...quiet].filter(([job]) => job.watched === lane).map(([, { looks }]) => looks);
  return Math.max(0, ...looks);
}

/** A scheduler that stands by leaves due work to the one that acts; its rounds are watched as jobs. */
function isOverdue({ lagMs }: Vitals, lane: Watched, limitMs: number): boolean {
  return lane !== 'scheduler' && lagMs[lane] >= limitMs;
}
