import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import PostalMime from 'postal-mime';
import { normaliseAddress, parseMailbox, validateAddress } from '../../engine/message/address.ts';
import { ComposeError, type MailToCompose, compose, messageIdFor } from '../../engine/message/compose.ts';
import { encodeQuotedPrintable } from '../../engine/message/quoted-printable.ts';

const MAIL: MailToCompose = {
  from: 'Hearth & Home <hello@hearth.example>',
  to: 'ada@example.com',
  toName: 'Ada Lovelace',
  replyTo: 'Care, the <care@hearth.example>',
  subject: 'Hello',
  html: '<p>Hello</p>',
  text: 'Hello',
  messageId: messageIdFor(7, 'hearth.example'),
  date: Date.UTC(2026, 2, 2, 9, 15),
  headers: { 'X-Perennial-Step': 'hello', 'List-Unsubscribe': `<https://hearth.example/u/${'x'.repeat(200)}>` },
};

/** Text that headers can carry: any characters, without line breaks and NUL; parsers trim and join white space. */
const line = fc
  .string({ unit: 'grapheme', maxLength: 200 })
  .filter((text) => !/[\p{Cc}\p{Cs}]/u.test(text))
  .map((text) => text.replace(/\s+/gu, ' ').trim());
const body = fc
  .string({ unit: 'binary', maxLength: 2000 })
  .map((text) => Buffer.from(text).toString().replace(/\r\n?/g, '\n').replace(/\0/g, ''));

function lines(message: Buffer): readonly string[] {
  return message.toString('latin1').split('\r\n');
}

