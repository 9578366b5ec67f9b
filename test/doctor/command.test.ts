import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { createDkimKey, dkimRecord, readDkimKey } from '../../engine/mail/dkim/key.ts';
import { parseSmtpUrl } from '../../engine/mail/url.ts';
import { openDatabase } from '../../engine/store/database.ts';
import { migrate } from '../../engine/store/migrate.ts';
import { doctorCommand } from '../../scripts/doctor.ts';
import { dateInGreeting, judgeClock } from '../../scripts/doctor/check-clock.ts';
import { checkSmtp, judgeEncryption } from '../../scripts/doctor/check-smtp.ts';
import type { Finding } from '../../scripts/doctor/report.ts';
import { ownKeyFile } from '../../workers/dkim-keys.ts';
import { runCommand, type Printed } from '../support/command.ts';
import { startDns } from '../support/dns.ts';
import { testFolder } from '../support/folder.ts';
import { testDatabase } from '../support/postgres.ts';
import { startSink } from '../support/smtp-sink.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function companyFolder(): Promise<string> {
  const folder = await testFolder();
  await mkdir(path.join(folder, 'playbooks'));
  const company =
    'company: { name: Shop }\nmail: { from: Shop <hello@shop.test>, bounces: bounce@shop.test, dkim: { selectors: [s1] } }\n';
  await writeFile(path.join(folder, 'perennial.yaml'), company);
  await writeFile(path.join(folder, 'playbooks', 'hello.yaml'), 'trigger: { manual: true }\nsteps:\n  - wait: 1 day\n');
  return folder;
}

/** Runs the command with these variables and no others of ours. */
async function doctor(
  env: Readonly<Record<string, string>>,
  args: readonly string[],
  folder: string,
): Promise<Printed> {
  const before = { ...process.env };
  for (const name of Object.keys(process.env)) {
    if (/^(?:PERENNIAL_|DATABASE_URL|REDIS_URL|SMTP_URL)/.test(name)) delete process.env[name];
  }
  Object.assign(process.env, env);
  try {
    return await runCommand(doctorCommand, args, folder);
  } finally {
    process.env = before;
  }
}

