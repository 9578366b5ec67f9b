/** Webhooks of providers, signed as they sign them, against a real database with mails that were really handed over. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import PostalMime from 'postal-mime';
import { forgetEvents } from '../../engine/store/provider-events.ts';
import { listRefusingDomains } from '../../engine/store/feedback.ts';
import { customerHistory } from '../../engine/store/history.ts';
import { signingKey } from '../../engine/store/signing-keys.ts';
import { unsuppress } from '../../engine/store/suppress.ts';
import { composeSend } from '../../workers/composing.ts';
import { readConfig } from '../../workers/config.ts';
import { feedbackApp, type FeedbackListener } from '../../workers/feedback/app.ts';
import type { FeedbackSettings } from '../../workers/feedback/settings.ts';
import { startPublic } from '../../workers/public.ts';
import { clear, openFleet, type Fleet } from '../store/support.ts';
import {
  basicSigned,
  CERTIFICATE_URL,
  mailgunSigned,
  openAmazon,
  resendSigned,
  sendgridSigner,
  TOPIC,
  type Amazon,
  type Signed,
} from './signing.ts';

/** Amazon's certificate is made when the test runs, and holds from then on. */
const NOW_MS = Date.now() + 60_000;
const MAILGUN_KEY = 'a-mailgun-key-for-tests';
const LOGIN = 'perennial:a-password-for-tests';
const RESEND_KEY = Buffer.alloc(32, 7);
const sendgrid = sendgridSigner();

interface Sent extends Record<string, unknown> {
  readonly id: number;
  /** Its Message-ID. */
  readonly messageId: string;
}

let fleet: Fleet;
let amazon: Amazon;
let settings: FeedbackSettings;
/** What was fetched, and what there is to fetch. */
let fetched: string[] = [];
let told: string[] = [];
let nowMs = NOW_MS;

beforeAll(async () => {
  [fleet, amazon] = await Promise.all([openFleet(), openAmazon()]);
  settings = readConfig(
    {
      PERENNIAL_SES_TOPICS: TOPIC,
      PERENNIAL_SENDGRID_KEY: sendgrid.publicKey,
      PERENNIAL_MAILGUN_KEY: MAILGUN_KEY,
      PERENNIAL_POSTMARK_LOGIN: LOGIN,
      PERENNIAL_BREVO_TOKEN: LOGIN,
      PERENNIAL_RESEND_SECRET: `whsec_${RESEND_KEY.toString('base64')}`,
    },
    '.',
  ).feedback;
});
afterAll(async () => fleet.close());
beforeEach(async () => {
  await clear(fleet);
  await fleet.db.query('truncate audit, refusing_domains, provider_events, provider_counts');
  fetched = [];
  told = [];
  nowMs = NOW_MS;
});
afterEach(() => {
  expect(told.filter((line) => line.startsWith('failed'))).toEqual([]);
});

const listener: FeedbackListener = {
  taken: () => undefined,
  forged: (provider) => told.push(`forged ${provider}`),
  topic: (kind, arn) => told.push(`${kind} ${arn}`),
  complaints: (rates) => told.push(...rates.map(({ playbook, outcome }) => `${playbook} ${outcome}`)),
  failed: (provider, error) => told.push(`failed ${provider} ${String(error)}`),
};

async function post(provider: string, signed: Signed): Promise<{ readonly status: number; readonly answer: unknown }> {
  const app = feedbackApp({
    db: fleet.db,
    settings,
    fetchText: async (url) => {
      fetched.push(url);
      return Promise.resolve(url === CERTIFICATE_URL ? amazon.certificate : 'confirmed');
    },
    now: () => nowMs,
    told: listener,
  });
  const response = await app.request(`/feedback/${provider}`, { method: 'POST', ...signed });
  return { status: response.status, answer: await response.json() };
}

/** Customers whose first mail was handed over, and accepted if that is said. */
async function sent(names: readonly string[], isAccepted = true): Promise<readonly Sent[]> {
  const ids = await fleet.customers(names);
  await fleet.event('order.placed', names);
  const claimed = await fleet.claim('bulk', ids);
  await fleet.hand(claimed);
  if (isAccepted) await fleet.settle(claimed, { kind: 'accepted' });
  return fleet.rows<Sent>('select id, message_id as "messageId" from sends where handed_at is not null order by id');
}

