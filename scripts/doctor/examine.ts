/** Looks at everything that mail needs, and says what it found. */
import { isIP } from 'node:net';
import type { CompiledRelease } from '../../engine/store/context.ts';
import { checkProject } from '../../engine/project/check.ts';
import { ProjectError } from '../../engine/project/read.ts';
import type { Config } from '../../workers/config.ts';
import { isPublicAddress } from './addresses.ts';
import { dateInGreeting, judgeClock } from './check-clock.ts';
import { checkDkim } from './check-dkim.ts';
import { checkDmarc } from './check-dmarc.ts';
import { checkMx } from './check-mx.ts';
import { checkDatabase, checkPublicUrl, checkQueue } from './check-parts.ts';
import { checkSmtp, type SmtpChecked } from './check-smtp.ts';
import { checkSpf } from './check-spf.ts';
import type { Dns } from './dns.ts';
import { fail, ok, skip, type Finding } from './report.ts';
import { sendingOf, type Sending } from './sending.ts';

/** All findings, by what they are about. */
export interface Examination {
  /** Null when neither files nor a release say who sends. */
  readonly sending: Sending | null;
  readonly groups: readonly { readonly title: string; readonly findings: readonly Finding[] }[];
}

/** What the doctor works with. */
export interface Examining {
  readonly config: Config;
  readonly dns: Dns;
  /** True: domains that are reserved for examples are asked about all the same. */
  readonly asksExamples: boolean;
}

/** RFC 2606: nobody can own them, and nobody needs to ask. */
const EXAMPLE = /(?:^|\.)(?:example|test|invalid|localhost|example\.(?:com|net|org))$/;
/** A greeting has whole seconds, and was made before it was read. */
const GREETING_MS = 2_000;

/** Examines. Never rejects for what it finds. */
export async function examine(examining: Examining): Promise<Examination> {
  const { config } = examining;
  const database = await checkDatabase(config);
  const [queue, publicUrl, smtp] = await Promise.all([checkQueue(config), checkPublicUrl(config), server(config)]);
  const company = await companyOf(config.projectDir, database.release);
  const sending = company.found === null ? null : sendingOf(company.found.release.company, company.found.templates);
  const domain = sending === null ? [] : await domainFindings(examining, sending);
  return {
    sending,
    groups: [
      { title: 'Sending domain', findings: [company.finding, ...domain] },
      { title: 'Mail server', findings: smtp },
      { title: 'This machine', findings: [...database.findings, ...(queue === null ? [] : [queue]), publicUrl] },
    ],
  };
}

/** The company folder says what is to come; without one, what runs. */
async function companyOf(
  dir: string,
  running: CompiledRelease | null,
): Promise<{ readonly found: CompiledRelease | null; readonly finding: Finding }> {
  try {
    const { release, templates } = await checkProject(dir);
    if (release !== null) return { found: { release, templates }, finding: ok('company', `perennial.yaml in ${dir}`) };
    return { found: running, finding: fail('company', `the files in ${dir} have mistakes`, 'run "perennial check"') };
  } catch (error) {
    if (!(error instanceof ProjectError)) throw error;
    if (running !== null)
      return { found: running, finding: ok('company', 'the release that runs (here is no company folder)') };
    return { found: null, finding: fail('company', error.message, 'name the company folder with --project') };
  }
}

async function domainFindings({ config, dns, asksExamples }: Examining, sending: Sending): Promise<readonly Finding[]> {
  if (EXAMPLE.test(sending.from) && !asksExamples) {
    const todo = 'put your own sender into perennial.yaml (mail.from)';
    return [skip('domain', `${sending.from} is a domain for examples: nobody can send mail from it`, todo)];
  }
  const addresses = config.smtpUrl === null ? [] : await publicAddresses(dns, new URL(config.smtpUrl).hostname);
  const [spf, dkim, dmarc, mx] = await Promise.all([
    checkSpf(dns, sending, addresses),
    checkDkim(dns, sending, config),
    checkDmarc(dns, sending),
    checkMx(dns, sending),
  ]);
  return [spf, ...dkim, ...dmarc, mx];
}

async function publicAddresses(dns: Dns, hostname: string): Promise<readonly string[]> {
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  if (isIP(host) !== 0) return [host].filter(isPublicAddress);
  const looked = await dns.addresses(host);
  return looked.kind === 'found' ? looked.values.filter(isPublicAddress) : [];
}

async function server({ smtpUrl }: Config): Promise<readonly Finding[]> {
  if (smtpUrl === null)
    return [skip('smtp', 'no SMTP_URL: mail goes to the local inbox, and nothing leaves this machine')];
  const before = Date.now();
  const { findings, facts }: SmtpChecked = await checkSmtp(smtpUrl, before);
  const date = facts === null ? null : dateInGreeting(facts.greeting);
  if (date === null) return findings;
  const clock = { at: date, before, after: Date.now(), exactMs: GREETING_MS };
  return [...findings, judgeClock('server clock', "the mail server's", clock)];
}
