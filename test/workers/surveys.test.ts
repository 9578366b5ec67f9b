/** Surveys in production: signed links in a real mail, the answer page over HTTP, and what an answer brings about. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import PostalMime from 'postal-mime';
import { pino } from 'pino';
import { readSurveyLink, signSurveyLink } from '../../engine/message/link-token.ts';
import type { AnswerLinks } from '../../engine/message/survey.ts';
import { checkSources } from '../../engine/project/check.ts';
import type { ClaimedSend } from '../../engine/store/claim.ts';
import { loadSigningKeys, signingKey } from '../../engine/store/signing-keys.ts';
import { timelineOf } from '../../engine/store/timeline.ts';
import { composeSend } from '../../workers/composing.ts';
import { requireSettings } from '../../workers/needs.ts';
import type { Due } from '../../workers/hints.ts';
import { startPublic, type PublicServer } from '../../workers/public.ts';
import { sourcesOf } from '../support/staff.ts';
import { clear, FILES, openFleet, type Fleet } from '../store/support.ts';

const CHECKIN = `title: How are we doing
topic: news
trigger: { event: order.placed }
entry: { again: always }
steps:
  - survey: { email: checkin/nps, ask: nps, up_to: 7 days }
    id: checkin
    then:
      - tag: fan
        if: vars.checkin.score >= 9
    else:
      - tag: quiet
`;
const SURVEY_FILES = {
  ...FILES,
  'playbooks/thanks.yaml': CHECKIN,
  'templates/checkin/nps.hbs':
    '<p>{{#each survey.links}}<a href="{{url}}">{{score}}</a> {{/each}}</p><p><a href="{{survey_url 10}}">The best</a></p>',
};

let fleet: Fleet;
let server: PublicServer;
let links: AnswerLinks;
let hinted: Due[] = [];

beforeAll(async () => {
  fleet = await openFleet(SURVEY_FILES);
  const hints = {
    send: async (due: Due) => {
      hinted.push(due);
      return Promise.resolve(true);
    },
  };
  server = await startPublic({
    db: fleet.db,
    cache: fleet.cache,
    hints,
    config: {
      publicHost: '127.0.0.1',
      publicPort: 0,
      writeKey: 'a-key-for-tests-only',
      database: { kind: 'external', url: 'postgres://unused.example/x' },
    },
    log: pino({ level: 'silent' }),
  });
  links = { publicUrl: server.url, key: await signingKey(fleet.db) };
});
afterAll(async () => {
  await server.close();
  await fleet.close();
});
beforeEach(async () => {
  await clear(fleet);
  hinted = [];
});

/** Ada has ordered, and the mail that asks is claimed. */
async function asked(): Promise<{ readonly ada: number; readonly send: ClaimedSend }> {
  const [ada = 0] = await fleet.customers(['ada']);
  await fleet.event('order.placed', ['ada'], { total: 20 });
  const [send] = await fleet.claim('bulk', [ada]);
  if (send === undefined) throw new Error('nothing was claimed');
  return { ada, send };
}

async function linksIn(send: ClaimedSend): Promise<readonly string[]> {
  const { message } = composeSend(send, links);
  const { html = '' } = await PostalMime.parse(message);
  return [...html.matchAll(/href="([^"]+)"/g)].map(([, url = '']) => url);
}

async function answer(url: string, form: Record<string, string> = {}): Promise<{ status: number; page: string }> {
  const response = await fetch(url, { method: 'POST', body: new URLSearchParams(form) });
  return { status: response.status, page: await response.text() };
}

const linesOf = async (ada: number): Promise<readonly string[]> =>
  (await timelineOf(fleet.db, [ada])).map((line) => `${line.do} ${line.step ?? ''}`.trim());

