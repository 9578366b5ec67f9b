/** What readers choose, over real HTTP: written from RFC 8058 (one click), RFC 2369, and docs/playbooks.md. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { readReaderLink, signReaderLink, signSurveyLink } from '../../engine/message/link-token.ts';
import { UNSUBSCRIBE_PATH } from '../../engine/message/reader-links.ts';
import type { AnswerLinks } from '../../engine/message/survey.ts';
import { checkSources } from '../../engine/project/check.ts';
import type { ClaimedSend } from '../../engine/store/claim.ts';
import { loadSigningKeys, rotateSigningKey, signingKey } from '../../engine/store/signing-keys.ts';
import { suppress } from '../../engine/store/suppress.ts';
import { composeSend } from '../../workers/composing.ts';
import { requireSettings } from '../../workers/needs.ts';
import { startPublic, type PublicServer } from '../../workers/public.ts';
import { sourcesOf } from '../support/staff.ts';
import { clear, COMPANY, FILES, openFleet, type Fleet } from '../store/support.ts';

const TOPICS = `topics:
  news: { title: Letters & news, default: in }
  offers: { title: Offers, default: out }
  service: { title: Service, transactional: true }
`;
const CHOICES_FILES = {
  ...FILES,
  'perennial.yaml': COMPANY.replace(/topics:[\s\S]*/, TOPICS),
  'playbooks/deals.yaml': 'topic: offers\ntrigger: { event: order.placed }\nsteps:\n  - email: thanks/first\n',
};

let fleet: Fleet;
let server: PublicServer;
let links: AnswerLinks;

beforeAll(async () => {
  fleet = await openFleet(CHOICES_FILES);
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
  links = { publicUrl: server.url, key: await signingKey(fleet.db) };
});
afterAll(async () => {
  await server.close();
  await fleet.close();
});
beforeEach(async () => {
  await clear(fleet);
  await fleet.db.query('truncate opt_ins, consents, audit');
});

/** Ada has ordered, and her letter went out; the link of its `List-Unsubscribe`. */
async function written(): Promise<{ readonly ada: number; readonly send: ClaimedSend; readonly url: string }> {
  const [ada = 0] = await fleet.customers(['ada']);
  await fleet.event('order.placed', ['ada']);
  const claimed = await fleet.claim('bulk', [ada]);
  const send = claimed.find(({ send }) => send.topic === 'news');
  if (send === undefined) throw new Error('nothing was claimed');
  const head = composeSend(send, links)
    .message.toString('latin1')
    .replaceAll(/\r\n[ \t]/g, ' ');
  const [, url = ''] = /^List-Unsubscribe: <(http[^>]+)>/m.exec(head) ?? [];
  return { ada, send, url };
}

const preferencesOf = (url: string): string => url.replace('/unsubscribe/', '/preferences/');

async function standing(): Promise<readonly string[]> {
  const rows = await fleet.rows<{ line: string }>(
    `select concat_ws(' ', 'no', address, scope, source) as line from suppressions
     union all select concat_ws(' ', 'yes', address, topic, source) from opt_ins order by line`,
  );
  return rows.map(({ line }) => line);
}

/** What a page's form would send, with these boxes ticked. */
function formOf(page: string, ticked: readonly string[], more: Readonly<Record<string, string>> = {}): URLSearchParams {
  const form = new URLSearchParams(more);
  for (const [, name = '', value = ''] of page.matchAll(/type="hidden" name="(\w+)" value="([\w-]+)"/g)) {
    form.append(name, value);
  }
  for (const topic of ticked) form.append('topic', topic);
  return form;
}

async function post(url: string, body: URLSearchParams | FormData | string): Promise<{ status: number; page: string }> {
  const response = await fetch(url, { method: 'POST', body, redirect: 'error' });
  return { status: response.status, page: await response.text() };
}

