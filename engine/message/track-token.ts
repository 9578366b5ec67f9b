/**
 * Signed tokens of links and pixels that say which mail a reader reacted to.
 *
 * 1. A link's token holds the address that the template gave, signed: it leads there and nowhere else, whoever asks.
 * 2. What is signed names its purpose, so that no token serves for another one.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { SigningKey } from './link-token.ts';

/** The paths under which tokens are followed. */
export const CLICK_PATH = '/link/';
export const OPEN_PATH = '/open/';
/** Addresses with more bytes are left as they are: some programs cut links at 2,000 characters. */
export const MAX_URL_BYTES = 1_200;

const VERSION = 1;
/** Version, key (2), mail (8). */
const HEAD_BYTES = 11;
/** 128 of the 256 bits of HMAC-SHA-256: RFC 2104 section 5 allows half. */
const MAC_BYTES = 16;
const TOKEN = /^[A-Za-z0-9_-]{36,2048}$/;

type Purpose = 'click' | 'open';

/** The token of a link to `url` in one mail. */
export function signClick(sendId: number, url: string, key: SigningKey): string {
  return sign('click', sendId, Buffer.from(url), key);
}

/** The token of one mail's pixel. */
export function signOpen(sendId: number, key: SigningKey): string {
  return sign('open', sendId, Buffer.alloc(0), key);
}

/** Which mail, and where to; null when these keys did not sign it for that. */
export function readClick(
  token: string,
  keys: readonly SigningKey[],
): { readonly sendId: number; readonly url: string } | null {
  const read = readToken('click', token, keys);
  return read === null ? null : { sendId: read.sendId, url: read.rest.toString('utf8') };
}

/** Which mail; null when these keys did not sign it for that. */
export function readOpen(token: string, keys: readonly SigningKey[]): number | null {
  const read = readToken('open', token, keys);
  return read === null || read.rest.length > 0 ? null : read.sendId;
}

function sign(purpose: Purpose, sendId: number, rest: Buffer, key: SigningKey): string {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt8(VERSION, 0);
  head.writeUInt16BE(key.id, 1);
  head.writeBigUInt64BE(BigInt(sendId), 3);
  const body = Buffer.concat([head, rest]);
  return Buffer.concat([macOf(purpose, body, key), body]).toString('base64url');
}

function readToken(
  purpose: Purpose,
  token: string,
  keys: readonly SigningKey[],
): { readonly sendId: number; readonly rest: Buffer } | null {
  if (!TOKEN.test(token)) return null;
  const bytes = Buffer.from(token, 'base64url');
  const body = bytes.subarray(MAC_BYTES);
  // The last character may have bits to spare: only one spelling of each token is taken.
  if (body.length < HEAD_BYTES || bytes.toString('base64url') !== token) return null;
  const key = keys.find(({ id }) => id === body.readUInt16BE(1));
  if (key === undefined || body.readUInt8(0) !== VERSION) return null;
  if (!timingSafeEqual(bytes.subarray(0, MAC_BYTES), macOf(purpose, body, key))) return null;
  return { sendId: Number(body.readBigUInt64BE(3)), rest: body.subarray(HEAD_BYTES) };
}

function macOf(purpose: Purpose, body: Uint8Array, key: SigningKey): Buffer {
  return createHmac('sha256', key.secret).update(`perennial ${purpose}\n`).update(body).digest().subarray(0, MAC_BYTES);
}
