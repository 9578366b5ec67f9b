/**
 * A worker of one lane that is there for as long as it is wanted. Invariants:
 * - I1 A handler's failure ends its job and nothing else: it is logged, and the rows are found again by the sweep.
 * - I2 A BullMQ worker that could not be set up, because its server was away at the wrong moment, is replaced.
 * - I3 Closing waits for every handler that runs, and for the server only as long as it answers.
 */
import type { Logger } from 'pino';
import type { Hint, Lane, LaneWorker, QueueBackend } from './backend.ts';
import { traceFailure } from './telemetry.ts';

const REPLACE_AFTER_MS = 500;
const CLOSE_GRACE_MS = 2_000;

/** A running worker. */
export interface HintWorker {
  /** Takes no more jobs, and resolves when the handlers that run have ended. */
  close(): Promise<void>;
}

/** Starts a worker of a lane. */
export function startHintWorker(options: {
  readonly backend: QueueBackend;
  readonly lane: Lane;
  readonly handler: (customerIds: readonly number[]) => Promise<void>;
  readonly concurrency: number;
  readonly lockMs: number;
  readonly log: Logger;
}): HintWorker {
  const { backend, lane, log } = options;
  const running = new Set<Promise<void>>();
  let closing: Promise<void> | null = null;
  let replacing: NodeJS.Timeout | undefined;

  const handle = (hint: Hint): Promise<void> => {
    const run = runHandler(options.handler, hint, lane, log);
    running.add(run);
    return run.finally(() => running.delete(run));
  };
  const open = (): LaneWorker => {
    const worker = backend.openWorker(lane, {
      concurrency: options.concurrency,
      lockMs: options.lockMs,
      handler: handle,
    });
    void runWhenReady(worker);
    return worker;
  };
  const runWhenReady = async (worker: LaneWorker): Promise<void> => {
    try {
      await worker.waitUntilReady();
      if (closing === null) await worker.run();
    } catch (error) {
      if (closing !== null) return;
      log.warn({ err: error, lane }, `A worker could not be set up on ${backend.description}; it is set up again`);
      replacing = setTimeout(() => void replace(worker), REPLACE_AFTER_MS);
    }
  };
  const replace = async (failed: LaneWorker): Promise<void> => {
    await abandon(failed, failed.close());
    if (closing === null) current = open();
  };
  let current = open();

  return {
    close: () => {
      clearTimeout(replacing);
      closing ??= closeWorker(current, running);
      return closing;
    },
  };
}

/** Runs a handler; its failure is logged and ends here. */
async function runHandler(
  handler: (customerIds: readonly number[]) => Promise<void>,
  hint: Hint,
  lane: Lane,
  log: Logger,
): Promise<void> {
  try {
    await handler(hint.ids);
  } catch (error) {
    traceFailure(error);
    log.error(
      { err: error, lane, customers: hint.ids.length },
      'A job failed; its customers are found again by the sweep',
    );
  }
}

async function closeWorker(worker: LaneWorker, running: ReadonlySet<Promise<void>>): Promise<void> {
  const closing = worker.close();
  do {
    await Promise.all(running);
    if (await settlesSoon(closing)) return;
  } while (running.size > 0);
  await abandon(worker, closing);
}

/** Cuts the connections of a worker whose server does not answer, and lets it end. */
async function abandon(worker: LaneWorker, closing: Promise<void>): Promise<void> {
  worker.cut();
  await settlesSoon(closing);
}

async function settlesSoon(promise: Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<false>((resolve) => (timer = setTimeout(resolve, CLOSE_GRACE_MS, false)));
  const settled = await Promise.race([promise.then(() => true), expired]);
  clearTimeout(timer);
  return settled;
}
