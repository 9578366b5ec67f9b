/** Whatever customers are called and whatever is known of them: one correct mail to their address, or a clear refusal. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import PostalMime from 'postal-mime';
import type { Profile } from '../../engine/journey/types.ts';
import type { ClaimedSend } from '../../engine/store/claim.ts';
import type { MailLane } from '../../engine/store/lane.ts';
import { readReaderLink } from '../../engine/message/link-token.ts';
import { readerLinks } from '../../engine/message/reader-links.ts';
import { transparent } from '../../engine/mail/transparent.ts';
import { parseMailbox, validateAddress } from '../../engine/message/address.ts';
import { ComposeError, type ComposedMail } from '../../engine/message/compose.ts';
import { RenderError } from '../../engine/message/scope.ts';
import { checkSources } from '../../engine/project/check.ts';
import { composeSend, renderFor } from '../../workers/composing.ts';

const SUBJECT = '---\nsubject: "Hello {{customer.first_name}}: {{customer.note}}"\n---\n';
const BODY = '<p>Dear {{customer.first_name}},</p>\n<p title="{{customer.note}}">.{{customer.note}}</p>\n';

const { release, templates, problems } = checkSources([
  {
    path: 'perennial.yaml',
    text: `company: { name: Sample, address: 1 Sample Street }
mail: { from: '"Sämple, \\"the\\" shop" <hello@sample.example>', reply_to: care@sample.example }
attributes: { note: string }
topics: { news: { title: Nachrichten & Grüße }, service: { title: Service, transactional: true } }
`,
  },
  { path: 'playbooks/hello.yaml', text: 'topic: service\ntrigger: { manual: true }\nsteps:\n  - email: hello\n' },
  { path: 'playbooks/letter.yaml', text: 'topic: news\ntrigger: { manual: true }\nsteps:\n  - email: letter\n' },
  { path: 'templates/hello.hbs', text: SUBJECT + BODY },
  { path: 'templates/letter.hbs', text: `${SUBJECT}${BODY}<p><a href="{{unsubscribe_url}}">No more</a></p>\n` },
]);
if (release === null) throw new Error(JSON.stringify(problems));
const RELEASE = release;
const AT = Date.UTC(2026, 2, 2, 9);
const MEGABYTE = 1024 * 1024;

const KEY = { id: 3, secret: new Uint8Array(32).fill(7) };
const LINKS = { publicUrl: 'https://mail.sample.example', key: KEY };

interface Fuzzed {
  readonly lane: MailLane;
  readonly email: string;
  readonly name: string;
  readonly firstName: string;
  readonly note: string;
}

/** What breaks mails: line ends, NUL, the marks of headers and addresses, other scripts and directions, halves of characters. */
const piece = fc.constantFrom(
  '\r\n',
  '\r',
  '\n',
  '\0',
  '\t',
  ' ',
  '  ',
  ',',
  ';',
  ':',
  '"',
  "'",
  '\\',
  '<',
  '>',
  '@',
  '(',
  ')',
  '[',
  ']',
  '=',
  '?',
  '=?',
  '?=',
  '=?utf-8?B?w6k=?=',
  '=?utf-8?Q?=0D=0ABcc:_eve@evil.example?=',
  '=0D=0A',
  '\r\nBcc: eve@evil.example\r\n',
  '\r\n.\r\n',
  '.',
  '..',
  '\r\n\r\n',
  '--=_perennial--',
  '{{customer.note}}',
  '<script>',
  '&amp;',
  '%0d%0a',
  '\u2028',
  '\u0085',
  '\u202e',
  '\u200f',
  'שלום',
  'مرحبا',
  '\u0301',
  '\u200d',
  '👩‍👩‍👧',
  '🇬🇧',
  '漢字',
  'ﬀ',
  'é',
  'ß',
  '\u00ad',
  '\u001b[2J',
  '\u007f',
  '\ufeff',
  '\ud83d',
  '\udc00',
  'Ada',
  'Lovelace',
  'x'.repeat(80),
  'ab '.repeat(40),
  'a@b.example',
  'eve@evil.example',
);
const text = fc.oneof(
  { weight: 6, arbitrary: fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')) },
  { weight: 2, arbitrary: fc.string({ unit: 'grapheme', maxLength: 60 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 300 }) },
  { weight: 3, arbitrary: fc.constantFrom('Ada', 'Ada Lovelace', 'Łukasz Żółć', 'O’Neill, "Bo"', '山田 太郎', 'يوسف') },
);
const address = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      'ada@example.com',
      'Ada.L+x@Sub.Example.com',
      "o'neill@bücher.example",
      `${'a'.repeat(64)}@example.com`,
    ),
  },
  { weight: 1, arbitrary: fc.tuple(text, text).map(([local, domain]) => `${local}@${domain}`) },
  { weight: 1, arbitrary: text.map((around) => `ada@example.com${around}`) },
);
const fuzzed: fc.Arbitrary<Fuzzed> = fc.record({
  lane: fc.constantFrom('bulk', 'transactional'),
  email: address,
  name: text,
  firstName: text,
  note: text,
});

