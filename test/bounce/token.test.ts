import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { validateAddress } from '../../engine/message/address.ts';
import { readBounceToken, signBounceToken, signReturnPath } from '../../engine/message/bounce-token.ts';

const KEY = { id: 7, secret: Buffer.alloc(32, 1) };
const OTHER = { id: 7, secret: Buffer.alloc(32, 2) };

describe('signed return paths', () => {
  it('says which mail it was, under any key that is known, in any case', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 48 - 1 }), fc.integer({ min: 1, max: 32_767 }), (sendId, id) => {
        const key = { id, secret: KEY.secret };
        const token = signBounceToken(sendId, key);
        expect(token).toMatch(/^[a-z2-7]{40}$/);
        expect(readBounceToken(token, [{ ...KEY, id: id + 1 }, key])).toBe(sendId);
        expect(readBounceToken(token.toUpperCase(), [key])).toBe(sendId);
      }),
    );
  });

  it('is an address that SMTP carries, with the longest name that is allowed before it', () => {
    const path = signReturnPath('a234567890123456789-123@hearth.example', 2 ** 48 - 1, KEY);
    expect(path.indexOf('@')).toBe(64);
    expect(validateAddress(path)).toBe(path);
  });

  it('takes nothing that another key signed, and nothing that was changed', () => {
    const token = signBounceToken(12, KEY);
    expect(readBounceToken(token, [OTHER])).toBeNull();
    expect(readBounceToken(token, [])).toBeNull();
    expect(readBounceToken('', [KEY])).toBeNull();
    for (let at = 0; at < token.length; at += 1) {
      const changed = `${token.slice(0, at)}${token[at] === 'b' ? 'c' : 'b'}${token.slice(at + 1)}`;
      expect(readBounceToken(changed, [KEY])).toBeNull();
    }
  });
});
