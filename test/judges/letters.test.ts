/** The letters of the sample company, judged by programs of others as the servers of readers would get them. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import PostalMime from 'postal-mime';
import { installedProgram } from '../support/installed.ts';
import { judgeByMailDkim } from '../support/mail-dkim.ts';
import { judgeSignatures } from '../support/mailauth.ts';
import { judgeSpam, type SpamVerdict } from '../support/spamassassin.ts';
import { DOMAIN, LOCALES, receivedLetters, type Letters } from './letters.ts';
import { ALLOWED_RULES, MAX_POINTS } from './spam-rules.ts';

let given: Letters;
beforeAll(async () => {
  given = await receivedLetters();
});

const spamassassin = installedProgram('spamassassin', 'Suites of SpamAssassin and Mail::DKIM');
const ifInstalled = spamassassin === null ? describe.skip : describe;

it('are all that playbooks send, in every locale, each with two signatures that mailauth passes and two readable parts', async () => {
  const { letters, records } = given;
  expect(letters.length).toBeGreaterThan(15 * LOCALES.length);
  for (const { name, lane, bytes } of letters) {
    const judged = await judgeSignatures(bytes, records);
    expect([name, judged.map(({ algo, status }) => [algo, status.result, status.aligned])]).toEqual([
      name,
      [
        ['rsa-sha256', 'pass', DOMAIN],
        ['ed25519-sha256', 'pass', DOMAIN],
      ],
    ]);
    const mail = await PostalMime.parse(bytes);
    expect(mail.attachments).toEqual([]);
    expect([mail.html?.length ?? 0, mail.text?.length ?? 0].every((length) => length > 300)).toBe(true);
    // RFC 8058 section 3.1: both fields, an https address, and a signature that covers both.
    const fields = new Map(mail.headers.map(({ key, value }) => [key, value]));
    expect([name, fields.has('list-unsubscribe'), fields.get('list-unsubscribe-post')]).toEqual(
      lane === 'bulk' ? [name, true, 'List-Unsubscribe=One-Click'] : [name, false, undefined],
    );
    if (lane !== 'bulk') continue;
    expect(fields.get('list-unsubscribe')).toMatch(/<https:\/\/[^>]+>/);
    const covered = judged.map(({ signingHeaders }) => signingHeaders.keys.toLowerCase().split(/\s*:\s*/));
    for (const keys of covered) {
      expect(keys).toEqual(expect.arrayContaining(['list-unsubscribe', 'list-unsubscribe-post']));
    }
  }
});

ifInstalled('Mail::DKIM', () => {
  it('passes the RSA signature of every letter, and none of one that was changed', async () => {
    const mails = given.letters.map(({ bytes }) => bytes);
    const changed = Buffer.from(mails[0]?.toString('latin1').replace(/^Subject: /m, 'Subject: Re: ') ?? '', 'latin1');
    const verdicts = (await judgeByMailDkim([...mails, changed], given.records)).filter(
      ({ algorithm }) => algorithm === 'rsa-sha256',
    );
    expect(verdicts.map(({ mail, selector, result }) => [mail, selector, result.replace(/ .*/, '')])).toEqual([
      ...mails.map((_, index) => [index, 'r2026', 'pass']),
      [mails.length, 'r2026', 'fail'],
    ]);
  });
});

ifInstalled('SpamAssassin', () => {
  /** Mails that it must find fault with, or what it says of the others would mean nothing. */
  const CONTROLS: readonly (readonly [string, (mail: string) => string])[] = [
    [
      'GTUBE',
      (mail) =>
        mail.replace('Hello ', 'XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\n\nHello '),
    ],
    ['MISSING_DATE', (mail) => mail.replace(/^Date: .*\r\n/m, '')],
    ['MISSING_MID', (mail) => mail.replace(/^Message-ID: .*\r\n/m, '')],
    ['STY_INVIS_DIRECT', (mail) => mail.replace('aria-hidden=3D"true" style=3D"', 'style=3D"display:none; ')],
  ];
  let verdicts: readonly { readonly name: string; readonly verdict: SpamVerdict }[];
  let controls: readonly SpamVerdict[];
  beforeAll(async () => {
    // The same letter in another locale, where nothing in it depends on that, is the same to SpamAssassin.
    const distinct = [...new Map(given.letters.toReversed().map((letter) => [bodyOf(letter.bytes), letter])).values()];
    const mails = distinct.map(({ bytes }) => bytes);
    const service = given.letters.find(({ lane }) => lane === 'transactional')?.bytes.toString('latin1') ?? '';
    const spoilt = CONTROLS.map(([, spoil]) => Buffer.from(spoil(service), 'latin1'));
    const judged = await judgeSpam(spamassassin ?? '', [...mails, ...spoilt]);
    verdicts = distinct.flatMap(({ name }, index) => {
      const verdict = judged[index];
      return verdict === undefined ? [] : [{ name, verdict }];
    });
    controls = judged.slice(mails.length);
  });

  it(`gives every letter less than ${MAX_POINTS} points, for rules that are listed with their reason`, () => {
    const found = verdicts.map(({ name, verdict }) => ({ name, ...verdict }));
    expect(found.length).toBeGreaterThan(15);
    expect(found.filter(({ score }) => !(score < MAX_POINTS))).toEqual([]);
    const unlisted = found.filter(({ hits }) => Object.keys(hits).some((rule) => !Object.hasOwn(ALLOWED_RULES, rule)));
    expect(unlisted).toEqual([]);
    const hit = new Set(found.flatMap(({ hits }) => Object.keys(hits)));
    expect(Object.keys(ALLOWED_RULES).filter((rule) => !hit.has(rule))).toEqual([]);
  });

  it.each(CONTROLS.map(([rule], index) => [rule, index] as const))('finds %s where it is', (rule, index) => {
    expect(Object.keys(controls[index]?.hits ?? {})).toContain(rule);
  });
});

function bodyOf(bytes: Buffer): string {
  return bytes.toString('latin1', bytes.indexOf('\r\n\r\n'));
}
