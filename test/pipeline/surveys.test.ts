/** Surveys and tasks through the real pipeline: what was simulated is what runs (docs/architecture.md P5). */
import { expect, it } from '@jest/globals';
import { compileProject } from '../../engine/playbook/compile.ts';
import { parseCustomers, parseEvents } from '../../engine/simulate/input.ts';
import { simulate } from '../../engine/simulate/simulate.ts';
import { parseInstant } from '../../engine/time/text.ts';
import { comparable, runPipeline } from '../support/pipeline.ts';
import { COMPANY, sourcesOf } from '../support/staff.ts';

const SOURCES = sourcesOf({
  'perennial.yaml': COMPANY.replace('send_window: any', 'send_window: { days: mon-fri, hours: "09:00-18:00" }'),
  'playbooks/checkin.yaml': `title: How are we doing
topic: news
trigger: { event: order.placed }
entry: { again: always }
steps:
  - survey: { email: checkin, ask: nps, up_to: 2 days }
    id: asked
    then:
      - task: { title: "Call {{customer.id}}, who gave {{vars.asked.score}}", within: 1 days }
        if: vars.asked.score < 7
      - email: thanks
    else:
      - email: again
        if: customer.satisfaction == null
  - tag: asked
`,
  'templates/checkin.hbs': '{{#each survey.links}}<a href="{{url}}">{{score}}</a>{{/each}}',
  'templates/thanks.hbs': 'Thanks for {{vars.asked.score}}',
  'templates/again.hbs': 'Still interested',
});

const CUSTOMERS = [
  { id: 'ada', email: 'ada@example.com', timezone: 'Europe/Berlin' },
  { id: 'bob', email: 'bob@example.com', timezone: 'America/New_York' },
  { id: 'cleo', email: 'cleo@example.com' },
  { id: 'dan', email: 'dan@example.com', unsubscribed: ['news'] },
];
const ANSWER = { event: 'survey.answered', data: { survey: 'nps', score: 3 } };
const EVENTS = [
  ...CUSTOMERS.map(({ id }) => ({ id: `o-${id}`, customer: id, event: 'order.placed', at: '2026-03-06T17:30:00Z' })),
  { id: 'a-1', customer: 'ada', at: '2026-03-09T09:00:00Z', ...ANSWER },
  { id: 'a-2', customer: 'bob', at: '2026-03-09T13:00:00Z', ...ANSWER, data: { survey: 'nps', score: 9 } },
  { id: 'a-3', customer: 'cleo', at: '2026-03-09T10:00:00Z', ...ANSWER },
  { id: 'a-4', customer: 'dan', at: '2026-03-09T10:00:00Z', ...ANSWER },
];

it('gives the timeline of the simulation', async () => {
  const { release, problems } = compileProject(SOURCES);
  if (release === null) throw new Error(JSON.stringify(problems));
  const lines = (rows: readonly object[]): string => rows.map((row) => JSON.stringify(row)).join('\n');
  const customers = parseCustomers(lines(CUSTOMERS), 'customers.jsonl');
  const events = parseEvents(lines(EVENTS), 'events.jsonl', new Set(CUSTOMERS.map(({ id }) => id)));
  const [from, until] = [parseInstant('2026-03-06T00:00:00Z'), parseInstant('2026-03-16T00:00:00Z')];
  const expected = comparable(simulate({ release, customers, events, from, until }));
  expect(new Set(expected.map((line) => line.do))).toEqual(
    new Set(['enrol', 'survey', 'task', 'email', 'skip', 'tag', 'complete']),
  );
  const { timeline, taken } = await runPipeline({ sources: SOURCES, customers, events, from, until, redisUrl: null });
  expect(timeline).toEqual(expected);
  expect(taken).toHaveLength(expected.filter((line) => line.do === 'email' || line.do === 'survey').length);
});