describe('an answer by the link of a mail', () => {
  it('is asked for by GET and recorded by POST, once, with what it brings about', async () => {
    const { ada, send } = await asked();
    const urls = await linksIn(send);
    expect(urls).toHaveLength(12);
    await fleet.hand([send]);
    await fleet.settle([send], { kind: 'accepted' });
    const nine = urls[9] ?? '';

    const shown = await fetch(nine);
    const page = await shown.text();
    expect(shown.status).toBe(200);
    expect(shown.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(page).toContain('How likely are you to recommend Sample to a friend?');
    expect(page).toMatch(/value="9" required checked/);
    expect(page).not.toContain('<script');
    expect((await fetch(nine, { method: 'HEAD' })).status).toBe(200);
    expect(await fleet.rows('select 1 from event_stats where event = $1', ['survey.answered'])).toEqual([]);

    // The reader thinks again and chooses ten.
    const thanked = await answer(nine, { score: '10', comment: 'Warm & quick <b>' });
    expect(thanked).toMatchObject({ status: 200, page: expect.stringContaining('Thank you') });
    expect(await answer(urls[3] ?? '')).toMatchObject({
      status: 200,
      page: expect.stringContaining('We already have your answer'),
    });
    expect(await (await fetch(nine)).text()).toContain('We already have your answer');
    expect(await fleet.rows(`select event, data from events where event = 'survey.answered'`)).toEqual([
      {
        event: 'survey.answered',
        data: { survey: 'nps', score: 10, comment: 'Warm & quick <b>', playbook: 'thanks', step: 'checkin' },
      },
    ]);
    expect(await linesOf(ada)).toEqual(['enrol', 'survey checkin', 'tag tag-1', 'complete']);
    expect(await fleet.rows('select satisfaction, tags from customers')).toEqual([{ satisfaction: 10, tags: ['fan'] }]);
    expect(await fleet.rows('select vars from enrolments')).toEqual([{ vars: { checkin: { score: 10 } } }]);
    expect(hinted.length).toBeGreaterThan(0);
  });

  it('counts although the outcome of the mail is recorded after it', async () => {
    const { ada, send } = await asked();
    const urls = await linksIn(send);
    await fleet.hand([send]);
    expect(await answer(urls[9] ?? '')).toMatchObject({ status: 200 });
    expect(await linesOf(ada)).toEqual(['enrol']);
    await fleet.settle([send], { kind: 'accepted' });
    expect(await linesOf(ada)).toEqual(['enrol', 'survey checkin', 'tag tag-1', 'complete']);
  });

  it('is refused without a mail that was handed over, with a forged or broken link, or a score off the scale', async () => {
    const { ada, send } = await asked();
    const urls = await linksIn(send);
    const url = urls[9] ?? '';
    expect(await answer(url)).toMatchObject({ status: 404 });
    await fleet.hand([send]);
    await fleet.settle([send], { kind: 'accepted' });
    const token = url.slice(url.lastIndexOf('/') + 1);
    const other = signSurveyLink({ sendId: send.sendId, score: 9 }, { ...links.key, secret: new Uint8Array(32) });
    for (const bad of [other, `${token}A`, token.slice(1), `B${token.slice(1)}`, 'x', '']) {
      const { status, page } = await answer(`${server.url}/survey/${bad}`);
      expect([bad, status]).toEqual([bad, 404]);
      expect(page).toContain('This link is not valid');
    }
    const german = await fetch(`${server.url}/survey/x`, { headers: { 'accept-language': 'de-AT,en;q=0.5' } });
    expect(await german.text()).toContain('<html lang="de">');
    expect(await answer(url, { score: '11' })).toMatchObject({
      status: 400,
      page: expect.stringContaining('Please choose'),
    });
    expect((await answer(url, { comment: 'x'.repeat(40_000) })).status).toBe(413);
    expect(await linesOf(ada)).toEqual(['enrol', 'survey checkin']);
    await fleet.db.query('update customers set erased_at = now() where id = $1', [ada]);
    expect(await answer(url)).toMatchObject({ status: 410 });
  });

  it('speaks the language of the customer', async () => {
    const { send } = await asked();
    await fleet.db.query(`update customers set locale = 'de-CH'`);
    await fleet.hand([send]);
    const page = await (await fetch((await linksIn(send))[0] ?? '')).text();
    expect(page).toContain('<html lang="de">');
    expect(page).toContain('weiterempfehlen');
  });

  it('stays valid when a new key signs', async () => {
    const { send } = await asked();
    const [old] = await linksIn(send);
    await fleet.hand([send]);
    await fleet.db.query(`insert into signing_keys (secret) values (sha256('another'))`);
    const keys = await loadSigningKeys(fleet.db);
    expect(keys).toHaveLength(2);
    expect((await signingKey(fleet.db)).id).not.toBe(links.key.id);
    expect(await answer(old ?? '')).toMatchObject({ status: 200 });
    const fresh = signSurveyLink({ sendId: 3, score: 0 }, await signingKey(fleet.db));
    expect(readSurveyLink(fresh, keys)).toEqual({ sendId: 3, score: 0 });
    expect(readSurveyLink(fresh, [links.key])).toBeNull();
    await fleet.db.query('delete from signing_keys where id <> $1', [links.key.id]);
  });
});

describe('a survey that cannot be answered by a click', () => {
  it('is warned of by check, and needs a public address', async () => {
    const files = { ...SURVEY_FILES, 'templates/checkin/nps.hbs': 'How was it?' };
    const { problems, release } = checkSources(sourcesOf(files));
    expect(problems.map(({ level, code, file, line }) => [level, code, file, line])).toEqual([
      ['warning', 'no-answer-link', 'playbooks/thanks.yaml', 6],
    ]);
    expect(release).not.toBeNull();
    if (release === null) return;
    const settings = {
      webhookKeys: null,
      smtpUrl: null,
      database: { kind: 'external', url: 'postgres://unused.example/x' },
    } as const;
    expect(() => requireSettings(release, { ...settings, publicUrl: null })).toThrow(
      /PERENNIAL_PUBLIC_URL.*thanks\.yaml/s,
    );
    expect(() => requireSettings(release, { ...settings, publicUrl: 'https://mail.sample.example' })).not.toThrow();
  });

  it('is held when it has no links, instead of going out without', async () => {
    const { send } = await asked();
    expect(() => composeSend(send)).toThrow('PERENNIAL_PUBLIC_URL');
  });

  it('is no survey where a plain mail has its links', () => {
    const mail = CHECKIN.replace(/ {2}- survey[\s\S]*/, '  - email: checkin/nps\n');
    const { problems } = checkSources(sourcesOf({ ...SURVEY_FILES, 'playbooks/thanks.yaml': mail }));
    expect(problems.map(({ level, code }) => [level, code])).toEqual([['warning', 'not-a-survey']]);
  });
});
