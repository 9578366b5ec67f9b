/** What a mail carries for the provider that sends it, so that its reports say which mail they are about. */
import type { Provider } from './report.ts';

/** By the last labels of the server's name, as the providers give it for SMTP. */
const HOSTS: readonly (readonly [RegExp, Provider])[] = [
  [/^email-smtp(?:-fips)?\.[a-z0-9-]+\.amazonaws\.com$/, 'ses'],
  [/(?:^|\.)sendgrid\.net$/, 'sendgrid'],
  [/(?:^|\.)mailgun\.org$/, 'mailgun'],
  [/(?:^|\.)postmarkapp\.com$/, 'postmark'],
  [/(?:^|\.)(?:brevo|sendinblue)\.com$/, 'brevo'],
  [/(?:^|\.)resend\.com$/, 'resend'],
];

/** The provider whose server a URL names; null for any other server. */
export function providerOf(smtpUrl: string): Provider | null {
  const { hostname } = new URL(smtpUrl);
  return HOSTS.find(([pattern]) => pattern.test(hostname.toLowerCase()))?.[1] ?? null;
}

/**
 * The further headers for one mail. They hold what stands before the `@` of its Message-ID: Postmark allows 80 characters.
 * The other providers give back the Message-ID or the mail's headers.
 */
export function carriedHeaders(provider: Provider, messageId: string): Readonly<Record<string, string>> {
  const reference = messageId.replace(/^<|@.*$/g, '');
  switch (provider) {
    case 'sendgrid':
      return { 'X-SMTPAPI': JSON.stringify({ unique_args: { perennial: reference } }) };
    case 'postmark':
      return { 'X-PM-Metadata-perennial': reference };
    case 'brevo':
      return { 'X-Mailin-custom': reference };
    case 'ses':
    case 'mailgun':
    case 'resend':
      return {};
  }
}
