/** Clicks and openings in production: the links of a real mail, followed over HTTP, and what a playbook makes of them. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import PostalMime from 'postal-mime';
import { pino } from 'pino';
import type { AnswerLinks } from '../../engine/message/survey.ts';
import { checkSources } from '../../engine/project/check.ts';
import type { ClaimedSend } from '../../engine/store/claim.ts';
import { customerHistory } from '../../engine/store/history.ts';
import { signingKey } from '../../engine/store/signing-keys.ts';
import { composeSend } from '../../workers/composing.ts';
import { requireSettings } from '../../workers/needs.ts';
import { startPublic, type PublicServer } from '../../workers/public.ts';
import { openTracking } from '../../workers/tracking/app.ts';
import { sourcesOf } from '../support/staff.ts';
import { clear, COMPANY, FILES, openFleet, type Fleet } from '../store/support.ts';

const TRACKED = COMPANY.replace('mail:\n', 'mail:\n  tracking: { clicks: true, opens: true }\n');
const THANKS = `title: Thanks
topic: news
trigger: { event: order.placed }
entry: { again: always }
steps:
  - email: thanks/first
  - wait: 1 days
  - if: vars.first.clicked
    then:
      - tag: keen
    else:
      - if: vars.first.opened
        then:
          - tag: reader
        else:
          - tag: quiet
`;
const TRACKED_FILES = {
  ...FILES,
  'perennial.yaml': TRACKED,
  'playbooks/thanks.yaml': THANKS,
  'templates/thanks/first.hbs':
    '<p><a href="{{link "https://shop.example/tips?for=" customer.id}}">Tips</a> <a href="{{unsubscribe_url}}">Leave</a></p>',
};
const BROWSER = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' };

let fleet: Fleet;
let server: PublicServer;
let links: AnswerLinks;

beforeAll(async () => {
  fleet = await openFleet(TRACKED_FILES);
  server = await open();
  links = { publicUrl: server.url, key: await signingKey(fleet.db) };
});
afterAll(async () => {
  await server.close();
  await fleet.close();
});
beforeEach(async () => {
  await clear(fleet);
});

async function open(): Promise<PublicServer> {
  return startPublic({
    db: fleet.db,
    cache: fleet.cache,
    hints: { send: async () => Promise.resolve(true) },
    config: {
      publicHost: '127.0.0.1',
      publicPort: 0,
      writeKey: 'a-key-for-tests-only',
      database: { kind: 'external', url: 'postgres://unused.example/x' },
    },
    log: pino({ level: 'silent' }),
  });
}

interface Mailed {
  readonly ada: number;
  readonly send: ClaimedSend;
  readonly link: string;
  readonly pixel: string;
}

/** Ada's mail, handed over, and accepted if that is said. */
async function mailed(isAccepted = true): Promise<Mailed> {
  const [ada = 0] = await fleet.customers(['ada']);
  await fleet.event('order.placed', ['ada'], { total: 20 });
  const [send] = await fleet.claim('bulk', [ada]);
  if (send === undefined) throw new Error('nothing was claimed');
  const { html = '' } = await PostalMime.parse(composeSend(send, links).message);
  await fleet.hand([send]);
  if (isAccepted) await fleet.settle([send], { kind: 'accepted' });
  const [, link = ''] = /href="([^"]*\/link\/[^"]*)"/.exec(html) ?? [];
  const [, pixel = ''] = /src="([^"]*\/open\/[^"]*)"/.exec(html) ?? [];
  return { ada, send, link, pixel };
}

async function follow(url: string, init: RequestInit = {}): Promise<Response> {
  return fetch(url, { redirect: 'manual', headers: BROWSER, ...init });
}

/** Recording goes on after the reader was answered: a server that closes has finished it. */
async function recorded(): Promise<readonly unknown[]> {
  await server.close();
  server = await open();
  links = { ...links, publicUrl: server.url };
  return (await fleet.rows(`select kind || ' ' || count || ' ' || url as line from reactions order by 1`)).map(
    ({ line }) => line,
  );
}

async function tagsAfterADay(ada: number): Promise<unknown> {
  await fleet.at('2026-03-03T09:00:00Z');
  await fleet.advance([ada]);
  const [row] = await fleet.rows('select tags from customers');
  return row?.['tags'];
}