describe('one click (RFC 8058)', () => {
  const multipart = new FormData();
  multipart.set('List-Unsubscribe', 'One-Click');

  it.each<[string, URLSearchParams | FormData | string]>([
    ['application/x-www-form-urlencoded', new URLSearchParams({ 'List-Unsubscribe': 'One-Click' })],
    ['multipart/form-data', multipart],
    ['a body that is none of them', 'unsubscribe'],
    ['no body', ''],
  ])('leaves the topic at once: %s', async (_encoding, body) => {
    const { send, url } = await written();
    const response = await fetch(url, { method: 'POST', body, redirect: 'error' });
    expect(response.status).toBe(200);
    expect(response.headers.get('set-cookie')).toBeNull();
    expect(await standing()).toEqual(['no ada@example.com news unsubscribe']);
    expect(await fleet.hand([send])).toEqual([false]);
    // A second time changes nothing and is no error.
    expect((await post(url, body)).status).toBe(200);
    expect(await fleet.rows('select action, by, reason, detail from audit')).toEqual([
      {
        action: 'suppress',
        by: 'the reader',
        reason: `by the link in mail ${send.sendId}`,
        detail: { address: 'ada@example.com', scope: 'news', source: 'unsubscribe' },
      },
    ]);
  });

  it('is not done by looking: GET, HEAD and other methods change nothing', async () => {
    const { send, url } = await written();
    for (const target of [
      url,
      `${url}?List-Unsubscribe=One-Click`,
      preferencesOf(url),
      `${preferencesOf(url)}?none=1`,
    ]) {
      const statuses = [];
      for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS']) {
        statuses.push((await fetch(target, { method, redirect: 'error' })).status);
      }
      expect(statuses).toEqual([200, 200, 405, 405, 405]);
    }
    expect(await standing()).toEqual([]);
    expect(await fleet.hand([send])).toEqual([true]);
  });

  it('holds for the address that the mail went to and for the customer’s present one, and for those merged', async () => {
    const { url } = await written();
    await fleet.take([{ kind: 'identify', customer: 'ada', traits: { email: 'Ada@New.example' } }]);
    expect((await post(url, '')).status).toBe(200);
    expect(await standing()).toEqual(['no ada@example.com news unsubscribe', 'no ada@new.example news unsubscribe']);
  });

  it('stays possible for years: with new keys, and after the topic is gone', async () => {
    const { url } = await written();
    await rotateSigningKey(fleet.db, 'mia', 'once a year');
    expect((await signingKey(fleet.db)).id).not.toBe(links.key.id);
    try {
      expect((await post(url, '')).status).toBe(200);
      expect(await standing()).toEqual(['no ada@example.com news unsubscribe']);
      const fresh = signReaderLink(5, await signingKey(fleet.db));
      expect(readReaderLink(fresh, await loadSigningKeys(fleet.db))).toBe(5);
      expect(readReaderLink(fresh, [links.key])).toBeNull();
    } finally {
      await fleet.db.query('delete from signing_keys where id <> $1', [links.key.id]);
    }
  });

  it('finds nothing to do for somebody who was erased, and says so', async () => {
    const { ada, url } = await written();
    await fleet.db.query('update customers set erased_at = now() where id = $1', [ada]);
    const { status, page } = await post(url, '');
    expect([status, page]).toEqual([200, expect.stringContaining('You are not on our lists')]);
    expect(await standing()).toEqual([]);
  });
});

describe('a link that is not ours', () => {
  it('changes nothing, tells nothing, and says what to do, in the language of the browser', async () => {
    const { send, url } = await written();
    const token = url.slice(url.lastIndexOf('/') + 1);
    const forged = signReaderLink(send.sendId, { ...links.key, secret: new Uint8Array(32) });
    const ofSurvey = signSurveyLink({ sendId: send.sendId, score: 1 }, links.key);
    const nobodys = signReaderLink(0, links.key);
    for (const path of ['/unsubscribe/', '/preferences/']) {
      for (const bad of [
        forged,
        ofSurvey,
        nobodys,
        `${token}A`,
        token.slice(1),
        token.toLowerCase(),
        'x',
        '%00',
        '',
        `${token}/`,
      ]) {
        const { status, page } = await post(`${server.url}${path}${bad}`, 'List-Unsubscribe=One-Click');
        expect([bad, status]).toEqual([bad, 404]);
        expect(page).toContain('This link is not valid');
        expect(page).toContain('write to hello@sample.example');
      }
    }
    const german = await fetch(`${server.url}${UNSUBSCRIBE_PATH}x`, {
      headers: { 'accept-language': 'de-AT,en;q=0.5' },
    });
    expect(await german.text()).toContain('<html lang="de">');
    expect(await standing()).toEqual([]);
  });
});

