/** Tasks for people: on record with their step, once, in the words of their template; ticked off with who did it. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { listHeld } from '../../engine/store/held.ts';
import { retryHeld } from '../../engine/store/held-retry.ts';
import { finishTask, listTasks } from '../../engine/store/tasks.ts';
import { timelineOf } from '../../engine/store/timeline.ts';
import { FILES, openFleet, START, type Fleet } from './support.ts';

const CARD = `title: A card
topic: service
trigger: { event: order.placed }
entry: { again: always }
steps:
  - task: { title: "Write to {{customer.name}} about {{money event.total \\"GBP\\"}}", to: care@hearth.example, within: 2 days }
  - task: { title: Look }
    if: event.total > 100
  - wait: 1 days
  - tag: written
`;

let fleet: Fleet;
beforeAll(async () => {
  fleet = await openFleet({ ...FILES, 'playbooks/thanks.yaml': CARD });
});
afterAll(async () => {
  await fleet.close();
});

it('gives each task once, lists what is due first, and ticks it off with an audit record', async () => {
  const [ada] = await fleet.customers(['ada', 'bob']);
  await fleet.db.query(`update customers set name = 'Ada', locale = 'en-GB' where key = 'ada'`);
  await fleet.event('order.placed', ['ada'], { total: 120 });
  const open = await listTasks(fleet.db, { openOnly: true });
  expect(open).toMatchObject([
    { title: 'Write to Ada about £120.00', to: 'care@hearth.example', customer: 'ada', step: 'task-1', doneAt: null },
    { title: 'Look', to: null, dueAt: null, step: 'task-2' },
  ]);
  expect(open[0]?.dueAt).toBe(Date.parse(START) + 2 * 86_400_000);

  const act = { by: 'Mia', note: 'posted' };
  expect(await finishTask(fleet.db, open[0]?.id ?? 0, act)).toMatchObject({ outcome: 'done', task: { doneBy: 'Mia' } });
  expect(await finishTask(fleet.db, open[0]?.id ?? 0, { by: 'Ben', note: null })).toMatchObject({
    outcome: 'done before',
    task: { doneBy: 'Mia', note: 'posted' },
  });
  expect(await finishTask(fleet.db, 999, act)).toEqual({ outcome: 'unknown' });
  expect((await listTasks(fleet.db, { openOnly: true })).map(({ title }) => title)).toEqual(['Look']);
  expect((await listTasks(fleet.db, { openOnly: false })).map(({ title }) => title)).toHaveLength(2);
  expect(
    await fleet.rows('select action, by, reason, customer_id, playbook from audit where action = $1', ['task.done']),
  ).toEqual([{ action: 'task.done', by: 'Mia', reason: 'posted', customer_id: ada, playbook: 'thanks' }]);
  const lines = await timelineOf(fleet.db, [ada ?? 0]);
  expect(lines.map((line) => [line.do, line.step])).toEqual([
    ['enrol', undefined],
    ['task', 'task-1'],
    ['task', 'task-2'],
  ]);
});

it('holds an enrolment whose task cannot be written, and goes on when it is retried', async () => {
  await fleet.event('order.placed', ['bob'], { total: 5 });
  // The enrolment was about to be made by the very transaction that failed, so the customer is held, the order kept.
  const [held] = await listHeld(fleet.db);
  expect(held).toMatchObject({ kind: 'customer', customer: 'bob' });
  expect(held?.error).toContain('the step "task-1" cannot be carried out: customer.name');
  await fleet.db.query(`update customers set name = 'Bob' where key = 'bob'`);
  const which = held === undefined ? [] : [held];
  expect(await retryHeld(fleet.db, fleet.cache, which, { by: 'Mia', reason: 'named' })).toMatchObject([
    { outcome: 'released' },
  ]);
  const open = await listTasks(fleet.db, { openOnly: true });
  expect(open.filter(({ customer }) => customer === 'bob')).toHaveLength(1);
});
