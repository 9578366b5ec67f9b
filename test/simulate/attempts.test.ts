/** What a simulation tells of attempts to send, of those too that leave no line. */
import { expect, it } from '@jest/globals';
import { compileProject } from '../../engine/playbook/compile.ts';
import { simulate } from '../../engine/simulate/simulate.ts';
import { parseCustomers, parseEvents } from '../../engine/simulate/input.ts';
import { parseInstant } from '../../engine/time/text.ts';
import type { Attempt } from '../../engine/journey/types.ts';
import { COMPANY, sourcesOf } from '../support/staff.ts';

it('hands over each attempt with the customer and the enrolment as they are at that instant', () => {
  const { release, problems } = compileProject(
    sourcesOf({
      'perennial.yaml': `${COMPANY}caps:\n  - { at_most: 1, per: 2 days }\n`,
      'playbooks/thanks.yaml': `title: Thanks
topic: news
trigger: { event: order.placed }
steps:
  - tag: thanked
  - email: thanks/first
  - email: thanks/second
  - wait: 2 days
  - email: thanks/third
  - email: thanks/fourth
`,
      'templates/thanks/first.hbs': 'x',
      'templates/thanks/second.hbs': 'x',
      'templates/thanks/third.hbs': 'x',
      'templates/thanks/fourth.hbs': 'x',
    }),
  );
  if (release === null) throw new Error(JSON.stringify(problems));
  const customers = parseCustomers('{"id":"ada","email":"ada@example.com","timezone":"Europe/Berlin"}', 'c');
  const order = '{"id":"o1","customer":"ada","event":"order.placed","at":"2026-03-28T10:00:00Z","data":{"total":5}}';
  const attempts: Attempt[] = [];
  simulate({
    release,
    customers,
    events: parseEvents(order, 'e', new Set(['ada'])),
    from: parseInstant('2026-03-01T00:00:00Z'),
    until: parseInstant('2026-04-30T00:00:00Z'),
    onAttempt: (attempt) => attempts.push(attempt),
  });
  // Two days over the change of the clocks in Berlin are 47 hours.
  expect(
    attempts.map(({ send, at, decision }) => [
      send.step,
      new Date(at).toISOString(),
      decision.do === 'defer' ? `${decision.because} ${new Date(decision.dueAt).toISOString()}` : decision.do,
    ]),
  ).toEqual([
    ['first', '2026-03-28T10:00:00.000Z', 'hand'],
    ['second', '2026-03-28T10:00:00.000Z', 'cap 2026-03-30T09:00:00.000Z'],
    ['second', '2026-03-30T09:00:00.000Z', 'hand'],
    ['third', '2026-04-01T09:00:00.000Z', 'hand'],
    ['fourth', '2026-04-01T09:00:00.000Z', 'cap 2026-04-03T09:00:00.000Z'],
    ['fourth', '2026-04-03T09:00:00.000Z', 'hand'],
  ]);
  expect(attempts[0]?.profile.tags).toEqual(['thanked']);
  expect(attempts[0]?.enrolment).toMatchObject({ playbook: 'thanks', position: { on: 'mail', step: 'first' } });
});
