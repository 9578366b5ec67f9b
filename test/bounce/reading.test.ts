/** What failures mean, and what a report is about. */
import { describe, expect, it } from '@jest/globals';
import { splitMailbox } from '../../engine/mail/bounce/mailbox.ts';
import { readReport } from '../../engine/mail/bounce/read.ts';
import type { Verdict } from '../../engine/mail/bounce/report.ts';
import { judge } from '../../engine/mail/bounce/verdict.ts';
import { complaint, dsn } from './support.ts';

const VERDICTS: readonly (readonly [string | null, string | null, string | null, Verdict])[] = [
  ['failed', '5.1.1', 'smtp; 550 5.1.1 <ada@example.com>... User unknown', 'hard'],
  ['failed', '5.1.2', null, 'hard'],
  ['failed', '5.1.10', 'smtp; 550 5.1.10 Recipient not found by SMTP address lookup', 'hard'],
  ['failed', '5.2.1', 'smtp; 550 5.2.1 The email account that you tried to reach is disabled', 'hard'],
  ['failed', '5.4.1', 'smtp; 550 5.4.1 Recipient address rejected: Access denied', 'hard'],
  ['failed', '5.0.0', 'smtp; 550 No such user', 'hard'],
  ['failed', '5.2.2', 'smtp; 552 5.2.2 over quota', 'soft'],
  ['failed', '5.1.1', 'smtp; 550 5.1.1 mailbox is full', 'soft'],
  ['failed', '4.4.7', 'smtp; 451 delivery time expired', 'soft'],
  ['failed', '4.2.2', null, 'soft'],
  ['failed', '5.7.1', 'smtp; 550 5.7.1 User unknown', 'sender'],
  ['failed', '5.7.26', 'smtp; 550 5.7.26 unauthenticated', 'sender'],
  ['failed', '4.7.0', 'smtp; 421 4.7.0 try again later', 'sender'],
  ['failed', '5.1.8', "smtp; 553 5.1.8 sender's domain does not exist", 'sender'],
  ['failed', '5.1.3', 'smtp; 553 http://www.spamhaus.org/query/bl?ip=192.0.2.1', 'sender'],
  ['failed', '5.0.0', 'smtp; 554 Message rejected as spam', 'sender'],
  ['failed', '5.1.1', 'smtp; 550 5.1.1 <spam@example.com>... User unknown', 'hard'],
  ['failed', '5.0.0', null, 'unclear'],
  ['failed', '5.6.0', 'smtp; 552 5.6.0 headers too large', 'unclear'],
  ['failed', '2.0.0', null, 'unclear'],
  ['delayed', '5.1.1', null, 'delayed'],
  ['delivered', '2.0.0', null, 'delivered'],
  ['relayed', null, null, 'delivered'],
  ['expanded', '5.1.1', null, 'delivered'],
  [null, null, '450 try later', 'soft'],
  [null, null, 'no words that say why', 'unclear'],
];

describe('what a failure means', () => {
  it.each(VERDICTS)('action %s, status %s, %s: %s', (action, status, diagnostic, verdict) => {
    expect(judge({ action, status, diagnostic })).toBe(verdict);
  });
});

