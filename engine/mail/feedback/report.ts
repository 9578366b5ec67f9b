/** What a mail provider reports of a mail, in our words: the same outcomes as those of delivery reports. */
import { createHash } from 'node:crypto';
import { normaliseAddress } from '../../message/address.ts';
import { oneLine } from '../one-line.ts';
import type { Verdict } from '../bounce/report.ts';
import { statusInReply, statusOf } from '../bounce/status.ts';
import { judge } from '../bounce/verdict.ts';

/** The providers whose reports are understood. */
export const PROVIDERS = ['ses', 'sendgrid', 'mailgun', 'postmark', 'brevo', 'resend'] as const;
export type Provider = (typeof PROVIDERS)[number];

/** What a provider sent, before anything of it is known. */
export type Fields = Readonly<Record<string, unknown>>;

/** One event of one recipient. */
export interface ProviderReport {
  /** The same in every repetition, different in every other event of this provider. */
  readonly id: string;
  /** What stands before the `@` of our Message-ID, such as `send-12.3f9a1c20d4`; null when the event does not say. */
  readonly reference: string | null;
  /** Header X-Perennial-Send of the mail; null when the event does not say. */
  readonly sendId: number | null;
  /** Normalised; null when the event names none that is an address. */
  readonly address: string | null;
  readonly verdict: Verdict | 'complaint';
  /** Enhanced status code (RFC 3463). */
  readonly status: string | null;
  /** The server's or the provider's words, one line; of a complaint, its type. */
  readonly detail: string | null;
}

/** What became of a mail, as far as an event says. */
export type Outcome = Pick<ProviderReport, 'verdict' | 'status' | 'detail'>;

/**
 * Whose fault a failure is by the provider's own word. `address`: the address takes no mail, for good. `temporary`: it may
 * later. `sender`: ours. `unknown`: it does not say.
 */
export type Blame = 'address' | 'temporary' | 'sender' | 'unknown';

/** Where an event's mail can be recognised. */
export interface Recognised {
  readonly reference: string | null;
  readonly sendId: number | null;
}

const MAX_DETAIL = 500;
const REFERENCE = /^<?(send-[1-9]\d{0,14}(?:\.[A-Za-z0-9]{1,40})?)(?:@[^<>\s]{1,250})?>?$/;

/**
 * What a failure means. The server's words decide as they do in delivery reports; the provider's word counts where they
 * leave it open. A refusal of the sender stays one, whatever the provider calls it.
 */
export function judgeFailure(blame: Blame, status: string | null, words: string | null): Verdict {
  const judged = judge({ action: 'failed', status, diagnostic: words });
  if (blame === 'sender' || judged === 'sender') return 'sender';
  switch (blame) {
    case 'temporary':
      return 'soft';
    case 'address':
      return judged === 'unclear' ? 'hard' : judged;
    case 'unknown':
      return judged;
  }
}

/** The enhanced status code of a failure: in the server's words, else as the provider gives it. */
export function statusFrom(given: string | null, words: string | null): string | null {
  return (words === null ? null : statusInReply(words)) ?? statusOf(given);
}

/** Our reference in a Message-ID or in what a mail carried for its provider; null when it is none of ours. */
export function referenceIn(text: unknown): string | null {
  return typeof text === 'string' ? (REFERENCE.exec(text.trim())?.[1] ?? null) : null;
}

/** The number in a header X-Perennial-Send; null when it is none. */
export function sendIdIn(text: unknown): number | null {
  return typeof text === 'string' && /^[1-9]\d{0,14}$/.test(text.trim()) ? Number(text) : null;
}

/** By the headers of the mail, as a list of `{ name, value }`. */
export function recognisedByHeaders(headers: unknown): Recognised {
  const of = (wanted: string): unknown =>
    listOf(headers)
      .map(fieldsOf)
      .find((header) => textOf(header['name'])?.toLowerCase() === wanted)?.['value'];
  return { reference: referenceIn(of('message-id')), sendId: sendIdIn(of('x-perennial-send')) };
}

/** An address as it is kept, from `ada@example.com` or `Ada <ada@example.com>`; null when it is none. */
export function addressOf(value: unknown): string | null {
  const text = textOf(value);
  return text === null ? null : normaliseAddress(/<([^<>]+)>\s*$/.exec(text)?.[1] ?? text);
}

/** The fields of a JSON object; none for any other value. */
export function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : {};
}

/** The items of a JSON list; none for any other value. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}

/** A text that says something; null for any other value. */
export function textOf(value: unknown): string | null {
  return typeof value === 'string' && value.trim() !== '' ? value : null;
}

/** Words as one line that is not too long, without control characters. */
export function lineOf(value: unknown): string | null {
  const text = oneLine(textOf(value) ?? '', MAX_DETAIL);
  return text === '' ? null : text;
}

/** An id for an event to which its provider gives none: equal events are the same. */
export function digestOf(...parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}