describe('the page for people', () => {
  it('asks, and leaves the topic when its button is pressed', async () => {
    const { url } = await written();
    const shown = await fetch(url);
    const page = await shown.text();
    expect(shown.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(shown.headers.get('referrer-policy')).toBe('no-referrer');
    expect(page).toContain('Unsubscribe from “Letters &amp; news”?');
    expect(page).not.toMatch(/<script|ada/i);
    const done = await post(url, formOf(page, []));
    expect(done).toMatchObject({ status: 200, page: expect.stringContaining('You are unsubscribed') });
    expect(await (await fetch(url)).text()).toContain('There is nothing left to do');
    const [, further = ''] = /href="([^"]+)"/.exec(done.page) ?? [];
    expect(new URL(further, url).href).toBe(preferencesOf(url));
  });

  it('speaks the customer’s language', async () => {
    const { url } = await written();
    await fleet.db.query(`update customers set locale = 'de-CH'`);
    const pages = [await fetch(url), await fetch(preferencesOf(url))].map(async (response) => response.text());
    for (const page of await Promise.all(pages)) expect(page).toContain('<html lang="de">');
    await fleet.db.query(`update customers set locale = 'fi'`);
    expect(await (await fetch(url)).text()).toContain('<html lang="en">');
  });

  it('does not offer to leave what comes whatever is chosen', async () => {
    const [ada = 0] = await fleet.customers(['ada']);
    await fleet.event('question.asked', ['ada']);
    const [send] = await fleet.claim('transactional', [ada]);
    const url = `${server.url}${UNSUBSCRIBE_PATH}${signReaderLink(send?.sendId ?? 0, links.key)}`;
    expect(await (await fetch(url)).text()).not.toContain('<form');
    expect((await post(url, 'List-Unsubscribe=One-Click')).status).toBe(409);
    expect(await standing()).toEqual([]);
  });
});

