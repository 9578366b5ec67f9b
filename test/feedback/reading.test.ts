/** What providers' events mean: the shapes of their documentation, and each kind of failure with its cause. */
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readBrevo } from '../../engine/mail/feedback/brevo.ts';
import { carriedHeaders, providerOf } from '../../engine/mail/feedback/carried.ts';
import { readMailgun } from '../../engine/mail/feedback/mailgun.ts';
import { readPostmark } from '../../engine/mail/feedback/postmark.ts';
import type { ProviderReport } from '../../engine/mail/feedback/report.ts';
import { readResend } from '../../engine/mail/feedback/resend.ts';
import { readSendgrid } from '../../engine/mail/feedback/sendgrid.ts';
import { isAuthorised, isFromSendgrid, mailgunProof, standardWebhookId } from '../../engine/mail/feedback/verify.ts';
import { readSes } from '../../engine/mail/feedback/ses.ts';

const MESSAGE_ID = '<send-12.3f9a1c20d4@hearth.example>';
const REFERENCE = 'send-12.3f9a1c20d4';

function short(reports: readonly ProviderReport[]): readonly string[] {
  return reports.map(({ address, verdict, status }) => `${address} ${verdict}${status === null ? '' : ` ${status}`}`);
}

describe('Amazon SES', () => {
  const mail = {
    timestamp: '2016-01-27T14:59:38.237Z',
    source: 'john@example.com',
    messageId: '00000138111222aa-33322211-cccc-cccc-cccc-ddddaaaa0680-000000',
    destination: ['jane@example.com', 'mary@example.com'],
    headersTruncated: false,
    headers: [
      { name: 'From', value: '"John Doe" <john@example.com>' },
      { name: 'Message-ID', value: MESSAGE_ID },
      { name: 'X-Perennial-Send', value: '12' },
    ],
    commonHeaders: { from: ['John Doe <john@example.com>'], messageId: MESSAGE_ID, subject: 'Hello' },
  };
  const bounce = (bounceType: string, bounceSubType: string, recipients: readonly object[]): object => ({
    notificationType: 'Bounce',
    bounce: { bounceType, bounceSubType, bouncedRecipients: recipients, feedbackId: '0000', timestamp: mail.timestamp },
    mail,
  });

  it('names each recipient of a bounce, and the mail by its headers', () => {
    const reports = readSes(
      'm1',
      bounce('Permanent', 'General', [
        {
          emailAddress: 'jane@example.com',
          status: '5.1.1',
          action: 'failed',
          diagnosticCode: 'smtp; 550 5.1.1 <jane@example.com>... User',
        },
        { emailAddress: 'Mary <mary@Example.com>', status: '5.2.2', diagnosticCode: 'smtp; 552 5.2.2 mailbox full' },
      ]),
    );
    expect(reports[0]).toEqual({
      id: 'm1#0',
      reference: REFERENCE,
      sendId: 12,
      address: 'jane@example.com',
      verdict: 'hard',
      status: '5.1.1',
      detail: 'smtp; 550 5.1.1 <jane@example.com>... User',
    });
    expect(reports[1]).toMatchObject({ id: 'm1#1', address: 'mary@example.com', verdict: 'soft', status: '5.2.2' });
  });

  it.each<[string, string, object, string]>([
    ['Permanent', 'General', {}, 'hard'],
    ['Permanent', 'Suppressed', {}, 'hard'],
    ['Permanent', 'General', { status: '5.7.1', diagnosticCode: 'smtp; 550 5.7.1 blocked' }, 'sender 5.7.1'],
    ['Permanent', 'ContentRejected', {}, 'sender'],
    ['Transient', 'MailboxFull', { status: '5.2.2' }, 'soft 5.2.2'],
    ['Transient', 'General', { status: '5.1.1' }, 'soft 5.1.1'],
    ['Transient', 'ContentRejected', {}, 'sender'],
    ['Undetermined', 'Undetermined', {}, 'unclear'],
  ])('%s/%s %j is %s', (type, subType, more, verdict) => {
    const [recipient] = [{ emailAddress: 'jane@example.com', ...more }];
    expect(short(readSes('m', bounce(type, subType, [recipient])))).toEqual([`jane@example.com ${verdict}`]);
  });

  it('reads complaints, deliveries and delays; as published events as well', () => {
    const complained = { complainedRecipients: [{ emailAddress: 'jane@example.com' }], complaintFeedbackType: 'abuse' };
    expect(short(readSes('m', { eventType: 'Complaint', complaint: complained, mail }))).toEqual([
      'jane@example.com complaint',
    ]);
    const kind = { ...complained, complaintFeedbackType: 'not-spam' };
    expect(readSes('m', { notificationType: 'Complaint', complaint: kind, mail })).toEqual([]);
    const delivery = { recipients: ['jane@example.com', 'mary@example.com'], smtpResponse: '250 ok' };
    expect(short(readSes('m', { notificationType: 'Delivery', delivery, mail }))).toEqual([
      'jane@example.com delivered',
      'mary@example.com delivered',
    ]);
    const deliveryDelay = {
      delayType: 'TransientCommunicationFailure',
      delayedRecipients: [{ emailAddress: 'a@b.example' }],
    };
    expect(short(readSes('m', { eventType: 'DeliveryDelay', deliveryDelay, mail }))).toEqual(['a@b.example delayed']);
    expect(readSes('m', { eventType: 'Open', open: {}, mail })).toEqual([]);
  });
});

