/**
 * Links and pixels in mails, on the public server.
 *
 * 1. A link leads where its mail said, also when nothing can be recorded: the reader comes first.
 * 2. What is known not to be a reader is led there and not recorded.
 * 3. A token that this database did not sign leads nowhere.
 */
import { Hono, type Context } from 'hono';
import type { SigningKey } from '../../engine/message/link-token.ts';
import { CLICK_PATH, OPEN_PATH, readClick, readOpen } from '../../engine/message/track-token.ts';
import type { Reaction, ReactionOutcome } from '../../engine/store/reactions.ts';
import { messagePage, PAGE_HEADERS } from '../pages/frame.ts';
import { wordsFor } from '../survey/words.ts';
import { isAutomatic } from './automatic.ts';

/** What following works with. */
export interface TrackingParts {
  /** Loads all keys, to read by. Rejects when the database is away. */
  readonly loadKeys: () => Promise<readonly SigningKey[]>;
  readonly record: (reaction: Reaction) => Promise<ReactionOutcome>;
  /** Told of reactions that could not be recorded. */
  readonly onFailure: (error: unknown) => void;
}

/** The application, and how to wait for what is being recorded. */
export interface Tracking {
  readonly app: Hono;
  /** Resolves when nothing is under way. */
  idle(): Promise<void>;
}

/** A transparent picture of one point. */
const PIXEL = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64');
const HEADERS = { 'cache-control': 'no-store', 'referrer-policy': 'no-referrer', 'x-robots-tag': 'noindex, nofollow' };

/** Makes the application; `startPublic` gives it a server. */
export function openTracking(parts: TrackingParts): Tracking {
  const app = new Hono();
  const signed = openReading(parts.loadKeys);
  const pending = new Set<Promise<void>>();
  const note = (c: Context, reaction: Reaction): void => {
    if (isAutomatic(c.req.method, (name) => c.req.header(name))) return;
    const recording: Promise<void> = parts
      .record(reaction)
      .then(() => undefined, parts.onFailure)
      .finally(() => pending.delete(recording));
    pending.add(recording);
  };
  app.get(`${CLICK_PATH}:token`, async (c) => {
    const click = await signed((keys) => readClick(c.req.param('token'), keys));
    if (click === null) return unknownLink(c);
    note(c, { kind: 'clicked', ...click });
    return c.body(null, 302, { ...HEADERS, location: new URL(click.url).href });
  });
  app.get(`${OPEN_PATH}:token`, async (c) => {
    const sendId = await signed((keys) => readOpen(c.req.param('token'), keys));
    if (sendId === null) return c.body(null, 404, HEADERS);
    note(c, { kind: 'opened', sendId });
    return c.body(PIXEL, 200, { ...HEADERS, 'content-type': 'image/gif' });
  });
  app.notFound(unknownLink);
  app.onError((error, c) => {
    parts.onFailure(error);
    const words = wordsOf(c);
    return c.html(messagePage(words, '', words.trouble, words.invalidText), 503, {
      ...PAGE_HEADERS,
      'retry-after': '60',
    });
  });
  return {
    app,
    idle: async () => {
      await Promise.all(pending);
    },
  };
}

/** Reads by the keys that are known, so that links lead on while the database is away; looks for new ones when those are not enough. */
function openReading(
  load: TrackingParts['loadKeys'],
): <T>(read: (keys: readonly SigningKey[]) => T | null) => Promise<T | null> {
  let known: readonly SigningKey[] = [];
  return async (read) => {
    const first = read(known);
    if (first !== null) return first;
    known = await load();
    return read(known);
  };
}

function unknownLink(c: Context): Response | Promise<Response> {
  const words = wordsOf(c);
  return c.html(messagePage(words, '', words.invalid, words.invalidText), 404, PAGE_HEADERS);
}

/** A reader who is not known: what their browser asks for first. */
function wordsOf(c: Context): ReturnType<typeof wordsFor> {
  const asked = c.req.header('accept-language') ?? '';
  return wordsFor(...asked.split(',').map((part) => part.split(';', 1)[0]?.trim()));
}
