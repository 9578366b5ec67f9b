/**
 * How an attempt to deliver a mail ended, decided by how far the conversation got:
 * until the last byte was given away nobody can have taken the mail, so a failure may be tried again;
 * after it only the server's own words count, and silence is `unknown`.
 */
import { oneLine } from './one-line.ts';

/** The end of one attempt. `reason` is one line for people, with the server's words where there are any. */
export type Outcome =
  | { readonly kind: 'accepted'; readonly response: string }
  | {
      readonly kind: 'retry';
      readonly reason: string;
      /** The reply's code (RFC 5321 section 4.2.3); null without a reply. */
      readonly code: number | null;
      /** What is likely to fail again if tried at once: this mail, all for its domain, or everything. */
      readonly scope: 'message' | 'domain' | 'connection';
    }
  | { readonly kind: 'permanent'; readonly reason: string; readonly code: number | null }
  | { readonly kind: 'unknown'; readonly reason: string }
  /** The hand-over was refused, or came to nothing: for certain not at the server, and nothing speaks against the mail. */
  | { readonly kind: 'withheld' };

/** How far a conversation is: getting ready, addressing, sending all but the end, or the end has been given away. */
export type Progress = 'opening' | 'envelope' | 'body' | 'ended';

/** What went wrong, as nodemailer reports it; the fields are its own. */
export interface SmtpFault {
  readonly message: string;
  readonly code?: string | undefined;
  /** The command at fault: `MAIL FROM`, `RCPT TO`, `DATA`, `CONN` for the connection, `API` for the caller. */
  readonly command?: string | undefined;
  readonly response?: string | undefined;
  readonly responseCode?: number | undefined;
}

/**
 * Codes that speak of the session (unknown command, wrong order, sign-in wanted), not of this mail: RFC 5321 section
 * 4.2.2 and RFC 4954 section 6. A wrong password must not mark every mail as undeliverable.
 */
const SESSION_CODES: ReadonlySet<number> = new Set([500, 502, 503, 530, 534, 535, 538]);
const ENVELOPE_COMMANDS: ReadonlySet<string> = new Set(['MAIL FROM', 'RCPT TO', 'DATA']);
/** RFC 3463: x.4.z is the way to the domain, x.7.z its policy (rates, reputation). */
const DOMAIN_STATUS = /\b4\.[47]\.\d{1,3}\b/;
/** RFC 3463, x.7: a policy, such as how fast mail may come. */
const POLICY_STATUS = /\b4\.7\.\d{1,3}\b/;
/** Replies that ask all mail to a domain to come later. 450 is about one mailbox, or a greylist's about one sender and reader. */
const SLOWER_CODES: ReadonlySet<number> = new Set([421, 451]);
const MAX_REASON = 500;

/** What was thrown, as a fault. */
export function faultOf(error: unknown): SmtpFault {
  return typeof error === 'object' && error !== null && 'message' in error
    ? (error as SmtpFault)
    : { message: String(error) };
}

/** Whether a server asked all mail to the recipient's domain to come more slowly. */
export function isThrottled(outcome: Outcome): boolean {
  if (outcome.kind !== 'retry' || outcome.scope !== 'domain' || outcome.code === null) return false;
  return SLOWER_CODES.has(outcome.code) && POLICY_STATUS.test(outcome.reason);
}

/** The class of a fault at that point of the conversation. */
export function classify(fault: SmtpFault, progress: Progress): Outcome {
  const reason = reasonOf(fault);
  const code = fault.responseCode ?? null;
  switch (progress) {
    case 'opening':
      return { kind: 'retry', reason, code, scope: 'connection' };
    case 'envelope':
    case 'body':
      return beforeTheEnd(fault, reason, code);
    case 'ended':
      return afterTheEnd(fault, reason, code);
  }
}

function beforeTheEnd(fault: SmtpFault, reason: string, code: number | null): Outcome {
  // Refused by the client itself: an address that SMTP cannot carry, or a mail above the server's announced size.
  if (fault.code === 'EENVELOPE' && fault.command === 'API') return { kind: 'permanent', reason, code };
  if (fault.code === 'EMESSAGE' && code === null) return { kind: 'permanent', reason, code };
  const answered = code !== null && ENVELOPE_COMMANDS.has(fault.command ?? '');
  if (!answered) return { kind: 'retry', reason, code, scope: 'connection' };
  if (isOfSession(fault, code)) return { kind: 'retry', reason, code, scope: 'connection' };
  if (code >= 500) return { kind: 'permanent', reason, code };
  return { kind: 'retry', reason, code, scope: scopeOf(fault) };
}

function afterTheEnd(fault: SmtpFault, reason: string, code: number | null): Outcome {
  // Only a whole reply to the message itself is an answer; a broken line before a lost connection is not.
  const answered = fault.code === 'EMESSAGE' && fault.command === 'DATA' && code !== null && code >= 400 && code < 600;
  if (!answered) return { kind: 'unknown', reason };
  if (isOfSession(fault, code)) return { kind: 'retry', reason, code, scope: 'connection' };
  return code >= 500 ? { kind: 'permanent', reason, code } : { kind: 'retry', reason, code, scope: scopeOf(fault) };
}

/** The server closes with 421 whatever the reason; with a policy's status, to a recipient or a message, it is about their domain. */
function isOfSession(fault: SmtpFault, code: number): boolean {
  if (code === 421) return fault.command === 'MAIL FROM' || !POLICY_STATUS.test(fault.response ?? '');
  return SESSION_CODES.has(code);
}

function scopeOf(fault: SmtpFault): 'message' | 'domain' | 'connection' {
  if (fault.command === 'MAIL FROM') return 'connection';
  return DOMAIN_STATUS.test(fault.response ?? '') ? 'domain' : 'message';
}

function reasonOf(fault: SmtpFault): string {
  const command =
    fault.command === undefined || fault.command === 'CONN' || fault.command === 'API' ? '' : `${fault.command}: `;
  return oneLine(`${command}${fault.response ?? fault.message}`, MAX_REASON);
}
