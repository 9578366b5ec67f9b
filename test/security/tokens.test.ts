/** Every bit of every token counts: unsubscribing and preferences, surveys, clicks, openings, return paths. */
import { describe, expect, it } from '@jest/globals';
import { readBounceToken, signBounceToken } from '../../engine/message/bounce-token.ts';
import {
  readReaderLink,
  readSurveyLink,
  signReaderLink,
  signSurveyLink,
  type SigningKey,
} from '../../engine/message/link-token.ts';
import { readClick, readOpen, signClick, signOpen } from '../../engine/message/track-token.ts';

const KEY: SigningKey = { id: 258, secret: Buffer.alloc(32, 7) };
/** Another key of the database, and one of an attacker under a number that is taken. */
const KEYS: readonly SigningKey[] = [{ id: 1, secret: Buffer.alloc(32, 8) }, KEY];
const FORGED: SigningKey = { id: KEY.id, secret: Buffer.alloc(32) };
const SEND = 0x01_02_03_04;

interface Kind {
  readonly name: string;
  readonly sign: (key: SigningKey) => string;
  readonly read: (token: string) => unknown;
  readonly decode: (token: string) => Buffer;
  readonly encode: (bytes: Buffer) => string;
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz234567';
const base32 = {
  decode: (token: string): Buffer => {
    const bits = token
      .split('')
      .map((letter) => LETTERS.indexOf(letter).toString(2).padStart(5, '0'))
      .join('');
    return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  },
  encode: (bytes: Buffer): string => {
    const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
    return (bits.match(/.{1,5}/g) ?? []).map((five) => LETTERS[Number.parseInt(five.padEnd(5, '0'), 2)]).join('');
  },
};
const base64url = {
  decode: (token: string): Buffer => Buffer.from(token, 'base64url'),
  encode: (bytes: Buffer): string => bytes.toString('base64url'),
};

const KINDS: readonly Kind[] = [
  {
    name: 'reader',
    sign: (key) => signReaderLink(SEND, key),
    read: (token) => readReaderLink(token, KEYS),
    ...base64url,
  },
  {
    name: 'survey',
    sign: (key) => signSurveyLink({ sendId: SEND, score: 9 }, key),
    read: (token) => readSurveyLink(token, KEYS),
    ...base64url,
  },
  {
    name: 'click',
    sign: (key) => signClick(SEND, 'https://hearth.example/a?b=c', key),
    read: (token) => readClick(token, KEYS),
    ...base64url,
  },
  { name: 'open', sign: (key) => signOpen(SEND, key), read: (token) => readOpen(token, KEYS), ...base64url },
  {
    name: 'bounce',
    sign: (key) => signBounceToken(SEND, key),
    read: (token) => readBounceToken(token, KEYS),
    ...base32,
  },
];

describe.each(KINDS)('a token of the kind $name', ({ name, sign, read, decode, encode }) => {
  const token = sign(KEY);

  it('is good as it was signed', () => {
    expect(encode(decode(token))).toBe(token);
    expect(read(token)).not.toBeNull();
  });

  it('is nothing with any of its bits turned, and nothing shorter or longer', () => {
    const bytes = decode(token);
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const turned = Buffer.from(bytes);
      turned[bit >> 3] = (turned[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect([bit, read(encode(turned))]).toEqual([bit, null]);
    }
    for (let length = 0; length < bytes.length; length += 1) expect(read(encode(bytes.subarray(0, length)))).toBeNull();
    for (const extra of [0, 1, 255]) expect(read(encode(Buffer.concat([bytes, Buffer.of(extra)])))).toBeNull();
    for (const around of [
      ` ${token}`,
      `${token} `,
      `${token}=`,
      `${token}\n`,
      `${token}.`,
      `%${token}`,
      token.slice(1),
    ]) {
      expect(read(around)).toBeNull();
    }
  });

  it('is nothing when another key signed it, and nothing in the place of another kind', () => {
    expect(read(sign(FORGED))).toBeNull();
    for (const other of KINDS)
      if (other.name !== name) expect([other.name, other.read(token)]).toEqual([other.name, null]);
  });
});

it('a key of nothing is no key: an empty or short secret of the attacker signs nothing that is taken', () => {
  for (const { sign, read } of KINDS) {
    for (const secret of [Buffer.alloc(0), Buffer.alloc(1), Buffer.from('perennial')]) {
      expect(read(sign({ id: KEY.id, secret }))).toBeNull();
    }
  }
});