describe('SendGrid', () => {
  const event = (fields: object): object => ({
    email: 'example@test.com',
    timestamp: 1513299569,
    'smtp-id': MESSAGE_ID,
    sg_event_id: 'sg_event_id',
    sg_message_id: 'sg_message_id',
    ...fields,
  });

  it.each<[object, string | null]>([
    [{ event: 'processed' }, null],
    [{ event: 'open' }, null],
    [{ event: 'delivered', response: '250 OK' }, 'delivered'],
    [{ event: 'deferred', response: '400 try again later', attempt: '5' }, 'delayed'],
    [{ event: 'bounce', reason: '500 unknown recipient', status: '5.0.0', type: 'bounce' }, 'hard 5.0.0'],
    [
      { event: 'bounce', reason: '550 5.1.1 no', status: '5.1.1', bounce_classification: 'Invalid Address' },
      'hard 5.1.1',
    ],
    [{ event: 'bounce', reason: '550 no', bounce_classification: 'Invalid Address', type: 'bounce' }, 'hard'],
    [{ event: 'bounce', reason: '550 5.7.1 listed', status: '5.7.1', type: 'blocked' }, 'sender 5.7.1'],
    [{ event: 'bounce', reason: '550 refused', type: 'blocked', bounce_classification: 'Reputation' }, 'sender'],
    [{ event: 'bounce', reason: '552 5.2.2 over quota', status: '5.2.2', type: 'bounce' }, 'soft 5.2.2'],
    [{ event: 'bounce', reason: 'unable to get mx info', type: 'blocked', bounce_classification: 'Technical' }, 'soft'],
    [{ event: 'bounce', reason: '554 no', type: 'bounce', bounce_classification: 'Unclassified' }, 'unclear'],
    [{ event: 'dropped', reason: 'Bounced Address', status: '5.0.0' }, 'hard'],
    [{ event: 'dropped', reason: 'Spam Reporting Address' }, 'complaint'],
    [{ event: 'dropped', reason: 'Unsubscribed Address' }, null],
    [{ event: 'spamreport' }, 'complaint'],
    [{ event: 'unsubscribe' }, null],
  ])('%j is %s', (fields, verdict) => {
    expect(short(readSendgrid([event(fields)]))).toEqual(verdict === null ? [] : [`example@test.com ${verdict}`]);
  });

  it('names the mail by what it carried, else by its Message-ID', () => {
    const [carried] = readSendgrid([
      event({ event: 'delivered', perennial: 'send-7.abc', 'smtp-id': '<x@ismtpd-555>' }),
    ]);
    expect(carried).toMatchObject({ reference: 'send-7.abc', id: 'sg_event_id' });
    expect(readSendgrid([event({ event: 'delivered' })])[0]?.reference).toBe(REFERENCE);
    expect(
      readSendgrid([event({ event: 'delivered', 'smtp-id': '<14c5d75ce93.dfd@ismtpd-555>' })])[0]?.reference,
    ).toBeNull();
  });
});

