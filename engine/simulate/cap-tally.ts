/** What the caps held back: mails that had to wait for them, and mails that were given up. */
import { sendKey } from '../journey/draft.ts';
import type { Attempt } from '../journey/types.ts';
import type { Instant } from '../time/types.ts';

/** What the caps did to one playbook's mails. */
export interface CapDelays {
  /** Mails that went out, but later for a cap's sake. */
  delayed: number;
  /** How long these waited from the attempt at which a cap first stopped them, in ms: all together, and at most. */
  delayMs: number;
  longestMs: number;
  /** Skipped with the reason `cap`. */
  skipped: number;
  /** Stopped by a cap and then skipped for another reason, or not gone by the end of the simulation. */
  other: number;
}

/** By playbook; those without such mails are left out. */
export type CapTotals = ReadonlyMap<string, CapDelays>;

/** Takes the attempts of one reader after the other. */
export interface CapTally {
  add(attempts: readonly Attempt[]): void;
  totals(): CapTotals;
}

/** Begins to count. */
export function openCapTally(): CapTally {
  const totals = new Map<string, CapDelays>();
  const of = (playbook: string): CapDelays => {
    const known = totals.get(playbook) ?? { delayed: 0, delayMs: 0, longestMs: 0, skipped: 0, other: 0 };
    totals.set(playbook, known);
    return known;
  };
  return {
    add: (attempts) => {
      const stoppedAt = new Map<string, { readonly at: Instant; readonly playbook: string }>();
      for (const { profile, send, at, decision } of attempts) {
        const key = `${profile.id}\n${sendKey(send)}`;
        const stopped = stoppedAt.get(key);
        if (decision.do === 'defer') {
          if (decision.because === 'cap' && stopped === undefined) stoppedAt.set(key, { at, playbook: send.playbook });
          continue;
        }
        stoppedAt.delete(key);
        if (decision.do === 'skip' && decision.reason === 'cap') of(send.playbook).skipped += 1;
        else if (stopped !== undefined && decision.do === 'skip') of(send.playbook).other += 1;
        else if (stopped !== undefined) noteDelay(of(send.playbook), at - stopped.at);
      }
      for (const { playbook } of stoppedAt.values()) of(playbook).other += 1;
    },
    totals: () => totals,
  };
}

function noteDelay(delays: CapDelays, delayMs: number): void {
  delays.delayed += 1;
  delays.delayMs += delayMs;
  delays.longestMs = Math.max(delays.longestMs, delayMs);
}