async function smtpServer(options: SMTPServerOptions): Promise<number> {
  const server = new SMTPServer({ logger: false, ...options });
  server.on('error', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  closers.push(async () => new Promise((resolve) => server.close(() => resolve())));
  return (server.server.address() as AddressInfo).port;
}

const levels = (findings: readonly Finding[]): Record<string, string> =>
  Object.fromEntries(findings.map(({ check, level }) => [check, level]));

describe('perennial doctor', () => {
  it('finds nothing wrong where all is right', async () => {
    const folder = await companyFolder();
    const pem = await createDkimKey('rsa');
    await mkdir(path.dirname(ownKeyFile(folder, 's1')), { recursive: true });
    await writeFile(ownKeyFile(folder, 's1'), pem);
    const dns = await startDns(() => ({
      'shop.test': { txt: ['v=spf1 ip4:192.0.2.1 -all'], mx: [[10, 'in.shop.test']] },
      'in.shop.test': { a: ['192.0.2.1'] },
      's1._domainkey.shop.test': { txt: [dkimRecord(readDkimKey('s1', pem))] },
      '_dmarc.shop.test': { txt: ['v=DMARC1; p=reject'] },
    }));
    const database = await testDatabase();
    const db = openDatabase(database.url, { max: 1 });
    await migrate(db);
    await db.close();
    const sink = await startSink();
    const publicServer = createServer((_, response) =>
      response.writeHead(405).end('{"error":{"code":"wrong-method"}}'),
    );
    publicServer.listen(0, '127.0.0.1');
    await once(publicServer, 'listening');
    closers.push(
      async () => dns.close(),
      async () => database.drop(),
      async () => sink.close(),
      async () => {
        publicServer.close();
        await once(publicServer, 'close');
      },
    );
    const env = {
      DATABASE_URL: database.url,
      SMTP_URL: sink.url,
      PERENNIAL_PUBLIC_URL: `http://127.0.0.1:${(publicServer.address() as AddressInfo).port}`,
    };
    const { out, code } = await doctor(env, ['--json', '--dns', dns.address], folder);
    const { outcome, findings } = JSON.parse(out) as { outcome: string; findings: readonly Finding[] };
    expect(levels(findings)).toEqual({
      company: 'ok',
      spf: 'ok',
      'dkim s1': 'ok',
      dmarc: 'ok',
      alignment: 'ok',
      mx: 'ok',
      smtp: 'ok',
      tls: 'ok',
      'sign-in': 'skip',
      database: 'ok',
      clock: 'ok',
      release: 'warn',
      queue: 'warn',
      'public url': 'ok',
    });
    expect({ outcome, code }).toEqual({ outcome: 'warnings', code: 0 });
  });

  it('says for each thing that does not work what to do, with records to copy, and ends with 1', async () => {
    const folder = await companyFolder();
    const dns = await startDns(() => ({}));
    closers.push(async () => dns.close());
    const gone = await startSink();
    await gone.close();
    const env = {
      DATABASE_URL: 'postgres://app:secret@127.0.0.1:1/none',
      REDIS_URL: 'redis://127.0.0.1:1',
      SMTP_URL: 'smtp://user:secret@127.0.0.1:1',
      PERENNIAL_PUBLIC_URL: `http://127.0.0.1:${gone.port}`,
      PERENNIAL_DKIM_KEYS: `s1=base64:${Buffer.from(await createDkimKey('ed25519')).toString('base64')}`,
    };
    const { out, code } = await doctor(env, ['--dns', dns.address], folder);
    expect(code).toBe(1);
    expect(out).toContain('FAIL  spf');
    expect(out).toContain('shop.test. IN TXT "v=spf1 include:YOUR-MAIL-PROVIDER ~all"');
    expect(out).toMatch(/s1\._domainkey\.shop\.test\. IN TXT "v=DKIM1; k=ed25519; p=[\w+/]{43}="/);
    expect(out).toContain('_dmarc.shop.test. IN TXT "v=DMARC1; p=none; rua=mailto:dmarc@shop.test"');
    expect(out).toMatch(/FAIL {2}smtp .*127\.0\.0\.1:1 cannot be used: connect ECONNREFUSED/);
    expect(out).toMatch(/FAIL {2}database .*nothing listens there/);
    expect(out).toMatch(/warn {2}queue /);
    expect(out).toMatch(/FAIL {2}public url .*ECONNREFUSED/);
    expect(out).not.toMatch(/secret|PRIVATE/);
  });

  it('asks nobody about a domain that is an example, and starts no database to look at', async () => {
    const { out, code } = await doctor({}, [], await companyFolder());
    expect(out).toContain('shop.test is a domain for examples');
    expect(out).toContain('an embedded one is made at the first start');
    expect(code).toBe(0);
  });
});

describe('the mail server', () => {
  it('is seen through its STARTTLS and through TLS from the start, with what is wrong with its certificate', async () => {
    const [plain, secure] = [await smtpServer({}), await smtpServer({ secure: true })];
    for (const url of [`smtp://127.0.0.1:${plain}`, `smtps://127.0.0.1:${secure}`]) {
      const { findings } = await checkSmtp(url, Date.UTC(2000, 0, 1));
      expect(levels(findings)).toEqual({ smtp: 'ok', tls: 'ok', certificate: 'fail', 'sign-in': 'fail' });
      expect(findings.find(({ check }) => check === 'certificate')?.seen).toMatch(/not trusted for 127\.0\.0\.1/);
    }
  });

  it('is seen to refuse a password', async () => {
    const sink = await startSink({ auth: { user: 'app', pass: 'right' } });
    closers.push(async () => sink.close());
    const place = sink.url.slice('smtp://'.length);
    expect(levels((await checkSmtp(`smtp://app:right@${place}`, 0)).findings)['sign-in']).toBe('ok');
    const { findings } = await checkSmtp(`smtp://app:wrong@${place}`, 0);
    expect(levels(findings)).toMatchObject({ smtp: 'ok', 'sign-in': 'fail' });
    expect(JSON.stringify(findings)).not.toContain('wrong@');
  });

  it.each<[string, Parameters<typeof startSink>[0], string]>([
    [
      'says no',
      { fault: (stage) => (stage === 'connect' ? { do: 'reply', line: '554 5.7.1 not you' } : null) },
      'it answered 554 5.7.1 not you',
    ],
    ['hangs up', { fault: (stage) => (stage === 'ehlo' ? { do: 'close' } : null) }, 'it ended the connection'],
  ])('that %s fails', async (_, options, words) => {
    const sink = await startSink(options);
    closers.push(async () => sink.close());
    const { findings } = await checkSmtp(sink.url, 0);
    expect(findings.map(({ check, level }) => [check, level])).toEqual([['smtp', 'fail']]);
    expect(findings[0]?.seen).toContain(words);
  });

  const NOW = Date.UTC(2026, 2, 2);
  const DAY = 86_400_000;
  it.each<[string, number | null, string | null, string]>([
    ['long', NOW + 60 * DAY, null, 'ok: trusted for mail.test, until 2026-05-01'],
    ['short', NOW + 5 * DAY, null, 'warn: it ends on 2026-03-07'],
    ['over', NOW - DAY, 'CERT_HAS_EXPIRED', 'fail: it ended on 2026-03-01, and no mail is given to the server'],
    [
      'unknown',
      NOW + 60 * DAY,
      'SELF_SIGNED',
      'fail: it is not trusted for mail.test (SELF_SIGNED), and no mail is given to the server',
    ],
  ])('a certificate: %s', (_, validUntil, distrust, expected) => {
    const facts = { greeting: '', offersStartTls: true, encryption: { protocol: 'TLSv1.3', distrust, validUntil } };
    const [, certificate] = judgeEncryption(parseSmtpUrl('smtp://mail.test'), facts, NOW);
    expect(`${certificate?.level ?? ''}: ${certificate?.seen ?? ''}`).toBe(expected);
  });

  it.each([
    ['smtp://mail.test', false, 'warn'],
    ['smtp://mail.test?tls=off', true, 'warn'],
    ['smtp://user:pw@mail.test', false, 'fail'],
    ['smtp://127.0.0.1', false, 'ok'],
  ])('without encryption, %s (offered: %s) is %s', (url, offersStartTls, level) => {
    const facts = { greeting: '', offersStartTls, encryption: null };
    expect(judgeEncryption(parseSmtpUrl(url), facts, NOW).map((finding) => finding.level)).toEqual([level]);
  });
});

describe('the clock', () => {
  it.each([
    [10_000, 'ok', 'agrees with the other'],
    [14_000, 'ok', 'agrees with the other'],
    [16_100, 'warn', 'is 6 s behind the other'],
    [-50_000, 'warn', 'is 60 s ahead of the other'],
    [1_000_000, 'fail', 'is 990 s behind the other'],
  ])('the other one at %i is %s', (at, level, words) => {
    const finding = judgeClock('clock', 'the other', { at, before: 9_900, after: 10_100, exactMs: 0 });
    expect(finding.level).toBe(level);
    expect(finding.seen).toContain(words);
  });

  it('of a mail server is read from its greeting, where it has one', () => {
    expect(dateInGreeting('mx.test ESMTP Exim 4.97 Mon, 02 Mar 2026 10:15:00 +0100')).toBe(Date.UTC(2026, 2, 2, 9, 15));
    expect(dateInGreeting('mx.test ESMTP Postfix')).toBeNull();
  });
});
