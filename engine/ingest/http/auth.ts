/** The write key of the intake: who knows it may send. */
import { createHash, timingSafeEqual } from 'node:crypto';

/** Tells in constant time whether a header carries the key. */
export type KeyCheck = (authorization: string | undefined) => boolean;

/**
 * Checks the header `Authorization`: `Basic` with the key as user name and any password (as Segment's libraries
 * send it, RFC 7617), or `Bearer` with the key (RFC 6750).
 */
export function openKeyCheck(writeKey: string): KeyCheck {
  const expected = digest(writeKey);
  // Digests have one length, so the comparison tells nothing about the key, not even how long it is.
  return (authorization) => timingSafeEqual(digest(presentedKey(authorization ?? '')), expected);
}

function presentedKey(authorization: string): string {
  const [, scheme = '', credentials = ''] = /^(\S+)\s+(\S+)\s*$/.exec(authorization) ?? [];
  switch (scheme.toLowerCase()) {
    case 'bearer':
      return credentials;
    case 'basic': {
      const [user = ''] = Buffer.from(credentials, 'base64').toString('utf8').split(':');
      return user;
    }
    default:
      return '';
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