const suppressed = async (): Promise<readonly unknown[]> =>
  (await fleet.rows("select address || ' ' || source as line from suppressions order by 1")).map(({ line }) => line);
const feedbackRows = async (): Promise<readonly unknown[]> =>
  (
    await fleet.rows(
      `select concat_ws(' ', c.key, f.kind, nullif(f.verdict, ''), f.status) as line from feedback f
       join sends s on s.id = f.send_id join customers c on c.id = s.customer_id order by f.id`,
    )
  ).map(({ line }) => line);
const counts = async (): Promise<readonly unknown[]> =>
  (await fleet.rows(`select concat_ws(' ', provider, outcome, count) as line from provider_counts order by 1`)).map(
    ({ line }) => line,
  );

const referenceOf = ({ messageId }: Sent): string => messageId.slice(1, messageId.indexOf('@'));

/** A hard bounce of Ada, or of another one, as each provider reports it. */
const BOUNCES: Readonly<Record<string, (mail: Sent, address?: string, id?: string) => Signed>> = {
  ses: (mail, address = 'ada@example.com', id = 'm-1') =>
    amazon.message({
      MessageId: id,
      Subject: 'Amazon SES Email Event Notification',
      Message: sesBounce(mail, [address]),
    }),
  sendgrid: (mail, address = 'ada@example.com', id = 'e-1') =>
    sendgrid.sign([
      {
        email: address,
        event: 'bounce',
        type: 'bounce',
        status: '5.1.1',
        reason: '550 5.1.1 User unknown',
        'smtp-id': mail.messageId,
        sg_event_id: id,
      },
    ]),
  mailgun: (mail, address = 'ada@example.com', id = 'e-1') =>
    mailgunSigned(
      {
        id,
        event: 'failed',
        severity: 'permanent',
        reason: 'bounce',
        recipient: address,
        message: { headers: { 'message-id': mail.messageId.slice(1, -1) } },
        'delivery-status': { code: 550, message: '5.1.1 User unknown', 'bounce-type': 'hard' },
      },
      MAILGUN_KEY,
      `token of ${id}`,
      NOW_MS,
    ),
  postmark: (mail, address = 'ada@example.com', id = '42') =>
    basicSigned(
      {
        RecordType: 'Bounce',
        Type: 'HardBounce',
        ID: Number(id.replace(/\D/g, '')),
        Email: address,
        Details: 'smtp;550 5.1.1 User unknown',
        Metadata: { perennial: referenceOf(mail) },
      },
      LOGIN,
    ),
  brevo: (mail, address = 'ada@example.com', id = '1') =>
    basicSigned(
      {
        event: 'hard_bounce',
        email: address,
        reason: '550 5.1.1 User unknown',
        ts_event: id,
        'message-id': '<1@relay.example>',
        'X-Mailin-custom': referenceOf(mail),
      },
      LOGIN,
    ),
  resend: (mail, address = 'ada@example.com', id = 'msg_1') =>
    resendSigned(
      {
        type: 'email.bounced',
        data: {
          to: [address],
          headers: [{ name: 'Message-ID', value: mail.messageId }],
          bounce: { type: 'Permanent', subType: 'General', diagnosticCode: ['smtp; 550 5.1.1 User unknown'] },
        },
      },
      RESEND_KEY,
      id,
      NOW_MS,
    ),
};
const PROVIDERS = Object.keys(BOUNCES);

function bounceBy(provider: string, mail: Sent, address?: string, id?: string): Signed {
  const make = BOUNCES[provider];
  if (make === undefined) throw new Error(`no bounce is written for ${provider}`);
  return make(mail, address, id);
}

function sesBounce(mail: Sent, addresses: readonly string[]): string {
  return JSON.stringify({
    notificationType: 'Bounce',
    bounce: {
      bounceType: 'Permanent',
      bounceSubType: 'General',
      bouncedRecipients: addresses.map((emailAddress) => ({
        emailAddress,
        status: '5.1.1',
        diagnosticCode: 'smtp; 550 5.1.1 User unknown',
      })),
    },
    mail: { messageId: '0000-1', headers: [{ name: 'Message-ID', value: mail.messageId }] },
  });
}

