/**
 * The hand-over of one mail, from the asking to the last byte.
 *
 * 1. It is asked for once, whoever asks first: the mail before it on its connection, or its own conversation.
 * 2. A yes is good for `GOOD_FOR_MS`. What was decided then may no longer hold: the mail is kept back, and decided on anew.
 */

/** Asked before the end of a message goes out: true lets it go, false or a throw keeps it back. */
export type HandOver = () => Promise<boolean>;

/**
 * From the yes to the last bytes, in ms. A pause holds within a second, also for the mail whose turn did not come because the
 * server took its time over the one before.
 */
export const GOOD_FOR_MS = 1_000;

/** A hand-over that is asked for at most once. */
export interface AskedOnce {
  /** Asks now; the answer, or the failure, is for `handOver`. */
  ahead(): void;
  /** Asks if nobody has. @throws what asking throws. */
  readonly handOver: HandOver;
  /** Resolves when nobody may say yes any more: at once when nobody has asked. */
  settled(): Promise<void>;
}

/** Wraps a hand-over. `goodForMs`: default `GOOD_FOR_MS`. */
export function askedOnce(handOver: HandOver, goodForMs: number = GOOD_FOR_MS): AskedOnce {
  let asked: Promise<boolean> | null = null;
  let answeredAtMs = Number.POSITIVE_INFINITY;
  const ask = async (): Promise<boolean> => {
    try {
      return await handOver();
    } finally {
      answeredAtMs = performance.now();
    }
  };
  const once: HandOver = async () => (asked ??= ask());
  const settled = async (): Promise<void> => {
    await asked?.catch(() => undefined);
  };
  return {
    ahead: () => void once().catch(() => undefined),
    handOver: async () => (await once()) && performance.now() - answeredAtMs <= goodForMs,
    settled,
  };
}