describe('a click', () => {
  it('leads where the template pointed, is recorded with the mail, and decides in the playbook', async () => {
    const { ada, link } = await mailed();
    const response = await follow(link);
    expect(response.status).toBe(302);
    expect(response.headers.get('location')).toBe('https://shop.example/tips?for=ada');
    expect(response.headers.get('referrer-policy')).toBe('no-referrer');
    expect(response.headers.get('set-cookie')).toBeNull();
    await follow(link);
    expect(await recorded()).toEqual(['clicked 2 https://shop.example/tips']);
    const history = await customerHistory(fleet.db, ada);
    expect(history?.sends[0]?.feedback).toBe('clicked 2 times');
    expect(history?.enrolments[0]?.vars).toEqual({ first: { clicked: true, opened: true } });
    expect(await tagsAfterADay(ada)).toEqual(['keen']);
  });

  it('is none when it is made ahead, by a program, or before a server has the mail', async () => {
    const { ada, send, link } = await mailed(false);
    expect((await follow(link)).status).toBe(302);
    await recorded();
    await fleet.settle([send], { kind: 'accepted' });
    const [, path = ''] = /(\/link\/.*)$/.exec(link) ?? [];
    const now = `${server.url}${path}`;
    expect((await follow(now, { method: 'HEAD' })).headers.get('location')).toBe('https://shop.example/tips?for=ada');
    for (const header of ['sec-purpose', 'purpose', 'x-moz']) {
      expect((await follow(now, { headers: { ...BROWSER, [header]: 'prefetch' } })).status).toBe(302);
    }
    for (const agent of ['curl/8.5.0', 'Barracuda Sentinel (EE)', 'bingbot/2.0', '']) {
      expect((await follow(now, { headers: { 'user-agent': agent } })).status).toBe(302);
    }
    expect(await recorded()).toEqual([]);
    expect(await tagsAfterADay(ada)).toEqual(['quiet']);
  });

  it('leads nowhere with a token that was not signed here, and records nothing', async () => {
    const { link } = await mailed();
    const token = link.replace(/^.*\/link\//, '');
    const evil = Buffer.concat([Buffer.from(token, 'base64url').subarray(0, 27), Buffer.from('https://evil.example/')]);
    for (const bad of [
      evil.toString('base64url'),
      `${token}A`,
      'x',
      'https://evil.example/',
      `${token}?url=https://evil.example/`,
    ]) {
      const response = await follow(`${server.url}/link/${bad}`);
      const isGenuine = bad.includes('?');
      expect(response.status).toBe(isGenuine ? 302 : 404);
      expect(response.headers.get('location')).toBe(isGenuine ? 'https://shop.example/tips?for=ada' : null);
    }
    expect(await recorded()).toEqual(['clicked 1 https://shop.example/tips']);
  });

  it('leads on while the database is away', async () => {
    const { link } = await mailed();
    const failures: unknown[] = [];
    const keys = [await signingKey(fleet.db)];
    const away = new Error('the database is away');
    let isAway = false;
    const loadKeys = async (): Promise<typeof keys> => (isAway ? Promise.reject(away) : Promise.resolve(keys));
    const tracking = openTracking({
      loadKeys,
      record: async () => Promise.reject(away),
      onFailure: (error) => failures.push(error),
    });
    const path = new URL(link).pathname;
    await tracking.app.request(path, { method: 'HEAD' });
    isAway = true;
    expect((await tracking.app.request(path, { headers: BROWSER })).status).toBe(302);
    await tracking.idle();
    expect(failures).toEqual([away]);
  });
});

describe('an opening', () => {
  it('is recorded by the pixel, which shows nothing', async () => {
    const { ada, pixel } = await mailed();
    const response = await follow(pixel);
    expect(response.headers.get('content-type')).toBe('image/gif');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect((await response.arrayBuffer()).byteLength).toBe(42);
    expect((await follow(pixel.replace('/open/', '/open/x'))).status).toBe(404);
    expect(await recorded()).toEqual(['opened 1 ']);
    expect((await customerHistory(fleet.db, ada))?.sends[0]?.feedback).toBe('opened');
    expect(await tagsAfterADay(ada)).toEqual(['reader']);
  });
});

describe('the links of a mail', () => {
  it('stay as they are where nothing is recorded, or there is no address for it', async () => {
    const { send } = await mailed();
    const { html: without = '' } = await PostalMime.parse(
      composeSend({ ...send, lane: 'transactional' }, null).message,
    );
    expect(without).toContain('href="https://shop.example/tips?for&#x3D;ada"');
    const { company } = send.release;
    const off = {
      ...send.release,
      company: { ...company, mail: { ...company.mail, tracking: { clicks: false, opens: false } } },
    };
    const { html = '' } = await PostalMime.parse(composeSend({ ...send, release: off }, links).message);
    expect(html).toContain('href="https://shop.example/tips?for&#x3D;ada"');
    expect(html).not.toContain('/open/');
  });

  it('need a public address, which is said at the start', async () => {
    const { release } = await fleet.cache.context(fleet.db);
    const config = {
      publicUrl: null,
      smtpUrl: null,
      webhookKeys: null,
      database: { kind: 'embedded', dir: '' },
    } as const;
    expect(() => requireSettings(release, config)).toThrow(/PERENNIAL_PUBLIC_URL: is not set, and `mail.tracking`/);
  });

  it('are asked about in conditions only where they are recorded', () => {
    const { problems } = checkSources(sourcesOf({ ...TRACKED_FILES, 'perennial.yaml': COMPANY }));
    expect(problems.filter(({ level }) => level === 'error')).toMatchObject([
      {
        message: expect.stringContaining('there is no `vars.first.clicked`'),
        fix: expect.stringContaining('clicks: true'),
      },
      {
        message: expect.stringContaining('there is no `vars.first.opened`'),
        fix: expect.stringContaining('opens: true'),
      },
    ]);
    const wrong = TRACKED.replace('clicks: true', 'clicks: maybe');
    expect(checkSources(sourcesOf({ ...TRACKED_FILES, 'perennial.yaml': wrong })).problems).toContainEqual(
      expect.objectContaining({ level: 'error', message: expect.stringContaining('expected true or false') }),
    );
  });
});
