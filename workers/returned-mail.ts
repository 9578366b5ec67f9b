/** From the bytes of a mail that came back, or asks for no more, to what is on record about it. */
import { readLeave } from '../engine/mail/bounce/leave.ts';
import { readReport } from '../engine/mail/bounce/read.ts';
import type { MailReport, NoReport } from '../engine/mail/bounce/report.ts';
import { replyCodeIn, statusInReply } from '../engine/mail/bounce/status.ts';
import { judge } from '../engine/mail/bounce/verdict.ts';
import type { Outcome } from '../engine/mail/outcome.ts';
import { readBounceToken } from '../engine/message/bounce-token.ts';
import { readReaderLink, type SigningKey } from '../engine/message/link-token.ts';
import { findReader, recordChoices } from '../engine/store/choices.ts';
import type { Database } from '../engine/store/database.ts';
import {
  findReported,
  recordReturned,
  type Returned,
  type ReturnedRecipient,
  type Taken,
} from '../engine/store/feedback.ts';

/** What a mail that came back came to. */
export type ReturnedMailResult =
  | { readonly kind: 'none'; readonly because: NoReport }
  | { readonly kind: 'bounce' | 'complaint'; readonly taken: readonly TakenOrFound[] }
  | Leaving;

/** A mail by which somebody unsubscribes; `found` in a dry run. */
export interface Leaving {
  readonly kind: 'leave';
  readonly outcome: 'unsubscribed' | 'found' | 'transactional' | 'not ours';
  /** Of the mail whose token it holds; null when it is none of ours. */
  readonly sendId: number | null;
  readonly topic: string | null;
}

/** `found` in a dry run: it is about a mail of ours, and nothing was recorded. */
export type TakenOrFound = Omit<Taken, 'outcome'> & { readonly outcome: Taken['outcome'] | 'found' };

/** Reads a mail and records what it says; in a dry run, only looks which mails it is about. */
export async function takeReturnedMail(
  db: Database,
  keys: readonly SigningKey[],
  raw: Uint8Array,
  { isDryRun }: { readonly isDryRun: boolean },
): Promise<ReturnedMailResult> {
  const report = await readReport(raw);
  if (report.kind === 'none') {
    const token = await readLeave(raw);
    return token === null ? report : leave(db, readReaderLink(token, keys), isDryRun);
  }
  const returned = returnedOf(report, keys);
  if (!isDryRun) return { kind: report.kind, taken: await recordReturned(db, returned) };
  const found = await findReported(db, returned);
  return {
    kind: report.kind,
    taken: found.map((one) => ({ ...one, outcome: one.send === null ? 'not ours' : 'found' })),
  };
}

async function leave(db: Database, sendId: number | null, isDryRun: boolean): Promise<Leaving> {
  const reader = sendId === null ? null : await findReader(db, sendId);
  if (reader === null) return { kind: 'leave', outcome: 'not ours', sendId: null, topic: null };
  const about = { kind: 'leave', sendId, topic: reader.topic } as const;
  if (reader.transactional) return { ...about, outcome: 'transactional' };
  if (isDryRun) return { ...about, outcome: 'found' };
  await recordChoices(db, reader, { source: 'unsubscribe', no: [reader.topic], yes: [], language: 'en' });
  return { ...about, outcome: 'unsubscribed' };
}

function returnedOf(report: Exclude<MailReport, { kind: 'none' }>, keys: readonly SigningKey[]): Returned {
  const { tokens, messageId, sendId } = report.about;
  const signedIds = tokens.map((token) => readBounceToken(token, keys)).filter((id) => id !== null);
  const about = { signedIds, messageId, sendId };
  if (report.kind === 'bounce') {
    const recipients = report.recipients.map(({ address, originalAddress, verdict, status, diagnostic }) => ({
      address,
      originalAddress,
      verdict,
      status,
      detail: diagnostic,
    }));
    return { about, recipients };
  }
  // A complaint that names nobody is about the reader of the returned mail.
  const addresses = report.recipients.length === 0 ? [null] : report.recipients;
  const complaint = { originalAddress: null, verdict: 'complaint', status: null, detail: report.feedback } as const;
  return { about, recipients: addresses.map((address) => ({ ...complaint, address })) };
}

/**
 * What a server said for good of a mail that was being handed to it, such as `RCPT TO: 550 5.1.1 unknown`; null when it
 * said nothing, or spoke of the sender's address.
 */
export function refusalOf(reason: string): ReturnedRecipient | null {
  if (reason.startsWith('MAIL FROM') || replyCodeIn(reason) === null) return null;
  const status = statusInReply(reason);
  const verdict = judge({ action: 'failed', status, diagnostic: reason });
  return { address: null, originalAddress: null, verdict, status, detail: reason };
}

/** RFC 3463: what the server has against whoever sends. */
const SENDER_STATUS = /\b5\.7\.\d{1,3}\b/;

/**
 * A refusal of us, for what we are, is no word about the mail: it can go once that is mended, so it is tried again like
 * one that was refused for the moment. To a recipient or a message it concerns their domain; to `MAIL FROM`, everything.
 */
export function postponed(outcome: Outcome): Outcome {
  if (outcome.kind !== 'permanent') return outcome;
  const { reason, code } = outcome;
  if (reason.startsWith('MAIL FROM')) {
    return SENDER_STATUS.test(reason) ? { kind: 'retry', reason, code, scope: 'connection' } : outcome;
  }
  return refusesSender(reason) ? { kind: 'retry', reason, code, scope: 'domain' } : outcome;
}

/** Whether a server refused us for good, for what we are; 4.7.x asks for less mail, which is something else. */
export function refusesSender(reason: string): boolean {
  return (replyCodeIn(reason) ?? 0) >= 500 && refusalOf(reason)?.verdict === 'sender';
}
