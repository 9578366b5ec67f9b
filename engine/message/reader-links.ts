/** The links by which readers say what else to send them, and the fields that tell their mail program of it. */
import { createHash } from 'node:crypto';
import { signReaderLink } from './link-token.ts';
import { mailboxHeader, structuredHeader } from './headers.ts';
import type { AnswerLinks } from './survey.ts';

/** The path under which one topic is left; a token follows. */
export const UNSUBSCRIBE_PATH = '/unsubscribe/';
/** The path under which all topics are seen and chosen; the same token follows. */
export const PREFERENCES_PATH = '/preferences/';

/** What a template sees as `unsubscribe_url` and `preferences_url`. */
export interface ReaderLinks {
  readonly unsubscribe: string;
  readonly preferences: string;
  /** Part of both. */
  readonly token: string;
}

/** The links of one mail; signed when they are first asked for, which many a transactional mail never does. */
export function readerLinks(sendId: number, { publicUrl, key }: AnswerLinks): ReaderLinks {
  let token: string | undefined;
  const signed = (): string => (token ??= signReaderLink(sendId, key));
  return {
    get unsubscribe() {
      return `${publicUrl}${UNSUBSCRIBE_PATH}${signed()}`;
    },
    get preferences() {
      return `${publicUrl}${PREFERENCES_PATH}${signed()}`;
    },
    get token() {
      return signed();
    },
  };
}

/** The same for a mail that nobody gets, in dry runs and tests of playbooks: they lead nowhere. */
export function sampleReaderLinks(): ReaderLinks {
  return readerLinks(0, { publicUrl: 'https://mail.example', key: { id: 1, secret: new Uint8Array(32) } });
}

/** A mail's place, for the fields that are equal in all mails of its step. */
export interface MailPlace {
  readonly playbook: string;
  readonly step: string;
  readonly topic: { readonly name: string; readonly title: string };
  /** Of the sender's address. */
  readonly domain: string;
}

/**
 * The fields of a mail to many that are equal in all mails of its step, as header lines:
 * - `List-Unsubscribe-Post`: one POST to the link unsubscribes (RFC 8058).
 * - `List-Id`: one list for each topic (RFC 2919).
 * - `Feedback-ID`: what Gmail counts complaints by: playbook, step, topic, sender.
 */
export function listHeaderLines({ playbook, step, topic, domain }: MailPlace): string {
  const feedback = [playbook, step, topic.name].map(feedbackPart).join(':');
  return (
    structuredHeader('List-Unsubscribe-Post', 'List-Unsubscribe=One-Click') +
    mailboxHeader('List-Id', topic.title, `${topic.name.replaceAll('_', '-')}.${domain}`) +
    structuredHeader('Feedback-ID', `${feedback}:${senderId(domain)}`)
  );
}

/** `List-Unsubscribe` (RFC 2369): by the web first, then by a mail whose subject holds the token. */
export function listUnsubscribe({ unsubscribe, token }: ReaderLinks, mailbox: string): string {
  return `<${unsubscribe}>, <mailto:${encodeMailbox(mailbox)}?subject=unsubscribe%20${token}>`;
}

/** A `mailto:` keeps what RFC 6068 section 2 lets stand; the rest of a local part is percent-encoded. */
function encodeMailbox(mailbox: string): string {
  return encodeURIComponent(mailbox).replace('%40', '@').replaceAll('%2B', '+');
}

/** Gmail parts the field at colons. */
function feedbackPart(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9._-]/g, '-').slice(0, 60);
}

/** 5 to 15 characters, the same in all mail of the sender, and no other sender's. */
function senderId(domain: string): string {
  return createHash('sha256').update(domain).digest('hex').slice(0, 12);
}
