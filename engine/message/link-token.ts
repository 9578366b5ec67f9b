/**
 * Signed, opaque tokens for links in mails.
 *
 * 1. A token is valid for one purpose only: the purpose is part of what is signed.
 * 2. It names its key, so that keys can be changed while mails of years ago keep their links.
 * 3. It holds numbers of this database and no personal data: forwarded or logged, it says nothing about the reader.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

/** A key of the database. */
export interface SigningKey {
  /** From 1 to 32,767. */
  readonly id: number;
  readonly secret: Uint8Array;
}

/** What the link of a survey says: which mail, and which score was chosen. */
export interface SurveyLink {
  readonly sendId: number;
  /** From 0 to 127. */
  readonly score: number;
}

const VERSION = 1;
/** Version, key (2), mail (8), score. */
const BODY_BYTES = 12;
/** 128 of the 256 bits of HMAC-SHA-256: RFC 2104 section 5 allows half. */
const MAC_BYTES = 16;
/** In base64url, without padding. */
const TOKEN = /^[A-Za-z0-9_-]{38}$/;

/** Signs the link of a survey. */
export function signSurveyLink({ sendId, score }: SurveyLink, key: SigningKey): string {
  const body = Buffer.alloc(BODY_BYTES);
  body.writeUInt8(VERSION, 0);
  body.writeUInt16BE(key.id, 1);
  body.writeBigUInt64BE(BigInt(sendId), 3);
  body.writeUInt8(score, 11);
  return Buffer.concat([body, macOf(body, key)]).toString('base64url');
}

/** What the token says; null when it is none, or none that one of these keys signed. */
export function readSurveyLink(token: string, keys: readonly SigningKey[]): SurveyLink | null {
  if (!TOKEN.test(token)) return null;
  const bytes = Buffer.from(token, 'base64url');
  // The last character has bits to spare: only one spelling of each token is taken.
  if (bytes.length !== BODY_BYTES + MAC_BYTES || bytes.toString('base64url') !== token) return null;
  const body = bytes.subarray(0, BODY_BYTES);
  const key = keys.find(({ id }) => id === body.readUInt16BE(1));
  if (key === undefined || body.readUInt8(0) !== VERSION) return null;
  if (!timingSafeEqual(bytes.subarray(BODY_BYTES), macOf(body, key))) return null;
  return { sendId: Number(body.readBigUInt64BE(3)), score: body.readUInt8(11) };
}

function macOf(body: Uint8Array, key: SigningKey): Buffer {
  return createHmac('sha256', key.secret).update('perennial survey\n').update(body).digest().subarray(0, MAC_BYTES);
}
