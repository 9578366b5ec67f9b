import { openQueue, type HintQueue, type Lane, type QueueLocation } from '../../engine/queue/queue.ts';
import { pino } from 'pino';

const opened: HintQueue[] = [];

/** Opens a queue that `closeAll` closes. */
export async function open(backend: QueueLocation, lockMs = 5_000): Promise<HintQueue> {
  const queue = await openQueue({ backend, log: pino({ level: process.env['LOG_LEVEL'] ?? 'silent' }), lockMs });
  opened.push(queue);
  return queue;
}

/** Closes what `open` has opened since the last call. */
export async function closeAll(): Promise<void> {
  await Promise.all(opened.splice(0).map((queue) => queue.close()));
}

/** What a worker was given, in the order in which it came. */
export interface Inbox {
  readonly all: (readonly number[])[];
  /** Resolves when this many jobs have come in all. */
  whenCame(count: number): Promise<void>;
  readonly handler: (ids: readonly number[]) => Promise<void>;
}

/** A handler that keeps what it is given. */
export function inbox(): Inbox {
  const all: (readonly number[])[] = [];
  const waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  return {
    all,
    handler: async (ids) => {
      all.push(ids);
      for (const { count, resolve } of waiting) if (all.length >= count) resolve();
    },
    whenCame: (count) =>
      new Promise((resolve) => {
        if (all.length >= count) resolve();
        else waiting.push({ count, resolve });
      }),
  };
}

/** A promise and what resolves it. */
export function gate(): { readonly passed: Promise<void>; readonly open: () => void } {
  let open: () => void = () => undefined;
  const passed = new Promise<void>((resolve) => (open = resolve));
  return { passed, open };
}

/** Resolves when a lane has no jobs left: none waits, none runs, none is kept. */
export async function whenEmpty(queue: HintQueue, lane: Lane): Promise<void> {
  while ((await queue.outstanding(lane)) > 0) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** Hints until one is taken; the failures before that must all be `QueueUnavailable`. Gives their number. */
export async function hintWhenBack(queue: HintQueue, lane: Lane, ids: readonly number[]): Promise<number> {
  for (let failures = 0; ; failures++) {
    try {
      await queue.hint(lane, ids);
      return failures;
    } catch (error) {
      if ((error as { code?: string }).code !== 'queue_unavailable') throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
