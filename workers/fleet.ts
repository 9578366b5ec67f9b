/**
 * The roles of one process: scheduler, advance, deliver, public. `perennial start` runs all of them, `perennial work`
 * some; any number of processes on any number of machines work on one database.
 *
 * 1. A role holds no state that another process would miss: each may be killed at any moment.
 * 2. `close` drains: no new work is taken, what runs is finished and recorded. Claimed mail that no server has seen yet
 *    is given back, or a slow server would keep the process from ending in time.
 */
import { providerOf } from '../engine/mail/feedback/carried.ts';
import type { Provider } from '../engine/mail/feedback/report.ts';
import type { Transport } from '../engine/mail/transport.ts';
import { openHandOver } from '../engine/store/hand.ts';
import { advance } from '../engine/store/advance.ts';
import type { HintWorker, Lane } from '../engine/queue/queue.ts';
import type { Database } from '../engine/store/database.ts';
import { startPolling } from './bounces/polling.ts';
import { claimSizeFor } from './claim-size.ts';
import { closeEach, closeTogether, type Closer } from './closing.ts';
import { deliver, MAX_UNDER_WAY, type DeliveryParts, type MailLane } from './delivering.ts';
import { openHints, type Hints } from './hints.ts';
import { openHolding } from './holding.ts';
import type { Loop } from './loop.ts';
import { openActivity, type Activity, type Watched } from './monitoring/activity.ts';
import { openDeliveryMeter } from './monitoring/meter.ts';
import type { Metrics } from './monitoring/metrics.ts';
import { openPatience } from './patience.ts';
import { openPacing } from './pacing.ts';
import type { Parts } from './parts.ts';
import { openRenderErrors } from './render-errors.ts';
import { openRoom } from './room.ts';
import { startScheduler, type Scheduler } from './scheduler.ts';
import { openSettling } from './settling.ts';
import { openSigner } from './signing.ts';
import { startSweeping } from './sweeping.ts';
import { startTakingBack } from './taking-back.ts';
import { startCalling } from './webhooks/calling.ts';

/** What a process can do. */
export const ROLES = ['scheduler', 'advance', 'deliver', 'public'] as const;
export type Role = (typeof ROLES)[number];

/** The mail that a connection carries, and one that is ready when that has gone. */
const COMPOSED_PER_CONNECTION = 2;
/**
 * With all conversations in one group, either the database or the mail server would have nothing to do: while one half's
 * hand-over commits, the mails of the other are on the wire. Smaller groups cost more statements than they win.
 */
const HAND_OVER_GROUPS = 2;
/** While hints arrived within this time, sweeps leave the work to them. */
const HINTS_ARRIVE_MS = 3_000;

/** The running roles of one process, `public` apart. */
export interface Fleet {
  readonly hints: Hints;
  /** What it is at, for a watchdog. */
  readonly activity: Activity;
  /** Makes the scheduler of this process, if it has one, look now. */
  wake(): void;
  /** Resolves when some work was done since the last call, to true, or after `timeoutMs`, to false. */
  worked(timeoutMs: number): Promise<boolean>;
  readonly close: () => Promise<void>;
}

/** Who looks on from within a process. */
export interface FleetObserver {
  /** Mails of these customers are about to be claimed. */
  readonly onClaiming?: (customerIds: readonly number[]) => void;
  /** Outcomes of mails are about to be recorded. */
  readonly onSettling?: () => void;
}

