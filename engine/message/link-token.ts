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
/** Version, key (2), mail (8). */
const HEAD_BYTES = 11;
/** 128 of the 256 bits of HMAC-SHA-256: RFC 2104 section 5 allows half. */
const MAC_BYTES = 16;

/** Signs the link of a survey. */
export function signSurveyLink({ sendId, score }: SurveyLink, key: SigningKey): string {
  return sign('survey', sendId, Uint8Array.of(score), key);
}

/** What the token says; null when it is none, or none that one of these keys signed. */
export function readSurveyLink(token: string, keys: readonly SigningKey[]): SurveyLink | null {
  const read = open('survey', token, 1, keys);
  return read === null ? null : { sendId: read.sendId, score: read.rest[0] ?? 0 };
}

/** Signs the links by which the reader of a mail says what else to send: unsubscribing and preferences. */
export function signReaderLink(sendId: number, key: SigningKey): string {
  return sign('reader', sendId, new Uint8Array(0), key);
}

/** Which mail the token came with; null when it is none, or none that one of these keys signed. */
export function readReaderLink(token: string, keys: readonly SigningKey[]): number | null {
  return open('reader', token, 0, keys)?.sendId ?? null;
}

function sign(purpose: string, sendId: number, rest: Uint8Array, key: SigningKey): string {
  const body = Buffer.alloc(HEAD_BYTES + rest.length);
  body.writeUInt8(VERSION, 0);
  body.writeUInt16BE(key.id, 1);
  body.writeBigUInt64BE(BigInt(sendId), 3);
  body.set(rest, HEAD_BYTES);
  return Buffer.concat([body, macOf(purpose, body, key)]).toString('base64url');
}

function open(
  purpose: string,
  token: string,
  restBytes: number,
  keys: readonly SigningKey[],
): { readonly sendId: number; readonly rest: Uint8Array } | null {
  const bodyBytes = HEAD_BYTES + restBytes;
  if (!/^[A-Za-z0-9_-]{36,60}$/.test(token)) return null;
  const bytes = Buffer.from(token, 'base64url');
  // The last character may have bits to spare: only one spelling of each token is taken.
  if (bytes.length !== bodyBytes + MAC_BYTES || bytes.toString('base64url') !== token) return null;
  const body = bytes.subarray(0, bodyBytes);
  const key = keys.find(({ id }) => id === body.readUInt16BE(1));
  if (key === undefined || body.readUInt8(0) !== VERSION) return null;
  if (!timingSafeEqual(bytes.subarray(bodyBytes), macOf(purpose, body, key))) return null;
  return { sendId: Number(body.readBigUInt64BE(3)), rest: body.subarray(HEAD_BYTES) };
}

function macOf(purpose: string, body: Uint8Array, key: SigningKey): Buffer {
  return createHmac('sha256', key.secret).update(`perennial ${purpose}\n`).update(body).digest().subarray(0, MAC_BYTES);
}