describe('what came back', () => {
  const returned = { 'Message-ID': '<send-12.abc@sample.example>', 'X-Perennial-Send': '12' };

  it('is read with its status, its words and the mail it is about', async () => {
    const to = `bounce+${'a'.repeat(40)}@sample.example`;
    const raw = dsn({ to, recipient: 'Ada@Example.com', status: '5.0.0', diagnostic: '550 5.1.1 unknown', returned });
    expect(await readReport(raw)).toEqual({
      kind: 'bounce',
      recipients: [
        {
          address: 'ada@example.com',
          originalAddress: 'ada@example.com',
          action: 'failed',
          status: '5.1.1',
          diagnostic: 'smtp; 550 5.1.1 unknown',
          verdict: 'hard',
        },
      ],
      about: { tokens: ['a'.repeat(40)], messageId: '<send-12.abc@sample.example>', sendId: 12 },
    });
  });

  it('is read without what no database keeps, wherever that stands', async () => {
    const report = dsn({
      recipient: 'ada@example.com',
      status: '5.1.1',
      diagnostic: '550 5.1.1 no\0body\u001b[2J',
      returned: { 'Message-ID': '<send-12.\0abc@sample.example>' },
    });
    const notice = Buffer.from(
      'From: MAILER-DAEMON@mx.example.net\r\nSubject: failure notice\r\n\r\n<ada@example.com>:\r\n550 5.1.1 no\0body here\r\n',
    );
    for (const raw of [report, notice]) {
      const read = await readReport(raw);
      expect(read).toMatchObject({ kind: 'bounce', recipients: [{ address: 'ada@example.com', verdict: 'hard' }] });
      expect(JSON.stringify(read)).not.toMatch(/\\u00[01]/);
    }
  });

  it('counts inside a mail that forwards it, whole or quoted', async () => {
    const report = dsn({ recipient: 'ada@example.com', status: '5.1.1', returned });
    const head = 'From: someone@sample.example\r\nMIME-Version: 1.0\r\n';
    const whole = `${head}Content-Type: multipart/mixed; boundary="w"\r\n\r\n--w\r\n\r\nsee below\r\n--w\r\nContent-Type: message/rfc822\r\n\r\n${report.toString()}\r\n--w--\r\n`;
    const fields = 'Final-Recipient: rfc822; ada@example.com\nAction: failed\nStatus: 5.1.1\n';
    const quoted = `${head}\r\nLook:\n\n${fields.replaceAll(/^(?=.)/gm, '> ')}`;
    for (const raw of [whole, quoted]) {
      const read = await readReport(Buffer.from(raw));
      expect(read).toMatchObject({ kind: 'bounce', recipients: [{ address: 'ada@example.com', verdict: 'hard' }] });
    }
  });

  it('is no report for being the mail that came back', async () => {
    const inside = dsn({ recipient: 'ada@example.com', status: '5.1.1' }).toString();
    const outer = dsn({ recipient: 'bob@example.com', status: '4.4.7' }).toString();
    const raw = outer
      .replaceAll('--b', '--c')
      .replace('boundary="b"', 'boundary="c"')
      .replace('Subject: Hello\r\n\r\nHello', inside);
    expect(await readReport(Buffer.from(raw))).toMatchObject({
      kind: 'bounce',
      recipients: [{ address: 'bob@example.com' }],
    });
    expect(await readReport(Buffer.from(raw))).toHaveProperty('recipients.length', 1);
  });

  it.each([
    [
      'an absence',
      'From: ada@example.com\r\nAuto-Submitted: auto-replied\r\n\r\nI am away. ada@example.com: 550 5.1.1',
      'auto-reply',
    ],
    [
      'a challenge',
      'From: ada@example.com\r\nSubject: please confirm\r\n\r\nada@example.com\r\nclick here',
      'no report',
    ],
    ['a letter', 'From: ada@example.com\r\n\r\n<bob@example.com>: 550 5.1.1 User unknown', 'no report'],
    ['nothing', '', 'no report'],
  ])('is nothing when it is %s', async (_what, text, because) => {
    expect(await readReport(Buffer.from(text))).toEqual({ kind: 'none', because });
  });

  it('takes complaints of readers only', async () => {
    expect(await readReport(complaint(returned))).toMatchObject({
      kind: 'complaint',
      feedback: 'abuse',
      recipients: [],
      about: { messageId: '<send-12.abc@sample.example>' },
    });
    for (const feedback of ['not-spam', 'auth-failure', 'virus', 'other']) {
      expect(await readReport(complaint(returned, feedback))).toEqual({ kind: 'none', because: 'no complaint' });
    }
  });

  it('is split where a mailbox file has several', () => {
    const mbox =
      'From MAILER-DAEMON Thu Apr 29 23:34:45 2026\nA: 1\n\nFrom here on\n\nFrom x@y Thu Apr 29 23:34:45 2026\r\nB: 2\n\n';
    expect(splitMailbox(Buffer.from(mbox)).map((mail) => Buffer.from(mail).toString())).toEqual([
      'A: 1\n\nFrom here on\n\n',
      'B: 2\n\n',
    ]);
    expect(splitMailbox(Buffer.from('A: 1\n\nFrom here'))).toHaveLength(1);
    expect(splitMailbox(Buffer.alloc(0))).toEqual([]);
  });
});
