/**
 * How many mails to claim at once: as many as the server takes well within the lease of a claim, or they would be
 * claimed, carried almost to the end, and refused at the hand-over because their lease has run out.
 */

/** A claim's lease is 20 s; half of it leaves room for a server that becomes slow. */
const BUDGET_MS = 10_000;
const MOST = 128;
/** Weight of the newest mail in the moving mean. */
const WEIGHT = 0.1;

/** Learns how long mails take, and says how many to claim. */
export interface ClaimSize {
  /** Mails to claim for one job. */
  next(): number;
  /** A mail took so long from the claim to its outcome, waiting for a connection included. */
  took(ms: number): void;
}

/** For one transport of so many connections, shared by so many jobs. */
export function claimSizeFor(connections: number, jobs: number): ClaimSize {
  let meanMs = 0;
  return {
    next: () => {
      if (meanMs === 0) return MOST;
      const fits = Math.floor((BUDGET_MS / meanMs) * Math.max(1, connections / jobs));
      return Math.max(1, Math.min(MOST, fits));
    },
    took: (ms) => {
      meanMs = meanMs === 0 ? ms : meanMs * (1 - WEIGHT) + ms * WEIGHT;
    },
  };
}