describe('Mailgun', () => {
  const body = (fields: object): object => ({
    signature: {},
    'event-data': {
      id: 'G9Bn5sl1TC6nu79C8C0bwg',
      timestamp: 1521233195.375624,
      'log-level': 'error',
      event: 'failed',
      severity: 'permanent',
      reason: 'bounce',
      recipient: 'alice@example.com',
      'recipient-domain': 'example.com',
      message: { headers: { to: 'Alice <alice@example.com>', 'message-id': MESSAGE_ID.slice(1, -1), subject: 'Test' } },
      ...fields,
    },
  });
  const status = (fields: object): object => ({ 'delivery-status': { 'attempt-no': 1, description: '', ...fields } });

  it.each<[object, string | null]>([
    [{ event: 'accepted' }, null],
    [{ event: 'delivered', severity: undefined }, 'delivered'],
    [{ event: 'complained' }, 'complaint'],
    [{ event: 'unsubscribed' }, null],
    [{ severity: 'temporary', reason: 'generic', ...status({ code: 452, message: '4.2.2 full' }) }, 'delayed'],
    [status({ code: 550, message: '5.1.1 The email account that you tried to reach does not exist' }), 'hard 5.1.1'],
    [status({ code: 550, message: 'No such user', 'bounce-type': 'hard' }), 'hard'],
    [status({ code: 554, message: 'refused', 'bounce-type': 'hard', 'enhanced-code': '5.1.1' }), 'hard 5.1.1'],
    [status({ code: 550, message: '5.7.1 blocked', 'bounce-type': 'hard' }), 'sender 5.7.1'],
    [status({ code: 552, message: 'mailbox full', 'bounce-type': 'soft' }), 'soft'],
    [status({ code: 554, message: 'no' }), 'unclear'],
    [{ reason: 'old', ...status({ code: 602, message: 'Too old' }) }, 'soft'],
    [{ reason: 'espblock', ...status({ code: 550, message: 'no' }) }, 'sender'],
    [
      {
        reason: 'suppress-bounce',
        ...status({ code: 605, description: 'Not delivering to previously bounced address' }),
      },
      'hard',
    ],
    [{ reason: 'suppress-complaint', ...status({ code: 607 }) }, 'complaint'],
    [{ reason: 'suppress-unsubscribe', ...status({ code: 606 }) }, null],
  ])('%j is %s', (fields, verdict) => {
    const reports = readMailgun(body(fields));
    expect(short(reports)).toEqual(verdict === null ? [] : [`alice@example.com ${verdict}`]);
    if (verdict !== null) expect(reports[0]).toMatchObject({ reference: REFERENCE, id: 'G9Bn5sl1TC6nu79C8C0bwg' });
  });
});

describe('Postmark', () => {
  const event = (fields: object): object => ({
    RecordType: 'Bounce',
    ID: 692560173,
    Type: 'HardBounce',
    TypeCode: 1,
    Name: 'Hard bounce',
    MessageID: '883953f4-6105-42a2-a16a-77a8eac79483',
    ServerID: 23,
    Description: 'The server was unable to deliver your message (ex: unknown user, mailbox not found).',
    Details: 'smtp;550 5.1.1 The email account that you tried to reach does not exist.',
    Email: 'john@example.com',
    From: 'sender@example.com',
    BouncedAt: '2019-11-05T16:33:54.9070259Z',
    Metadata: { perennial: REFERENCE },
    MessageStream: 'outbound',
    ...fields,
  });

  it.each<[object, string | null]>([
    [{}, 'hard 5.1.1'],
    [{ Details: 'Test bounce details' }, 'hard'],
    [{ Details: 'smtp;550 5.7.1 Message rejected as spam' }, 'sender 5.7.1'],
    [{ Type: 'BadEmailAddress', Details: '' }, 'hard'],
    [{ Type: 'SoftBounce', Details: 'smtp;552 5.2.2 mailbox full' }, 'soft 5.2.2'],
    [{ Type: 'DnsError', Details: '' }, 'soft'],
    [{ Type: 'Blocked', Details: '' }, 'sender'],
    [{ Type: 'SpamNotification', Details: '' }, 'sender'],
    [{ Type: 'Transient', Details: '' }, 'delayed'],
    [{ Type: 'Unknown', Details: '' }, 'unclear'],
    [{ Type: 'AutoResponder' }, null],
    [{ Type: 'ManuallyDeactivated' }, null],
    [{ Type: 'SpamComplaint' }, 'complaint'],
    [{ RecordType: 'SpamComplaint', Type: 'SpamComplaint' }, 'complaint'],
    [{ RecordType: 'Open' }, null],
  ])('%j is %s', (fields, verdict) => {
    const reports = readPostmark(event(fields));
    expect(short(reports)).toEqual(verdict === null ? [] : [`john@example.com ${verdict}`]);
    if (verdict !== null) expect(reports[0]?.reference).toBe(REFERENCE);
  });

  it('tells bounces apart whose ids are too large for a number, and deliveries, which have none', () => {
    const large = (MessageID: string): object =>
      JSON.parse(JSON.stringify(event({ MessageID })).replace('692560173', '4323372036854775807')) as object;
    expect(readPostmark(large('a'))[0]?.id).not.toBe(readPostmark(large('b'))[0]?.id);
    const delivery = { RecordType: 'Delivery', ServerID: 23, Recipient: 'john@example.com', Metadata: {} };
    const [one] = readPostmark({ ...delivery, MessageID: 'a', DeliveredAt: '2019-11-05T16:33:54Z' });
    const [other] = readPostmark({ ...delivery, MessageID: 'b', DeliveredAt: '2019-11-05T16:33:54Z' });
    expect(one).toMatchObject({ verdict: 'delivered', address: 'john@example.com', reference: null });
    expect(one?.id).not.toBe(other?.id);
  });
});