/** Starts the roles. `transports` say where mail of each lane goes; closing the fleet stops them, the caller closes them. */
export function startFleet(
  parts: Parts,
  roles: readonly Exclude<Role, 'public'>[],
  transports: Readonly<Record<MailLane, Transport>> | null,
  observer: FleetObserver = {},
): Fleet {
  const { db, cache, queue, log, config, metrics } = parts;
  const hints = openHints(queue, log, metrics);
  const activity = openActivity(watchedOf(roles), (of) => isMailLane(of) && transports?.[of].isServersTurn === true);
  const patience = openPatience({ limit: config.smtpConnections, log });
  const signal = openSignal();
  const handlers = new Map<Lane, (ids: readonly number[], db: Database) => Promise<void>>();
  const closers: Closer[] = [];
  let onDrain = (): void => undefined;
  let draining = false;

  if (roles.includes('advance')) {
    handlers.set('advance', async (ids, db) => {
      const { planned } = await advance(db, cache, ids);
      activity.progress('advance');
      void hints.send(planned);
    });
  }
  if (roles.includes('deliver')) {
    if (transports === null) throw new Error('the role "deliver" needs a way for mail to leave');
    const { transactional, bulk } = transports;
    const handOver = openHandOver(db, {
      expected: () => Math.ceil((transactional.conversations + bulk.conversations) / HAND_OVER_GROUPS),
    });
    const settling = openSettling({
      db,
      cache,
      hints,
      log,
      onSettling: () => observer.onSettling?.(),
      onSettled: signal.raise,
    });
    const holding = openHolding({ db, log });
    const provider = config.smtpUrl === null ? null : providerOf(config.smtpUrl);
    const common = {
      db,
      cache,
      hints,
      handOver,
      holding,
      settling,
      transports,
      pacing: openPacing({ db, log }),
      isDraining: () => draining,
      provider,
      meter: openDeliveryMeter(metrics, providerLabel(config, provider), (lane) => {
        activity.progress(lane);
      }),
      signer: openSigner({ config, log }),
      renderErrors: openRenderErrors(db, log),
      log,
    };
    for (const lane of ['transactional', 'bulk'] as const) {
      const claimSize = claimSizeFor(config.smtpConnections, config.concurrency[lane]);
      const desk = openRoom(config.smtpConnections * COMPOSED_PER_CONNECTION);
      const delivery: DeliveryParts = {
        ...common,
        claimSize,
        room: openRoom(MAX_UNDER_WAY),
        desk,
        get links() {
          return parts.links;
        },
        get key() {
          return parts.key;
        },
      };
      handlers.set(lane, async (ids, db) => {
        observer.onClaiming?.(ids);
        await deliver({ ...delivery, db }, lane, ids);
      });
    }
    onDrain = () => {
      settling.hurry();
    };
    closers.push(
      { what: 'the recording of outcomes', close: async () => settling.close() },
      { what: 'the hand-over', close: async () => handOver.close() },
      { what: 'the renewing of hand-overs', close: async () => holding.close() },
    );
  }

  const { webhookKeys: keys, webhookAllow: allow } = config;
  const calling = roles.includes('deliver') && keys !== null ? startCalling({ db, keys, allow, log }) : null;

  let hintedAtMs = Number.NEGATIVE_INFINITY;
  const handle = async (lane: Lane, ids: readonly number[], source: 'hint' | 'sweep'): Promise<void> =>
    isMailLane(lane) ? patience.waitFor(lane, handleAll(lane, ids, source)) : handleAll(lane, ids, source);
  const handleAll = async (lane: Lane, ids: readonly number[], source: 'hint' | 'sweep'): Promise<void> => {
    const endTimer = metrics.jobSeconds.startTimer({ lane });
    let result = 'failed';
    try {
      await activity.job(lane, db, async (counted) => handlers.get(lane)?.(ids, counted));
      result = 'done';
    } finally {
      endTimer();
      metrics.jobs.inc({ lane, source, result });
    }
    signal.raise();
  };
  const lanes = [...handlers.keys()];
  for (const lane of lanes) beginAtZero(metrics, lane);
  const workers: HintWorker[] = lanes.map((lane) =>
    queue.work(
      lane,
      async (ids) => {
        hintedAtMs = performance.now();
        await handle(lane, ids, 'hint');
      },
      { concurrency: config.concurrency[lane] },
    ),
  );
  const sweep: Loop | null =
    lanes.length === 0
      ? null
      : startSweeping({
          db,
          cache,
          lanes,
          handle: async (lane, ids) => handle(lane, ids, 'sweep'),
          log,
          onError: () => metrics.roundErrors.inc({ loop: 'sweep' }),
          hintsArrive: () => performance.now() - hintedAtMs < HINTS_ARRIVE_MS,
        });
  const takingBack: Loop | null =
    lanes.length === 0
      ? null
      : startTakingBack({ db, cache, log, metrics, onError: () => metrics.roundErrors.inc({ loop: 'taking_back' }) });
  const scheduler: Scheduler | null = roles.includes('scheduler')
    ? startScheduler({ db, cache, queue, hints, log, metrics, activity })
    : null;
  const { bouncesMailbox: place } = config;
  const polling = scheduler !== null && place !== null ? startPolling({ db, place, log }) : null;

  return {
    hints,
    activity,
    wake: () => scheduler?.wake(),
    worked: signal.wait,
    close: async () => {
      draining = true;
      transports?.transactional.stop();
      transports?.bulk.stop();
      onDrain();
      const atWork: Closer[] = workers.map((worker, index) => ({
        what: `the workers of the lane ${lanes[index] ?? ''}`,
        close: async () => worker.close(),
      }));
      if (scheduler !== null) atWork.push({ what: 'the scheduler', close: async () => scheduler.close() });
      if (polling !== null) atWork.push({ what: 'the mailbox for bounces', close: async () => polling.close() });
      if (calling !== null) atWork.push({ what: 'the calls of webhooks', close: async () => calling.close() });
      if (sweep !== null) atWork.push({ what: 'the sweep', close: async () => sweep.stop() });
      if (takingBack !== null) atWork.push({ what: 'the taking back', close: async () => takingBack.stop() });
      const together: Closer = { what: 'those at work', close: async () => closeTogether(atWork, log) };
      // The workers are closed by then, so that no further job is left to itself.
      const left: Closer = { what: 'jobs that wait for the mail server', close: async () => patience.close() };
      await closeEach([together, left, ...closers], log);
    },
  };
}

/** See meter.ts. */
function beginAtZero(metrics: Metrics, lane: Lane): void {
  for (const result of ['done', 'failed']) {
    for (const source of ['hint', 'sweep']) metrics.jobs.inc({ lane, source, result }, 0);
  }
  for (const loop of ['sweep', 'taking_back']) metrics.roundErrors.inc({ loop }, 0);
}

function isMailLane(of: Watched): of is MailLane {
  return of === 'transactional' || of === 'bulk';
}

function watchedOf(roles: readonly Exclude<Role, 'public'>[]): readonly Watched[] {
  return roles.flatMap((role): readonly Watched[] => (role === 'deliver' ? ['transactional', 'bulk'] : [role]));
}

/** Whose server takes the mail, as a label: `smtp` for servers of no provider that is known. */
function providerLabel({ smtpUrl }: Parts['config'], provider: Provider | null): string {
  return smtpUrl === null ? 'inbox' : (provider ?? 'smtp');
}

/** Tells waiters that something was done; a signal raised while nobody waits counts for the next one. */
function openSignal(): { raise: () => void; wait: (timeoutMs: number) => Promise<boolean> } {
  let raised = false;
  let waiter: (() => void) | null = null;
  return {
    raise: () => {
      raised = true;
      waiter?.();
    },
    wait: async (timeoutMs) => {
      if (!raised) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, timeoutMs);
          waiter = () => {
            clearTimeout(timer);
            resolve();
          };
        });
        waiter = null;
      }
      const wasRaised = raised;
      raised = false;
      return wasRaised;
    },
  };
}
