import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fieldsOf, relaxedBody, relaxedField } from '../../engine/mail/dkim/canonical.ts';
import {
  createDkimKey,
  DkimKeyError,
  dkimRecord,
  dkimRecordName,
  readDkimKey,
  type DkimKey,
} from '../../engine/mail/dkim/key.ts';
import { signDkim } from '../../engine/mail/dkim/sign.ts';
import { transparent } from '../../engine/mail/transparent.ts';
import { compose, type MailToCompose } from '../../engine/message/compose.ts';
import { judgeSignatures } from '../support/mailauth.ts';

const DOMAIN = 'hearth.example';
const AT = Date.UTC(2026, 2, 2, 9, 15);
const MAIL: MailToCompose = {
  from: 'Hearth & Home <hello@hearth.example>',
  to: 'ada@example.com',
  toName: 'Ada Lovelace',
  replyTo: 'Care, the <care@hearth.example>',
  subject: 'Hello',
  html: '<p>Hello</p>',
  text: 'Hello',
  messageId: '<send-7@hearth.example>',
  date: AT,
  headers: {
    'List-Unsubscribe': `<https://hearth.example/u/${'x'.repeat(200)}>, <mailto:out@hearth.example>`,
    'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
    'List-Id': '<news.hearth.example>',
    'Feedback-ID': 'welcome:news:perennial',
    'X-Perennial-Step': 'hello',
  },
};

let rsa: DkimKey;
let ed25519: DkimKey;
let records: Readonly<Record<string, string>>;
beforeAll(async () => {
  rsa = readDkimKey('r2026', await createDkimKey('rsa'));
  ed25519 = readDkimKey('e2026', await createDkimKey('ed25519'));
  records = Object.fromEntries([rsa, ed25519].map((key) => [dkimRecordName(key.selector, DOMAIN), dkimRecord(key)]));
});

/** The seed of RFC 8032 section 7.1, test 1, in PKCS#8: RFC 8463 appendix A uses it. */
const SEED = 'nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=';
function pkcs8OfSeed(seed: string): string {
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.from(seed, 'base64')]);
  return `-----BEGIN PRIVATE KEY-----\n${der.toString('base64')}\n-----END PRIVATE KEY-----\n`;
}

describe('the relaxed forms', () => {
  it('are those of the examples in RFC 6376 section 3.4.5', () => {
    expect(fieldsOf('A: X\r\nB : Y\t\r\n\tZ  ').map(relaxedField)).toEqual(['a:X', 'b:Y Z']);
    expect(relaxedBody(Buffer.from(' C \r\nD \t E\r\n\r\n\r\n')).toString()).toBe(' C\r\nD E\r\n');
    expect(relaxedBody(Buffer.from('\r\n\r\n')).toString()).toBe('');
    expect(relaxedBody(Buffer.from('no end')).toString()).toBe('no end\r\n');
  });

  it('of any body are what the rules of section 3.4.4 say one after the other', () => {
    const body = fc
      .array(fc.constantFrom(' ', '\t', '\r\n', 'a', '.', '=20'), { maxLength: 60 })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(body, (text) => {
        const byTheRules = text
          .replace(/[ \t]+(?=\r\n|$)/g, '')
          .replace(/[ \t]+/g, ' ')
          .replace(/(?:\r\n)+$/, '');
        expect(relaxedBody(Buffer.from(text)).toString()).toBe(byTheRules === '' ? '' : `${byTheRules}\r\n`);
      }),
    );
  });

  it('give the body hash of RFC 8463 appendix A', () => {
    const body = 'Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n';
    const hash = createHash('sha256')
      .update(relaxedBody(Buffer.from(body)))
      .digest('base64');
    expect(hash).toBe('2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=');
  });
});

describe('a key', () => {
  it('has the record of RFC 8463 appendix A.2', () => {
    expect(dkimRecord(readDkimKey('brisbane', pkcs8OfSeed(SEED)))).toBe(
      'v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=',
    );
  });

  it('is refused, without being quoted, when it cannot sign', () => {
    for (const [pem, words] of [
      ['hello', 'no private key in PEM'],
      ['-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n', 'no private key in PEM'],
    ] as const) {
      expect(() => readDkimKey('s', pem)).toThrow(DkimKeyError);
      expect(() => readDkimKey('s', pem)).toThrow(words);
      expect(() => readDkimKey('s', pem)).not.toThrow('c2VjcmV0');
    }
  });
});

