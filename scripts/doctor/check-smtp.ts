/** The mail server: whether it is there, encrypted, trusted, and takes the password. */
import { MailError, openTransport } from '../../engine/mail/transport.ts';
import { parseSmtpUrl, type MailServer } from '../../engine/mail/url.ts';
import { isLoopbackHost } from '../../engine/mail/loopback.ts';
import { fail, ok, skip, warn, type Finding } from './report.ts';
import { probeSmtp, SmtpProbeError, type Encryption, type SmtpFacts } from './smtp-probe.ts';

const DAY_MS = 24 * 60 * 60_000;
/** Certificates that renew themselves do so with a third of their time left: later than this, nobody did. */
const SOON_MS = 14 * DAY_MS;
const TIMEOUTS = { connectMs: 10_000, replyMs: 10_000 } as const;

/** What the mail server came to, and what it showed of itself; null when it was not reached. */
export interface SmtpChecked {
  readonly findings: readonly Finding[];
  readonly facts: SmtpFacts | null;
}

/** @param nowMs the time by which certificates are judged. */
export async function checkSmtp(url: string, nowMs: number): Promise<SmtpChecked> {
  let server: MailServer;
  try {
    server = parseSmtpUrl(url);
  } catch (error) {
    if (!(error instanceof MailError)) throw error;
    return { findings: [fail('smtp', error.message, 'mend SMTP_URL')], facts: null };
  }
  const place = `${server.host}:${server.port}`;
  try {
    const facts = await probeSmtp(server);
    const encryption = judgeEncryption(server, facts, nowMs);
    const signIn = await checkSignIn(url, server);
    return {
      findings: [ok('smtp', `${place} answers: ${facts.greeting.slice(0, 100)}`), ...encryption, signIn],
      facts,
    };
  } catch (error) {
    if (!(error instanceof SmtpProbeError)) throw error;
    const todo = 'look whether it runs, whether SMTP_URL names it rightly, and whether a firewall is between';
    return { findings: [fail('smtp', `${place} cannot be used: ${error.message}`, todo)], facts: null };
  }
}

/** What is to be said of the encryption that a server showed. */
export function judgeEncryption(server: MailServer, facts: SmtpFacts, nowMs: number): readonly Finding[] {
  const { encryption } = facts;
  if (encryption === null) return [withoutEncryption(server, facts)];
  const { protocol } = encryption;
  const tls = /^TLSv1\.[23]$/.test(protocol)
    ? ok('tls', `${protocol}${facts.offersStartTls === null ? ', from the start' : ', by STARTTLS'}`)
    : warn('tls', `only ${protocol}`, 'let the server speak TLS 1.2 or later');
  return [tls, judgeCertificate(server, encryption, nowMs)];
}

function withoutEncryption(server: MailServer, { offersStartTls }: SmtpFacts): Finding {
  const seen =
    offersStartTls === true
      ? 'the server offers STARTTLS, and SMTP_URL has tls=off'
      : 'the server does not offer STARTTLS';
  if (server.startTls === 'required') {
    return fail(
      'tls',
      `${seen}; without it no mail is given to it`,
      'let the server offer it; where nobody else is on the network between, name it in PERENNIAL_TRUSTED_HOSTS and add tls=offered',
    );
  }
  if (isLoopbackHost(server.host)) return ok('tls', `${seen}; it is on this machine`);
  const todo =
    offersStartTls === true
      ? 'take tls=off out of SMTP_URL'
      : 'let the server offer it, and put tls=required into SMTP_URL';
  return warn('tls', `${seen}: mail travels to it in clear`, todo);
}

function judgeCertificate({ host }: MailServer, { distrust, validUntil }: Encryption, nowMs: number): Finding {
  const day = validUntil === null ? null : new Date(validUntil).toISOString().slice(0, 10);
  if (validUntil !== null && validUntil <= nowMs) {
    return fail('certificate', `it ended on ${day ?? ''}, and no mail is given to the server`, 'renew it');
  }
  if (distrust !== null) {
    const todo =
      'use a certificate for that name from an authority this machine knows, or name yours in NODE_EXTRA_CA_CERTS';
    return fail('certificate', `it is not trusted for ${host} (${distrust}), and no mail is given to the server`, todo);
  }
  if (validUntil !== null && validUntil - nowMs < SOON_MS) {
    return warn('certificate', `it ends on ${day ?? ''}`, 'renew it, and look why nothing did so by itself');
  }
  return ok('certificate', `trusted for ${host}${day === null ? '' : `, until ${day}`}`);
}

/** Whether mail could be given to it: the connection as it is made for mail, with the password where there is one. */
async function checkSignIn(url: string, { credentials }: MailServer): Promise<Finding> {
  const transport = openTransport({ url, connections: 1, timeouts: TIMEOUTS });
  try {
    await transport.verify();
    return credentials === null ? skip('sign-in', 'SMTP_URL has no user') : ok('sign-in', `as ${credentials.user}`);
  } catch (error) {
    if (!(error instanceof MailError)) throw error;
    return fail(
      'sign-in',
      error.message,
      credentials === null ? 'mend what is said above' : 'mend user and password in SMTP_URL',
    );
  } finally {
    await transport.close();
  }
}
