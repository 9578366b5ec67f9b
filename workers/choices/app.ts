/**
 * What readers choose by the links of their mails, on the public server: leaving a topic, and all topics at once.
 *
 * 1. GET never changes anything: scanners and previews follow links.
 * 2. A POST to the link of `List-Unsubscribe` is the reader's no (RFC 8058): it needs no cookie and no further page, is
 *    answered with 200 and never redirected. Whatever its body is, nobody who posts there wants more.
 * 3. A token that this database did not sign changes nothing and says nothing about anybody.
 */
import { Hono, type Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { parseMailbox } from '../../engine/message/address.ts';
import { readReaderLink } from '../../engine/message/link-token.ts';
import { PREFERENCES_PATH, UNSUBSCRIBE_PATH } from '../../engine/message/reader-links.ts';
import type { Company } from '../../engine/playbook/types.ts';
import { everyTopic, findReader, recordChoices, standingOf, type MailReader } from '../../engine/store/choices.ts';
import type { ReleaseCache } from '../../engine/store/context.ts';
import type { Database } from '../../engine/store/database.ts';
import { loadSigningKeys } from '../../engine/store/signing-keys.ts';
import { isCutOff } from '../cut-off.ts';
import { messagePage, PAGE_HEADERS } from '../pages/frame.ts';
import { browserLocales } from '../pages/language.ts';
import { leavePage, preferencesPage, saidPage, type Speech } from './page.ts';
import { wordsFor, type Words } from './words.ts';

/** What the pages work with. */
export interface ChoicesParts {
  readonly db: Database;
  readonly cache: ReleaseCache;
  /** Told of failures that are not the reader's. */
  readonly onFailure: (error: unknown) => void;
}

const MAX_BODY_BYTES = 32 * 1024;

/** Makes the application; `startPublic` gives it a server. */
export function choicesApp(parts: ChoicesParts): Hono {
  const app = new Hono();
  const limit = bodyLimit({ maxSize: MAX_BODY_BYTES, onError: tooLarge });
  const leave = `${UNSUBSCRIBE_PATH}:token`;
  const prefer = `${PREFERENCES_PATH}:token`;
  app.use(async (c, next) => {
    await next();
    for (const [name, value] of Object.entries(PAGE_HEADERS)) c.res.headers.set(name, value);
  });
  app.get(leave, async (c) => showLeaving(c, parts));
  // The body is of no matter here, so it is neither read nor bounded: the server itself bounds how long it may take.
  app.post(leave, async (c) => takeLeaving(c, parts));
  app.get(prefer, async (c) => showPreferences(c, parts));
  app.post(prefer, limit, async (c) => takePreferences(c, parts));
  for (const path of [leave, prefer]) app.all(path, (c) => c.body(null, 405, { allow: 'GET, HEAD, POST' }));
  // A link that was cut before its token ends.
  app.notFound(async (c) => unknownLink(c, (await parts.cache.context(parts.db)).release.company));
  app.onError((error, c) => {
    if (!isCutOff(error)) parts.onFailure(error);
    const words = wordsFor(...browserLocales(c));
    c.header('retry-after', '60');
    return c.html(messagePage(words, '', words.trouble, words.troubleText), 503);
  });
  return app;
}

/** The reader of the link, and how to speak to them. */
interface Opened extends Speech {
  readonly reader: MailReader & { readonly address: string };
  readonly of: Company;
  readonly token: string;
}

async function showLeaving(c: Context, parts: ChoicesParts): Promise<Response> {
  const opened = await open(c, parts);
  if (opened instanceof Response) return opened;
  const { reader, words, of, company, token } = opened;
  if (reader.transactional) return c.html(saidPage(opened, words.about, words.aboutText(company), token));
  const { topics } = await standingOf(parts.db, reader.address, of);
  const wanted = topics.find(({ name }) => name === reader.topic)?.wanted ?? true;
  const title = titleOf(of, reader.topic);
  if (!wanted) return c.html(saidPage(opened, words.left, words.leftBefore(title), token));
  return c.html(leavePage(opened, title, token));
}

async function takeLeaving(c: Context, parts: ChoicesParts): Promise<Response> {
  const opened = await open(c, parts);
  if (opened instanceof Response) return opened;
  const { reader, words, of, company, token } = opened;
  if (reader.transactional) return c.html(saidPage(opened, words.about, words.aboutText(company), token), 409);
  const { language } = words;
  await recordChoices(parts.db, reader, { source: 'unsubscribe', no: [reader.topic], yes: [], language });
  return c.html(saidPage(opened, words.left, words.leftText(titleOf(of, reader.topic), company), token));
}

async function showPreferences(c: Context, parts: ChoicesParts): Promise<Response> {
  const opened = await open(c, parts);
  return opened instanceof Response ? opened : preferences(c, parts, opened, false);
}

async function takePreferences(c: Context, parts: ChoicesParts): Promise<Response> {
  const opened = await open(c, parts);
  if (opened instanceof Response) return opened;
  const { reader, of, words, company } = opened;
  const form = await formOf(c);
  if (form.has('none')) {
    const { language } = words;
    await recordChoices(parts.db, reader, { source: 'preferences', no: everyTopic(of), yes: [], language });
    return preferences(c, parts, opened, true);
  }
  const { blocked, topics } = await standingOf(parts.db, reader.address, of);
  const shown = blocked ? [] : topics.filter(({ name }) => form.getAll('shown').includes(name));
  const [was, wants] = [form.getAll('was'), form.getAll('topic')];
  const no = shown.filter(({ name }) => was.includes(name) && !wants.includes(name)).map(({ name }) => name);
  const yes = shown
    .filter(({ name }) => !was.includes(name) && wants.includes(name))
    .map(({ name, title }) => ({ topic: name, wording: `${words.consent(title, company)} ${words.consentNote}` }));
  await recordChoices(parts.db, reader, { source: 'preferences', no, yes, language: words.language });
  return preferences(c, parts, opened, shown.length > 0);
}

async function preferences(c: Context, parts: ChoicesParts, opened: Opened, isSaved: boolean): Promise<Response> {
  const { reader, of, words, company } = opened;
  const { blocked, topics } = await standingOf(parts.db, reader.address, of);
  if (blocked) {
    return c.html(messagePage(words, company, words.blocked, words.blockedText(company, careAddress(of))));
  }
  if (topics.length === 0) return c.html(messagePage(words, company, words.nothing, words.nothingText(company)));
  const always = Object.values(of.topics).filter(({ transactional }) => transactional);
  const titles = always.map(({ title }) => title);
  return c.html(preferencesPage(opened, topics, titles, isSaved));
}

/** The reader of the link, or the answer to a link that is of no use. */
async function open(c: Context, { db, cache }: ChoicesParts): Promise<Opened | Response> {
  const token = c.req.param('token') ?? '';
  const sendId = readReaderLink(token, await loadSigningKeys(db));
  const reader = sendId === null ? null : await findReader(db, sendId);
  const { company: of } = (await cache.context(db)).release;
  if (reader === null) return unknownLink(c, of);
  const company = nameOf(of);
  const words: Words = wordsFor(reader.locale, of.locale);
  const { address } = reader;
  // A mail program that unsubscribes has what it wants: 200, not an error.
  if (address === null) return c.html(messagePage(words, company, words.gone, words.goneText));
  return { reader: { ...reader, address }, of, token, words, company };
}

function unknownLink(c: Context, of: Company): Response | Promise<Response> {
  const words = wordsFor(...browserLocales(c));
  return c.html(messagePage(words, nameOf(of), words.invalid, words.invalidText(careAddress(of))), 404);
}

function nameOf({ fields }: Company): string {
  return typeof fields['name'] === 'string' ? fields['name'] : '';
}

/** What was filled in; of a body that cannot be read, nothing. */
async function formOf(c: Context): Promise<FormData> {
  try {
    return await c.req.formData();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return new FormData();
  }
}

function tooLarge(c: Context): Response | Promise<Response> {
  const words = wordsFor(...browserLocales(c));
  return c.html(messagePage(words, '', words.trouble, words.tooLarge), 413);
}

function titleOf(company: Company, topic: string): string {
  return company.topics[topic]?.title ?? topic;
}

/** Where people answer. */
function careAddress({ fields, mail }: Company): string | null {
  const care = fields['care'];
  const email = typeof care === 'object' && care !== null && 'email' in care ? care.email : undefined;
  return typeof email === 'string' ? email : (parseMailbox(mail.replyTo ?? mail.from)?.address ?? null);
}
