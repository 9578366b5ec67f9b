/**
 * The hand-over of one mail, from the asking to the last byte.
 *
 * 1. It is asked for once, whoever asks first: the mail before it on its connection, or its own conversation.
 * 2. Asked for ahead, it is good for `GOOD_FOR_MS`. What was decided then may no longer hold: the mail is kept back, and
 *    decided on anew.
 */

/** Asked before the end of a message goes out: true lets it go, false or a throw keeps it back. */
export type HandOver = () => Promise<boolean>;

/** From the asking ahead to the last bytes, in ms: an opt-out or a pause is not to wait for the mail before, however long that takes. */
export const GOOD_FOR_MS = 1_000;

/** A hand-over that is asked for at most once. */
export class AskedOnce {
  readonly #ask: HandOver;
  #asked: Promise<boolean> | null = null;
  #goodUntilMs = Number.POSITIVE_INFINITY;

  constructor(handOver: HandOver) {
    this.#ask = async () => handOver();
  }

  /** Whether it was asked for before its mail's turn. */
  get isAhead(): boolean {
    return this.#goodUntilMs !== Number.POSITIVE_INFINITY;
  }

  /** Whether it was asked for ahead, and is good no longer. */
  get isOverdue(): boolean {
    return performance.now() > this.#goodUntilMs;
  }

  /** Asks now; the answer, or the failure, is for `handOver`. */
  ahead(): void {
    if (this.#asked !== null) return;
    this.#goodUntilMs = performance.now() + GOOD_FOR_MS;
    this.#asked = this.#ask();
    this.#asked.catch(() => undefined);
  }

  /** At the mail's turn: asks if nobody has. @throws what asking throws. */
  async handOver(): Promise<boolean> {
    this.#asked ??= this.#ask();
    return (await this.#asked) && !this.isOverdue;
  }

  /** Resolves when nobody may say yes any more: at once when nobody has asked. */
  async settled(): Promise<void> {
    await this.#asked?.catch(() => undefined);
  }
}
