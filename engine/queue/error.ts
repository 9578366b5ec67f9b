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
 * - `in_clear`: a primary on another machine, by Sentinels, that would be spoken to without TLS or without a password.
 */
export type UnsuitableCode = 'not_prepared' | 'old_version' | 'eviction' | 'in_clear';

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
 * What `body` gives, or a `QueueUnavailable` when it gives nothing within `limitMs` or fails. It is told when the
 * time is up, so that it begins nothing any more; what it has begun is not awaited.
 */
export async function withinLimit<T>(limitMs: number, body: (expired: AbortSignal) => Promise<T>): Promise<T> {
  const limit = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const expiry = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      limit.abort();
      reject(new QueueUnavailable(`The queue did not answer within ${limitMs} ms.`));
    }, limitMs);
  });
  try {
    return await Promise.race([body(limit.signal), expiry]);
  } catch (error) {
    if (error instanceof QueueUnavailable) throw error;
    throw new QueueUnavailable(`The queue failed: ${(error as Error).message}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}
