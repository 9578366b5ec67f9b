/**
 * The scheduler: walks what is due and hints the fleet, works on mass runs, and takes back what dead workers held.
 *
 * 1. It decides nothing about customers; a hint is only "look at these ids".
 * 2. Any number may run; one acts at a time, by a lease on database time, and another takes over within `LEASE_MS`.
 * 3. Outstanding hints are bounded, so a queue never grows with the backlog.
 */
import { randomUUID } from 'node:crypto';
import type { Instant } from '../engine/time/types.ts';
import type { Database } from '../engine/store/database.ts';
import type { ReleaseCache } from '../engine/store/context.ts';
import { acquireLease, releaseLease } from '../engine/store/lease.ts';
import { forgetIdle } from '../engine/store/pace/permits.ts';
import { workRuns } from '../engine/store/runs.ts';
import { newTickCursor, tick, type Ticked } from '../engine/store/tick.ts';
import type { HintQueue, Lane } from '../engine/queue/queue.ts';
import type { Hints } from './hints.ts';
import { startLoop } from './loop.ts';
import { errorFields, type Logger } from './log.ts';
import type { Activity } from './monitoring/activity.ts';
import type { Metrics } from './monitoring/metrics.ts';
import { takeBack } from './taking-back.ts';

const LEASE_NAME = 'scheduler';
const LEASE_MS = 10_000;
/** Never sleep longer: what came in without a hint (a hint lost with Redis) is found within this time. */
const MAX_SLEEP_MS = 1_000;
const MIN_SLEEP_MS = 5;
/** While another one has the lease. */
const STANDBY_MS = 2_000;
/** How often expired leases of sends are looked for. */
const EXPIRE_EVERY_MS = 1_000;
/** How often limits are looked for that nobody uses any more. */
const FORGET_EVERY_MS = 3_600_000;
/** Customers hinted and not yet taken, per lane. */
const MAX_OUTSTANDING_JOBS = 50;
/** How often the queue is asked how long it is. */
const ASK_ROOM_EVERY_MS = 100;
const CUSTOMERS_PER_TICK = 2_000;
const ROWS_PER_PLAYBOOK = 500;
const RUN_CHUNK = 500;
const LANES: readonly Lane[] = ['advance', 'transactional', 'bulk'];

/** What a scheduler needs. */
export interface SchedulerParts {
  readonly db: Database;
  readonly cache: ReleaseCache;
  readonly queue: HintQueue;
  readonly hints: Hints;
  readonly metrics: Metrics;
  readonly activity: Activity;
  readonly log: Logger;
}

/** A running scheduler. `wake` makes it look now; `close` gives the lease back where it can. */
export interface Scheduler {
  wake(): void;
  close(): Promise<void>;
}

/** Starts a scheduler; it acts as soon as it gets the lease. */
export function startScheduler(parts: SchedulerParts): Scheduler {
  const { cache, log, metrics, activity } = parts;
  const holder = `${process.pid}-${randomUUID()}`;
  const cursor = newTickCursor();
  const room = openRoom(parts.queue);
  let expiredAtMs = 0;
  let forgotAtMs = Number.NEGATIVE_INFINITY;
  let acting = false;
  let leasedAtMs = Number.NEGATIVE_INFINITY;

  const holdLease = async (db: Database): Promise<boolean> => {
    if (acting && performance.now() - leasedAtMs < LEASE_MS / 3) return true;
    leasedAtMs = performance.now();
    const has = await acquireLease(db, LEASE_NAME, holder, LEASE_MS);
    if (has !== acting) log.info({ acting: has }, has ? 'scheduling' : 'standing by');
    acting = has;
    metrics.scheduling.set(has ? 1 : 0);
    return has;
  };

  const round = async (db: Database): Promise<number> => {
    if (!(await holdLease(db))) return STANDBY_MS;
    if (performance.now() - expiredAtMs > EXPIRE_EVERY_MS) {
      expiredAtMs = performance.now();
      await takeBack({ db, cache, log, metrics });
    }
    if (performance.now() - forgotAtMs > FORGET_EVERY_MS) {
      forgotAtMs = performance.now();
      await forgetIdle(db);
    }
    const runs = await workRuns(db, cache, { chunk: RUN_CHUNK });
    const limits = { perPlaybook: ROWS_PER_PLAYBOOK, room: await room(), cursor };
    const tickedMs = performance.now();
    const ticked = await db.together(async (connection) => tick(connection, limits));
    await parts.hints.send(ticked);
    if (runs.more) return 0;
    return pauseAfter(ticked, ticked.now + (performance.now() - tickedMs));
  };
  const watchedRound = async (): Promise<number> => {
    const pauseMs = await activity.job('scheduler', parts.db, round);
    activity.progress('scheduler');
    return pauseMs;
  };
  metrics.roundErrors.inc({ loop: 'scheduler' }, 0);
  const onError = (): void => metrics.roundErrors.inc({ loop: 'scheduler' });
  const loop = startLoop('scheduler', watchedRound, log, { onError });
  return {
    wake: () => {
      loop.wake();
    },
    close: async () => {
      await loop.stop();
      if (!acting) return;
      try {
        await releaseLease(parts.db, LEASE_NAME, holder);
      } catch (error) {
        log.warn(errorFields(error), 'the lease could not be given back; another scheduler waits until it runs out');
      }
    },
  };
}

/** What each lane can take; all of it when the queue cannot be asked, since sweeps then do the work. */
function openRoom(queue: HintQueue): () => Promise<Readonly<Record<Lane, number>>> {
  let askedAtMs = Number.NEGATIVE_INFINITY;
  let known: Readonly<Record<Lane, number>> = { advance: 0, transactional: 0, bulk: 0 };
  return async () => {
    // A tick hints a bounded number of customers, so a queue that was empty a moment ago cannot be long.
    if (performance.now() - askedAtMs < ASK_ROOM_EVERY_MS) return known;
    askedAtMs = performance.now();
    const counts = await Promise.allSettled(LANES.map(async (lane) => queue.outstanding(lane)));
    const roomOf = (lane: Lane): number => {
      const count = counts[LANES.indexOf(lane)];
      return count?.status === 'fulfilled' && count.value >= MAX_OUTSTANDING_JOBS ? 0 : CUSTOMERS_PER_TICK;
    };
    known = { advance: roomOf('advance'), transactional: roomOf('transactional'), bulk: roomOf('bulk') };
    return known;
  };
}

/** How long to sleep after a tick, in ms. A lane that is full is so at least until the queue is asked again. */
export function pauseAfter({ next, awaitsRoom }: Pick<Ticked, 'next' | 'awaitsRoom'>, now: Instant): number {
  if (awaitsRoom) return ASK_ROOM_EVERY_MS;
  if (next === null) return MAX_SLEEP_MS;
  return Math.min(MAX_SLEEP_MS, Math.max(MIN_SLEEP_MS, next - now));
}
