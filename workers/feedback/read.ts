/** From a request to events that are known to be the provider's. */
import { readBrevo } from '../../engine/mail/feedback/brevo.ts';
import { readMailgun } from '../../engine/mail/feedback/mailgun.ts';
import { readPostmark } from '../../engine/mail/feedback/postmark.ts';
import type { Provider, ProviderReport } from '../../engine/mail/feedback/report.ts';
import { readResend } from '../../engine/mail/feedback/resend.ts';
import { readSendgrid } from '../../engine/mail/feedback/sendgrid.ts';
import { readSes } from '../../engine/mail/feedback/ses.ts';
import { openSnsCheck, type FetchText } from '../../engine/mail/feedback/sns.ts';
import { isAuthorised, isFromSendgrid, mailgunProof, standardWebhookId } from '../../engine/mail/feedback/verify.ts';
import type { Header } from '../../engine/mail/feedback/verify.ts';
import type { FeedbackSettings } from './settings.ts';

/** What a request is. */
export type ReadRequest =
  | { readonly kind: 'forged' }
  /** Not JSON. */
  | { readonly kind: 'unreadable' }
  /** `batchId`: what is signed instead of the events, and good for once. */
  | { readonly kind: 'events'; readonly reports: readonly ProviderReport[]; readonly batchId: string | null }
  | { readonly kind: 'subscription'; readonly topic: string; readonly subscribeUrl: string }
  | { readonly kind: 'unsubscribed'; readonly topic: string };

/** Reads a request of one provider. */
export type RequestReader = (body: Buffer, header: Header) => Promise<ReadRequest>;

/** What reading needs of the outside. */
export interface Outside {
  /** Fetches certificates. */
  readonly fetchText: FetchText;
  /** Machine time, in milliseconds since 1970. */
  readonly now: () => number;
}

const FORGED = { kind: 'forged' } as const;
const UNREADABLE = { kind: 'unreadable' } as const;

/** A reader for each provider that has a setting. */
export function requestReaders(settings: FeedbackSettings, outside: Outside): ReadonlyMap<Provider, RequestReader> {
  const readers: readonly (readonly [Provider, RequestReader | null])[] = [
    ['ses', sesReader(settings.ses, outside)],
    ['sendgrid', sendgridReader(settings.sendgrid)],
    ['mailgun', mailgunReader(settings.mailgun, outside)],
    ['postmark', authorisedReader(settings.postmark, readPostmark)],
    ['brevo', authorisedReader(settings.brevo, readBrevo)],
    ['resend', resendReader(settings.resend, outside)],
  ];
  return new Map(readers.flatMap(([provider, reader]) => (reader === null ? [] : [[provider, reader] as const])));
}

function sesReader(topics: FeedbackSettings['ses'], { fetchText, now }: Outside): RequestReader | null {
  if (topics === null) return null;
  const check = openSnsCheck(topics, fetchText, now);
  return async (body) => {
    const json = parse(body);
    if (json === undefined) return UNREADABLE;
    const read = await check.read(json);
    if (read === null) return FORGED;
    if (read.kind !== 'notification') return read;
    // What else is published to the topic, such as a test by hand, is nobody's mail.
    const message = parse(Buffer.from(read.message));
    return events(message === undefined ? [] : readSes(read.messageId, message));
  };
}

function sendgridReader(key: FeedbackSettings['sendgrid']): RequestReader | null {
  return key === null
    ? null
    : async (body, header) =>
        Promise.resolve(isFromSendgrid(body, header, key) ? orUnreadable(body, readSendgrid) : FORGED);
}

function mailgunReader(key: string | null, { now }: Outside): RequestReader | null {
  if (key === null) return null;
  return async (body) => {
    const json = parse(body);
    if (json === undefined) return Promise.resolve(UNREADABLE);
    const proof = mailgunProof(json, key, now());
    return Promise.resolve(proof === null ? FORGED : events(readMailgun(json), `token ${proof.token}`));
  };
}

function resendReader(keys: FeedbackSettings['resend'], { now }: Outside): RequestReader | null {
  if (keys === null) return null;
  return async (body, header) => {
    const id = standardWebhookId(body, header, keys, now());
    return Promise.resolve(id === null ? FORGED : orUnreadable(body, (json) => readResend(id, json)));
  };
}

function authorisedReader(
  secret: string | null,
  read: (json: unknown) => readonly ProviderReport[],
): RequestReader | null {
  return secret === null
    ? null
    : async (body, header) => Promise.resolve(isAuthorised(header, secret) ? orUnreadable(body, read) : FORGED);
}

function orUnreadable(body: Buffer, read: (json: unknown) => readonly ProviderReport[]): ReadRequest {
  const json = parse(body);
  return json === undefined ? UNREADABLE : events(read(json));
}

function events(reports: readonly ProviderReport[], batchId: string | null = null): ReadRequest {
  return { kind: 'events', reports, batchId };
}

/** undefined for what is no JSON: null is. */
function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}
