/** Signatures by the Standard Webhooks specification (standardwebhooks.com, version 1). */
import { createHmac } from 'node:crypto';

const SECRET = /^whsec_([A-Za-z0-9+/]+={0,2})$/;
/** The specification asks for 24 to 64 bytes. */
const MIN_BYTES = 24;
const MAX_BYTES = 64;

/** The key in a secret such as `whsec_…`; null when it is none. */
export function readWebhookSecret(text: string): Uint8Array | null {
  const encoded = SECRET.exec(text)?.[1];
  if (encoded === undefined) return null;
  const key = Buffer.from(encoded, 'base64');
  return key.length >= MIN_BYTES && key.length <= MAX_BYTES ? key : null;
}

/** What is signed: which message, when it is sent (whole seconds since 1970), and its body. */
export interface Signed {
  readonly id: string;
  readonly timestampS: number;
  readonly body: string;
}

/** The value of `webhook-signature`: one signature for each key, so that the receiver may change keys. */
export function signatureOf({ id, timestampS, body }: Signed, keys: readonly Uint8Array[]): string {
  return keys
    .map((key) => `v1,${createHmac('sha256', key).update(`${id}.${timestampS}.${body}`).digest('base64')}`)
    .join(' ');
}