describe.each(PROVIDERS)('%s', (provider) => {
  it('suppresses a dead address once, and does not undo what people decided since', async () => {
    const [mail] = (await sent(['ada'])) as [Sent];
    const signed = bounceBy(provider, mail);
    expect(await post(provider, signed)).toEqual({ status: 200, answer: { ok: true, events: { suppressed: 1 } } });
    expect(await suppressed()).toEqual(['ada@example.com bounce']);
    expect(await feedbackRows()).toEqual(['ada bounced hard 5.1.1']);
    const lifted = { address: 'ada@example.com', scope: '*', source: 'staff', reason: null, by: 'mia' };
    expect(await unsuppress(fleet.db, lifted)).toBe('changed');
    expect(await post(provider, signed)).toMatchObject({ status: 200, answer: { events: { 'known before': 1 } } });
    expect(await suppressed()).toEqual([]);
    expect(await counts()).toEqual([`${provider} known before 1`, `${provider} suppressed 1`]);
  });

  it('is answered 401 when it is forged, and leaves no trace', async () => {
    const [mail] = (await sent(['ada'])) as [Sent];
    const signed = bounceBy(provider, mail);
    const forgeries: readonly Signed[] = [
      // The signature is right, the event is not what was signed; where it covers no event, its key is another one.
      ...(provider === 'mailgun'
        ? [
            mailgunSigned({}, 'another-key-altogether', 't', NOW_MS),
            mailgunSigned({}, MAILGUN_KEY, 't', NOW_MS - 90_000_000),
          ]
        : []),
      ...(provider === 'postmark' || provider === 'brevo'
        ? [basicSigned({}, 'perennial:another-password'), { ...signed, headers: { authorization: 'Bearer nonsense' } }]
        : []),
      ...(provider === 'ses' || provider === 'sendgrid' || provider === 'resend'
        ? [{ ...signed, body: signed.body.replaceAll('User unknown', 'User is here') }]
        : []),
      ...(provider === 'resend'
        ? [resendSigned({}, RESEND_KEY, 'old', NOW_MS - 400_000), resendSigned({}, Buffer.alloc(32), 'x', NOW_MS)]
        : []),
      { body: provider === 'mailgun' ? '{"event-data":{}}' : signed.body, headers: {} },
    ];
    for (const forged of forgeries.slice(0, provider === 'ses' ? 1 : undefined)) {
      expect(await post(provider, forged)).toMatchObject({ status: 401, answer: { error: { code: 'forged' } } });
    }
    expect(told).toContain(`forged ${provider}`);
    expect(await fleet.rows('select from provider_events')).toEqual([]);
    expect([await suppressed(), await feedbackRows(), await counts()]).toEqual([[], [], []]);
  });

  it('is answered 2xx about mails of others, which are counted and change nothing', async () => {
    const [mail] = (await sent(['ada'])) as [Sent];
    const of = (messageId: string): Sent => ({ id: 0, messageId });
    for (const [index, foreign] of [
      of(mail.messageId.replace('send-', 'send-9')),
      of(mail.messageId.replace(/\.\w+@/, '.0123456789@')),
    ].entries()) {
      const signed = bounceBy(provider, foreign, 'ada@example.com', `1${index}`);
      expect(await post(provider, signed)).toMatchObject({ status: 200, answer: { events: { 'not ours': 1 } } });
    }
    const nobody = bounceBy(provider, of('<14c5d75ce93@elsewhere.example>'), 'stranger@example.com', '12');
    expect(await post(provider, nobody)).toMatchObject({ status: 200, answer: { events: { 'not ours': 1 } } });
    expect([await suppressed(), await feedbackRows(), await counts()]).toEqual([[], [], [`${provider} not ours 3`]]);
  });

  it('counts once when it comes many times at once, and before the acceptance is recorded', async () => {
    const ids = await fleet.customers(['ada']);
    await fleet.event('order.placed', ['ada']);
    const claimed = await fleet.claim('bulk', ids);
    await fleet.hand(claimed);
    const [mail] = (await fleet.rows<Sent>('select id, message_id as "messageId" from sends')) as [Sent];
    const signed = bounceBy(provider, mail);
    const answers = await Promise.all(Array.from({ length: 8 }, async () => post(provider, signed)));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 200));
    expect(await feedbackRows()).toEqual(['ada bounced hard 5.1.1']);
    expect(await fleet.rows('select from audit where action = $1', ['suppress'])).toHaveLength(1);
    await fleet.settle(claimed, { kind: 'accepted' });
    expect(await fleet.sends()).toEqual(['ada first sent']);
    expect(await suppressed()).toEqual(['ada@example.com bounce']);
  });
});

