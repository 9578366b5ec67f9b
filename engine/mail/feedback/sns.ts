/**
 * Messages of Amazon SNS over HTTP (docs.aws.amazon.com/sns, "Verifying the signatures of Amazon SNS messages").
 *
 * 1. A certificate is fetched from Amazon's own servers and nowhere else, whatever a message says.
 * 2. A message counts only for a topic that was allowed: anybody can have a topic of their own, signed by Amazon.
 */
import { verify, X509Certificate, type KeyObject } from 'node:crypto';
import { fieldsOf, textOf } from './report.ts';
import { own } from '../../playbook/own.ts';

/** Fetches a text over HTTPS. Rejects when it cannot be had. */
export type FetchText = (url: string) => Promise<string>;

/** A message whose signature is Amazon's and whose topic is allowed. */
export type SnsMessage =
  | { readonly kind: 'notification'; readonly messageId: string; readonly message: string }
  /** Amazon asks whether this address wants the topic's messages: who fetches the URL says yes. */
  | { readonly kind: 'subscription'; readonly topic: string; readonly subscribeUrl: string }
  | { readonly kind: 'unsubscribed'; readonly topic: string };

/** Checks messages, and keeps the certificates that it fetched. */
export interface SnsCheck {
  /** null: forged, or of a topic that is not allowed. Rejects when the certificate cannot be fetched. */
  read(body: unknown): Promise<SnsMessage | null>;
}

const HOST = /^sns\.[a-z0-9-]{3,40}\.amazonaws\.com(?:\.cn)?$/;
/** There are as many as regions, and a new one each year. */
const MAX_CERTIFICATES = 50;
const ALGORITHMS: Readonly<Record<string, string>> = { '1': 'sha1', '2': 'sha256' };
/** What is signed of each type of message, in this order. */
const SIGNED_OF_NOTIFICATION = ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type'] as const;
const SIGNED_OF_OTHERS = ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'] as const;

/** Whether a URL is one of Amazon SNS's own. */
export function isSnsUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, port, username, password } = new URL(text);
  return protocol === 'https:' && HOST.test(hostname) && port === '' && username === '' && password === '';
}

/** Opens the check for these topics, each an ARN. */
export function openSnsCheck(topics: ReadonlySet<string>, fetchText: FetchText, now: () => number): SnsCheck {
  const certificates = new Map<string, X509Certificate>();
  const keyAt = async (url: string): Promise<KeyObject | null> => {
    const certificate = certificates.get(url) ?? new X509Certificate(await fetchText(url));
    if (certificates.size < MAX_CERTIFICATES) certificates.set(url, certificate);
    const isValid = Date.parse(certificate.validFrom) <= now() && now() <= Date.parse(certificate.validTo);
    return isValid ? certificate.publicKey : null;
  };
  return {
    read: async (body) => {
      const fields = fieldsOf(body);
      const topic = textOf(fields['TopicArn']) ?? '';
      const certificateUrl = textOf(fields['SigningCertURL']) ?? textOf(fields['SigningCertUrl']) ?? '';
      const algorithm = own(ALGORITHMS, textOf(fields['SignatureVersion']) ?? '');
      const signed = signedText(fields);
      if (!topics.has(topic) || algorithm === undefined || signed === null || !isCertificateUrl(certificateUrl)) {
        return null;
      }
      const key = await keyAt(certificateUrl);
      const signature = Buffer.from(textOf(fields['Signature']) ?? '', 'base64');
      const isGenuine = key !== null && verify(algorithm, Buffer.from(signed), key, signature);
      return isGenuine ? messageOf(fields, topic) : null;
    },
  };
}

function isCertificateUrl(url: string): boolean {
  if (!isSnsUrl(url)) return false;
  const { pathname, search } = new URL(url);
  return pathname.endsWith('.pem') && search === '';
}

/** Name and value of each field that is there, each on a line of its own; null for a type that is not known. */
function signedText(fields: Readonly<Record<string, unknown>>): string | null {
  const names = own(SIGNED, String(fields['Type']));
  if (names === undefined) return null;
  return names
    .flatMap((name) => {
      const value = fields[name];
      return typeof value === 'string' ? [`${name}\n${value}\n`] : [];
    })
    .join('');
}

const SIGNED: Readonly<Record<string, readonly string[]>> = {
  Notification: SIGNED_OF_NOTIFICATION,
  SubscriptionConfirmation: SIGNED_OF_OTHERS,
  UnsubscribeConfirmation: SIGNED_OF_OTHERS,
};

function messageOf(fields: Readonly<Record<string, unknown>>, topic: string): SnsMessage | null {
  const messageId = textOf(fields['MessageId']);
  const message = textOf(fields['Message']);
  const subscribeUrl = textOf(fields['SubscribeURL']);
  switch (fields['Type']) {
    case 'Notification':
      return messageId === null || message === null ? null : { kind: 'notification', messageId, message };
    case 'SubscriptionConfirmation':
      return subscribeUrl === null || !isSnsUrl(subscribeUrl) ? null : { kind: 'subscription', topic, subscribeUrl };
    default:
      return { kind: 'unsubscribed', topic };
  }
}
