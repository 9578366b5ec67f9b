/** A task that is done again and again until it is told to stop. */
import { classifyFailure } from '../engine/store/failures.ts';
import { errorFields, type Logger } from './log.ts';

/** A running loop. `stop` waits until the round under way is over. */
export interface Loop {
  /** Begins the next round now instead of at its time. */
  wake(): void;
  stop(): Promise<void>;
}

/**
 * Runs `round` until stopped; it returns the pause before the next one, in ms. An error is logged, and the next round
 * comes after `afterErrorMs` (default 1,000): databases and queues go away and come back. `onError` hears of each.
 */
export function startLoop(
  name: string,
  round: () => Promise<number>,
  log: Logger,
  options: { readonly afterErrorMs?: number; readonly onError?: () => void } = {},
): Loop {
  let stopped = false;
  let woken = false;
  let endPause: (() => void) | null = null;

  const pause = async (ms: number): Promise<void> => {
    if (stopped || woken || ms <= 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    endPause = null;
  };

  const run = async (): Promise<void> => {
    // oxlint-disable-next-line no-unmodified-loop-condition -- `stop` ends it from outside
    while (!stopped) {
      woken = false;
      let pauseMs: number;
      try {
        pauseMs = await round();
      } catch (error) {
        const fields = { loop: name, ...errorFields(error) };
        // Another transaction was in the way, as that of a process which hangs until the database ends its session: nobody need do anything.
        const level = classifyFailure(error) === 'contention' ? 'warn' : 'error';
        log[level](fields, 'a round failed and will be tried again');
        options.onError?.();
        pauseMs = options.afterErrorMs ?? 1_000;
      }
      await pause(pauseMs);
    }
  };
  const running = run();

  return {
    wake: () => {
      woken = true;
      endPause?.();
    },
    stop: async () => {
      stopped = true;
      endPause?.();
      await running;
    },
  };
}
