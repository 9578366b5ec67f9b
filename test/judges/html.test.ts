/** The HTML of all letters and of all pages for readers, judged by html-validate. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { signReaderLink, signSurveyLink } from '../../engine/message/link-token.ts';
import { NOBODYS_LINKS, renderFor } from '../../workers/composing.ts';
import { signingKey } from '../../engine/store/signing-keys.ts';
import { startPublic, type PublicServer } from '../../workers/public.ts';
import { clear, COMPANY, FILES, openFleet, type Fleet } from '../store/support.ts';
import { judgeHtml, MAIL_EXCEPTIONS, PAGE_EXCEPTIONS, PRESENTATIONAL } from './html-rules.ts';
import { sampleCompany, sampleSends } from './letters.ts';
import { languages } from '../../workers/choices/words.ts';
import { languages as surveyLanguages } from '../../workers/survey/words.ts';

const SURVEY = `topic: offers
trigger: { event: order.placed }
steps:
  - survey: { email: checkin/nps, ask: nps, up_to: 7 days }
`;
const PAGES_FILES = {
  ...FILES,
  'perennial.yaml': COMPANY.replace(
    /topics:[\s\S]*/,
    `topics:
  news: { title: Letters & news, default: in }
  offers: { title: Offers, default: in }
  service: { title: Service, transactional: true }
`,
  ),
  'playbooks/checkin.yaml': SURVEY,
  'templates/checkin/nps.hbs': '{{#each survey.links}}<a href="{{url}}">{{score}}</a> {{/each}}',
};

let fleet: Fleet;
let server: PublicServer;
beforeAll(async () => {
  fleet = await openFleet(PAGES_FILES);
  server = await startPublic({
    db: fleet.db,
    cache: fleet.cache,
    hints: { send: async () => true },
    config: {
      publicHost: '127.0.0.1',
      publicPort: 0,
      writeKey: 'a-key-for-tests-only',
      database: { kind: 'external', url: 'postgres://unused.example/x' },
    },
    log: pino({ level: 'silent' }),
  });
});
afterAll(async () => {
  await server.close();
  await fleet.close();
});

it('finds nothing in the letters but what mail programs need, and all of that is listed', async () => {
  const { release, templates } = await sampleCompany();
  const met = new Set<string>();
  const seen = new Set<string>();
  for (const send of sampleSends(release, templates)) {
    const { rendered } = renderFor({ ...send, template: send.send.template, survey: null, links: NOBODYS_LINKS });
    // Most letters are the same in every locale.
    if (seen.has(rendered.html)) continue;
    seen.add(rendered.html);
    const found = await judgeHtml(rendered.html);
    for (const { rule } of found) met.add(rule);
    const wrong = found.filter(({ rule, message }) => {
      if (rule !== 'no-deprecated-attr') return !Object.hasOwn(MAIL_EXCEPTIONS, rule);
      return !PRESENTATIONAL.has(/^Attribute "([\w-]+)"/.exec(message)?.[1] ?? '');
    });
    expect([send.send.template, send.profile.locale, wrong]).toEqual([send.send.template, send.profile.locale, []]);
  }
  expect([...met].sort()).toEqual(Object.keys(MAIL_EXCEPTIONS).sort());
});

/** Every page of a reader whose language is `locale`, by what it is. */
async function pagesOf(locale: string): Promise<Readonly<Record<string, string>>> {
  await clear(fleet);
  const [ada = 0] = await fleet.customers(['ada']);
  await fleet.db.query('update customers set locale = $1', [locale]);
  await fleet.event('order.placed', ['ada']);
  const claimed = await fleet.claim('bulk', [ada]);
  const idOf = (topic: string): number => claimed.find(({ send }) => send.topic === topic)?.sendId ?? 0;
  await fleet.hand(claimed);
  await fleet.settle(claimed, { kind: 'accepted' });
  const key = await signingKey(fleet.db);
  const reader = signReaderLink(idOf('news'), key);
  const survey = `/survey/${signSurveyLink({ sendId: idOf('offers'), score: 9 }, key)}`;
  const headers = { 'accept-language': locale };
  const ask = async (path: string, form?: Readonly<Record<string, string>>): Promise<string> => {
    const init = form === undefined ? { headers } : { headers, method: 'POST', body: new URLSearchParams(form) };
    return (await fetch(`${server.url}${path}`, init)).text();
  };
  return {
    'a link that is none': await ask('/unsubscribe/none'),
    'a followed link that is none': await ask('/link/none'),
    'a survey that is none': await ask('/survey/none'),
    leaving: await ask(`/unsubscribe/${reader}`),
    preferences: await ask(`/preferences/${reader}`),
    'preferences saved': await ask(`/preferences/${reader}`, { topic: 'news' }),
    left: await ask(`/unsubscribe/${reader}`, { 'List-Unsubscribe': 'One-Click' }),
    'nothing left to do': await ask(`/unsubscribe/${reader}`),
    survey: await ask(survey),
    'a survey without a score': await ask(survey, { score: '' }),
    'a survey answered': await ask(survey, { score: '9' }),
    'a survey answered before': await ask(survey),
  };
}

it('has the words of all pages in the same languages', () => {
  expect(surveyLanguages).toEqual(languages);
  expect(languages).toContain('en');
});

it.each(languages)('finds nothing in the pages for readers (%s)', async (locale) => {
  const pages = await pagesOf(locale);
  expect(new Set(Object.values(pages)).size).toBeGreaterThan(9);
  const met = new Set<string>();
  const wrong: object[] = [];
  for (const [name, html] of Object.entries(pages)) {
    expect([name, html.includes(`<html lang="${locale}">`)]).toEqual([name, true]);
    for (const { rule, ...finding } of await judgeHtml(html)) {
      if (Object.hasOwn(PAGE_EXCEPTIONS, rule)) met.add(rule);
      else wrong.push({ page: name, rule, ...finding });
    }
  }
  expect(wrong).toEqual([]);
  expect([...met].sort()).toEqual(Object.keys(PAGE_EXCEPTIONS).sort());
});

it('would find what is wrong', async () => {
  const found = await judgeHtml('<!DOCTYPE html><html><body><img src="a.png"><p><div></div></p></body></html>');
  expect(found.map(({ rule }) => rule)).toEqual(expect.arrayContaining(['wcag/h37', 'element-required-attributes']));
});