describe('compose', () => {
  it('writes these bytes', () => {
    expect(compose(MAIL).message.toString()).toBe(
      [
        'From: Hearth & Home <hello@hearth.example>',
        'To: Ada Lovelace <ada@example.com>',
        'Reply-To: "Care, the" <care@hearth.example>',
        'Subject: Hello',
        'Date: Mon, 02 Mar 2026 09:15:00 +0000',
        'Message-ID: <send-7@hearth.example>',
        'X-Perennial-Step: hello',
        `List-Unsubscribe: <https://hearth.example/u/${'x'.repeat(200)}>`,
        'MIME-Version: 1.0',
        'Content-Type: multipart/alternative; boundary="=_perennial"',
        '',
        '--=_perennial',
        'Content-Type: text/plain; charset=utf-8',
        'Content-Transfer-Encoding: quoted-printable',
        '',
        'Hello',
        '--=_perennial',
        'Content-Type: text/html; charset=utf-8',
        'Content-Transfer-Encoding: quoted-printable',
        '',
        '<p>Hello</p>',
        '--=_perennial--',
        '',
      ].join('\r\n'),
    );
    expect(compose(MAIL).envelope).toEqual({ from: 'hello@hearth.example', to: 'ada@example.com' });
  });

  it('brings names, subjects and bodies of any language to an independent parser as they were', async () => {
    await fc.assert(
      fc.asyncProperty(line, line, line, body, body, async (name, subject, header, html, text) => {
        const { message } = compose({ ...MAIL, toName: name, subject, html, text, headers: { 'X-Any': header } });
        const parsed = await PostalMime.parse(message);
        expect(parsed.subject ?? '').toBe(subject);
        expect(parsed.to).toEqual([{ name, address: 'ada@example.com' }]);
        expect(parsed.html).toBe(`${html}\n`);
        expect(parsed.text).toBe(`${text}\n`);
        expect(parsed.date).toBe('2026-03-02T09:15:00.000Z');
        expect(parsed.messageId).toBe('<send-7@hearth.example>');
        for (const name of ['from', 'to', 'subject', 'date', 'message-id', 'mime-version', 'content-type']) {
          expect(parsed.headers.filter(({ key }) => key === name)).toHaveLength(1);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('writes 7-bit lines below 998 characters, ended by CRLF alone, whatever is in the mail', () => {
    fc.assert(
      fc.property(line, body, (text, words) => {
        const { message } = compose({ ...MAIL, toName: text, subject: text.repeat(20), html: words, text: words });
        for (const each of lines(message)) {
          expect(each.length).toBeLessThan(998);
          expect(each).toMatch(/^[\x20-\x7e\t]*$/);
        }
        expect(message.subarray(-2).toString()).toBe('\r\n');
      }),
    );
  });

  it('folds long plain subjects between words, and encodes what cannot be folded', async () => {
    for (const subject of [
      'word '.repeat(60).trim(),
      'x'.repeat(2000),
      '=?utf-8?Q?not_encoded?=',
      'two  spaces  here '.repeat(20).trim(),
    ]) {
      const { message } = compose({ ...MAIL, subject });
      expect(Math.max(...lines(message).map(({ length }) => length))).toBeLessThan(300);
      expect((await PostalMime.parse(message)).subject).toBe(subject);
    }
  });

  it.each<[string, Partial<MailToCompose>]>([
    ['subject', { subject: 'Hello\r\nBcc: eve@example.com' }],
    ['subject with LF', { subject: 'Hello\nBcc: eve@example.com' }],
    ['subject with CR', { subject: 'Hello\rBcc: eve@example.com' }],
    ['subject with NUL', { subject: 'Hello\0' }],
    ['name', { toName: 'Ada\r\nBcc: eve@example.com' }],
    ['non-ASCII name', { toName: 'Åda\nBcc: eve@example.com' }],
    ['sender', { from: '"Ada\r\nBcc: eve@example.com" <a@b.example>' }],
    ['header value', { headers: { 'X-A': 'b\r\nBcc: eve@example.com' } }],
  ])('refuses a line break in the %s', (_, part) => {
    expect(() => compose({ ...MAIL, ...part })).toThrow(expect.objectContaining({ code: 'line-break' }));
  });

  it.each<[string, Partial<MailToCompose>]>([
    ['bad-header-name', { headers: { 'X-A: b\r\nBcc': 'eve@example.com' } }],
    ['bad-header-name', { headers: { '': 'x' } }],
    ['reserved-header', { headers: { bcc: 'eve@example.com' } }],
    ['reserved-header', { headers: { 'Content-Type': 'text/html' } }],
    ['too-long', { headers: { 'X-A': 'x'.repeat(1000) } }],
    ['bad-address', { to: 'a@b.example, c@d.example' }],
    ['bad-address', { to: 'Ada <ada@example.com>' }],
    ['bad-address', { from: 'Hearth' }],
    ['bad-address', { replyTo: '' }],
    ['bad-address', { messageId: '<a b@c>' }],
  ])('refuses with %s: %j', (code, part) => {
    expect(() => compose({ ...MAIL, ...part })).toThrow(ComposeError);
    expect(() => compose({ ...MAIL, ...part })).toThrow(expect.objectContaining({ code }));
  });

  it('gives each send of each installation its own Message-ID, always the same', () => {
    expect(messageIdFor(12, 'hearth.example')).toBe('<send-12@hearth.example>');
    expect(messageIdFor(12, 'hearth.example', 'k3')).toBe('<send-12.k3@hearth.example>');
  });
});

describe('quoted-printable', () => {
  it.each([
    ['plain', 'plain'],
    ['a=b', 'a=3Db'],
    ['ends in space \nand tab\t', 'ends in space=20\r\nand tab=09'],
    ['é€😀', '=C3=A9=E2=82=AC=F0=9F=98=80'],
    ['one\r\ntwo\nthree', 'one\r\ntwo\r\nthree'],
    ['a\rb', 'a=0Db'],
    ['x'.repeat(80), `${'x'.repeat(75)}=\r\nxxxxx`],
    ['.a\n..b\nc.', '=2Ea\r\n=2E.b\r\nc.'],
    [`${'x'.repeat(75)}.y`, `${'x'.repeat(75)}=\r\n=2Ey`],
    [`${'x'.repeat(74)} \ny`, `${'x'.repeat(74)}=\r\n=20\r\ny`],
    ['', ''],
  ])('encodes %j', (text, encoded) => {
    expect(encodeQuotedPrintable(text).toString()).toBe(encoded);
  });

  it('keeps lines to 76 characters, and decodes to the same text', () => {
    fc.assert(
      fc.property(body, (text) => {
        const encoded = encodeQuotedPrintable(text).toString('latin1');
        for (const each of encoded.split('\r\n')) {
          expect(each.length).toBeLessThanOrEqual(76);
          expect(each).not.toMatch(/[ \t]$|^\./);
        }
        const bytes = encoded
          .replace(/=\r\n/g, '')
          .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
        expect(Buffer.from(bytes, 'latin1').toString().replaceAll('\r\n', '\n')).toBe(text);
      }),
    );
  });
});

describe('addresses', () => {
  it.each([
    [' Ada.L+x@Example.COM ', 'Ada.L+x@example.com'],
    ['ada@bücher.example', 'ada@xn--bcher-kva.example'],
    ['ada@sub.example.co.uk', 'ada@sub.example.co.uk'],
    [`${'a'.repeat(64)}@example.com`, `${'a'.repeat(64)}@example.com`],
    [`${'a'.repeat(65)}@example.com`, null],
    [`a@${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(63)}.${'e'.repeat(63)}.com`, null],
    ['a@b.example,c@d.example', null],
    ['a@b.example;c@d.example', null],
    ['a@b@c.example', null],
    ['Ada <ada@example.com>', null],
    ['ada@localhost', null],
    ['ada@127.0.0.1', null],
    ['ada@[127.0.0.1]', null],
    ['ada@exa mple.com', null],
    ['ada@ex%61mple.com', null],
    ['ada@-x.example', null],
    ['.ada@example.com', null],
    ['a..b@example.com', null],
    ['ädä@example.com', null],
    ['ada@example.com\r\nRCPT TO:<eve@example.com>', null],
    ['ada\0@example.com', null],
    ['@example.com', null],
    ['ada@', null],
    ['', null],
  ])('%j is %j', (text, address) => {
    expect(validateAddress(text)).toBe(address);
    expect(normaliseAddress(text)).toBe(address?.toLowerCase() ?? null);
  });

  it('reads a mailbox with or without a name', () => {
    expect(parseMailbox('Hearth & Home <hello@hearth.example>')).toEqual({
      name: 'Hearth & Home',
      address: 'hello@hearth.example',
    });
    expect(parseMailbox('"Home, \\"sweet\\"" <a@b.example>')).toEqual({
      name: 'Home, "sweet"',
      address: 'a@b.example',
    });
    expect(parseMailbox('<a@b.example>')).toEqual({ name: null, address: 'a@b.example' });
    expect(parseMailbox('a@b.example')).toEqual({ name: null, address: 'a@b.example' });
    for (const text of ['A <a@b.example>, B <b@b.example>', 'A <a>', '"A <a@b.example>', 'A'])
      expect(parseMailbox(text)).toBeNull();
  });
});
