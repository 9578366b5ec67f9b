/** Counts, at the mail server and by it alone, the messages that were under way when processes died. */
import type { SpawnedSink } from '../support/smtp-sink.ts';

/** A killed process's connections are closed at once; the server, on a busy machine, may see it a little later. */
const SEEN_WITHIN_MS = 2_000;

/** A tally of kills. */
export interface Conversations {
  /** A process was killed just now, or within so many ms before (default 50). */
  killed(withinMs?: number): void;
  /** Messages that were under way at the kills. */
  count(): Promise<number>;
}

/** Begins a tally. */
export function countConversations(sink: SpawnedSink): Conversations {
  const kills: { readonly fromMs: number; readonly untilMs: number }[] = [];
  return {
    killed: (withinMs = 50) => {
      const nowMs = Date.now();
      kills.push({ fromMs: nowMs - withinMs, untilMs: nowMs + SEEN_WITHIN_MS });
    },
    count: async () => {
      const { cuts } = await sink.standing();
      const isOfKill = (atMs: number): boolean =>
        kills.some(({ fromMs, untilMs }) => atMs >= fromMs && atMs <= untilMs);
      return cuts.filter((cut) => isOfKill(cut.atMs)).reduce((sum, cut) => sum + cut.underWay, 0);
    },
  };
}
