/** The worker's side of pace: waits for the place of a mail, and tells the fleet of domains that ask for less. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isThrottled, type Outcome } from '../engine/mail/outcome.ts';
import type { ClaimedSend, MailLane } from '../engine/store/claim.ts';
import type { Database } from '../engine/store/database.ts';
import { domainOf } from '../engine/store/pace/gate.ts';
import { holdDomain } from '../engine/store/pace/holds.ts';
import { giveBack } from '../engine/store/pace/permits.ts';
import { errorFields, type Logger } from './log.ts';

interface Parts {
  readonly db: Database;
  readonly log: Logger;
}

/** Waits until a mail may go that was claimed at `claimedAtMs` of this process's clock: at most a second from then. */
export async function waitForPlace({ waitMs }: ClaimedSend, claimedAtMs: number): Promise<void> {
  const leftMs = claimedAtMs + waitMs - performance.now();
  if (leftMs > 0) await sleep(leftMs);
}

/** Holds the domain of a mail whose server asks for less. Lost with its process, the next mail says it again. */
export async function heedServer({ db, log }: Parts, { address }: ClaimedSend, outcome: Outcome): Promise<void> {
  if (outcome.kind !== 'retry' || !isThrottled(outcome)) return;
  try {
    const hold = await holdDomain(db, domainOf(address), 'throttled', outcome.reason);
    if (hold === null) return;
    const fields = { domain: hold.domain, until: new Date(hold.untilAt).toISOString(), strikes: hold.strikes };
    log.warn(fields, 'a domain asks for less mail: what is for it waits, all other mail goes on');
  } catch (error) {
    log.error(errorFields(error), 'a domain that asks for less mail could not be held');
  }
}

/** Gives back the places of mails that were not handed over. */
export async function returnPlaces({ db, log }: Parts, lane: MailLane, unused: readonly ClaimedSend[]): Promise<void> {
  const mails = new Map<string, number>();
  for (const { limits } of unused) for (const key of limits) mails.set(key, (mails.get(key) ?? 0) + 1);
  if (mails.size === 0) return;
  try {
    await giveBack(db, lane, mails);
  } catch (error) {
    log.warn(errorFields(error), 'places of mails that were not sent are lost: for a moment mail goes more slowly');
  }
}
