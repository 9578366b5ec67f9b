import { describe, expect, it } from '@jest/globals';
import PostalMime from 'postal-mime';
import type { Profile } from '../../engine/journey/types.ts';
import { checkSources } from '../../engine/project/check.ts';
import type { ClaimedSend } from '../../engine/store/claim.ts';
import { readReaderLink } from '../../engine/message/link-token.ts';
import { composeSend } from '../../workers/composing.ts';

const COMPANY = `company: { name: Sample, address: 1 Sample Street }
mail: { from: Sample <hello@sample.example>, reply_to: care@sample.example }
defaults: { locale: en-GB }
topics: { news: { title: Nachrichten & Grüße }, service: { title: Service, transactional: true } }
`;
const WELCOME = `topic: news
trigger: { manual: true }
steps:
  - email: hello
  - email: card
`;

const { release, templates } = checkSources([
  { path: 'perennial.yaml', text: COMPANY },
  { path: 'playbooks/welcome.yaml', text: WELCOME },
  { path: 'templates/hello.hbs', text: '---\nsubject: Hello\n---\n<p>{{unsubscribe_url}} {{preferences_url}}</p>' },
  { path: 'templates/hello.de.hbs', text: '---\nsubject: Guten Tag\n---\n<p>Guten Tag</p>' },
  { path: 'templates/card.hbs', text: '---\nsubject: A card\nfrom: Mia <mia@sample.example>\n---\n<p>A card</p>' },
]);

const ADA: Profile = {
  id: 'ada',
  email: 'ada@example.com',
  name: 'Ada',
  first_name: null,
  last_name: null,
  timezone: null,
  locale: null,
  birthday: null,
  created_at: null,
  tags: [],
  attributes: {},
  orders: 0,
  spent: 0,
  first_order_at: null,
  last_order_at: null,
  last_seen_at: null,
  satisfaction: null,
};

const KEY = { id: 3, secret: new Uint8Array(32).fill(7) };
const LINKS = { publicUrl: 'https://mail.sample.example', key: KEY };

/** The mail of a template as its reader gets it. */
async function mailOf(template: string, profile: Partial<Profile> = {}): ReturnType<typeof PostalMime.parse> {
  return PostalMime.parse(composeSend(claimOf(template, profile), LINKS).message);
}

function claimOf(template: string, profile: Partial<Profile> = {}): ClaimedSend {
  if (release === null) throw new Error('the company of the test has mistakes');
  const at = Date.parse('2026-03-02T09:00:00Z');
  const where = { playbook: 'welcome', entryKey: 'manual:1', step: template };
  return {
    sendId: 7,
    fence: 1,
    customerId: 1,
    lane: 'bulk',
    address: 'ada@example.com',
    messageId: '<send-7@sample.example>',
    attempts: 0,
    waitMs: 0,
    limits: [],
    doubtAt: null,
    send: {
      ...where,
      id: 7,
      visit: 0,
      template,
      topic: 'news',
      transactional: false,
      ask: null,
      firstDueAt: at,
      dueAt: at,
    },
    profile: { ...ADA, ...profile },
    enrolment: {
      ...where,
      id: 1,
      version: release.byName.get('welcome')?.version ?? '',
      startedAt: at,
      origin: {},
      vars: {},
      position: { on: 'mail', step: template },
    },
    now: at,
    release,
    templates,
  };
}

/** Header fields as they arrive, unfolded; several of one name are an error. */
function fieldsOf(claim: ClaimedSend, links: typeof LINKS | null = LINKS): ReadonlyMap<string, string> {
  const [head = ''] = composeSend(claim, links).message.toString('latin1').split('\r\n\r\n', 1);
  const lines = head.replaceAll(/\r\n[ \t]/g, ' ').split('\r\n');
  const fields = new Map(lines.map((line) => [line.split(':', 1)[0] ?? '', line.replace(/^[^:]*:\s*/, '')]));
  expect(fields.size).toBe(lines.length);
  return fields;
}

