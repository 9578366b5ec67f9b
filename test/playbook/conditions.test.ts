/**
 * Conditions: a corpus of what they mean. The parser is a library's, so these cases also fail when an upgrade of it
 * changes how an expression is read.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compileCondition, type ConditionEnv, type DeclaredType } from '../../engine/playbook/condition.ts';
import type { Scope } from '../../engine/playbook/types.ts';
import { parseInstant } from '../../engine/time/text.ts';
import { zone } from '../../engine/time/zone.ts';

function berlin() {
  const found = zone('Europe/Berlin');
  if (found === null) throw new Error('no Europe/Berlin');
  return found;
}

const fields = (types: Readonly<Record<string, DeclaredType>>): ReadonlyMap<string, DeclaredType> =>
  new Map(Object.entries(types));

const ENV: ConditionEnv = {
  customer: fields({
    name: 'string',
    locale: 'string',
    orders: 'number',
    spent: 'number',
    vip: 'boolean',
    birthday: 'date',
    last_order_at: 'datetime',
    seen_at: 'datetime',
    tags: 'list',
    sizes: 'list',
    stage: 'string',
    missing: 'string',
    none: 'number',
    never: 'datetime',
  }),
  event: { name: 'order.placed', fields: fields({ total: 'number', note: 'string' }) },
  launch: fields({ title: 'string', public_at: 'datetime', price: 'number' }),
  trigger: true,
  vars: true,
  stage: { usesTime: false },
};

const SCOPE: Scope = {
  customer: {
    name: 'Ada',
    locale: 'en-GB',
    orders: 3,
    spent: 120.5,
    vip: true,
    birthday: '1990-02-28',
    last_order_at: parseInstant('2026-03-28T23:30:00Z'),
    seen_at: '2026-03-29T12:00:00+02:00',
    tags: ['advocate', 'vip-gold'],
    sizes: [38, 40],
    stage: 'customer',
  },
  event: { total: 42.5 },
  launch: { title: 'Aurora', public_at: parseInstant('2026-04-01T08:00:00Z'), price: 89 },
  trigger: { count: 4, date: '2026-03-29' },
  vars: { gift: { code: 'X1' }, score: 9, list: [1, 2] },
  // 2026-03-29 is the day on which Berlin's clocks go forward.
  now: parseInstant('2026-03-29T12:00:00Z'),
  zone: berlin(),
};

function evaluate(source: string, scope: Scope = SCOPE): boolean {
  const compiled = compileCondition(source, ENV);
  if (!compiled.ok) throw new Error(`${source}: ${compiled.errors.map((error) => error.message).join('; ')}`);
  return compiled.condition.test(scope);
}

const TRUE: readonly string[] = [
  // Reading: precedence, literals, comments, quotes.
  '1 + 2 * 3 == 7',
  '(1 + 2) * 3 == 9',
  '10 - 3 - 2 == 5',
  '!false && true',
  '!(true && false)',
  'true || false && false',
  '!customer.vip == false',
  'true ? false ? false : true : false',
  '2 + 3 > 4 == true',
  '0x10 == 16',
  '1e3 == 1000',
  '5u == 5',
  '-customer.orders == -3',
  '"a\\n" != "a\\\\n"',
  "r'a\\d' == 'a\\\\d'",
  '"""a"b""" == "a\\"b"',
  "'\\u00e9' == 'é'",
  'true // and so on',
  'customer["orders"] == 3',
  // Numbers are one type.
  'customer.orders == 3.0',
  'customer.orders >= 2 && event.total > 20.5',
  'event.total >= 42',
  'customer.orders / 2 == 1.5',
  'customer.spent + 1 == 121.5',
  '7 % 4 == 3',
  '3 in customer.sizes.map(s, s - 35)',
  'customer.orders in [1, 2, 3]',
  // Text and lists.
  'customer.locale.startsWith("en")',
  'customer.name.endsWith("da") && customer.name.contains("d")',
  'customer.name + "!" == "Ada!"',
  '"a" < "b"',
  'customer.name.lowerAscii() == "ada" && customer.name.upperAscii() == "ADA"',
  '" x ".trim() == "x"',
  'customer.name.matches("^A[a-z]+$")',
  // Patterns that take JavaScript's own engine minutes on such a text, or for ever.
  `"${'abc'.repeat(300)}".matches(".*a.*b.*c.*d") == false`,
  `"${'a'.repeat(300)}!".matches("^(a+)+$") == false`,
  'customer.name.size() == 3 && size("é😀") == 2 && size(customer.tags) == 2',
  '"advocate" in customer.tags',
  '!("newcomer" in customer.tags)',
  'customer.tags.exists(t, t.startsWith("vip"))',
  'customer.tags.all(t, t.size() > 3)',
  'customer.tags.exists_one(t, t == "advocate")',
  'customer.tags.filter(t, t != "advocate") == ["vip-gold"]',
  'customer.sizes[0] == 38 && customer.sizes[5] == null',
  '[1, 2] + [3] == [1, 2, 3]',
  '{"a": 1, "b": 2}["b"] == 2 && "a" in {"a": 1}',
  'int("42") == 42 && int(3.9) == 3 && double("1.5") == 1.5 && string(3) == "3" && bool("true")',
  // Time: days are whole local days; 23:30 UTC on the 28th is the 29th in Berlin.
  'days_since(customer.last_order_at) == 0',
  'days_until(launch.public_at) == 3 && days_since(launch.public_at) == -3',
  'days_since(trigger.date) == 0 && trigger.count == 4',
  'customer.birthday < now && customer.birthday == timestamp("1990-02-28")',
  'customer.birthday == timestamp("1990-02-27T23:00:00Z")',
  'now == timestamp("2026-03-29T14:00")',
  'customer.seen_at == timestamp("2026-03-29T10:00:00Z")',
  'now - customer.seen_at == duration("2h")',
  'now - duration("1h30m") < now && now + duration("90s") > now',
  'launch.price == 89 && launch.title == "Aurora"',
  // What is set on the way.
  'vars.gift.code == "X1" && vars.score >= 9',
  'vars.list.exists(x, x == 2)',
  'has(customer.name) && !has(customer.missing) && has(vars.gift.code) && !has(vars.gift.other)',
  // Null equals only null.
  'customer.missing == null && null == null',
  'customer.name != null && customer.missing != "x"',
  '!(customer.missing == "x") && !(customer.none == 0)',
  'event.note == null',
  'vars.nothing == null && vars.nothing.deeper == null',
  // Null in an ordering is false; in logic it is false; `!null` is true.
  '!(customer.none > 0) && !(customer.none <= 0) && !(customer.never < now)',
  '!(null > null) && !(null <= null)',
  '!customer.vip == false && !vars.nothing',
  'vars.nothing || true',
  '!(vars.nothing && true)',
  'vars.nothing ? false : true',
  // Null runs through arithmetic and functions; tests of text and `in` are false.
  'customer.none + 1 == null && -customer.none == null && customer.missing + "x" == null',
  'days_since(customer.never) == null && !(days_since(customer.never) > 365)',
  'size(customer.missing) == null && customer.missing.lowerAscii() == null && int(customer.missing) == null',
  '!customer.missing.startsWith("a") && customer.missing.startsWith("a") == false',
  '(customer.missing in customer.tags) == false && (null in [null]) == false',
  'customer.missing.matches("a") == false',
  // Nothing is an error.
  '1 / 0 == null && 5 % 0 == null && int("x") == null && duration("2h") > duration("1h")',
  'timestamp(customer.name) == null',
];

/** Source, offset of the mistake, and part of what is said and of what to do about it. */
const MISTAKES: readonly (readonly [string, number, string, string | null])[] = [
  ['customer.ordrs > 1', 0, 'customer.ordrs', 'did you mean `customer.orders`?'],
  ['true && event.totl > 1', 8, 'event.totl', 'did you mean `event.total`?'],
  ['orders > 1', 0, 'no variable', 'did you mean `customer.orders`?'],
  ['custmer.orders > 1', 0, 'no variable', 'did you mean `customer`?'],
  ['customer.orders > "x"', 0, 'between a number and text', null],
  ['customer.orders > "3"', 0, 'between a number and text', 'write 3 without quotes'],
  ['customer.vip == "true"', 0, 'between true or false and text', 'write true without quotes'],
  ['customer.birthday > "2026-01-01"', 0, 'between a date or time and text', 'write timestamp("2026-01-01")'],
  [
    'customer.last_order_at > 30',
    0,
    'between a date or time and a number',
    'compare days_since(…) or days_until(…) with a number of days',
  ],
  ['customer.orders', 0, 'this is a number', null],
  ['"yes"', 0, 'this is text', null],
  ['null', 0, 'this is null', null],
  ['customer', 0, 'a whole record', null],
  ['customer.name && true', 0, '`&&` needs true or false here, not text', null],
  ['!customer.orders', 1, '`!` needs true or false here, not a number', null],
  ['"x" in customer.name', 0, 'looks into a list', 'write text.contains("…")'],
  ['3 in customer.tags', 0, 'between a number and a list of texts', null],
  ['customer.name + 1 == "x"', 0, '`+` cannot go between text and a number', null],
  ['days_snce(now) > 1', 0, 'no function', 'did you mean `days_since`?'],
  ['customer.name.startWith("a")', 0, 'no method', 'did you mean `startsWith`?'],
  ['days_since(customer.name) > 1', 11, 'needs a date or time here, not text', null],
  ['days_since() > 1', 0, 'takes 1 value', null],
  ['timestamp("soon") < now', 10, 'is no time', null],
  ['customer.name.matches("(?=a)")', 22, 'no regular expression', null],
  ['customer.name.matches("(")', 22, 'no regular expression', null],
  ['customer.name.matches(customer.locale)', 0, 'written out in quotes', null],
  ['customer.tags.exists(t, t + 1)', 24, 'cannot go between text and a number', null],
  ['customer.orders.exists(t, true)', 0, 'goes over a list', null],
  ['true ? 1 : "a"', 11, 'one type', null],
  ['[1, "a"] == []', 4, 'one type', null],
  ['customer.orders = 2', 16, 'use `==`', null],
  ['true & false', 5, 'use `&&`', null],
  ['true and false', 5, 'are written `&&`', null],
  ['customer.orders >', 17, 'ends too early', null],
  ['"abc', 0, 'does not end', null],
  ['', 0, 'is empty', null],
  ['b"abc" == "abc"', 0, 'no bytes', null],
  [`${'('.repeat(3000)}true${')'.repeat(3000)}`, 0, 'at most 4000 characters', null],
  [`${'!'.repeat(300)}true`, 251, 'nested too deeply', null],
  ['['.repeat(300), 40, 'nested too deeply', null],
];

