/** Reads the mails of the local inbox. */
import PostalMime, { type Email } from 'postal-mime';
import { PERENNIAL_HEADERS } from '../../message/compose.ts';

/** A mail in a list. */
export interface InboxEntry {
  /** From 1, in order of arrival. */
  readonly number: number;
  /** The mail's own date, ISO 8601 in UTC; null when it has none that can be read. */
  readonly at: string | null;
  /** The envelope's recipient. */
  readonly to: string;
  readonly subject: string;
  /** From its X-Perennial headers; null in mail from elsewhere. */
  readonly playbook: string | null;
  readonly step: string | null;
}

/** A mail of the inbox with all that is in it. */
export interface ReceivedMail extends InboxEntry {
  readonly from: string;
  readonly messageId: string | null;
  /** Null when it has no such part. */
  readonly html: string | null;
  readonly text: string | null;
  /** As received, with the envelope in `Return-Path` and `Delivered-To` at its head. */
  readonly raw: Buffer;
}

/** What a list shows, from a mail's headers. */
export async function readEntry(number: number, head: Buffer): Promise<InboxEntry> {
  return entryOf(number, await PostalMime.parse(head));
}

/** A whole mail. */
export async function readWholeMail(number: number, raw: Buffer): Promise<ReceivedMail> {
  const email = await PostalMime.parse(raw);
  return {
    ...entryOf(number, email),
    from: email.from?.address ?? '',
    messageId: email.messageId ?? null,
    html: email.html ?? null,
    text: email.text ?? null,
    raw,
  };
}

function entryOf(number: number, email: Email): InboxEntry {
  return {
    number,
    at: isoDate(email.date),
    to: headerOf(email, 'delivered-to') ?? email.to?.[0]?.address ?? '',
    subject: email.subject ?? '',
    playbook: headerOf(email, PERENNIAL_HEADERS.playbook),
    step: headerOf(email, PERENNIAL_HEADERS.step),
  };
}

function headerOf(email: Email, name: string): string | null {
  return email.headers.find(({ key }) => key === name.toLowerCase())?.value ?? null;
}

function isoDate(text: string | undefined): string | null {
  const at = Date.parse(text ?? '');
  return Number.isNaN(at) ? null : new Date(at).toISOString();
}
