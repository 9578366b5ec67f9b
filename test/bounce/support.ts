/** Reports as servers write them, about mails of the test. */

/** What a delivery report says. */
export interface DsnParts {
  /** Whom the report goes to: our return path. */
  readonly to?: string;
  readonly recipient: string;
  readonly original?: string;
  readonly action?: string;
  readonly status: string;
  readonly diagnostic?: string;
  /** Headers of the mail that came back. */
  readonly returned?: Readonly<Record<string, string>>;
}

/** A delivery report (RFC 3464) as Postfix writes it. */
export function dsn(parts: DsnParts): Buffer {
  const { to = 'hello@sample.example', recipient, original = recipient, action = 'failed', status } = parts;
  const diagnostic = parts.diagnostic === undefined ? [] : [`Diagnostic-Code: smtp; ${parts.diagnostic}`];
  return mail([
    'Return-Path: <>',
    'From: Mail Delivery System <MAILER-DAEMON@mx.example.net>',
    `To: <${to}>`,
    'Subject: Undelivered Mail Returned to Sender',
    'Auto-Submitted: auto-replied',
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=delivery-status; boundary="b"',
    '',
    '--b',
    'Content-Type: text/plain',
    '',
    'I am sorry to have to inform you.',
    '--b',
    'Content-Type: message/delivery-status',
    '',
    'Reporting-MTA: dns; mx.example.net',
    '',
    `Final-Recipient: rfc822; ${recipient}`,
    `Original-Recipient: rfc822;${original}`,
    `Action: ${action}`,
    `Status: ${status}`,
    ...diagnostic,
    '',
    '--b',
    'Content-Type: message/rfc822',
    '',
    ...headers(parts.returned ?? {}),
    'Subject: Hello',
    '',
    'Hello',
    '--b--',
    '',
  ]);
}

/** A complaint (RFC 5965); many providers leave the address out. */
export function complaint(returned: Readonly<Record<string, string>>, feedback = 'abuse', recipient?: string): Buffer {
  return mail([
    'From: <fbl@provider.example>',
    'To: <hello@sample.example>',
    'Subject: complaint',
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=feedback-report; boundary="b"',
    '',
    '--b',
    'Content-Type: text/plain',
    '',
    'This is an abuse report.',
    '--b',
    'Content-Type: message/feedback-report',
    '',
    `Feedback-Type: ${feedback}`,
    'Version: 1',
    ...(recipient === undefined ? [] : [`Original-Rcpt-To: ${recipient}`]),
    '',
    '--b',
    'Content-Type: text/rfc822-headers',
    '',
    ...headers(returned),
    'Subject: Hello',
    '',
    '--b--',
    '',
  ]);
}

function headers(of: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(of).map(([name, value]) => `${name}: ${value}`);
}

function mail(lines: readonly string[]): Buffer {
  return Buffer.from(lines.join('\r\n'));
}