describe('a signed mail', () => {
  it('passes an independent verifier, with RSA and Ed25519 at once', async () => {
    const message = await signDkim(compose(MAIL).message, { domain: DOMAIN, at: AT, keys: [rsa, ed25519] });
    const judged = await judgeSignatures(message, records);
    expect(
      judged.map(({ selector, algo, format, signingDomain, status }) => [
        selector,
        algo,
        format,
        signingDomain,
        status.result,
        status.aligned,
      ]),
    ).toEqual([
      ['r2026', 'rsa-sha256', 'relaxed/relaxed', DOMAIN, 'pass', DOMAIN],
      ['e2026', 'ed25519-sha256', 'relaxed/relaxed', DOMAIN, 'pass', DOMAIN],
    ]);
    expect(transparent(message)).toBe(message);
    const lines = message.toString('latin1').split('\r\n');
    expect(Math.max(...lines.slice(0, 20).map(({ length }) => length))).toBeLessThan(300);
  });

  it('names what it covers: all that readers see and what mail programs act on, and no more', async () => {
    const message = await signDkim(compose(MAIL).message, { domain: DOMAIN, at: AT, keys: [rsa] });
    const [signature] = fieldsOf(message.toString('latin1', 0, message.indexOf('\r\n\r\n')));
    const covered =
      /h=([^;]*);/
        .exec(signature?.value ?? '')?.[1]
        ?.replaceAll(/\s/g, '')
        .split(':') ?? [];
    const twice = 'from reply-to to subject date';
    const once = 'message-id mime-version content-type list-unsubscribe list-unsubscribe-post list-id feedback-id';
    expect([...covered].sort()).toEqual(`${twice} ${twice} ${once}`.split(' ').sort());
  });

  it('passes whatever is in it, and whatever white space changes on the way', async () => {
    const line = fc.string({ unit: 'grapheme', maxLength: 120 }).map((text) => text.replaceAll(/[\r\n\0]/g, ''));
    const body = fc.string({ unit: 'binary', maxLength: 2_000 });
    const key = fc.constantFrom(rsa, ed25519);
    await fc.assert(
      fc.asyncProperty(line, line, body, body, key, async (name, subject, html, text, key) => {
        const { message } = compose({ ...MAIL, toName: name, subject, html, text });
        const signed = await signDkim(message, { domain: DOMAIN, at: AT, keys: [key] });
        const [verdict] = await judgeSignatures(signed, records);
        expect(verdict?.status).toMatchObject({ result: 'pass' });
        const touched = Buffer.from(
          signed.toString('latin1').replace('MIME-Version: 1.0', 'mime-version:   1.0 '),
          'latin1',
        );
        expect(
          (await judgeSignatures(Buffer.concat([touched, Buffer.from('\r\n\r\n')]), records))[0]?.status,
        ).toMatchObject({ result: 'pass' });
      }),
      { numRuns: 150 },
    );
  });

  it.each([
    ['a changed subject', (text: string) => text.replace('Subject: Hello', 'Subject: Hallo')],
    ['a changed body', (text: string) => text.replace('<p>Hello', '<p>Hallo')],
    ['a changed way out', (text: string) => text.replace('mailto:out@', 'mailto:in@')],
    ['a second sender', (text: string) => `From: eve@evil.example\r\n${text}`],
    ['a second subject', (text: string) => `Subject: Win\r\n${text}`],
    ['another type', (text: string) => text.replace('multipart/alternative', 'multipart/mixed')],
  ])('does not pass with %s', async (_, change) => {
    const signed = await signDkim(compose(MAIL).message, { domain: DOMAIN, at: AT, keys: [rsa, ed25519] });
    const changed = change(signed.toString('latin1'));
    expect(changed).not.toBe(signed.toString('latin1'));
    const judged = await judgeSignatures(Buffer.from(changed, 'latin1'), records);
    expect(judged.map(({ status }) => status.result)).not.toContain('pass');
    expect(judged).toHaveLength(2);
  });

  it('is left as it is without keys', async () => {
    const { message } = compose(MAIL);
    expect(await signDkim(message, { domain: DOMAIN, at: AT, keys: [] })).toBe(message);
  });
});
