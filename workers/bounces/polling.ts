/**
 * Takes in the mails of the mailbox for bounces, again and again.
 *
 * 1. One process of the fleet does it at a time, by a lease on database time; two that do it for a moment do no harm, since the same
 *    report counts once.
 * 2. Each round has a connection of its own: a server that forgets connections, or was away, needs no care.
 */
import { randomUUID } from 'node:crypto';
import { openImapMailbox } from '../../engine/mail/bounce/imap.ts';
import type { ImapPlace } from '../../engine/mail/bounce/imap-url.ts';
import { actOnComplaints } from '../../engine/store/complaints.ts';
import type { Database } from '../../engine/store/database.ts';
import { acquireLease, releaseLease } from '../../engine/store/lease.ts';
import { errorFields, type Logger } from '../log.ts';
import { startLoop } from '../loop.ts';
import { takeMailbox } from './taking.ts';
import { totalsOf, type MailOutcome } from './totals.ts';

const LEASE_NAME = 'bounces';
const EVERY_MS = 60_000;
/** While the mail server is away: twice as long each time, up to this. */
const MAX_BACKOFF_MS = 15 * 60_000;
/** Longer than a mail takes at the worst, with every time-out of the mail server. */
const LEASE_MS = 180_000;

/** What polling works with. */
export interface PollingParts {
  readonly db: Database;
  readonly place: ImapPlace;
  readonly log: Logger;
  /** Milliseconds from one look to the next. Default: a minute. */
  readonly everyMs?: number;
}

/** A mailbox that is looked into. `close` finishes the mail under way. */
export interface Polling {
  close(): Promise<void>;
}

/** Starts to look; the first look is now. */
export function startPolling({ db, place, log, everyMs = EVERY_MS }: PollingParts): Polling {
  const holder = `${process.pid}-${randomUUID()}`;
  const remembered = new Set<string>();
  let isClosing = false;
  let failures = 0;
  let heldAtMs = Number.NEGATIVE_INFINITY;

  const holds = async (): Promise<boolean> => {
    if (isClosing) return false;
    if (performance.now() - heldAtMs < LEASE_MS / 3) return true;
    const has = await acquireLease(db, LEASE_NAME, holder, LEASE_MS);
    heldAtMs = has ? performance.now() : Number.NEGATIVE_INFINITY;
    return has;
  };
  const look = async (outcomes: MailOutcome[]): Promise<void> => {
    const mailbox = await openImapMailbox(place, remembered);
    try {
      const onFailure = (uid: number, error: unknown): void => {
        log.error({ uid, ...errorFields(error) }, 'a mail that came back could not be recorded; it is tried again');
      };
      const parts = { db, mailbox, isDryRun: false, goOn: holds, onFailure };
      for await (const outcome of takeMailbox(parts)) outcomes.push(outcome);
    } finally {
      await mailbox.close();
    }
  };
  const round = async (): Promise<number> => {
    if (!(await holds())) return everyMs;
    const outcomes: MailOutcome[] = [];
    try {
      await look(outcomes);
      if (failures > 0) log.info('the mailbox for bounces can be read again');
      failures = 0;
    } catch (error) {
      failures += 1;
      log.warn({ failures, ...errorFields(error) }, 'the mailbox for bounces cannot be read; it is tried again');
    }
    await report(db, outcomes, log);
    return Math.min(everyMs * 2 ** failures, Math.max(everyMs, MAX_BACKOFF_MS));
  };
  const loop = startLoop('bounces', round, log);
  return {
    close: async () => {
      isClosing = true;
      await loop.stop();
      try {
        await releaseLease(db, LEASE_NAME, holder);
      } catch (error) {
        log.warn(errorFields(error), 'the lease of the mailbox could not be given back; another process waits for it');
      }
    },
  };
}

async function report(db: Database, outcomes: readonly MailOutcome[], log: Logger): Promise<void> {
  if (outcomes.length === 0) return;
  const totals = totalsOf(outcomes);
  log.info(totals, 'mails that came back were taken in');
  if (totals.complaints === 0) return;
  for (const { outcome, ...rate } of await actOnComplaints(db)) {
    if (outcome === 'paused') log.warn(rate, 'a playbook was paused: too many readers complain about it');
    else if (outcome === 'warned') log.warn(rate, 'readers complain about a playbook; over 0.3 % it is paused');
  }
}
