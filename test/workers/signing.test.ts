import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { createDkimKey, dkimRecord, dkimRecordName, readDkimKey } from '../../engine/mail/dkim/key.ts';
import { openTransport } from '../../engine/mail/transport.ts';
import { compose } from '../../engine/message/compose.ts';
import type { Company } from '../../engine/playbook/types.ts';
import { checkSources } from '../../engine/project/check.ts';
import { readConfig, type Config } from '../../workers/config.ts';
import { ownKeyFile } from '../../workers/dkim-keys.ts';
import { openSigner, requireDkimKeys } from '../../workers/signing.ts';
import { testFolder } from '../support/folder.ts';
import { judgeSignatures } from '../support/mailauth.ts';
import { startSink, type Sink } from '../support/smtp-sink.ts';

const AT = Date.UTC(2026, 2, 2, 9, 15);
const SMTP = { SMTP_URL: 'smtp://mail.sample.example' };

function companyWith(dkim: string): Company {
  const text = `company: { name: Sample }\nmail: { from: Sample <hello@sample.example>${dkim} }\n`;
  const { release, problems } = checkSources([
    { path: 'perennial.yaml', text },
    { path: 'playbooks/hello.yaml', text: 'trigger: { manual: true }\nsteps:\n  - wait: 1 day\n' },
  ]);
  if (release === null) throw new Error(JSON.stringify(problems));
  return release.company;
}

const MAIL = compose({
  from: 'Sample <hello@sample.example>',
  to: 'ada@example.com',
  toName: 'Ada',
  replyTo: null,
  subject: 'Hello',
  html: '<p>.Hello</p>',
  text: '.Hello\n.\n',
  messageId: '<send-7@sample.example>',
  date: AT,
  headers: {},
});

/** A signer, and what it logs. */
function signerFor(config: Config): { signer: ReturnType<typeof openSigner>; logged: Record<string, unknown>[] } {
  const logged: Record<string, unknown>[] = [];
  const log = pino({}, { write: (line) => logged.push(JSON.parse(line) as Record<string, unknown>) });
  return { signer: openSigner({ config, log }), logged };
}

const sinks: Sink[] = [];
afterEach(async () => {
  for (const sink of sinks.splice(0)) await sink.close();
});

describe('signing', () => {
  it('signs with every selector, from files and from the variable itself, and the bytes arrive as they were signed', async () => {
    const folder = await testFolder();
    const [one, two] = [await createDkimKey('rsa'), await createDkimKey('ed25519')];
    await writeFile(path.join(folder, 'one.pem'), one);
    const places = `one=one.pem, two=base64:${Buffer.from(two).toString('base64')}`;
    const { signer } = signerFor(readConfig({ ...SMTP, PERENNIAL_DKIM_KEYS: places }, folder));
    const company = companyWith(', dkim: { selectors: [one, two] }');
    const signed = await signer.sign(MAIL, company, AT);
    if (signed.kind === 'unsigned') throw new Error(signed.reason);

    const sink = await startSink({ keep: true });
    sinks.push(sink);
    const transport = openTransport({ url: sink.url, connections: 1 });
    expect((await transport.deliver(signed.mail, async () => true)).kind).toBe('accepted');
    await transport.close();
    const keys = [readDkimKey('one', one), readDkimKey('two', two)];
    const records = Object.fromEntries(
      keys.map((key) => [dkimRecordName(key.selector, 'sample.example'), dkimRecord(key)]),
    );
    const judged = await judgeSignatures(sink.sources[0] ?? Buffer.alloc(0), records);
    expect(judged.map(({ selector, status }) => [selector, status.result])).toEqual([
      ['one', 'pass'],
      ['two', 'pass'],
    ]);
  });

  it('keeps mail for a mail server back while a key is missing, says so once, and goes on when it is there', async () => {
    const folder = await testFolder();
    const config = readConfig(SMTP, folder);
    const { signer, logged } = signerFor(config);
    const company = companyWith(', dkim: { domain: mail.sample.example, selectors: [s1] }');
    for (let i = 0; i < 3; i += 1) {
      expect(await signer.sign(MAIL, company, AT)).toMatchObject({
        kind: 'unsigned',
        reason: expect.stringContaining('there is no such file'),
      });
    }
    expect(logged).toHaveLength(1);
    await expect(requireDkimKeys(company, config)).rejects.toThrow(
      'PERENNIAL_DKIM_KEYS: the DKIM key of the selector "s1"',
    );

    const file = ownKeyFile(folder, 's1');
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, await createDkimKey('ed25519'));
    await expect(requireDkimKeys(company, config)).resolves.toBeUndefined();
    const signed = await signer.sign(MAIL, company, AT);
    expect(
      signed.kind === 'ready' && signed.mail.message.toString().startsWith('DKIM-Signature: v=1; a=ed25519-sha256;'),
    ).toBe(true);
    expect(signed.kind === 'ready' && signed.mail.message.toString()).toContain('d=mail.sample.example;');
  });

  it('lets mail for the local inbox go without, and leaves alone what nobody wants signed', async () => {
    const folder = await testFolder();
    const { signer } = signerFor(readConfig({}, folder));
    expect(await signer.sign(MAIL, companyWith(', dkim: { selectors: [s1] }'), AT)).toEqual({
      kind: 'ready',
      mail: MAIL,
    });
    const sending = signerFor(readConfig(SMTP, folder));
    expect(await sending.signer.sign(MAIL, companyWith(''), AT)).toEqual({ kind: 'ready', mail: MAIL });
  });

  it.each([
    ['base64:c2VjcmV0', 'part 1 is not SELECTOR=FILE'],
    ['s1=a.pem,S2=base64:c2VjcmV0', 'part 2 is not SELECTOR=FILE'],
    ['s1=base64:c2VjcmV0,s1=b.pem', 'the selector "s1" is there twice'],
  ])('refuses PERENNIAL_DKIM_KEYS=%s without quoting it', (value, words) => {
    expect(() => readConfig({ PERENNIAL_DKIM_KEYS: value }, '/company')).toThrow(words);
    expect(() => readConfig({ PERENNIAL_DKIM_KEYS: value }, '/company')).not.toThrow('c2VjcmV0');
  });

  it.each([
    ['{ selectors: [] }', 'at least one selector'],
    ['{ selectors: [A_b] }', 'is no selector'],
    ['{ domain: bücher.example, selectors: [a] }', 'punycode'],
  ])('check refuses mail.dkim: %s', (dkim, words) => {
    expect(() => companyWith(`, dkim: ${dkim}`)).toThrow(words);
  });
});
