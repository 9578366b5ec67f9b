import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { checkCall, type CheckContext } from '../../engine/ingest/validate.ts';
import { intakeCompany } from './support.ts';

const NOW = Date.parse('2026-03-01T12:00:00Z');
const context: CheckContext = { company: intakeCompany(), now: NOW, newId: () => 'made' };

/** Parsed from text, as it comes in: `__proto__` is then a field like any other. */
const parsed = (text: string): unknown => JSON.parse(text) as unknown;
const nested = (levels: number): unknown => parsed(`${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`);

describe('identify', () => {
  it('takes the built-in fields, in both spellings, and declared attributes', () => {
    const traits = {
      email: ' Ada@Example.COM ',
      firstName: 'Ada',
      last_name: 'Lovelace',
      timezone: 'Europe/London',
      locale: 'en_GB',
      birthday: '1815-12-10',
      createdAt: '2025-01-02T03:04:05+01:00',
      tags: ['vip', 'vip', 'early'],
      plan: 'gold',
      score: 4.5,
      wants_mail: false,
      renewal_date: '2026-12-24',
      met_at: '2026-01-01T00:00:00Z',
      likes: ['tea', 3, true],
    };
    expect(checkCall('identify', { userId: 'ada', traits }, context)).toEqual({
      ok: true,
      id: 'ada',
      ignored: [],
      undeclared: null,
      incoming: {
        kind: 'identify',
        customer: 'ada',
        traits: {
          email: 'Ada@example.com',
          first_name: 'Ada',
          last_name: 'Lovelace',
          timezone: 'Europe/London',
          locale: 'en-GB',
          birthday: '1815-12-10',
          created_at: Date.parse('2025-01-02T02:04:05Z'),
          tags: ['vip', 'early'],
          attributes: {
            plan: 'gold',
            score: 4.5,
            wants_mail: false,
            renewal_date: '2026-12-24',
            met_at: '2026-01-01T00:00:00Z',
            likes: ['tea', 3, true],
          },
        },
      },
    });
  });

  it('takes values away with null', () => {
    const traits = { email: null, name: null, locale: null, birthday: null, created_at: null, tags: null, plan: null };
    const checked = checkCall('identify', { userId: 'ada', traits }, context);
    expect(checked).toMatchObject({ ok: true, incoming: { traits: { email: null, birthday: null, tags: [] } } });
    expect(checked).toHaveProperty('incoming.traits.attributes', { plan: null });
  });

  it('lists what is left out, with the name that was meant', () => {
    const traits = { plna: 'gold', orders: 12, phone: '+44', first_nam: 'Ada' };
    expect(checkCall('identify', { userId: 'ada', traits }, context)).toMatchObject({
      ok: true,
      incoming: { traits: {} },
      ignored: [
        { name: 'plna', because: 'not declared in perennial.yaml', nearest: 'plan' },
        { name: 'orders', because: 'kept by the engine itself', nearest: null },
        { name: 'phone', because: 'not declared in perennial.yaml', nearest: null },
        { name: 'first_nam', because: 'not declared in perennial.yaml', nearest: 'first_name' },
      ],
    });
  });

  it.each<[string, unknown, string, RegExp]>([
    ['no object', 'ada', '', /the call is the text "ada"; expected an object/],
    ['a list', [1], '', /is a list/],
    ['no userId', {}, 'userId', /"userId" is missing/],
    ['an empty userId', { userId: '' }, 'userId', /expected a text of 1 to 255/],
    ['a number as userId', { userId: 7 }, 'userId', /is the number 7/],
    ['space around the userId', { userId: ' ada' }, 'userId', /without control characters or space/],
    ['a userId that is too long', { userId: 'a'.repeat(256) }, 'userId', /255/],
    ['a line break in the userId', { userId: 'a\nb' }, 'userId', /control/],
    ['a NUL', { userId: 'a\u0000b' }, 'userId', /cannot be stored/],
    ['half a character', { userId: 'ada', traits: { name: '\ud83d' } }, 'traits.name', /cannot be stored/],
    ['half a character in a name of a field', { userId: 'ada', traits: { '\udc00': 1 } }, 'traits.\udc00', /cannot be/],
    ['traits that are no object', { userId: 'ada', traits: [] }, 'traits', /expected an object/],
    ['an address without @', { userId: 'ada', traits: { email: 'ada' } }, 'traits.email', /it has no @/],
    ['two addresses', { userId: 'ada', traits: { email: 'a@b.test,c@d.test' } }, 'traits.email', /comma/],
    ['an address with its name', { userId: 'ada', traits: { email: 'Ada <a@b.test>' } }, 'traits.email', /leave out/],
    ['an address that is no text', { userId: 'ada', traits: { email: 5 } }, 'traits.email', /number 5/],
    ['a header injection', { userId: 'ada', traits: { name: 'Ada\r\nBcc: x@y.test' } }, 'traits.name', /line breaks/],
    ['no language', { userId: 'ada', traits: { locale: 'English, please' } }, 'traits.locale', /BCP 47/],
    ['a day that does not exist', { userId: 'ada', traits: { birthday: '2026-02-30' } }, 'traits.birthday', /YYYY-MM/],
    [
      'a time without offset',
      { userId: 'ada', traits: { created_at: '2026-01-01T10:00' } },
      'traits.created_at',
      /off/,
    ],
    ['seconds since 1970', { userId: 'ada', traits: { createdAt: 1_700_000_000 } }, 'traits.createdAt', /number 17/],
    ['tags that are one text', { userId: 'ada', traits: { tags: 'vip' } }, 'traits.tags', /a list of texts/],
    ['an empty tag', { userId: 'ada', traits: { tags: [''] } }, 'traits.tags', /none of them empty/],
    [
      'a number in quotes',
      { userId: 'ada', traits: { score: '4' } },
      'traits.score',
      /the text "4"; expected a number/,
    ],
    ['a list of objects', { userId: 'ada', traits: { likes: [{}] } }, 'traits.likes', /expected a list/],
    ['a bad timestamp', { userId: 'ada', timestamp: 'now' }, 'timestamp', /with its offset/],
  ])('refuses %s', (_, body, path, message) => {
    const checked = checkCall('identify', body, context);
    expect(checked).toMatchObject({
      ok: false,
      problems: [{ path, message: expect.stringMatching(message) }],
    });
  });
});

