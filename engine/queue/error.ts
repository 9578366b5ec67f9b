/** The queue cannot be reached at the moment. Nothing is lost: hints are only hints, and connections come back by themselves. */
export class QueueUnavailable extends Error {
  override readonly name = 'QueueUnavailable';
  readonly code = 'queue_unavailable';
}

/**
 * Why a server cannot carry the queue.
 *
 * - `not_prepared`: the queue's tables are missing; `prepareQueue` makes them.
 * - `old_version`: the server is too old.
 * - `eviction`: a Redis that may throw keys away when its memory is full.
 */
export type UnsuitableCode = 'not_prepared' | 'old_version' | 'eviction';

/** The server is there and cannot carry the queue as it is; the message says what mends it. */
export class QueueUnsuitable extends Error {
  override readonly name = 'QueueUnsuitable';
  readonly code: UnsuitableCode;

  constructor(code: UnsuitableCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/**
 * What a promise gives, or a `QueueUnavailable` when it gives nothing within `limitMs` or fails.
 * What it does later is not awaited: a hint that still arrives does no harm.
 */
export async function withinLimit<T>(promise: Promise<T>, limitMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new QueueUnavailable(`The queue did not answer within ${limitMs} ms.`)), limitMs);
  });
  try {
    return await Promise.race([promise, expired]);
  } catch (error) {
    if (error instanceof QueueUnavailable) throw error;
    throw new QueueUnavailable(`The queue failed: ${(error as Error).message}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}