describe('what follows', () => {
  const event = (mail: Sent, name: string, address: string, more: object = {}): object => ({
    event: name,
    email: `${address}@example.com`,
    'smtp-id': mail.messageId,
    sg_event_id: `${name} ${address}`,
    ...more,
  });

  it('takes a batch of several recipients and kinds, in any order', async () => {
    const [ada, bob, cleo, dora] = (await sent(['ada', 'bob', 'cleo', 'dora'])) as [Sent, Sent, Sent, Sent];
    const blocked = { reason: '550 5.7.26 no DKIM', status: '5.7.26', type: 'blocked' };
    const batch = [
      event(ada, 'spamreport', 'ada'),
      event(ada, 'delivered', 'ada'),
      event(bob, 'bounce', 'bob', { reason: '552 5.2.2 mailbox full', status: '5.2.2' }),
      event(cleo, 'bounce', 'cleo', blocked),
      event(dora, 'deferred', 'dora'),
      event(dora, 'delivered', 'dora'),
      event(dora, 'open', 'dora'),
    ];
    expect(await post('sendgrid', sendgrid.sign(batch))).toEqual({
      status: 200,
      answer: { ok: true, events: { suppressed: 1, recorded: 4, 'no matter': 1 } },
    });
    // The delivery was recorded; it does not undo the complaint. A refusal of ours suppresses nobody.
    expect(await suppressed()).toEqual(['ada@example.com complaint']);
    expect([...(await feedbackRows())].sort((a, b) => String(a).localeCompare(String(b)))).toEqual([
      'ada complained',
      'ada delivered',
      'bob bounced soft 5.2.2',
      'cleo bounced sender 5.7.26',
      'dora delivered',
    ]);
    expect(await listRefusingDomains(fleet.db)).toMatchObject([{ domain: 'example.com', count: 1, status: '5.7.26' }]);
    await post('sendgrid', sendgrid.sign([event(ada, 'delivered', 'ada', { sg_event_id: 'later' })]));
    expect(await suppressed()).toEqual(['ada@example.com complaint']);
    const [{ id } = { id: 0 }] = await fleet.rows<{ id: number }>(`select id from customers where key = 'ada'`);
    expect((await customerHistory(fleet.db, id))?.sends[0]?.feedback).toBe('complained, delivered');
  });

  it('takes several recipients of one notice of SES: a mail of ours has one', async () => {
    const [mail] = (await sent(['ada', 'bob'])) as [Sent, Sent];
    const message = amazon.message(
      { Message: sesBounce(mail, ['forwarded@elsewhere.example', 'ada@example.com']) },
      '1',
    );
    expect(await post('ses', message)).toMatchObject({ status: 200 });
    expect(await suppressed()).toEqual(['ada@example.com bounce']);
    expect(fetched).toEqual([CERTIFICATE_URL]);
  });

  it('pauses a playbook that readers complain about', async () => {
    const names = ['ada', 'bob', 'cleo'];
    const mails = await sent(names);
    await post('sendgrid', sendgrid.sign(mails.map((mail, index) => event(mail, 'spamreport', names[index] ?? ''))));
    expect(told).toEqual(['thanks paused']);
  });

  it('takes dead addresses and complaints that name no mail, and nothing else of them', async () => {
    await sent(['ada', 'bob', 'cleo']);
    const of = (Type: string, Email: string, ID: number, RecordType = 'Bounce'): Signed =>
      basicSigned({ RecordType, Type, ID, Email, Recipient: Email, Details: '' }, LOGIN);
    expect(await post('postmark', of('HardBounce', 'ada@example.com', 1))).toMatchObject({
      answer: { events: { suppressed: 1 } },
    });
    expect(await post('postmark', of('', 'bob@example.com', 2, 'SpamComplaint'))).toMatchObject({
      answer: { events: { suppressed: 1 } },
    });
    for (const other of [of('SoftBounce', 'cleo@example.com', 3), of('', 'cleo@example.com', 4, 'Delivery')]) {
      expect(await post('postmark', other)).toMatchObject({ answer: { events: { 'not ours': 1 } } });
    }
    expect(await suppressed()).toEqual(['ada@example.com bounce', 'bob@example.com complaint']);
    expect(await feedbackRows()).toEqual(['ada bounced hard', 'bob complained']);
  });

  it('takes nothing twice when its id is forgotten, and forgets only what is old', async () => {
    const [mail] = (await sent(['ada'])) as [Sent];
    await post('resend', bounceBy('resend', mail));
    expect(await forgetEvents(fleet.db)).toBe(0);
    await fleet.db.query(`update provider_events set received_at = received_at - interval '31 days'`);
    expect(await forgetEvents(fleet.db)).toBe(1);
    expect(await post('resend', bounceBy('resend', mail))).toMatchObject({ answer: { events: { 'known before': 1 } } });
  });

  it('takes a Mailgun token once, whatever comes with it: the signature does not cover the event', async () => {
    const [ada, bob] = (await sent(['ada', 'bob'])) as [Sent, Sent];
    const genuine = bounceBy('mailgun', ada);
    await post('mailgun', genuine);
    const { signature } = JSON.parse(genuine.body) as { signature: object };
    const other = JSON.parse(bounceBy('mailgun', bob, 'bob@example.com', 'e-2').body) as object;
    const forged = { ...genuine, body: JSON.stringify({ ...other, signature }) };
    expect(await post('mailgun', forged)).toMatchObject({ status: 200, answer: { events: { 'known before': 1 } } });
    expect(await suppressed()).toEqual(['ada@example.com bounce']);
  });
});