describe('Brevo', () => {
  const event = (fields: object): object => ({
    email: 'ada@example.com',
    id: 26224,
    date: '2020-10-09 00:00:00',
    ts: 1604933619,
    'message-id': '<201798300811.5787683@relay.domain.example>',
    ts_event: 1604933654,
    subject: 'My first Transactional',
    'X-Mailin-custom': REFERENCE,
    ...fields,
  });

  it.each<[object, string | null]>([
    [{ event: 'request' }, null],
    [{ event: 'delivered' }, 'delivered'],
    [{ event: 'deferred', reason: 'try later' }, 'delayed'],
    [
      { event: 'hard_bounce', reason: '550-5.1.1 The email account that you tried to reach does not exist' },
      'hard 5.1.1',
    ],
    [{ event: 'hard_bounce', reason: '' }, 'hard'],
    [{ event: 'hard_bounce', reason: '550 5.7.1 blocked by policy' }, 'sender 5.7.1'],
    [{ event: 'soft_bounce', reason: '452 full' }, 'soft'],
    [{ event: 'invalid_email' }, 'hard'],
    [{ event: 'blocked' }, 'unclear'],
    [{ event: 'spam' }, 'complaint'],
    [{ event: 'unsubscribed' }, null],
  ])('%j is %s', (fields, verdict) => {
    const reports = readBrevo(event(fields));
    expect(short(reports)).toEqual(verdict === null ? [] : [`ada@example.com ${verdict}`]);
    if (verdict !== null) expect(reports[0]?.reference).toBe(REFERENCE);
  });

  it('reads batches, and gives each event an id of its own: its "id" is that of the webhook', () => {
    const [one, other] = readBrevo([event({ event: 'delivered' }), event({ event: 'spam' })]);
    expect(one?.id).not.toBe(other?.id);
    expect(readBrevo(event({ event: 'delivered', tags: ['x'] }))[0]?.id).toBe(one?.id);
  });
});

describe('Resend', () => {
  const event = (type: string, data: object = {}): object => ({
    type,
    created_at: '2026-11-22T23:41:12.126Z',
    data: {
      created_at: '2026-11-22T23:41:11.894719+00:00',
      email_id: '56761188-7520-42d8-8898-ff6fc54ce618',
      from: 'Acme <onboarding@resend.dev>',
      to: ['delivered@resend.dev'],
      subject: 'Sending this example',
      headers: [
        { name: 'X-Perennial-Send', value: '12' },
        { name: 'Message-ID', value: MESSAGE_ID },
      ],
      ...data,
    },
  });
  const ADVICE =
    "The recipient's email provider sent a hard bounce message, but didn't specify the reason. Sending messages to such " +
    'addresses can have a negative impact on your reputation as a sender.';

  it.each<[string, object, string | null]>([
    ['email.sent', {}, null],
    ['email.delivered', {}, 'delivered'],
    ['email.delivery_delayed', {}, 'delayed'],
    ['email.complained', {}, 'complaint'],
    ['email.suppressed', {}, 'hard'],
    ['email.bounced', { bounce: { type: 'Permanent', subType: 'General', message: ADVICE } }, 'hard'],
    ['email.bounced', { bounce: { type: 'Transient', subType: 'MailboxFull', message: ADVICE } }, 'soft'],
    ['email.bounced', { bounce: { type: 'Undetermined', message: ADVICE } }, 'unclear'],
    [
      'email.bounced',
      { bounce: { type: 'Permanent', message: ADVICE, diagnosticCode: ['smtp; 550 5.7.1 spam detected'] } },
      'sender 5.7.1',
    ],
    ['email.opened', {}, null],
  ])('%s %j is %s', (type, data, verdict) => {
    const reports = readResend('msg_1', event(type, data));
    expect(short(reports)).toEqual(verdict === null ? [] : [`delivered@resend.dev ${verdict}`]);
    if (verdict !== null) expect(reports[0]).toMatchObject({ id: 'msg_1#0', reference: REFERENCE, sendId: 12 });
  });

  it('reads several recipients, each with an id of its own', () => {
    const reports = readResend('msg_1', event('email.delivered', { to: ['a@b.example', 'C <c@d.example>'] }));
    expect(reports.map(({ id, address }) => `${id} ${address}`)).toEqual([
      'msg_1#0 a@b.example',
      'msg_1#1 c@d.example',
    ]);
  });
});

