/**
 * Signed return paths (VERP): `bounce+TOKEN@hearth.example` says which mail came back, whatever a server makes of the rest.
 *
 * 1. Only who holds a key of the database can make one, so that nobody suppresses readers by forged reports.
 * 2. Servers change the case of local parts, so a token has one case only (base32, RFC 4648 section 6, in lower case).
 * 3. It names its key, so that keys can be changed while mail is on its way.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { SigningKey } from './link-token.ts';

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
const VERSION = 1;
/** Version, key (2), mail (6). */
const BODY_BYTES = 9;
/** 128 of the 256 bits of HMAC-SHA-256: RFC 2104 section 5 allows half. Together they fill base32 without a rest. */
const MAC_BYTES = 16;
const TOKEN_LENGTH = ((BODY_BYTES + MAC_BYTES) * 8) / 5;
/** The return path of one mail: `mailbox` with a signed token. `mailbox` has at most 23 characters before its `@`, for RFC 5321 allows 64. */
export function signReturnPath(mailbox: string, sendId: number, key: SigningKey): string {
  const at = mailbox.lastIndexOf('@');
  return `${mailbox.slice(0, at)}+${signBounceToken(sendId, key)}${mailbox.slice(at)}`;
}

/** The token for one mail: 40 letters and digits. */
export function signBounceToken(sendId: number, key: SigningKey): string {
  const body = Buffer.alloc(BODY_BYTES);
  body.writeUInt8(VERSION, 0);
  body.writeUInt16BE(key.id, 1);
  body.writeUIntBE(sendId, 3, 6);
  return toBase32(Buffer.concat([body, macOf(body, key)]));
}

/** Which mail the token is for; null when it is none, or none that one of these keys signed. */
export function readBounceToken(token: string, keys: readonly SigningKey[]): number | null {
  const bytes = fromBase32(token.toLowerCase());
  if (bytes === null || token.length !== TOKEN_LENGTH) return null;
  const body = bytes.subarray(0, BODY_BYTES);
  const key = keys.find(({ id }) => id === body.readUInt16BE(1));
  if (key === undefined || body.readUInt8(0) !== VERSION) return null;
  return timingSafeEqual(bytes.subarray(BODY_BYTES), macOf(body, key)) ? body.readUIntBE(3, 6) : null;
}

function macOf(body: Uint8Array, key: SigningKey): Buffer {
  return createHmac('sha256', key.secret).update('perennial bounce\n').update(body).digest().subarray(0, MAC_BYTES);
}

function toBase32(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff;
    for (bits += 8; bits >= 5; bits -= 5) text += ALPHABET[(held >> (bits - 5)) & 31] ?? '';
  }
  return text;
}

function fromBase32(text: string): Buffer | null {
  const bytes: number[] = [];
  let bits = 0;
  let held = 0;
  for (const character of text) {
    const value = ALPHABET.indexOf(character);
    if (value === -1) return null;
    held = ((held << 5) | value) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((held >> bits) & 0xff);
  }
  return bytes.length === BODY_BYTES + MAC_BYTES ? Buffer.from(bytes) : null;
}