describe('track', () => {
  const call = (fields: object): object => ({ userId: 'ada', event: 'order.placed', messageId: 'm1', ...fields });

  it('takes an event as it is, undeclared fields and all', () => {
    const properties = { total: 42, order_id: null, note: { deep: [1, 'two'] } };
    const timestamp = '2026-02-28T10:00:00+01:00';
    expect(checkCall('track', call({ properties, timestamp }), context)).toEqual({
      ok: true,
      id: 'm1',
      ignored: [],
      undeclared: null,
      incoming: {
        kind: 'track',
        customer: 'ada',
        createIfMissing: true,
        event: { id: 'm1', event: 'order.placed', at: Date.parse('2026-02-28T09:00:00Z'), data: properties },
      },
    });
  });

  it('gives an event an id and the present time where it has none', () => {
    const checked = checkCall('track', { userId: 'ada', event: 'order.placed' }, context);
    expect(checked).toMatchObject({ ok: true, id: 'made', incoming: { event: { id: 'made', at: NOW, data: {} } } });
  });

  it('takes an event that is not declared, and says so', () => {
    const checked = checkCall('track', call({ event: 'order.plced', properties: { total: 'many' } }), context);
    expect(checked).toMatchObject({ ok: true, undeclared: { event: 'order.plced', nearest: 'order.placed' } });
    expect(checkCall('track', call({ event: 'toString' }), context)).toMatchObject({ ok: true, undeclared: {} });
  });

  it.each<[string, object, string, string]>([
    ['no event', call({ event: undefined }), 'event', 'missing'],
    ['a number in quotes', call({ properties: { total: '42' } }), 'properties.total', 'wrong-type'],
    ['a text for a boolean', call({ properties: { gift: 'yes' } }), 'properties.gift', 'wrong-type'],
    ['no day', call({ properties: { day: '24.12.2026' } }), 'properties.day', 'invalid'],
    ['no instant', call({ properties: { paid_at: '2026-12-24' } }), 'properties.paid_at', 'invalid'],
    ['no list', call({ properties: { items: 'tea' } }), 'properties.items', 'wrong-type'],
    ['properties that are a text', call({ properties: '{}' }), 'properties', 'wrong-type'],
    ['a messageId that is a number', call({ messageId: 5 }), 'messageId', 'wrong-type'],
    ['a local time', call({ timestamp: '2026-03-01T12:00:00' }), 'timestamp', 'invalid'],
    ['the year 1', call({ timestamp: '0001-01-01T00:00:00Z' }), 'timestamp', 'invalid'],
    [
      'a number beyond all bounds',
      parsed('{"userId":"a","event":"e","properties":{"x":1e999}}') as object,
      'properties.x',
      'invalid',
    ],
    [
      '__proto__',
      parsed('{"userId":"a","event":"e","properties":{"__proto__":{"admin":true}}}') as object,
      'properties.__proto__',
      'forbidden-key',
    ],
    ['constructor', call({ properties: { constructor: 1 } }), 'properties.constructor', 'forbidden-key'],
    [
      'prototype in a list',
      call({ properties: { list: [{ prototype: 1 }] } }),
      'properties.list[0].prototype',
      'forbidden-key',
    ],
    ['what lies too deep', call({ properties: nested(8) }), 'properties.a.a.a.a.a.a.a', 'too-deep'],
  ])('refuses %s', (_, body, path, code) => {
    expect(checkCall('track', body, context)).toMatchObject({ ok: false, problems: [{ path, code }] });
  });

  it('lets eight levels through, and names all mistakes at once', () => {
    expect(checkCall('track', call({ properties: nested(7) }), context)).toMatchObject({ ok: true });
    const checked = checkCall('track', { event: 5, properties: { total: 'x' }, timestamp: 'y' }, context);
    expect(checked).toMatchObject({
      ok: false,
      problems: [{ path: 'userId' }, { path: 'event' }, { path: 'timestamp' }],
    });
  });

  it('never throws, whatever comes, and what it takes can be stored and read back', () => {
    const anything = fc.record(
      {
        userId: fc.oneof(fc.string(), fc.anything()),
        event: fc.string(),
        properties: fc.anything(),
        messageId: fc.anything(),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(anything, (body) => {
        const checked = checkCall('track', JSON.parse(JSON.stringify(body)), context);
        if (!checked.ok) return checked.problems.length > 0;
        // PostgreSQL's jsonb refuses both.
        return !/(?<!\\)(\\\\)*\\u(0000|d[89a-f])/i.test(JSON.stringify(checked.incoming));
      }),
      { numRuns: 300 },
    );
  });
});
