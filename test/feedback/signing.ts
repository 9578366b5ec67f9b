/** Requests as the providers sign them, with keys that are made for the test. */
import { execFile } from 'node:child_process';
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { testFolder } from '../support/folder.ts';

/** A request, ready to be sent. */
export interface Signed {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** SendGrid's "Signed Event Webhook": ECDSA on P-256. `publicKey` is what its settings page shows. */
export function sendgridSigner(): { readonly publicKey: string; readonly sign: (body: unknown) => Signed } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  return {
    publicKey: publicKey.export({ format: 'der', type: 'spki' }).toString('base64'),
    sign: (json) => {
      const body = JSON.stringify(json);
      const timestamp = '1600112502';
      const signature = sign('sha256', Buffer.from(`${timestamp}${body}`), privateKey).toString('base64');
      const headers = {
        'content-type': 'application/json',
        'x-twilio-email-event-webhook-signature': signature,
        'x-twilio-email-event-webhook-timestamp': timestamp,
      };
      return { body, headers };
    },
  };
}

/** Mailgun: the signature stands beside the event. */
export function mailgunSigned(event: unknown, key: string, token: string, nowMs: number): Signed {
  const timestamp = String(Math.floor(nowMs / 1_000));
  const signature = createHmac('sha256', key).update(`${timestamp}${token}`).digest('hex');
  const json = { signature: { token, timestamp, signature }, 'event-data': event };
  return { body: JSON.stringify(json), headers: { 'content-type': 'application/json' } };
}

/** Resend: Standard Webhooks under the names of Svix. */
export function resendSigned(json: unknown, key: Uint8Array, id: string, nowMs: number): Signed {
  const body = JSON.stringify(json);
  const timestamp = String(Math.floor(nowMs / 1_000));
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  const headers = { 'svix-id': id, 'svix-timestamp': timestamp, 'svix-signature': `v1,AAAA v1,${signature}` };
  return { body, headers: { 'content-type': 'application/json', ...headers } };
}

/** Postmark and Brevo: who knows the secret may report. */
export function basicSigned(json: unknown, login: string): Signed {
  const authorization = `Basic ${Buffer.from(login).toString('base64')}`;
  return { body: JSON.stringify(json), headers: { 'content-type': 'application/json', authorization } };
}

export const TOPIC = 'arn:aws:sns:eu-west-1:123456789012:mail';
export const CERTIFICATE_URL = 'https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem';

/** An Amazon of the test: a certificate of its own, and messages signed with its key. */
export interface Amazon {
  readonly certificate: string;
  /** `fields` over those of a notification. */
  message(fields: Readonly<Record<string, string>>, version?: '1' | '2'): Signed;
}

/** Makes the certificate with openssl: Node.js reads X.509 but does not write it. */
export async function openAmazon(): Promise<Amazon> {
  const folder = await testFolder(0o700);
  const [keyFile, certFile] = [path.join(folder, 'key.pem'), path.join(folder, 'cert.pem')];
  const made = ['-newkey', 'rsa:2048', '-nodes', '-keyout', keyFile, '-out', certFile, '-days', '2'];
  await promisify(execFile)('openssl', ['req', '-x509', ...made, '-subj', '/CN=sns.amazonaws.com']);
  const key = await readFile(keyFile, 'utf8');
  const message: Amazon['message'] = (given, version = '2') => {
    const fields: Readonly<Record<string, string>> = {
      Type: 'Notification',
      MessageId: '22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324',
      TopicArn: TOPIC,
      Timestamp: '2026-03-02T09:00:00.000Z',
      ...given,
    };
    const names = Object.keys(fields).sort((a, b) => (a < b ? -1 : 1));
    const text = names.map((name) => `${name}\n${fields[name]}\n`).join('');
    const signature = sign(version === '1' ? 'sha1' : 'sha256', Buffer.from(text), key).toString('base64');
    const all = { ...fields, SignatureVersion: version, Signature: signature, SigningCertURL: CERTIFICATE_URL };
    const headers = { 'content-type': 'text/plain; charset=UTF-8', 'x-amz-sns-message-type': fields['Type'] ?? '' };
    return { body: JSON.stringify(all), headers };
  };
  return { certificate: await readFile(certFile, 'utf8'), message };
}
