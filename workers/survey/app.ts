/**
 * Answers to surveys by the links in their mails, on the public server.
 *
 * 1. GET never records anything: scanners and previews follow links.
 * 2. The first answer to a mail counts; sending the form twice is once.
 * 3. A token that this database did not sign says nothing about anybody.
 */
import { Hono, type Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { readSurveyLink } from '../../engine/message/link-token.ts';
import { ANSWER_PATH, scoresOf } from '../../engine/message/survey.ts';
import { answerSurvey, findAsked, type AskedSurvey } from '../../engine/store/answers.ts';
import type { ReleaseCache } from '../../engine/store/context.ts';
import type { Database } from '../../engine/store/database.ts';
import type { Ingested } from '../../engine/store/ingest.ts';
import { loadSigningKeys } from '../../engine/store/signing-keys.ts';
import { isCutOff } from '../cut-off.ts';
import { messagePage, PAGE_HEADERS } from '../pages/frame.ts';
import { browserLocales } from '../pages/language.ts';
import { questionPage } from './page.ts';
import { wordsFor, type Words } from './words.ts';

/** What the page works with. */
export interface SurveyParts {
  readonly db: Database;
  readonly cache: ReleaseCache;
  /** Told of what an answer made due. */
  readonly onTaken: (taken: Ingested) => void;
  /** Told of failures that are not the reader's. */
  readonly onFailure: (error: unknown) => void;
}

const MAX_BODY_BYTES = 32 * 1024;
const MAX_COMMENT = 2_000;

/** Makes the application; `startPublic` gives it a server. */
export function surveyApp(parts: SurveyParts): Hono {
  const app = new Hono();
  const path = `${ANSWER_PATH}:token`;
  app.use(async (c, next) => {
    await next();
    for (const [name, value] of Object.entries(PAGE_HEADERS)) c.res.headers.set(name, value);
  });
  app.get(path, async (c) => show(c, parts));
  const tooLarge = (c: Context): Response | Promise<Response> => {
    const words = wordsFor(...browserLocales(c));
    return c.html(messagePage(words, '', words.trouble, words.choose), 413);
  };
  app.post(path, bodyLimit({ maxSize: MAX_BODY_BYTES, onError: tooLarge }), async (c) => take(c, parts));
  app.notFound((c) => {
    const words = wordsFor(...browserLocales(c));
    return c.html(messagePage(words, '', words.invalid, words.invalidText), 404);
  });
  app.onError((error, c) => {
    if (!isCutOff(error)) parts.onFailure(error);
    const words = wordsFor(...browserLocales(c));
    c.header('retry-after', '60');
    return c.html(messagePage(words, '', words.trouble, words.troubleText), 503);
  });
  return app;
}

/** A survey whose link was opened, and in which words to speak of it. */
interface Opened {
  readonly asked: AskedSurvey;
  readonly chosen: number;
  readonly words: Words;
  readonly company: string;
}

async function show(c: Context, parts: SurveyParts): Promise<Response> {
  const opened = await open(c, parts);
  if ('status' in opened) return opened;
  const { asked, chosen, words, company } = opened;
  if (asked.given !== undefined) return c.html(messagePage(words, company, words.before, words.beforeText));
  const scores = scoresOf(asked.ask);
  return c.html(questionPage(words, { ask: asked.ask, company, scores, chosen, mistaken: false }));
}

async function take(c: Context, parts: SurveyParts): Promise<Response> {
  const opened = await open(c, parts);
  if ('status' in opened) return opened;
  const { asked, chosen, words, company } = opened;
  const form = await c.req.parseBody();
  const scores = scoresOf(asked.ask);
  const score = form['score'] === undefined ? chosen : Number(form['score']);
  if (!scores.includes(score)) {
    return c.html(questionPage(words, { ask: asked.ask, company, scores, chosen, mistaken: true }), 400);
  }
  const taken = await answerSurvey(parts.db, parts.cache, asked, { score, comment: commentOf(form['comment']) });
  if (taken.rejected.length > 0) return c.html(messagePage(words, company, words.gone, words.goneText), 410);
  parts.onTaken(taken);
  if (taken.duplicates > 0) return c.html(messagePage(words, company, words.before, words.beforeText));
  return c.html(messagePage(words, company, words.thanks, words.thanksText(company)));
}

/** The survey of the link, or the answer to a link that is of no use. */
async function open(c: Context, { db, cache }: SurveyParts): Promise<Opened | Response> {
  const link = readSurveyLink(c.req.param('token') ?? '', await loadSigningKeys(db));
  const asked = link === null ? null : await findAsked(db, link.sendId);
  const { company } = (await cache.context(db)).release;
  const name = typeof company.fields['name'] === 'string' ? company.fields['name'] : '';
  if (link === null || asked === null) {
    const words = wordsFor(...browserLocales(c));
    return c.html(messagePage(words, name, words.invalid, words.invalidText), 404);
  }
  const words = wordsFor(asked.locale, company.locale);
  if (asked.erased) return c.html(messagePage(words, name, words.gone, words.goneText), 410);
  return { asked, chosen: link.score, words, company: name };
}

/** PostgreSQL stores no NUL, and other control characters say nothing. */
function commentOf(value: unknown): string | null {
  if (typeof value !== 'string') return null;
  const text = value.replaceAll(/[^\P{Cc}\n\t]/gu, '').trim();
  return text === '' ? null : text.slice(0, MAX_COMMENT);
}