describe('the page of all topics', () => {
  it('shows how the reader stands, and records what they change, with the words they agreed to', async () => {
    const { send, url } = await written();
    const at = preferencesOf(url);
    const page = await (await fetch(at)).text();
    expect(page).toMatch(/value="news"\s+checked/);
    expect(page).not.toMatch(/value="offers"\s+checked/);
    expect(page).toContain('about your dealings with us: Service.');
    const saved = await post(at, formOf(page, ['offers']));
    expect(saved.page).toContain('Your choice is saved');
    expect(saved.page).toMatch(/value="offers"\s+checked/);
    expect(await standing()).toEqual(['no ada@example.com news preferences', 'yes ada@example.com offers preferences']);
    const wording =
      'Yes, Sample may send me “Offers” by e-mail. You can change your mind at any time, here or by the link in every mail.';
    const ofMail = { address: 'ada@example.com', topic: 'offers', source: 'preferences', send_id: send.sendId };
    const columns = 'address, topic, given, source, wording, language, send_id, at is not null as dated';
    expect(await fleet.rows(`select ${columns} from consents`)).toEqual([
      { ...ofMail, given: true, wording, language: 'en', dated: true },
    ]);
    // The same page again, as it was shown: what was changed meanwhile elsewhere stays.
    expect((await post(at, formOf(page, ['offers']))).status).toBe(200);
    await post(url, '');
    await post(at, formOf(saved.page, []));
    expect(await standing()).toEqual(['no ada@example.com news preferences', 'no ada@example.com offers preferences']);
    expect(await fleet.rows('select given, wording from consents order by id')).toEqual([
      { given: true, wording },
      { given: false, wording: null },
    ]);
  });

  it('takes back nothing that an old page did not show as chosen', async () => {
    const { url } = await written();
    const old = await (await fetch(preferencesOf(url))).text();
    await post(url, '');
    await post(preferencesOf(url), formOf(old, ['news']));
    expect(await standing()).toEqual(['no ada@example.com news unsubscribe']);
    const fresh = await (await fetch(preferencesOf(url))).text();
    await post(preferencesOf(url), formOf(fresh, ['news', 'service', 'nonsense']));
    expect(await standing()).toEqual(['yes ada@example.com news preferences']);
  });

  it('ends all letters, also those of topics to come, until the reader asks for one', async () => {
    const { ada, send, url } = await written();
    const at = preferencesOf(url);
    await post(at, formOf(await (await fetch(at)).text(), ['news', 'offers'], { none: '1' }));
    expect(await standing()).toEqual([
      'no ada@example.com *topics preferences',
      'no ada@example.com news preferences',
      'no ada@example.com offers preferences',
    ]);
    expect(await fleet.hand([send])).toEqual([false]);
    // As a topic that was made afterwards has no entry of its own.
    await fleet.db.query(`delete from suppressions where scope = 'news'`);
    expect(await fleet.claim('bulk', [ada])).toEqual([]);
    await fleet.event('order.placed', ['ada']);
    expect(await fleet.claim('bulk', [ada])).toEqual([]);
    await post(at, formOf(await (await fetch(at)).text(), ['news']));
    await fleet.at('2026-03-04T09:00:00Z');
    await fleet.advance([ada]);
    const again = await fleet.claim('bulk', [ada]);
    expect(again.map(({ send: { topic } }) => topic)).toEqual(['news']);
    expect(await fleet.hand(again)).toEqual([true]);
    expect(await fleet.event('question.asked', ['ada'])).toMatchObject({ rejected: [] });
    expect(await fleet.claim('transactional', [ada])).toHaveLength(1);
  });

  it('gives nothing back to an address to which nothing may go', async () => {
    const { url } = await written();
    const at = preferencesOf(url);
    const page = await (await fetch(at)).text();
    const complaint = { source: 'complaint', reason: null, by: 'perennial' };
    await suppress(fleet.db, { address: 'ada@example.com', scope: '*', ...complaint });
    expect(await (await fetch(at)).text()).toContain('No mail is sent to your address');
    await post(at, formOf(page, ['news', 'offers']));
    expect(await standing()).toEqual(['no ada@example.com * complaint']);
    // A no is kept all the same, for when that is lifted.
    await post(url, '');
    expect(await standing()).toContain('no ada@example.com news unsubscribe');
    expect((await post(at, 'x'.repeat(40_000))).status).toBe(413);
  });
});

describe('the configuration', () => {
  const settings = { webhookKeys: null, database: { kind: 'external', url: 'postgres://unused.example/x' } } as const;
  const smtpUrl = 'smtp://mail.example';
  it.each([
    ['no public address', { publicUrl: null, smtpUrl: null }, /PERENNIAL_PUBLIC_URL: is not set.*Set it to/],
    ['one without TLS', { publicUrl: 'http://mail.example', smtpUrl }, /PERENNIAL_PUBLIC_URL: .* https:/],
  ])('lets no marketing mail out with %s', (_what, given, message) => {
    const { release } = checkSources(sourcesOf(CHOICES_FILES));
    expect(() => requireSettings(release!, { ...settings, ...given })).toThrow(message);
    const playbooks = Object.entries(CHOICES_FILES).filter(([, text]) => !/^topic: (news|offers)/m.test(text));
    const { release: transactional } = checkSources(sourcesOf(Object.fromEntries(playbooks)));
    expect(() => requireSettings(transactional!, { ...settings, ...given })).not.toThrow();
  });

  it('lets none out without a postal address', () => {
    const yaml = CHOICES_FILES['perennial.yaml'].replace('  address: 1 Sample Street\n', '');
    const { problems, release } = checkSources(sourcesOf({ ...CHOICES_FILES, 'perennial.yaml': yaml }));
    expect(release).toBeNull();
    expect(problems.map(({ fix }) => fix)).toContain('add `address:`');
  });

  it.each([
    ['https://mail.example', smtpUrl],
    ['http://127.0.0.1:4500', 'smtp://localhost:1025'],
    ['http://127.0.0.1:4500', null],
  ])('takes %s with %s', (publicUrl, smtp) => {
    const { release } = checkSources(sourcesOf(CHOICES_FILES));
    expect(() => requireSettings(release!, { ...settings, publicUrl, smtpUrl: smtp })).not.toThrow();
  });
});
