/** Counts, at the mail server and by it alone, the messages that were under way when processes died. */
import type { SpawnedSink } from '../support/smtp-sink.ts';

/** A killed process's connections are closed at once; the server, on a busy machine, may see it a little later. */
const SEEN_WITHIN_MS = 2_000;

/** A tally of kills. */
export interface Conversations {
  /** A process was killed just now. */
  killed(): void;
  /** Messages that were under way at the kills. */
  count(): Promise<number>;
}

/** Begins a tally. */
export function countConversations(sink: SpawnedSink): Conversations {
  const killsAtMs: number[] = [];
  return {
    killed: () => void killsAtMs.push(Date.now()),
    count: async () => {
      const { cuts } = await sink.standing();
      const isOfKill = (atMs: number): boolean =>
        killsAtMs.some((killMs) => atMs >= killMs - 50 && atMs <= killMs + SEEN_WITHIN_MS);
      return cuts.filter((cut) => isOfKill(cut.atMs)).reduce((sum, cut) => sum + cut.underWay, 0);
    },
  };
}
