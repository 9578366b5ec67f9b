/** Tasks, coupons and webhooks in simulation: lines and nothing else, with a sample code. docs/playbooks.md. */
import { expect, it } from '@jest/globals';
import { compileProject } from '../../engine/playbook/compile.ts';
import { sampleCode } from '../../engine/journey/coupon.ts';
import { timelineOf } from './support.ts';

it('steps that reach outside happen at once, in their order, and are skipped by their conditions', () => {
  const story = {
    playbooks: {
      p: `
        trigger: { event: app.opened }
        steps:
          - coupon: { pool: spring-sale, as: gift }
          - task: { title: Look, within: 2 days }
            if: vars.gift.code == "SPRING-SALE-0001"
          - webhook: { url: "https://crm.example/hook" }
          - webhook: { url: "https://crm.example/hook" }
            if: vars.gift.code == null
          - wait: 1 hour
          - tag: x`,
    },
    events: ['2026-03-02T10:00Z ada app.opened'],
  };
  expect(timelineOf(story)).toEqual([
    '2026-03-02T10:00Z ada p enrol',
    '2026-03-02T10:00Z ada p.coupon-1 coupon',
    '2026-03-02T10:00Z ada p.task-1 task',
    '2026-03-02T10:00Z ada p.webhook-1 webhook',
    '2026-03-02T10:00Z ada p.webhook-2 skip (condition)',
    '2026-03-02T11:00Z ada p.tag-1 tag',
    '2026-03-02T11:00Z ada p complete',
  ]);
  expect(sampleCode('anniversary')).toBe('ANNIVERSARY-0001');
});

it('a code is text, and there is nothing else of a coupon', () => {
  const problemsOf = (condition: string): readonly string[] => {
    const steps = [{ coupon: { pool: 'sale', as: 'gift' } }, { if: condition, then: [{ tag: 'x' }] }];
    const company = { company: { name: 'Sample' }, mail: { from: 'hello@sample.example' } };
    const { problems } = compileProject([
      { path: 'perennial.yaml', text: JSON.stringify(company) },
      { path: 'playbooks/p.yaml', text: JSON.stringify({ trigger: { manual: true }, steps }) },
    ]);
    return problems.map(({ code }) => code);
  };
  expect(problemsOf('vars.gift.code.startsWith("A")')).toEqual([]);
  expect(problemsOf('vars.gift.code > 3')).toEqual(['cel-type']);
  expect(problemsOf('vars.gift.value == "A"')).toEqual(['cel-unknown']);
});
