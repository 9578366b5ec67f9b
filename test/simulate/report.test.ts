/** A simulation as people read it. */
import { describe, expect, it } from '@jest/globals';
import { compileProject } from '../../engine/playbook/compile.ts';
import { parseCustomers, parseEvents } from '../../engine/simulate/input.ts';
import { linesOf } from '../../engine/simulate/reader-run.ts';
import { simulate, simulateReaders, type Simulation } from '../../engine/simulate/simulate.ts';
import { openTally } from '../../engine/simulate/tally.ts';
import { parseInstant } from '../../engine/time/text.ts';
import { fittingPeriod } from '../../scripts/simulate/calendar.ts';
import { reportText } from '../../scripts/simulate/report.ts';
import { openLineSorter } from '../../scripts/simulate/sorted-lines.ts';
import { customerTimeline } from '../../scripts/simulate/timeline.ts';
import { COMPANY, sourcesOf } from '../support/staff.ts';

const SOURCES = {
  'perennial.yaml': `${COMPANY}caps:\n  - { at_most: 2, per: 4 days }\n`,
  'playbooks/welcome.yaml': `title: Welcome
topic: news
priority: 5
trigger: { event: order.placed, first: true }
goal: { event: order.placed }
steps:
  - email: welcome/hello
  - wait: 2 days
  - email: welcome/tips
  - wait: 30 days
  - email: welcome/more
`,
  'playbooks/thanks.yaml': `title: Thanks
topic: news
trigger: { event: order.placed }
steps:
  - wait: 1 day
  - { email: thanks/big, if: event.total > 50 }
  - email: thanks/note
  - tag: thanked
`,
  'templates/welcome/hello.hbs': 'x',
  'templates/welcome/tips.hbs': 'x',
  'templates/welcome/more.hbs': 'x',
  'templates/thanks/big.hbs': 'x',
  'templates/thanks/note.hbs': 'x',
};

const CUSTOMERS = `{"id":"ada","email":"ada@example.com","timezone":"Europe/Berlin"}
{"id":"bob","email":"bob@example.com","unsubscribed":["news"]}
{"id":"cem","email":"cem@example.com"}
`;
const EVENTS = `{"id":"1","customer":"ada","event":"order.placed","at":"2026-03-02T09:15:00Z","data":{"total":80}}
{"id":"2","customer":"bob","event":"order.placed","at":"2026-03-05T09:00:00Z","data":{"total":8}}
{"id":"3","customer":"ada","event":"order.placed","at":"2026-03-30T09:15:00Z","data":{"total":8}}
`;

function run(until = '2026-03-31T23:00:00Z'): Simulation {
  const { release, problems } = compileProject(sourcesOf(SOURCES));
  if (release === null) throw new Error(JSON.stringify(problems));
  const customers = parseCustomers(CUSTOMERS, 'c');
  const events = parseEvents(EVENTS, 'e', new Set(['ada', 'bob', 'cem']));
  return { release, customers, events, from: parseInstant('2026-03-01T00:00:00Z'), until: parseInstant(until) };
}

function report(simulation: Simulation, width: number, by: 'day' | 'week' | 'month' | null = null): string {
  const { release, from, until } = simulation;
  const { zone } = release.company;
  const tally = openTally({ zone, playbooks: release.playbooks.map(({ name }) => name), busiest: 3 });
  for (const [reader] of simulateReaders(simulation, [release])) if (reader !== undefined) tally.add(reader);
  const heading = (text: string): string => text.toUpperCase();
  return reportText(tally.totals(), { from, until, zone, by, width, heading, capped: true, notes: [] });
}

