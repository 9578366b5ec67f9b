/** What the doctor says of a sending domain, asked of a real DNS server. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createDkimKey, dkimRecord, readDkimKey, type DkimKey } from '../../engine/mail/dkim/key.ts';
import { ownKeyFile } from '../../workers/dkim-keys.ts';
import { checkDkim } from '../../scripts/doctor/check-dkim.ts';
import { checkDmarc } from '../../scripts/doctor/check-dmarc.ts';
import { checkMx } from '../../scripts/doctor/check-mx.ts';
import { checkSpf } from '../../scripts/doctor/check-spf.ts';
import { openDns, type Dns } from '../../scripts/doctor/dns.ts';
import type { Finding } from '../../scripts/doctor/report.ts';
import type { Sending } from '../../scripts/doctor/sending.ts';
import { judgeSpf } from '../../scripts/doctor/spf.ts';
import { startDns, type DnsServer, type DnsTable } from '../support/dns.ts';
import { testFolder } from '../support/folder.ts';

let server: DnsServer;
let dns: Dns;
let table: DnsTable = {};
let folder: string;
let key: DkimKey;
beforeAll(async () => {
  server = await startDns(() => table);
  dns = openDns(server.address);
  folder = await testFolder();
  const pem = await createDkimKey('rsa');
  const file = ownKeyFile(folder, 's1');
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, pem);
  key = readDkimKey('s1', pem);
});
afterAll(async () => {
  await server.close();
});

const SENDING: Sending = {
  from: 'shop.test',
  returnPath: 'bounce.shop.test',
  dkim: { domain: 'shop.test', selectors: ['s1'] },
  otherSenders: [],
};
const txt = (...texts: string[]): { txt: string[] } => ({ txt: texts });
const brief = ({ level, seen, todo }: Finding): string => `${level}: ${seen}${todo === null ? '' : ` → ${todo}`}`;

describe('SPF', () => {
  it.each<[string, DnsTable, string, string]>([
    [
      'names it',
      { 'shop.test': txt('v=spf1 ip4:192.0.2.0/24 -all') },
      '192.0.2.9',
      'pass by ip4:192.0.2.0/24, 0 lookups',
    ],
    ['names another', { 'shop.test': txt('v=spf1 ip4:192.0.2.0/24 -all') }, '198.51.100.1', 'fail by -all, 0 lookups'],
    [
      'of the other family',
      { 'shop.test': txt('v=spf1 ip4:192.0.2.0/24 ~all') },
      '2001:db8::1',
      'softfail by ~all, 0 lookups',
    ],
    [
      'by ip6',
      { 'shop.test': txt('v=spf1 ip6:2001:db8::/32 ~all') },
      '2001:db8::1',
      'pass by ip6:2001:db8::/32, 0 lookups',
    ],
    ['says nothing more', { 'shop.test': txt('v=spf1 ip4:192.0.2.1') }, '192.0.2.2', 'neutral by null, 0 lookups'],
    [
      'by include',
      { 'shop.test': txt('v=spf1 include:esp.test -all'), 'esp.test': txt('v=spf1 ip4:192.0.2.1 -all') },
      '192.0.2.1',
      'pass by include:esp.test, 1 lookups',
    ],
    [
      'not by an include that refuses',
      { 'shop.test': txt('v=spf1 include:esp.test ~all'), 'esp.test': txt('v=spf1 -ip4:192.0.2.1 +all') },
      '192.0.2.1',
      'softfail by ~all, 1 lookups',
    ],
    [
      'by redirect',
      { 'shop.test': txt('other', 'v=spf1 redirect=esp.test'), 'esp.test': txt('v=spf1 ip4:192.0.2.1 -all') },
      '192.0.2.2',
      'fail by -all, 1 lookups',
    ],
    [
      'by its own address',
      { 'shop.test': { ...txt('v=spf1 a/24 -all'), a: ['192.0.2.1'] } },
      '192.0.2.77',
      'pass by a/24, 1 lookups',
    ],
    [
      'by its mail exchanger',
      { 'shop.test': { ...txt('v=spf1 mx -all'), mx: [[10, 'in.shop.test']] }, 'in.shop.test': { a: ['192.0.2.5'] } },
      '192.0.2.5',
      'pass by mx, 1 lookups',
    ],
    ['is not there', { 'shop.test': txt('hello') }, '192.0.2.1', 'none'],
    ['of a domain that is not there', {}, '192.0.2.1', 'none'],
    [
      'is there twice',
      { 'shop.test': txt('v=spf1 -all', 'v=spf1 a -all') },
      '192.0.2.1',
      'broken: shop.test has 2 SPF records; there must be one',
    ],
    [
      'is misspelt',
      { 'shop.test': txt('v=spf1 ipv4:192.0.2.1 -all') },
      '192.0.2.2',
      'broken: "ipv4:192.0.2.1" in the SPF record of shop.test is no term of SPF',
    ],
    [
      'has no network',
      { 'shop.test': txt('v=spf1 ip4:192.0.2.1/64 -all') },
      '192.0.2.2',
      'broken: "192.0.2.1/64" in the SPF record of shop.test is no network',
    ],
    [
      'includes nothing',
      { 'shop.test': txt('v=spf1 include:gone.test -all') },
      '192.0.2.2',
      'broken: gone.test, which is included, has no SPF record',
    ],
    [
      'goes in circles',
      { 'shop.test': txt('v=spf1 include:shop.test -all') },
      '192.0.2.2',
      'broken: following it takes more than 10 questions to the DNS, and servers stop there',
    ],
    [
      'cannot be asked',
      { 'shop.test': 'refuse' },
      '192.0.2.2',
      'unknown: the DNS gave no answer about shop.test (ESERVFAIL)',
    ],
  ])('a record that %s', async (_, records, ip, expected) => {
    table = records;
    const verdict = await judgeSpf(dns, 'shop.test', ip);
    const text =
      verdict.kind === 'judged'
        ? `${verdict.result} by ${String(verdict.by)}, ${verdict.lookups} lookups`
        : `${verdict.kind}${'reason' in verdict ? `: ${verdict.reason}` : ''}`;
    expect(text).toBe(expected);
  });

  it.each<[string, DnsTable, readonly string[], RegExp]>([
    ['none', {}, ['192.0.2.1'], /^fail: bounce\.shop\.test, the domain of the return path, has no SPF record/],
    ['everybody', { 'bounce.shop.test': txt('v=spf1 +all') }, [], /^fail: .* → let it end in "~all"/],
    ['open end', { 'bounce.shop.test': txt('v=spf1 ip4:192.0.2.1') }, [], /^warn: .*does not say what holds/],
    [
      'not the server',
      { 'bounce.shop.test': txt('v=spf1 ip4:192.0.2.1 ~all') },
      ['192.0.2.2'],
      /^warn: .*does not name 192\.0\.2\.2/,
    ],
    [
      'the server',
      { 'bounce.shop.test': txt('v=spf1 ip4:192.0.2.2 ~all') },
      ['192.0.2.2'],
      /^ok: .*allows the mail server/,
    ],
    ['no answer', { 'bounce.shop.test': 'refuse' }, [], /^warn: the DNS gave no answer/],
  ])('%s', async (_, records, addresses, expected) => {
    table = records;
    expect(brief(await checkSpf(dns, SENDING, addresses))).toMatch(expected);
  });

  it('is given as a record to copy', async () => {
    table = {};
    const { records } = await checkSpf(dns, SENDING, ['192.0.2.1', '2001:db8::1']);
    expect(records).toEqual([
      { name: 'bounce.shop.test', type: 'TXT', value: 'v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 ~all' },
    ]);
  });
});

describe('DKIM', () => {
  const NAME = 's1._domainkey.shop.test';
  const judged = async (...texts: string[]): Promise<string> => {
    table = texts.length === 0 ? {} : { [NAME]: txt(...texts) };
    const [finding] = await checkDkim(dns, SENDING, { projectDir: folder, dkimKeys: null });
    return finding === undefined ? '' : brief(finding);
  };

  it('is right when the record has the public key of the private one', async () => {
    expect(await judged(dkimRecord(key))).toBe(`ok: ${NAME} has the public key of the private one (rsa, 2048 bits)`);
    expect(await judged(dkimRecord(key).replace('v=DKIM1; k=rsa; ', ''))).toMatch(/^ok/);
  });

  it.each<[string, (record: string) => readonly string[], RegExp]>([
    ['is not there', () => [], /^fail: there is no record at s1\._domainkey\.shop\.test → publish this record/],
    ['is there twice', (record) => [record, record], /^fail: there are 2 text records/],
    ['is revoked', () => ['v=DKIM1; p='], /^fail: the key at .* is revoked/],
    ['has another key', (record) => [record.replace('p=MII', 'p=MIJ')], /^fail: the key at .* is another one/],
    [
      'is of another kind',
      (record) => [record.replace('k=rsa', 'k=ed25519')],
      /^fail: .*of the kind ed25519, and the private one is rsa/,
    ],
    ['is no DKIM record', () => ['v=spf1 -all'], /^fail: .* is no DKIM record/],
    ['knows SHA-1 only', (record) => [`${record}; h=sha1`], /^fail: .* does not allow SHA-256/],
    ['is not for mail', (record) => [`${record}; s=tlsrpt`], /^fail: .* is not for mail/],
    ['is a test', (record) => [`${record}; t=s:y`], /^warn: .*in test mode/],
  ])('a record that %s', async (_, texts, expected) => {
    expect(await judged(...texts(dkimRecord(key)))).toMatch(expected);
  });

  it('gives the record to publish, and never the private key', async () => {
    table = {};
    const findings = await checkDkim(dns, SENDING, { projectDir: folder, dkimKeys: null });
    expect(findings[0]?.records).toEqual([{ name: NAME, type: 'TXT', value: dkimRecord(key) }]);
    expect(JSON.stringify(findings)).not.toContain('PRIVATE');
  });

  it('says what a missing key means', async () => {
    table = { [NAME]: txt(dkimRecord(key)) };
    const [finding] = await checkDkim(dns, SENDING, { projectDir: await testFolder(), dkimKeys: null });
    expect(finding === undefined ? '' : brief(finding)).toMatch(
      /^warn: .* and here is no key to compare it with → on a machine that delivers/,
    );
    expect((await checkDkim(dns, { ...SENDING, dkim: null }, { projectDir: folder, dkimKeys: null }))[0]?.level).toBe(
      'warn',
    );
  });
});

describe('DMARC', () => {
  it.each<[string, DnsTable, Partial<Sending>, readonly RegExp[]]>([
    [
      'no record',
      {},
      {},
      [/^fail: there is no DMARC record for shop\.test/, /^ok: the domain that signs \(shop\.test\)/],
    ],
    [
      'no policy',
      { '_dmarc.shop.test': txt('v=DMARC1; rua=mailto:a@shop.test') },
      {},
      [/^fail: .* has no policy/, /^ok/],
    ],
    ['nothing comes of it', { '_dmarc.shop.test': txt('v=DMARC1; p=none') }, {}, [/^warn: .*rua=mailto:/, /^ok/]],
    [
      'all well',
      { '_dmarc.shop.test': txt('v=DMARC1; p=reject') },
      {},
      [
        /^ok: _dmarc\.shop\.test: v=DMARC1; p=reject/,
        /^ok: the domain that signs \(shop\.test\) and the return path's \(bounce\.shop\.test\) agrees/,
      ],
    ],
    [
      'the record of the organisation',
      { '_dmarc.shop.test': txt('v=DMARC1; p=reject; sp=quarantine') },
      { from: 'news.shop.test', dkim: { domain: 'mail.shop.test', selectors: ['s1'] } },
      [/^ok: _dmarc\.shop\.test/, /^ok: the domain that signs \(mail\.shop\.test\)/],
    ],
    [
      'strict',
      { '_dmarc.shop.test': txt('v=DMARC1; p=reject; adkim=s; aspf=s') },
      { dkim: { domain: 'mail.shop.test', selectors: ['s1'] } },
      [/^ok/, /^fail: neither the domain that signs nor the return path/],
    ],
    [
      'of strangers',
      { '_dmarc.shop.test': txt('v=DMARC1; p=reject') },
      { returnPath: 'esp.test', dkim: { domain: 'esp.test', selectors: ['s1'] } },
      [/^ok/, /^fail: neither/],
    ],
    [
      'a public suffix above is no organisation',
      { '_dmarc.shop.test': txt('v=DMARC1; p=reject'), '_dmarc.test': txt('v=DMARC1; p=none; psd=y') },
      { returnPath: 'esp.test', dkim: null },
      [/^ok/, /^fail: neither/],
    ],
    [
      'SPF alone',
      { '_dmarc.shop.test': txt('v=DMARC1; p=reject') },
      { dkim: null },
      [/^ok/, /^warn: only the return path/],
    ],
    [
      'senders of templates',
      { '_dmarc.shop.test': txt('v=DMARC1; p=reject') },
      { otherSenders: ['care.shop.test', 'other.test'] },
      [/^ok/, /^ok/, /^fail: templates name senders of other\.test/],
    ],
    ['no answer', { '_dmarc.shop.test': 'refuse' }, {}, [/^warn: the DNS gave no answer/]],
  ])('%s', async (_, records, sending, expected) => {
    table = records;
    const findings = (await checkDmarc(dns, { ...SENDING, ...sending })).map(brief);
    expect(findings).toHaveLength(expected.length);
    for (const [index, pattern] of expected.entries()) expect(findings[index]).toMatch(pattern);
  });
});

describe('the mail exchanger of the return path', () => {
  it.each<[string, DnsTable, RegExp]>([
    [
      'is there',
      {
        'bounce.shop.test': {
          mx: [
            [20, 'b.test'],
            [10, 'a.test'],
          ],
        },
        'a.test': { a: ['192.0.2.1'] },
      },
      /^ok: bounce\.shop\.test is served by a\.test, b\.test$/,
    ],
    ['has no address', { 'bounce.shop.test': { mx: [[10, 'a.test']] } }, /^fail: .*has no address/],
    ['is not there', {}, /^fail: .*has no MX record: bounces are lost/],
    ['is the domain itself', { 'bounce.shop.test': { a: ['192.0.2.1'] } }, /^warn: .*own address/],
    ['is none on purpose', { 'bounce.shop.test': { mx: [[0, '']] } }, /^fail: .*null MX/],
    ['cannot be asked for', { 'bounce.shop.test': 'refuse' }, /^warn/],
  ])('%s', async (_, records, expected) => {
    table = records;
    expect(brief(await checkMx(dns, SENDING))).toMatch(expected);
  });
});
