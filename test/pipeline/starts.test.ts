/** Splits, holdouts, starts, restarts, parallel enrolments and segments: the real pipeline gives what was simulated. */
import { expect, it } from '@jest/globals';
import { compileProject } from '../../engine/playbook/compile.ts';
import { parseCustomers, parseEvents } from '../../engine/simulate/input.ts';
import { simulate } from '../../engine/simulate/simulate.ts';
import { formatInstant, parseInstant } from '../../engine/time/text.ts';
import { comparable, runPipeline } from '../support/pipeline.ts';
import { sourcesOf } from '../support/staff.ts';

const FROM = '2026-03-20T00:00:00Z';
const UNTIL = '2026-04-10T00:00:00Z';
const PEOPLE = Array.from({ length: 12 }, (_, n) => `c${n}`);

const FILES = {
  'perennial.yaml': `company: { name: Sample, address: 1 Sample Street }
mail: { from: Sample <hello@sample.example> }
defaults: { timezone: Europe/London, send_window: any }
purchase: { event: order.placed, amount: total }
events: { order.placed: { total: number }, app.opened: {}, review.posted: { rating: number } }
attributes: { nudged: boolean }
topics: { news: { title: News } }
`,
  'playbooks/welcome.yaml': `topic: news
trigger: { event: order.placed, first: true }
entry: { holdout: 30 }
steps:
  - split: subject
    arms:
      warm: { share: 2, steps: [{ email: warm }, { tag: warm }] }
      plain: { share: 1, steps: [{ email: plain }] }
  - wait: 1 day
  - start: later
  - wait: 1 hour
`,
  'playbooks/later.yaml': `topic: news
trigger: { manual: true }
steps:
  - wait: 2 days
  - email: later
`,
  'playbooks/nudge.yaml': `topic: news
trigger: { event: app.opened }
entry: { if_active: restart }
steps:
  - wait: 90 hours
  - email: nudge
  - set: { nudged: true }
`,
  'playbooks/ask.yaml': `topic: news
trigger: { event: app.opened }
entry: { if_active: parallel }
steps:
  - wait_for: { event: review.posted, if: event.rating > 2, up_to: 5 days }
    then: [{ tag: got }, { untag: got }]
`,
  'playbooks/regular.yaml': `topic: news
trigger: { segment: customer.orders >= 2 && customer.nudged }
steps:
  - wait: 3 hours
  - email: regular
  - tag: regular
`,
  'playbooks/got.yaml': `trigger: { segment: "'got' in customer.tags" }
entry: { if_active: parallel }
steps:
  - wait: 10 minutes
  - exit: thanks
`,
  // Each mail is due at the instant of the next occurrence, and goes before it: so each occurrence enters.
  'playbooks/daily.yaml': `topic: news
trigger: { schedule: FREQ=DAILY }
audience: customer.id == "c1"
steps:
  - wait: 1 day
  - email: plain
`,
  ...Object.fromEntries(
    ['warm', 'plain', 'later', 'nudge', 'regular'].map((name) => [`templates/${name}.hbs`, 'Hello']),
  ),
};

/** Happenings spread by fixed strides, each at a millisecond of its own. */
function events(): readonly string[] {
  const from = parseInstant(FROM);
  const names = ['order.placed', 'app.opened', 'app.opened', 'review.posted', 'order.placed'];
  return Array.from({ length: 60 }, (_, n) => {
    const at = formatInstant(from + ((n * 7_919) % 20_160) * 60_000 + n + 1);
    const event = names[(n * 3) % 5] ?? '';
    return JSON.stringify({
      id: `e${n}`,
      customer: PEOPLE[(n * 5) % 12],
      event,
      at,
      data: { total: n, rating: (n % 4) + 1 },
    });
  });
}

it('the pipeline gives what was simulated', async () => {
  const sources = sourcesOf(FILES);
  const { release, problems } = compileProject(sources);
  if (release === null) throw new Error(JSON.stringify(problems));
  const rows = PEOPLE.map((id) => JSON.stringify({ id, email: `${id}@example.com` }));
  const customers = parseCustomers(rows.join('\n'), 'customers.jsonl');
  const run = {
    release,
    customers,
    events: parseEvents(events().join('\n'), 'events.jsonl', new Set(PEOPLE)),
    from: parseInstant(FROM),
    until: parseInstant(UNTIL),
  };
  const expected = comparable(simulate(run));
  const seen = new Set(expected.map((line) => `${line.playbook} ${line.do} ${line.reason ?? ''}`));
  for (const what of [
    'welcome skip holdout',
    'later email ',
    'nudge exit restart',
    'regular email ',
    'got exit thanks',
    'ask tag ',
  ]) {
    expect(seen).toContain(what);
  }
  expect(expected.filter((line) => line.playbook === 'daily' && line.do === 'enrol')).toHaveLength(21);
  const { timeline, taken } = await runPipeline({ ...run, sources, redisUrl: null });
  expect(timeline).toEqual(expected);
  expect(taken).toHaveLength(expected.filter((line) => line.do === 'email').length);
});