it.each([null, 1, 'text', [], [null], {}, { 'event-data': null }, { mail: [], bounce: 3 }])(
  'reads nothing from %j',
  (body) => {
    const all = [readSes('m', body), readSendgrid(body), readMailgun(body), readPostmark(body), readBrevo(body)];
    expect([...all, readResend('m', body)].flat()).toEqual([]);
  },
);

it('reads whatever JSON can say without a failure', () => {
  const events = fc.record(
    {
      event: fc.oneof(fc.constantFrom('bounce', 'failed', 'hard_bounce', 'delivered', 'dropped'), fc.jsonValue()),
      eventType: fc.constantFrom('Bounce', 'Complaint', 'Delivery'),
      RecordType: fc.constantFrom('Bounce', 'Delivery'),
      type: fc.constantFrom('email.bounced', 'email.delivered', 'bounce'),
      'event-data': fc.jsonValue(),
      bounce: fc.jsonValue(),
      complaint: fc.jsonValue(),
      delivery: fc.jsonValue(),
      mail: fc.jsonValue(),
      data: fc.jsonValue(),
      email: fc.jsonValue(),
      reason: fc.jsonValue(),
      status: fc.jsonValue(),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), events, fc.array(events)), (body) => {
      const all = [readSes('m', body), readSendgrid(body), readMailgun(body), readPostmark(body), readBrevo(body)];
      for (const { id, detail, address } of [...all, readResend('m', body)].flat()) {
        expect(id).not.toBe('');
        expect(detail ?? '').not.toMatch(/[\r\n\0]/);
        expect(address === null || address.includes('@')).toBe(true);
      }
    }),
  );
});

it('takes no nonsense for a signature, and does not fail by it', () => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  fc.assert(
    fc.property(fc.string(), fc.string(), (signature, timestamp) => {
      const headers: Readonly<Record<string, string>> = {
        'x-twilio-email-event-webhook-signature': signature,
        'x-twilio-email-event-webhook-timestamp': timestamp,
        'svix-id': timestamp,
        'svix-timestamp': timestamp,
        'svix-signature': signature,
        authorization: signature,
      };
      const header = (name: string): string | undefined => headers[name];
      const body = Buffer.from('[]');
      expect(isFromSendgrid(body, header, publicKey)).toBe(false);
      expect(standardWebhookId(body, header, [Buffer.alloc(24)], 0)).toBeNull();
      expect(isAuthorised(header, 'user:a-password-for-tests')).toBe(false);
      expect(mailgunProof({ signature: { signature, timestamp, token: 'x' } }, 'a-key-for-tests', 0)).toBeNull();
    }),
  );
});

it.each([
  ['smtp://u:p@email-smtp.eu-west-1.amazonaws.com:587', 'ses', {}],
  ['smtps://apikey:p@smtp.sendgrid.net', 'sendgrid', { 'X-SMTPAPI': `{"unique_args":{"perennial":"${REFERENCE}"}}` }],
  ['smtp://u:p@smtp.eu.mailgun.org:587', 'mailgun', {}],
  ['smtp://u:p@smtp.postmarkapp.com:587', 'postmark', { 'X-PM-Metadata-perennial': REFERENCE }],
  ['smtp://u:p@smtp-relay.brevo.com:587', 'brevo', { 'X-Mailin-custom': REFERENCE }],
  ['smtps://resend:p@smtp.resend.com', 'resend', {}],
] as const)('knows the provider of %s, and what a mail carries for it', (url, provider, headers) => {
  expect(providerOf(url)).toBe(provider);
  expect(carriedHeaders(provider, MESSAGE_ID)).toEqual(headers);
});

it('knows no provider by a name that only looks like one', () => {
  expect(providerOf('smtp://smtp.sendgrid.net.example.com')).toBeNull();
  expect(providerOf('smtp://notsendgrid.net')).toBeNull();
  expect(providerOf('smtp://127.0.0.1:25')).toBeNull();
});