/** The playbook of each lane; its step and its template have the same name. */
const PLAYBOOKS = { bulk: 'letter', transactional: 'hello' } as const;

/** `to` as it is stored; sends go by the same in small letters. */
function claimed({ lane, name, firstName, note }: Fuzzed, to: string): ClaimedSend {
  const playbook = PLAYBOOKS[lane];
  const where = { playbook, entryKey: 'event:1', step: playbook };
  const profile: Profile = {
    id: 'ada',
    email: to,
    name,
    first_name: firstName,
    last_name: null,
    timezone: null,
    locale: null,
    birthday: null,
    created_at: null,
    tags: [],
    attributes: { note },
    orders: 0,
    spent: 0,
    first_order_at: null,
    last_order_at: null,
    last_seen_at: null,
    satisfaction: null,
  };
  const times = { firstDueAt: AT, dueAt: AT };
  return {
    sendId: 7,
    fence: 1,
    customerId: 1,
    lane,
    address: to.toLowerCase(),
    attempts: 0,
    waitMs: 0,
    limits: [],
    doubtAt: null,
    messageId: '<send-7@sample.example>',
    send: { ...where, ...times, ...kindOf(lane), id: 7, visit: 0, template: playbook, ask: null },
    profile,
    enrolment: {
      ...where,
      id: 1,
      startedAt: AT,
      origin: {},
      vars: {},
      position: { on: 'mail', step: playbook },
      version: RELEASE.byName.get(playbook)?.version ?? '',
    },
    now: AT,
    release: RELEASE,
    templates,
  };
}

function kindOf(lane: MailLane): { readonly topic: string; readonly transactional: boolean } {
  return lane === 'bulk' ? { topic: 'news', transactional: false } : { topic: 'service', transactional: true };
}

/** The mail, or the class of its refusal. Anything else that is thrown is a bug, and passes on. */
function written(input: Fuzzed): { readonly to: string; readonly mail: ComposedMail } | string {
  const to = validateAddress(input.email);
  if (to === null) return 'no address';
  try {
    return { to, mail: composeSend(claimed(input, to), LINKS) };
  } catch (error) {
    if (error instanceof ComposeError || error instanceof RenderError) return error.code;
    throw error;
  }
}

const ONCE = ['from', 'to', 'subject', 'date', 'message-id', 'mime-version', 'content-type'];
const OF_MANY = ['feedback-id', 'list-id', 'list-unsubscribe', 'list-unsubscribe-post'];
const KNOWN = new Set([
  ...ONCE,
  ...'reply-to x-perennial-playbook x-perennial-step x-perennial-send auto-submitted'.split(' '),
  ...OF_MANY,
]);

function judgeBytes({ message }: ComposedMail): void {
  // A copy, or it would be taken at its word.
  const copy = Buffer.from(message);
  expect(transparent(copy)).toBe(copy);
  const raw = message.toString('latin1');
  expect(raw).toMatch(/^[\t\r\n\x20-\x7e]*$/);
  const head = raw.slice(0, raw.indexOf('\r\n\r\n')).split('\r\n');
  expect(Math.max(...raw.split('\r\n').map(({ length }) => length))).toBeLessThan(998);
  // RFC 2047 section 2, and RFC 5322 section 3.2.2: no line of a header is white space alone.
  const isWrong = (line: string): boolean => (line.includes('=?UTF-8?') && line.length > 76) || line.trim() === '';
  expect(head.filter(isWrong)).toEqual([]);
}

/** What readers see of a text: control characters, halves of characters and byte order marks cannot be shown. */
const shown = (value: string): string =>
  Buffer.from(value)
    .toString()
    .replaceAll('\ufeff', '')
    .replaceAll(/[\s\p{Cc}]+/gu, ' ')
    .trim();

/** How readers leave stands in mail to many alone, once, and whoever they are it is the same. RFC 2369, 2919, 8058. */
function judgeWayOut(lane: MailLane, { headers, html }: Awaited<ReturnType<typeof PostalMime.parse>>): void {
  const fields = headers.filter(({ key }) => OF_MANY.includes(key)).sort((a, b) => (a.key < b.key ? -1 : 1));
  if (lane === 'transactional') {
    expect(fields).toEqual([]);
    return;
  }
  expect(fields.map(({ key }) => key)).toEqual(OF_MANY);
  const [feedback = '', list = '', ways = '', post = ''] = fields.map(({ value }) => value);
  const [, page = '', token = '', mailbox = ''] = /^<(https:[^>]*\/([\w-]{36}))>, <mailto:([^>]*)>$/.exec(ways) ?? [];
  expect({ page, mailbox, post, sendId: readReaderLink(token, [KEY]) }).toEqual({
    page: `https://mail.sample.example/unsubscribe/${token}`,
    mailbox: `care@sample.example?subject=unsubscribe%20${token}`,
    post: 'List-Unsubscribe=One-Click',
    sendId: 7,
  });
  expect(`${list} ${feedback}`).toMatch(/<news\.sample\.example> letter:letter:news:[0-9a-f]{12}$/);
  expect(html).toContain(`href="${page}"`);
}