describe('the report', () => {
  it('has a calendar, totals, how full the mailboxes get, and what the caps held back', () => {
    expect(report(run(), 80)).toBe(`1 Mar 2026 to 31 Mar 2026, in Europe/London: 4 mails to 1 of 3 customers.

MAILS
March 2026
  Sun  1    0
  Mon  2    1  ██████████  welcome 1
  Tue  3    1  ██████████  thanks 1
  Wed  4    0
  Thu  5    0
  Fri  6    1  ██████████  welcome 1
  7 Mar – 30 Mar: nothing
  Tue 31    1  ██████████  thanks 1

PLAYBOOKS
           enrolled  mails  goal  left  done  under way
  welcome         2      2     1     0     0          1
      skipped: unsubscribed 2
  thanks          3      2     0     0     3          0
      skipped: condition 2, cap 1, unsubscribed 1
      also: tag 3

MAILS TO ONE CUSTOMER IN ONE WEEK, MONDAY TO SUNDAY
  mails  weeks  share
      1      1  50 %   ████████████████████████
      3      1  50 %   ████████████████████████
  In all, half of the customers get 0 or fewer, nine in ten 4 or fewer, and nobody more than 4.

THE BUSIEST CUSTOMERS
       mails  in one week  week from
  ada      4            3  2 Mar 2026  thanks 2, welcome 2

HELD BACK BY THE CAPS
           sent later  on average  at most  given up  not sent otherwise
  thanks            0                              1                   0
  welcome           1  2 d 0 h     2 d 0 h         0                   0
`);
  });

  it.each(['day', 'week', 'month'] as const)('counts the same mails by %s', (by) => {
    const calendar = report(run(), 100, by).split('PLAYBOOKS')[0] ?? '';
    const sums = [...calendar.matchAll(/ {2}(\d+) {2}█/g)].map(([, mails]) => Number(mails));
    expect(sums.reduce((sum, mails) => sum + mails, 0)).toBe(4);
  });

  it.each([60, 80, 120])('has no calendar line of more than %d characters', (width) => {
    const lines = report(run(), width, 'week').split('\nMAILS TO')[0]?.split('\n') ?? [];
    expect(lines.length).toBeGreaterThan(10);
    expect(lines.slice(1).filter((line) => line.length > width)).toEqual([]);
  });
});

it('keeps lines in their order, whatever of them had to be put aside', async () => {
  const simulation = run();
  const sorter = openLineSorter(2);
  try {
    for (const [reader] of simulateReaders(simulation, [simulation.release])) {
      if (reader !== undefined) await sorter.add(linesOf(reader));
    }
    const lines = [];
    for await (const some of sorter.sorted()) lines.push(...some);
    expect(lines).toEqual(simulate(simulation));
  } finally {
    sorter.close();
  }
});

it('shows one customer in their own time, with what waits', () => {
  const simulation = run();
  const runs = [...simulateReaders(simulation, [simulation.release])].flat();
  expect(customerTimeline(runs, 'ada@example.com', simulation))
    .toBe(`ada (ada@example.com), in Europe/Berlin, 1 Mar 2026 to 1 Apr 2026
4 mails.

Mon 2 Mar 2026
  10:15  welcome  enrolled
  10:15  welcome  mail welcome/hello
  10:15  thanks   enrolled

Tue 3 Mar 2026
  10:15  thanks   mail thanks/big
  10:15  thanks   note is held back by a cap until Fri 6 Mar 10:15

Wed 4 Mar 2026
  10:15  welcome  tips is held back by a cap until Fri 6 Mar 10:15

Fri 6 Mar 2026
  10:15  welcome  mail welcome/tips
  10:15  thanks   skipped note (cap)
  10:15  thanks   tag (tag-1)
  10:15  thanks   completed

Mon 30 Mar 2026
  11:15  welcome  goal reached
  11:15  thanks   enrolled

Tue 31 Mar 2026
  11:15  thanks   skipped big (condition)
  11:15  thanks   mail thanks/note
  11:15  thanks   tag (tag-1)
  11:15  thanks   completed
`);
});

it('chooses rows that fit the time', () => {
  expect([1, 45, 46, 190, 191].map((end) => fittingPeriod({ first: 0, end }))).toEqual([
    'day',
    'day',
    'week',
    'week',
    'month',
  ]);
});
