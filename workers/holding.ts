/**
 * Mails that this process carries to a server and of which it has no outcome on record. As long as it lives, nobody else
 * need ask what became of them, however long the server takes: their claims, and then their hand-overs, are renewed.
 *
 * 1. Not for ever: who has waited for `MAX_HELD_MS` waits for something that does not come, and the mail is `unknown`.
 * 2. A process that sleeps or is blocked renews nothing, and is taken for dead (docs/decisions/0037).
 */
import type { Database } from '../engine/store/database.ts';
import { HANDED_FOR_MS, renewHandOvers, type HandOverRequest } from '../engine/store/hand.ts';
import { renewClaims } from '../engine/store/renew-claims.ts';
import { startLoop } from './loop.ts';
import type { Logger } from './log.ts';

/** Often enough that a renewal which fails once, or waits for a lock, is made good in time. */
const RENEW_EVERY_MS = HANDED_FOR_MS / 5;
/**
 * Longer than a server may take for its answer (10 minutes, engine/mail/transport.ts) and the database to come back after
 * that; and for a claim, longer than two connections may take to be opened and addressed.
 */
const MAX_HELD_MS = 900_000;

/** What a process holds. */
export interface Holding {
  /** A claimed mail is on its way to a server. */
  claimed(send: HandOverRequest): void;
  /** A mail was handed over. */
  begin(send: HandOverRequest): void;
  /** Its outcome is on record, or never will be. */
  end(send: HandOverRequest): void;
  close(): Promise<void>;
}

/** Begins to hold. `renewEveryMs` and `lastsMs` default to a fifth of a hand-over, and one. */
export function openHolding(parts: {
  readonly db: Database;
  readonly log: Logger;
  readonly renewEveryMs?: number;
  readonly lastsMs?: number;
}): Holding {
  const { db, log, renewEveryMs = RENEW_EVERY_MS, lastsMs = HANDED_FOR_MS } = parts;
  const held = new Map<string, Held>();
  const hold = ({ sendId, fence }: HandOverRequest, isHanded: boolean): void =>
    void held.set(keyOf({ sendId, fence }), { sendId, fence, isHanded, sinceMs: performance.now() });
  const renew = async (): Promise<number> => {
    const nowMs = performance.now();
    const waiting = [...held.values()].filter(
      ({ sinceMs }) => nowMs - sinceMs >= renewEveryMs && nowMs - sinceMs < MAX_HELD_MS,
    );
    await renewHandOvers(
      db,
      waiting.filter(({ isHanded }) => isHanded),
      lastsMs,
    );
    await renewClaims(
      db,
      waiting.filter(({ isHanded }) => !isHanded),
      lastsMs,
    );
    return renewEveryMs;
  };
  const loop = startLoop('renewing hand-overs', renew, log);
  return {
    claimed: (send) => hold(send, false),
    begin: (send) => hold(send, true),
    end: (send) => void held.delete(keyOf(send)),
    close: async () => loop.stop(),
  };
}

interface Held extends HandOverRequest {
  readonly isHanded: boolean;
  readonly sinceMs: number;
}

/** Of one send this process may hold an old claim and a new one. */
function keyOf({ sendId, fence }: HandOverRequest): string {
  return `${sendId} ${fence}`;
}