/** The same mail under a topic that is transactional. */
function transactional(): ClaimedSend {
  const claim = claimOf('card');
  return { ...claim, lane: 'transactional', send: { ...claim.send, topic: 'service', transactional: true } };
}

describe('composing a claimed mail', () => {
  it('writes from the company, or from the sender that the template names', async () => {
    expect((await mailOf('hello')).from).toEqual({ name: 'Sample', address: 'hello@sample.example' });
    expect((await mailOf('card')).from).toEqual({ name: 'Mia', address: 'mia@sample.example' });
    expect((await mailOf('card')).replyTo).toEqual([{ name: '', address: 'care@sample.example' }]);
  });

  it('takes the variant of the customer’s language, else the template itself', async () => {
    const subjects = await Promise.all(
      [null, 'de-AT', 'fr'].map(async (locale) => (await mailOf('hello', { locale })).subject),
    );
    expect(subjects).toEqual(['Hello', 'Guten Tag', 'Hello']);
  });

  it('says whom it is of in its headers', async () => {
    const mail = await mailOf('hello');
    const headers = new Map(mail.headers.map(({ key, value }) => [key, value]));
    expect(['playbook', 'step', 'send'].map((name) => headers.get(`x-perennial-${name}`))).toEqual([
      'welcome',
      'hello',
      '7',
    ]);
    expect(mail.to).toEqual([{ name: 'Ada', address: 'ada@example.com' }]);
  });

  it.each([
    ['Ada@example.com', 'Ada@example.com'],
    ['eve@example.com', 'ada@example.com'],
    [null, 'ada@example.com'],
  ])('goes to the address that was claimed, spelt as its customer spells it: %s', async (email, to) => {
    expect((await mailOf('hello', { email })).to?.map(({ address }) => address)).toEqual([to]);
    expect(composeSend(claimOf('hello', { email }), LINKS).envelope.to).toBe(to);
  });
});

describe('how readers leave', () => {
  it('stands in mail to many as RFC 2369, RFC 2919 and RFC 8058 say', async () => {
    const fields = fieldsOf(claimOf('hello'));
    const [, web = '', token = '', to = ''] =
      /^<(https:\/\/mail\.sample\.example\/unsubscribe\/([\w-]{36}))>, <mailto:([^>]*)>$/.exec(
        fields.get('List-Unsubscribe') ?? '',
      ) ?? [];
    expect(readReaderLink(token, [KEY])).toBe(7);
    expect(to).toBe(`care@sample.example?subject=unsubscribe%20${token}`);
    expect(fields.get('List-Unsubscribe-Post')).toBe('List-Unsubscribe=One-Click');
    expect(fields.get('List-Id')).toBe('=?UTF-8?B?TmFjaHJpY2h0ZW4gJiBHcsO8w59l?= <news.sample.example>');
    expect(fields.get('Feedback-ID')).toMatch(/^welcome:hello:news:[0-9a-f]{12}$/);
    expect((await mailOf('hello')).text).toContain(`${web} https://mail.sample.example/preferences/${token}`);
  });

  it('is not in transactional mail', () => {
    const names = [...fieldsOf(transactional()).keys()];
    expect(names.filter((name) => /^list-|^feedback-id/i.test(name))).toEqual([]);
  });

  it('lets automatic answers stay away, unless a person started the sequence', () => {
    const automatic = claimOf('hello');
    const byEvent = { ...automatic, enrolment: { ...automatic.enrolment, entryKey: 'event:1' } };
    expect(fieldsOf(byEvent).get('Auto-Submitted')).toBe('auto-generated');
    expect(fieldsOf(automatic).has('Auto-Submitted')).toBe(false);
  });

  it('must be known, or mail to many is not written', () => {
    expect(() => composeSend(claimOf('hello'))).toThrow(/could not unsubscribe: set PERENNIAL_PUBLIC_URL/);
    expect(fieldsOf(transactional(), null).get('Subject')).toBe('A card');
  });
});