async function judgeMail(input: Fuzzed, to: string, mail: ComposedMail): Promise<void> {
  judgeBytes(mail);
  expect(mail.envelope).toEqual({ from: 'hello@sample.example', to });
  const parsed = await PostalMime.parse(mail.message);
  const keys = parsed.headers.map(({ key }) => key);
  expect(keys.filter((key) => !KNOWN.has(key))).toEqual([]);
  expect(ONCE.map((name) => keys.filter((key) => key === name).length)).toEqual(ONCE.map(() => 1));
  expect(parsed.to).toHaveLength(1);
  expect(parsed.to?.[0]?.address).toBe(to);
  expect(shown(parsed.to?.[0]?.name ?? '')).toBe(shown(input.name));
  expect([parsed.cc ?? [], parsed.bcc ?? []]).toEqual([[], []]);
  expect(parsed.from).toEqual({ name: 'Sämple, "the" shop', address: 'hello@sample.example' });
  const send = claimed(input, to);
  const links = input.lane === 'bulk' ? readerLinks(send.sendId, LINKS) : null;
  const { rendered } = renderFor({ ...send, template: send.send.template, survey: null, links });
  judgeWayOut(input.lane, parsed);
  expect(shown(parsed.subject ?? '')).toBe(shown(rendered.subject));
  expect(shown(parsed.html ?? '')).toBe(shown(rendered.html));
  expect(shown(parsed.text ?? '')).toBe(shown(rendered.text));
  expect(parsed.attachments).toEqual([]);
}

describe('10,000 customers as nobody would wish them', () => {
  it('get one correct mail to exactly their address, or none', async () => {
    const counts = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(fuzzed, async (input) => {
        const result = written(input);
        const kind = typeof result === 'string' ? result : input.lane;
        counts.set(kind, (counts.get(kind) ?? 0) + 1);
        if (typeof result === 'string') return;
        expect(validateAddress(result.to)).toBe(result.to);
        await judgeMail(input, result.to, result.mail);
      }),
      { numRuns: 10_000 },
    );
    // All ways must have been gone, or the test shows nothing.
    expect([...counts.keys()].sort()).toEqual([
      'bulk',
      'line-break',
      'line-break-in-subject',
      'no address',
      'transactional',
    ]);
    for (const lane of ['bulk', 'transactional']) expect(counts.get(lane)).toBeGreaterThan(1_000);
  }, 240_000);

  it.each<[string, Partial<Fuzzed>, string]>([
    ['a name of 1 MB', { name: 'x'.repeat(MEGABYTE) }, 'too-long'],
    ['a name of 1 MB of words', { name: 'Ada '.repeat(MEGABYTE / 4) }, 'too-long'],
    ['a name of 1 MB of emoji', { name: '😀'.repeat(MEGABYTE / 4) }, 'too-long'],
    ['a subject of 1 MB', { note: 'é'.repeat(MEGABYTE / 2) }, 'too-large'],
    ['a subject of 100 KB', { note: 'é'.repeat(50 * 1024) }, 'too-long'],
    ['an address of 1 MB', { email: `${'a'.repeat(MEGABYTE)}@example.com` }, 'no address'],
    ['an address with a name', { email: 'Ada <ada@example.com>' }, 'no address'],
    ['two addresses', { email: 'ada@example.com,eve@evil.example' }, 'no address'],
    ['a line break in a name', { name: 'Ada\r\nBcc: eve@evil.example' }, 'line-break'],
  ])('are refused with %s', (_, part, code) => {
    const one = { email: 'ada@example.com', name: 'Ada', firstName: 'Ada', note: 'n', ...part };
    for (const lane of ['bulk', 'transactional'] as const) {
      const result = written({ lane, ...one });
      expect(typeof result === 'string' ? result : 'mail').toBe(code);
    }
  });
});

describe('a sender', () => {
  it.each([
    ['Shop, the "best" <hello@sample.example>', false],
    ['"Shop, the \\"best\\"" <hello@sample.example>', true],
    ['Shop, the best <hello@sample.example>', true],
    ['hello@bücher.example', true],
    ['höllo@sample.example', false],
    ['he..llo@sample.example', false],
    ['hello@-sample.example', false],
    ['hello@192.0.2.1', false],
    ['A <a@sample.example>, B <b@sample.example>', false],
  ])('%s passes the check (%s) exactly when a mail can be written from it', (from, passes) => {
    const company = `company: { name: Sample }\nmail: { from: ${JSON.stringify(from)} }\n`;
    const { problems } = checkSources([{ path: 'perennial.yaml', text: company }]);
    expect(problems.every(({ level }) => level !== 'error')).toBe(passes);
    expect(parseMailbox(from) !== null).toBe(passes);
  });
});