describe('conditions', () => {
  it.each(TRUE)('%s', (source) => {
    expect(evaluate(source)).toBe(true);
    expect(evaluate(`!(${source.replace(/ \/\/.*/, '')})`)).toBe(false);
  });

  it.each(MISTAKES)('%s: explained', (source, start, message, fix) => {
    const compiled = compileCondition(source, ENV);
    const [error] = compiled.ok ? [] : compiled.errors;
    expect(error).toMatchObject({ start, message: expect.stringContaining(message), fix });
  });

  it('finds all mistakes of one condition', () => {
    const compiled = compileCondition('customer.ordrs > 1 || event.totl > 1 || customer.name > 3', ENV);
    expect(compiled.ok ? [] : compiled.errors.map((error) => [error.code, error.start])).toEqual([
      ['cel-unknown', 0],
      ['cel-unknown', 22],
      ['cel-type', 40],
    ]);
  });

  it('says what it reads and whether it depends on the time', () => {
    const about = (source: string, env: ConditionEnv = ENV) => {
      const compiled = compileCondition(source, env);
      return compiled.ok
        ? [[...compiled.condition.reads].sort().join(' '), compiled.condition.usesTime]
        : compiled.errors;
    };
    expect(about('customer.orders > 1 && event.total > 2')).toEqual(['customer.orders event.total', false]);
    expect(about('customer["orders"] > 1')).toEqual(['customer.orders', false]);
    expect(about('days_since(customer.last_order_at) > 2')).toEqual(['customer.last_order_at', true]);
    expect(about('customer.birthday < now')).toEqual(['customer.birthday', true]);
    expect(about('customer.stage == "lapsed"')).toEqual(['customer.stage', false]);
    expect(about('customer.stage == "lapsed"', { ...ENV, stage: { usesTime: true } })).toEqual([
      'customer.stage',
      true,
    ]);
    expect(about('vars.gift.code == "a"')).toEqual(['vars.gift', false]);
  });

  it('says where a record would be when it is not there', () => {
    const bare = { ...ENV, event: null, launch: null, trigger: false, vars: false, stage: null };
    for (const [source, part] of [
      ['event.total > 1', 'there is no `event` here'],
      ['launch.price > 1', 'there is no `launch` here'],
      ['trigger.count > 1', 'there is no `trigger` here'],
      ['vars.score > 1', 'there are no `vars` here'],
      ['customer.stage == "x"', 'cannot be defined by `customer.stage`'],
    ] as const) {
      const compiled = compileCondition(source, bare);
      expect(compiled.ok ? '' : compiled.errors[0]?.message).toContain(part);
    }
  });

  it('counts local days from calendar day to calendar day, in the zone of each customer', () => {
    const auckland = zone('Pacific/Auckland');
    if (auckland === null) throw new Error('no Pacific/Auckland');
    const at = (now: string) => ({
      ...SCOPE,
      zone: auckland,
      now: parseInstant(now),
      customer: { last_order_at: parseInstant('2026-03-28T10:30:00Z') },
    });
    // 28 March 23:30 in Auckland; half an hour later it is the 29th.
    expect(evaluate('days_since(customer.last_order_at) == 0', at('2026-03-28T10:59:59Z'))).toBe(true);
    expect(evaluate('days_since(customer.last_order_at) == 1', at('2026-03-28T11:00:00Z'))).toBe(true);
  });

  it('takes no value that the customer does not have itself', () => {
    expect(evaluate('vars.constructor == null && vars.gift.toString == null')).toBe(true);
  });

  it('never throws, whatever the data', () => {
    const conditions = TRUE.map((source) => {
      const compiled = compileCondition(source, ENV);
      if (!compiled.ok) throw new Error(source);
      return compiled.condition;
    });
    const value = fc.oneof(
      fc.anything(),
      fc.constantFrom(
        null,
        undefined,
        Number.NaN,
        Infinity,
        -1e300,
        9e15,
        '2026-13-40',
        '0001-01-01',
        '2026-03-29T25:00Z',
      ),
    );
    const record = (names: Iterable<string>) =>
      fc.record(Object.fromEntries([...names].map((name) => [name, value])), { requiredKeys: [] });
    const scope = fc.record({
      customer: record(ENV.customer.keys()),
      event: record(['total', 'note']),
      launch: record(['title', 'public_at', 'price']),
      trigger: record(['count', 'date']),
      vars: record(['gift', 'score', 'list', 'nothing']),
    });
    fc.assert(
      fc.property(scope, (data) => {
        for (const condition of conditions)
          expect(typeof condition.test({ ...data, now: SCOPE.now, zone: SCOPE.zone })).toBe('boolean');
      }),
      { numRuns: 200 },
    );
  });

  it('never throws, whatever the text', () => {
    const word = fc.constantFrom(
      'customer',
      '.',
      'orders',
      'tags',
      '(',
      ')',
      '[',
      ']',
      '!',
      '&&',
      '||',
      '==',
      '<',
      'in',
      '+',
      '-',
      '/',
      '"a"',
      '1',
      '2.5',
      'null',
      'true',
      'now',
      'days_since',
      'exists',
      ',',
      't',
      '?',
      ':',
      '{',
      '}',
      'event',
      'total',
      'vars',
      'x',
      ' ',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(word, { maxLength: 25 }).map((words) => words.join(' ')),
          fc.string(),
        ),
        (source) => {
          const compiled = compileCondition(source, ENV);
          if (compiled.ok) compiled.condition.test(SCOPE);
          else expect(compiled.errors.length).toBeGreaterThan(0);
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
