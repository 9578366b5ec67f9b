/**
 * Webhooks of mail providers, on the public server: `POST /feedback/PROVIDER`.
 *
 * 1. What is not proven to be the provider's is answered 401 and leaves no trace.
 * 2. The answer comes after the commit. 2xx also for what is known before, or about no mail of ours, or would be repeated for days.
 * 3. Only providers with a setting have an address.
 */
import { Hono, type Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { FetchText } from '../../engine/mail/feedback/sns.ts';
import { PROVIDERS, type Provider, type ProviderReport } from '../../engine/mail/feedback/report.ts';
import { actOnComplaints, type ComplaintRate } from '../../engine/store/complaints.ts';
import type { Database } from '../../engine/store/database.ts';
import {
  forgetEvents,
  recordEvents,
  type EventOutcome,
  type ReportedEvent,
} from '../../engine/store/provider-events.ts';
import { isCutOff } from '../cut-off.ts';
import { requestReaders, type RequestReader } from './read.ts';
import type { FeedbackSettings } from './settings.ts';

/** Where the addresses begin. */
export const FEEDBACK_PATH = '/feedback/';

/** What the webhooks work with. */
export interface FeedbackParts {
  readonly db: Database;
  readonly settings: FeedbackSettings;
  readonly fetchText: FetchText;
  /** Machine time, in milliseconds since 1970. */
  readonly now: () => number;
  readonly told: FeedbackListener;
}

/** Who is told what happens. */
export interface FeedbackListener {
  /** Events came in: how many came to what. */
  taken(provider: Provider, counts: Readonly<Partial<Record<EventOutcome, number>>>): void;
  forged(provider: Provider): void;
  /** A topic was confirmed, or ended its subscription. */
  topic(kind: 'subscribed' | 'unsubscribed', arn: string): void;
  complaints(rates: readonly ComplaintRate[]): void;
  /** Something that is not the provider's fault. */
  failed(provider: Provider, error: unknown): void;
}

/** Larger than what any of them sends: SendGrid's batches end at 768 KB. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;
/** How often ids are looked through for those that can be forgotten. */
const FORGET_EVERY_MS = 60_000;

/** Makes the application; `startPublic` gives it a server. */
export function feedbackApp(parts: FeedbackParts): Hono {
  const app = new Hono();
  const readers = requestReaders(parts.settings, parts);
  const forget = openForgetting(parts);
  const tooLarge = (c: Context): Response => c.json(failure('too-large', 'the body is too large', 'at most 4 MB'), 413);
  app.use(`${FEEDBACK_PATH}*`, bodyLimit({ maxSize: MAX_BODY_BYTES, onError: tooLarge }));
  for (const provider of PROVIDERS) {
    const reader = readers.get(provider);
    if (reader === undefined) continue;
    app.post(`${FEEDBACK_PATH}${provider}`, async (c) => {
      const response = await answerTo(c, provider, reader, parts);
      forget(provider);
      return response;
    });
    app.all(`${FEEDBACK_PATH}${provider}`, (c) => {
      c.header('allow', 'POST');
      return c.json(failure('wrong-method', `this address takes no ${c.req.method}`, 'POST'), 405);
    });
  }
  app.notFound((c) => c.json(failure('not-found', `there is nothing at ${c.req.path}`, null), 404));
  return app;
}

async function answerTo(c: Context, provider: Provider, read: RequestReader, parts: FeedbackParts): Promise<Response> {
  try {
    return await take(c, provider, read, parts);
  } catch (error) {
    if (!isCutOff(error)) parts.told.failed(provider, error);
    c.header('retry-after', '60');
    const message = 'this could not be taken in; send it again later: nothing counts twice';
    return c.json(failure('unavailable', message, null), 503);
  }
}

async function take(c: Context, provider: Provider, read: RequestReader, parts: FeedbackParts): Promise<Response> {
  const body = Buffer.from(await c.req.arrayBuffer());
  const request = await read(body, (name) => c.req.header(name));
  switch (request.kind) {
    case 'forged':
      parts.told.forged(provider);
      if (provider === 'postmark' || provider === 'brevo') c.header('www-authenticate', 'Basic realm="perennial"');
      return c.json(
        failure('forged', 'this is not proven to come from the provider', `what is set for ${provider}`),
        401,
      );
    case 'unreadable':
      return c.json(failure('not-json', 'the body is not JSON', 'JSON'), 400);
    case 'subscription':
      await parts.fetchText(request.subscribeUrl);
      parts.told.topic('subscribed', request.topic);
      return c.json({ ok: true });
    case 'unsubscribed':
      parts.told.topic('unsubscribed', request.topic);
      return c.json({ ok: true });
    case 'events':
      return c.json({ ok: true, events: await record(provider, request.reports, request.batchId, parts) });
  }
}

async function record(
  provider: Provider,
  reports: readonly ProviderReport[],
  batchId: string | null,
  { db, told }: FeedbackParts,
): Promise<Readonly<Partial<Record<EventOutcome, number>>>> {
  if (reports.length === 0) return {};
  const { outcomes, hasComplaint } = await recordEvents(db, provider, reports.map(eventOf), batchId);
  const counts: Partial<Record<EventOutcome, number>> = {};
  for (const { outcome } of outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1;
  told.taken(provider, counts);
  if (hasComplaint) told.complaints(await actOnComplaints(db));
  return counts;
}

function eventOf({ id, reference, sendId, address, verdict, status, detail }: ProviderReport): ReportedEvent {
  return { id, reference, sendId, recipient: { address, originalAddress: null, verdict, status, detail } };
}

/** After an answer, now and then, and never in its way. */
function openForgetting({ db, told, now }: FeedbackParts): (provider: Provider) => void {
  let nextAt = now() + FORGET_EVERY_MS;
  return (provider) => {
    if (now() < nextAt) return;
    nextAt = now() + FORGET_EVERY_MS;
    forgetEvents(db).catch((error: unknown) => told.failed(provider, error));
  };
}

function failure(code: string, message: string, expected: string | null): object {
  const text = expected === null ? message : `${message}; expected ${expected}`;
  return { error: { code, message: text, ...(expected === null ? {} : { expected }) } };
}
