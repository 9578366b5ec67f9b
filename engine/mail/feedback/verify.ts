/**
 * Whether a webhook is from the provider that it claims to be from. Each provider has its own way; all compare in constant
 * time, and none reads anything of an event before.
 */
import { createHash, createHmac, createPublicKey, timingSafeEqual, verify, type KeyObject } from 'node:crypto';
import { fieldsOf, textOf } from './report.ts';

/** One header by its name in lower case; undefined when it is not there. */
export type Header = (name: string) => string | undefined;

/** How old a signed time may be, in milliseconds: the tolerance of the Standard Webhooks specification. */
const TOLERANCE_MS = 5 * 60_000;
/** Mailgun tries for 8 hours and does not say whether it signs anew each time. */
const MAILGUN_TOLERANCE_MS = 24 * 3_600_000;

/** The key of SendGrid's "Signed Event Webhook", base64 of its DER, with or without PEM lines; null when it is none. */
export function readSendgridKey(text: string): KeyObject | null {
  const base64 = text.replaceAll(/-----(?:BEGIN|END) PUBLIC KEY-----|\s/g, '');
  try {
    const key = createPublicKey({ key: Buffer.from(base64, 'base64'), format: 'der', type: 'spki' });
    return key.asymmetricKeyType === 'ec' ? key : null;
  } catch {
    return null;
  }
}

/** SendGrid: ECDSA over the time and the body. The time is what it sent, and nothing says how old it may be. */
export function isFromSendgrid(body: Buffer, header: Header, key: KeyObject): boolean {
  const signature = header('x-twilio-email-event-webhook-signature');
  const timestamp = header('x-twilio-email-event-webhook-timestamp');
  if (signature === undefined || timestamp === undefined) return false;
  return verify('sha256', Buffer.concat([Buffer.from(timestamp), body]), key, Buffer.from(signature, 'base64'));
}

/** What of a Mailgun webhook is signed: not the event. So a token counts once, and the caller must see to that. */
export interface MailgunProof {
  readonly token: string;
}

/** Mailgun: HMAC-SHA-256, in hexadecimal, over time and token in the body. null when it is forged, or older than a day. */
export function mailgunProof(body: unknown, key: string, nowMs: number): MailgunProof | null {
  const signed = fieldsOf(fieldsOf(body)['signature']);
  const token = textOf(signed['token']);
  const timestamp = String(signed['timestamp']);
  if (token === null || !/^\d{1,12}$/.test(timestamp)) return null;
  if (Math.abs(nowMs - Number(timestamp) * 1_000) > MAILGUN_TOLERANCE_MS) return null;
  const expected = createHmac('sha256', key).update(`${timestamp}${token}`).digest('hex');
  // With subaccounts, the main account's key signs as `parent-signature`.
  const given = [signed['signature'], signed['parent-signature']];
  return given.some((one) => isSame(textOf(one) ?? '', expected)) ? { token } : null;
}

/** Standard Webhooks (standardwebhooks.com, version 1), as Resend sends them: `svix-*` or `webhook-*`. The id when it is right. */
export function standardWebhookId(
  body: Buffer,
  header: Header,
  keys: readonly Uint8Array[],
  nowMs: number,
): string | null {
  const of = (name: string): string | undefined => header(`svix-${name}`) ?? header(`webhook-${name}`);
  const [id, timestamp, signatures] = [of('id'), of('timestamp'), of('signature')];
  if (id === undefined || timestamp === undefined || signatures === undefined) return null;
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(nowMs - Number(timestamp) * 1_000) > TOLERANCE_MS) return null;
  const expected = keys.map((key) =>
    createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64'),
  );
  const given = signatures.split(' ').flatMap((one) => (one.startsWith('v1,') ? [one.slice(3)] : []));
  return given.some((one) => expected.some((right) => isSame(one, right))) ? id : null;
}

/** Basic authorisation (RFC 7617) with this `user:password`, or Bearer (RFC 6750) with this token. */
export function isAuthorised(header: Header, secret: string): boolean {
  const [, scheme = '', credentials = ''] = /^(\S+)\s+(\S+)\s*$/.exec(header('authorization') ?? '') ?? [];
  switch (scheme.toLowerCase()) {
    case 'bearer':
      return isSame(credentials, secret);
    case 'basic':
      return isSame(Buffer.from(credentials, 'base64').toString('utf8'), secret);
    default:
      return false;
  }
}

/** Digests have one length, so that the comparison tells nothing, not even how long the secret is. */
function isSame(given: string, expected: string): boolean {
  return timingSafeEqual(digest(given), digest(expected));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
