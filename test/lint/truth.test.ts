/** What can be said of a condition without a customer: never a false alarm. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compileCondition, type ConditionEnv } from '../../engine/playbook/condition.ts';
import { CUSTOMER_FIELDS } from '../../engine/playbook/declarations.ts';
import { parsed, verdictOf, type Verdict } from '../../engine/playbook/lint/truth/verdict.ts';
import { utc } from '../../engine/time/zone.ts';

const WORLD = { stages: ['prospect', 'regular', 'lapsed'] };
const ENV: ConditionEnv = {
  customer: new Map([...CUSTOMER_FIELDS, ['plan', 'string'], ['score', 'number'], ['vip', 'boolean']]),
  event: { name: 'order.placed', fields: new Map([['total', 'number']]) },
  launch: null,
  trigger: true,
  vars: true,
  stage: { usesTime: false },
};

function verdict(source: string): Verdict {
  const compiled = compileCondition(source, ENV);
  if (!compiled.ok) throw new Error(`${source}: ${compiled.errors.map(({ message }) => message).join('; ')}`);
  const node = parsed(source);
  if (node === null) throw new Error(`${source} does not parse`);
  return verdictOf(node, WORLD);
}

describe('a condition', () => {
  it.each<[string, Verdict]>([
    ['customer.score > 5 && customer.score < 3', 'never'],
    ['customer.score > 5 && customer.score < 6', 'sometimes'],
    ['customer.orders > 5 && customer.orders < 6', 'never'],
    ['customer.orders < 0', 'never'],
    ['customer.orders >= 0', 'sometimes'],
    ['!(customer.orders < 1)', 'sometimes'],
    ['customer.orders < 1', 'sometimes'],
    ['customer.orders > 3 && customer.orders < 5', 'sometimes'],
    ['customer.spent < 1e300', 'sometimes'],
    ['customer.orders == 1.5', 'never'],
    ['customer.spent < 0', 'sometimes'],
    ['size(customer.tags) < 0', 'never'],
    ['days_since(customer.last_order_at) < 0', 'sometimes'],
    ['customer.plan == "a" && customer.plan == "b"', 'never'],
    ['customer.plan == "a" || customer.plan != "a"', 'always'],
    ['customer.plan != "a" && customer.plan != "b"', 'sometimes'],
    ['customer.plan == null && has(customer.plan)', 'never'],
    ['has(customer.plan) || customer.plan == null', 'always'],
    ['customer.plan == null && customer.plan == "a"', 'never'],
    ['customer.plan in ["a", "b"] && customer.plan == "c"', 'never'],
    ['customer.plan in ["a", "b"] && customer.plan != "a"', 'sometimes'],
    ['customer.stage == "lapsd"', 'never'],
    ['customer.stage == "lapsed"', 'sometimes'],
    ['customer.stage != "lapsd"', 'always'],
    ['customer.vip && !customer.vip', 'never'],
    ['customer.vip || !customer.vip', 'always'],
    ['customer.vip == true || customer.vip == false', 'sometimes'],
    ['customer.vip == true || customer.vip == false || customer.vip == null', 'always'],
    ['!(customer.score > 3) && !(customer.score <= 3)', 'sometimes'], // null is neither
    ['customer.score > 3 || customer.score <= 3', 'sometimes'],
    ['"vip" in customer.tags && !("vip" in customer.tags)', 'never'],
    ['"vip" in customer.tags && !("wip" in customer.tags)', 'sometimes'],
    ['customer.locale.startsWith("de") && customer.locale.startsWith("en")', 'never'],
    ['customer.locale.startsWith("de-AT") && !customer.locale.startsWith("de")', 'never'],
    ['customer.locale.startsWith("de") && customer.locale != "de"', 'sometimes'],
    ['customer.locale == "de" && customer.locale.startsWith("en")', 'never'],
    ['customer.plan.contains("a") && customer.plan == "b"', 'sometimes'], // not understood: nothing is claimed
    ['customer.birthday < now && customer.birthday > now', 'sometimes'],
    ['trigger.count == 0 && trigger.count > 0', 'never'],
    ['5 < customer.score && 3 > customer.score', 'never'],
    ['customer.score < -1 && customer.score > -3', 'sometimes'],
    ['vars.gift == "a" && vars.gift == 1', 'never'],
    ['vars.gift != "a" || vars.gift == 1', 'sometimes'],
    ['event.total > 10 ? event.total < 5 : event.total > 20', 'never'],
    ['true', 'always'],
    ['false', 'never'],
    ['customer.vip || true', 'always'],
  ])('%s: %s', (source, expected) => {
    expect(verdict(source)).toBe(expected);
  });

  it('is never said to be impossible when a customer shows that it is not, nor certain when one shows otherwise', () => {
    const number = fc.integer({ min: -1, max: 4 });
    const text = fc.constantFrom('a', 'ab', 'b', '');
    const atom = fc.oneof(
      fc
        .tuple(
          fc.constantFrom('customer.score', 'customer.orders', 'event.total'),
          fc.constantFrom('<', '<=', '>', '>=', '==', '!='),
          number,
        )
        .map((parts) => parts.join(' ')),
      fc.tuple(fc.constantFrom('==', '!='), text).map(([operator, value]) => `customer.plan ${operator} "${value}"`),
      text.map((value) => `customer.plan.startsWith("${value}")`),
      fc.array(text, { minLength: 1, maxLength: 2 }).map((list) => `customer.plan in ${JSON.stringify(list)}`),
      fc.constantFrom(
        'customer.vip',
        'customer.vip == false',
        'customer.plan == null',
        'has(customer.score)',
        '"a" in customer.tags',
        'customer.plan.contains("a")',
      ),
    );
    const { condition } = fc.letrec<{ condition: string }>((tie) => ({
      condition: fc.oneof(
        { maxDepth: 3, withCrossShrink: true },
        atom,
        fc
          .tuple(tie('condition'), fc.constantFrom('&&', '||'), tie('condition'))
          .map(([a, op, b]) => `(${a} ${op} ${b})`),
        tie('condition').map((inner) => `!(${inner})`),
        fc.tuple(tie('condition'), tie('condition'), tie('condition')).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
      ),
    }));
    const orNull = <T>(values: fc.Arbitrary<T>) => fc.option(values, { freq: 4 });
    const customer = fc.record({
      score: orNull(fc.oneof(number, fc.constant(2.5))),
      orders: fc.nat(4),
      plan: orNull(text),
      vip: orNull(fc.boolean()),
      tags: fc.subarray(['a', 'b']),
    });
    fc.assert(
      fc.property(condition, customer, orNull(number), (source, known, total) => {
        const compiled = compileCondition(source, ENV);
        if (!compiled.ok) throw new Error(source);
        const holds = compiled.condition.test({ customer: known, event: { total }, vars: {}, now: 0, zone: utc });
        expect(verdict(source)).not.toBe(holds ? 'never' : 'always');
      }),
      { numRuns: 2_000 },
    );
  });
});
