/** From the mails of a mailbox to what is on record about them. */
import type { ImapMailbox } from '../../engine/mail/bounce/imap.ts';
import type { Database } from '../../engine/store/database.ts';
import { isOfCustomers } from '../../engine/store/failures.ts';
import { loadSigningKeys } from '../../engine/store/signing-keys.ts';
import { takeReturnedMail, type ReturnedMailResult } from '../returned-mail.ts';
import type { MailOutcome } from './totals.ts';

/** What taking works with. */
export interface TakingParts {
  readonly db: Database;
  readonly mailbox: ImapMailbox;
  /** Nothing is recorded, and nothing moves. */
  readonly isDryRun: boolean;
  /** Asked before each mail; false ends it. */
  readonly goOn: () => Promise<boolean>;
  /** Told of a mail that could not be recorded: it stays, and is tried the next time. */
  readonly onFailure: (uid: number, error: unknown) => void;
}

/**
 * Takes what waits in the mailbox, oldest first: recorded, then moved away. What a person should look at stays there.
 * @throws what a database or a mail server that is away throws; what was taken until then is done.
 */
export async function* takeMailbox(parts: TakingParts): AsyncGenerator<MailOutcome> {
  const { db, mailbox, isDryRun, goOn, onFailure } = parts;
  const keys = await loadSigningKeys(db);
  for (const uid of await mailbox.waiting()) {
    if (!(await goOn())) return;
    const raw = await mailbox.read(uid);
    if (raw === 'gone') continue;
    let result: ReturnedMailResult = { kind: 'none', because: 'unreadable' };
    try {
      if (raw !== 'too large') result = await takeReturnedMail(db, keys, raw, { isDryRun });
    } catch (error) {
      if (!isOfCustomers(error)) throw error;
      onFailure(uid, error);
      continue;
    }
    const stays = isForPeople(result);
    if (!isDryRun) await (stays ? mailbox.leave(uid) : mailbox.done(uid));
    yield { from: `mail ${uid}`, result, stays };
  }
}

/** What no program can answer: letters of people, what cannot be read, a wish that only a person can fulfil. */
function isForPeople(result: ReturnedMailResult): boolean {
  switch (result.kind) {
    case 'none':
      return result.because === 'unreadable' || result.because === 'no report';
    case 'leave':
      return result.outcome === 'transactional' || result.outcome === 'not ours';
    case 'bounce':
    case 'complaint':
      return false;
  }
}
