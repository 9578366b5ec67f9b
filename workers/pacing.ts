/** The worker's side of pace: waits for the place of a mail, and tells the fleet of domains that ask for less. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isThrottled, type Outcome } from '../engine/mail/outcome.ts';
import type { ClaimedSend, MailLane } from '../engine/store/claim.ts';
import type { Database } from '../engine/store/database.ts';
import { domainOf } from '../engine/message/address.ts';
import { holdDomain } from '../engine/store/pace/holds.ts';
import { giveBack } from '../engine/store/pace/permits.ts';
import { errorFields, type Logger } from './log.ts';

/** The pace of one process. Times called `claimedAtMs` are those of its own clock, as `performance.now()` has them. */
export interface Pacing {
  /** Waits until a mail may go: at most a second from its claim. */
  waitForPlace(send: ClaimedSend, claimedAtMs: number): Promise<void>;
  /** Holds the domain of a mail whose server asked for less. */
  heed(send: ClaimedSend, outcome: Outcome): Promise<void>;
  /** Whether its domain was held after the mail was claimed: then it is to be given back, and waits like the rest. */
  isTooLate(send: ClaimedSend, claimedAtMs: number): boolean;
  /** Gives back the places of mails that came to no server. */
  returnPlaces(lane: MailLane, unused: readonly ClaimedSend[]): Promise<void>;
}

/** Longer than a claim lasts: then no mail is left that was claimed before. */
const REMEMBER_MS = 60_000;

/** Opens the pace of one process. */
export function openPacing({ db, log }: { readonly db: Database; readonly log: Logger }): Pacing {
  /** Domains that were held on what this process heard, the oldest first, and when: from then on claims know of it. */
  const held = new Map<string, number>();

  const remember = (domain: string): void => {
    const nowMs = performance.now();
    held.delete(domain);
    held.set(domain, nowMs);
    for (const [other, sinceMs] of held) {
      if (sinceMs > nowMs - REMEMBER_MS) break;
      held.delete(other);
    }
  };

  return {
    waitForPlace: async ({ waitMs }, claimedAtMs) => {
      const leftMs = claimedAtMs + waitMs - performance.now();
      if (leftMs > 0) await sleep(leftMs);
    },
    heed: async ({ address }, outcome) => {
      if (outcome.kind !== 'retry' || !isThrottled(outcome)) return;
      const domain = domainOf(address);
      try {
        const hold = await holdDomain(db, domain, 'throttled', outcome.reason);
        remember(domain);
        if (hold === null) return;
        const fields = { domain, until: new Date(hold.untilAt).toISOString(), strikes: hold.strikes };
        log.warn(fields, 'a domain asks for less mail: what is for it waits, all other mail goes on');
      } catch (error) {
        // The next mail that is refused says it again.
        log.error({ domain, ...errorFields(error) }, 'a domain that asks for less mail could not be held');
      }
    },
    isTooLate: ({ address }, claimedAtMs) => claimedAtMs <= (held.get(domainOf(address)) ?? Number.NEGATIVE_INFINITY),
    returnPlaces: async (lane, unused) => {
      const mails = new Map<string, number>();
      for (const { limits } of unused) for (const key of limits) mails.set(key, (mails.get(key) ?? 0) + 1);
      if (mails.size === 0) return;
      try {
        await giveBack(db, lane, mails);
      } catch (error) {
        log.warn(errorFields(error), 'places of mails that were not sent are lost: for a moment mail goes more slowly');
      }
    },
  };
}
