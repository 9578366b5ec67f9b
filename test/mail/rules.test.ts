import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { retryDelayMs } from '../../engine/mail/backoff.ts';
import { parseSmtpUrl } from '../../engine/mail/url.ts';

describe('the retry schedule', () => {
  const MINUTES = [1, 5, 15, 60, 240, 720, 1440];

  it('waits longer each time, by 20 % either way, and then gives up', () => {
    for (const [index, minutes] of MINUTES.entries()) expect(retryDelayMs(index + 1, 0.5)).toBe(minutes * 60_000);
    expect(retryDelayMs(8, 0.5)).toBeNull();
    expect(retryDelayMs(80, 0)).toBeNull();
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 7 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (attempts, random) => {
          const share = (retryDelayMs(attempts, random) ?? 0) / ((MINUTES[attempts - 1] ?? 0) * 60_000);
          expect(share).toBeGreaterThanOrEqual(0.8);
          expect(share).toBeLessThanOrEqual(1.2);
        },
      ),
    );
  });

  it('refuses to count from nothing', () => {
    for (const attempts of [0, -1, 1.5, Number.NaN]) expect(() => retryDelayMs(attempts, 0)).toThrow(RangeError);
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