describe('Amazon SNS', () => {
  const subscription = (more: Readonly<Record<string, string>> = {}): Signed =>
    amazon.message({
      Type: 'SubscriptionConfirmation',
      Token: '2336412f37',
      Message: `You have chosen to subscribe to the topic ${TOPIC}.`,
      SubscribeURL: 'https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=2336412f37',
      ...more,
    });

  it('has its subscription confirmed for a topic that is allowed, with the signed address', async () => {
    expect(await post('ses', subscription())).toMatchObject({ status: 200 });
    expect(fetched).toEqual([
      CERTIFICATE_URL,
      'https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=2336412f37',
    ]);
    expect(told).toEqual([`subscribed ${TOPIC}`]);
  });

  it('has nothing of another topic taken, although Amazon signs it, and fetches nothing for it', async () => {
    const TopicArn = 'arn:aws:sns:eu-west-1:999999999999:mail';
    expect(await post('ses', subscription({ TopicArn }))).toMatchObject({ status: 401 });
    expect(fetched).toEqual([]);
  });

  it.each([
    'http://sns.eu-west-1.amazonaws.com/x.pem',
    'https://sns.eu-west-1.amazonaws.com.evil.example/x.pem',
    'https://evil.example/sns.eu-west-1.amazonaws.com/x.pem',
    'https://sns.eu-west-1.amazonaws.com@evil.example/x.pem',
    'https://s3.amazonaws.com/x.pem',
    'https://sns.eu-west-1.amazonaws.com/x.txt',
    'https://sns.eu-west-1.amazonaws.com:8443/x.pem',
    'https://sns.eu-west-1.amazonaws.com/x.pem?y=1',
    'nonsense',
  ])('is not asked for a certificate at %s', async (url) => {
    const [mail] = (await sent(['ada'])) as [Sent];
    const signed = bounceBy('ses', mail);
    const moved = { ...signed, body: JSON.stringify({ ...(JSON.parse(signed.body) as object), SigningCertURL: url }) };
    expect(await post('ses', moved)).toMatchObject({ status: 401 });
    expect(fetched).toEqual([]);
  });

  it('does not count under a certificate that has run out', async () => {
    const [mail] = (await sent(['ada'])) as [Sent];
    nowMs = Date.now() + 30 * 86_400_000;
    expect(await post('ses', bounceBy('ses', mail))).toMatchObject({ status: 401 });
  });

  it('does not lead the confirmation elsewhere', async () => {
    expect(await post('ses', subscription({ SubscribeURL: 'https://evil.example/' }))).toMatchObject({ status: 401 });
    expect(fetched).toEqual([CERTIFICATE_URL]);
  });
});

