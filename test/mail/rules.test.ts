import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { retryDelayMs } from '../../engine/mail/backoff.ts';
import { classify, isThrottled, type Progress } from '../../engine/mail/outcome.ts';
import { parseSmtpUrl } from '../../engine/mail/url.ts';

describe('the retry schedule', () => {
  const MINUTES = {
    connection: [1, 5, 15, 60, 240, 720, 1440],
    message: [15, 60, 240, 720, 1440, 1440],
    domain: [15, 60, 240, 720, 1440, 1440],
  } as const;

  it.each(['connection', 'message', 'domain'] as const)('waits longer each time, by 10 %% either way: %s', (scope) => {
    const minutes = MINUTES[scope];
    for (const [index, wanted] of minutes.entries()) expect(retryDelayMs(index + 1, 0.5, scope)).toBe(wanted * 60_000);
    expect(retryDelayMs(minutes.length + 1, 0.5, scope)).toBeNull();
    expect(retryDelayMs(80, 0, scope)).toBeNull();
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: minutes.length }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (attempts, random) => {
          const share = (retryDelayMs(attempts, random, scope) ?? 0) / ((minutes[attempts - 1] ?? 0) * 60_000);
          expect(share).toBeGreaterThanOrEqual(0.9);
          expect(share).toBeLessThanOrEqual(1.1);
        },
      ),
    );
  });

  it('tries nothing again after 72 hours', () => {
    const longest = MINUTES.message.map((_, index) => retryDelayMs(index + 1, 0.999, 'message') ?? 0);
    expect(longest.reduce((sum, delay) => sum + delay, 0)).toBeLessThan(72 * 3_600_000);
  });

  it('refuses to count from nothing', () => {
    for (const attempts of [0, -1, 1.5, Number.NaN])
      expect(() => retryDelayMs(attempts, 0, 'message')).toThrow(RangeError);
  });
});

describe('SMTP_URL', () => {
  it.each([
    ['smtp://mail.example', { host: 'mail.example', port: 587, secure: false, startTls: 'offered', credentials: null }],
    ['smtps://mail.example', { host: 'mail.example', port: 465, secure: true, startTls: 'offered', credentials: null }],
    [
      'smtp://me%40x:p%3Aw@mail.example:2525',
      {
        host: 'mail.example',
        port: 2525,
        secure: false,
        startTls: 'required',
        credentials: { user: 'me@x', pass: 'p:w' },
      },
    ],
    [
      'smtp://me:pw@[::1]:2525',
      { host: '::1', port: 2525, secure: false, startTls: 'offered', credentials: { user: 'me', pass: 'pw' } },
    ],
    [
      'smtp://mail.example?tls=off',
      { host: 'mail.example', port: 587, secure: false, startTls: 'off', credentials: null },
    ],
  ])('%s', (text, server) => {
    expect(parseSmtpUrl(text)).toEqual(server);
  });

  it.each([
    '',
    'mail.example',
    'http://mail.example',
    'smtp://',
    'smtp://x?tls=maybe',
    'smtp://x?pool=1',
    'smtp://a:%zz@x',
  ])('refuses %j without repeating it', (text) => {
    expect(() => parseSmtpUrl(text)).toThrow(expect.objectContaining({ code: 'bad-url' }));
  });

  it('never says a password', () => {
    for (const text of [
      'smtp://me:secret@',
      'smtp://me:secret@x?tls=no',
      'smtp://me:secret%@x',
      'smpt://me:secret@x',
    ]) {
      expect(() => parseSmtpUrl(text)).toThrow(
        expect.objectContaining({ message: expect.not.stringContaining('secret') }),
      );
    }
  });
});

describe('a server that asks for less', () => {
  const reply = (command: string, code: number, text: string, progress: Progress = 'envelope') =>
    classify(
      {
        message: text,
        code: progress === 'ended' ? 'EMESSAGE' : 'EENVELOPE',
        command,
        response: text,
        responseCode: code,
      },
      progress,
    );

  it.each<[string, number, string, Progress, boolean]>([
    ['RCPT TO', 421, '421 4.7.0 slower', 'envelope', true],
    ['RCPT TO', 451, '451 4.7.650 too much from your address', 'envelope', true],
    ['DATA', 421, '421-4.7.28 unusual rate\n421 4.7.28 see there', 'ended', true],
    ['DATA', 451, '451 4.7.500 busy', 'ended', true],
    // About the sender, this connection, one mailbox, a greylist, the way there, or for good.
    ['MAIL FROM', 421, '421 4.7.0 slower', 'envelope', false],
    ['RCPT TO', 421, '421 4.3.2 shutting down', 'envelope', false],
    ['RCPT TO', 421, '421 bye', 'envelope', false],
    ['RCPT TO', 450, '450 4.7.1 greylisted', 'envelope', false],
    ['RCPT TO', 451, '451 4.4.1 no way there', 'envelope', false],
    ['RCPT TO', 452, '452 4.2.2 full', 'envelope', false],
    ['RCPT TO', 550, '550 5.7.1 no', 'envelope', false],
  ])('%s: %i "%s"', (command, code, text, progress, wanted) => {
    expect(isThrottled(reply(command, code, text, progress))).toBe(wanted);
  });
});
