import { describe, expect, it } from '@jest/globals';
import PostalMime from 'postal-mime';
import type { Profile } from '../../engine/journey/types.ts';
import { checkSources } from '../../engine/project/check.ts';
import { composeSend } from '../../workers/composing.ts';

const COMPANY = `company: { name: Sample, address: 1 Sample Street }
mail: { from: Sample <hello@sample.example>, reply_to: care@sample.example }
defaults: { locale: en-GB }
topics: { news: { title: News } }
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
  { path: 'templates/hello.hbs', text: '---\nsubject: Hello\n---\n<p>{{unsubscribe_url}}</p>' },
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

/** The mail of a template as its reader gets it. */
async function mailOf(template: string, profile: Partial<Profile> = {}): ReturnType<typeof PostalMime.parse> {
  if (release === null) throw new Error('the company of the test has mistakes');
  const at = Date.parse('2026-03-02T09:00:00Z');
  const where = { playbook: 'welcome', entryKey: 'manual:1', step: template };
  const { message } = composeSend({
    sendId: 7,
    fence: 1,
    customerId: 1,
    lane: 'bulk',
    address: 'ada@example.com',
    messageId: '<send-7@sample.example>',
    attempts: 0,
    waitMs: 0,
    limits: [],
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
  });
  return PostalMime.parse(message);
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

  it('says whom it is of in its headers, and where to write to be left alone', async () => {
    const mail = await mailOf('hello');
    const headers = new Map(mail.headers.map(({ key, value }) => [key, value]));
    expect(['playbook', 'step', 'send'].map((name) => headers.get(`x-perennial-${name}`))).toEqual([
      'welcome',
      'hello',
      '7',
    ]);
    expect(mail.to).toEqual([{ name: 'Ada', address: 'ada@example.com' }]);
    expect(mail.text).toContain('mailto:care@sample.example?subject=unsubscribe');
  });
});