describe('the public server', () => {
  it('has an address for providers with a setting only, and says what each needs', async () => {
    const server = await startPublic({
      db: fleet.db,
      cache: fleet.cache,
      hints: { send: async () => Promise.resolve(true) },
      config: {
        publicHost: '127.0.0.1',
        publicPort: 0,
        writeKey: 'a-key-for-tests-only',
        database: { kind: 'external', url: 'postgres://unused.example/x' },
        feedback: readConfig({ PERENNIAL_SENDGRID_KEY: sendgrid.publicKey }, '.').feedback,
      },
      log: pino({ level: 'silent' }),
    });
    try {
      const [mail] = (await sent(['ada'])) as [Sent];
      const to = async (provider: string, init: RequestInit): Promise<number> =>
        (await fetch(`${server.url}/feedback/${provider}`, init)).status;
      const post = { method: 'POST', ...bounceBy('sendgrid', mail) };
      expect(await to('sendgrid', post)).toBe(200);
      expect(await suppressed()).toEqual(['ada@example.com bounce']);
      const inChunks = (body: string): RequestInit => ({
        ...post,
        body: new Blob([body]).stream(),
        duplex: 'half',
      });
      expect(await to('sendgrid', inChunks(post.body))).toBe(200);
      expect(await counts()).toEqual(['sendgrid known before 1', 'sendgrid suppressed 1']);
      expect(await to('sendgrid', inChunks(`${post.body} `))).toBe(401);
      expect(await to('sendgrid', inChunks('x'.repeat(4 * 1024 * 1024 + 1)))).toBe(413);
      expect(await to('sendgrid', { method: 'POST' })).toBe(401);
      for (const path of ['survey', 'unsubscribe', 'preferences']) {
        expect((await fetch(`${server.url}/${path}/abc`, inChunks('List-Unsubscribe=One-Click'))).status).toBe(404);
      }
      expect(await to('sendgrid', { method: 'GET' })).toBe(405);
      expect(await to('postmark', post)).toBe(404);
      expect(await to('sendgrid', { ...post, body: 'x'.repeat(4 * 1024 * 1024 + 1) })).toBe(413);
    } finally {
      await server.close();
    }
  });

  it('refuses settings that could never be right, and says what is expected', () => {
    const wrong = {
      PERENNIAL_SES_TOPICS: 'no-topic',
      PERENNIAL_SENDGRID_KEY: 'bm9uc2Vuc2U=',
      PERENNIAL_MAILGUN_KEY: 'tooshort',
      PERENNIAL_POSTMARK_LOGIN: 'a-password-without-a-user',
      PERENNIAL_BREVO_TOKEN: 'tooshort',
      PERENNIAL_RESEND_SECRET: 'nonsense',
    };
    for (const [name, value] of Object.entries(wrong)) {
      expect(() => readConfig({ [name]: value }, '.')).toThrow(new RegExp(`${name}: expected`));
      expect(() => readConfig({ [name]: value }, '.')).not.toThrow(new RegExp(value));
    }
  });
});

it('puts into a mail what its provider will give back', async () => {
  const ids = await fleet.customers(['ada']);
  await fleet.event('order.placed', ['ada']);
  const [send] = await fleet.claim('bulk', ids);
  if (send === undefined) throw new Error('nothing was claimed');
  const links = { publicUrl: 'https://mail.sample.example', key: await signingKey(fleet.db) };
  const { message } = composeSend(send, links, null, 'postmark');
  const { headers } = await PostalMime.parse(message);
  const carried = headers.find(({ key }) => key === 'x-pm-metadata-perennial')?.value;
  expect(carried).toBe(send.messageId.slice(1, send.messageId.indexOf('@')));
});
