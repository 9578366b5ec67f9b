/** From now on: what is overdue happens now, and takes no coupon of anybody's. */
import { expect, it } from '@jest/globals';
import { compileProject } from '../../engine/playbook/compile.ts';
import { runAhead } from '../../engine/simulate/ahead.ts';
import { simulateReaders } from '../../engine/simulate/simulate.ts';
import { parseCustomers, parseEvents } from '../../engine/simulate/input.ts';
import { linesOf } from '../../engine/simulate/reader-run.ts';
import { parseInstant } from '../../engine/time/text.ts';
import { COMPANY, sourcesOf } from '../support/staff.ts';

it('catches up with what is overdue, coupons included, and counts a mail on its way as sent', () => {
  const { release, problems } = compileProject(
    sourcesOf({
      'perennial.yaml': COMPANY,
      'playbooks/gift.yaml': `title: Gift
topic: news
trigger: { event: order.placed }
steps:
  - wait: 2 days
  - coupon: { pool: gifts, as: gift }
  - email: gift/here
  - wait: 1 day
  - email: gift/more
`,
      'templates/gift/here.hbs': '{{vars.gift.code}}',
      'templates/gift/more.hbs': 'x',
    }),
  );
  if (release === null) throw new Error(JSON.stringify(problems));
  const customers = parseCustomers('{"id":"ada","email":"ada@example.com"}', 'c');
  const order = '{"id":"o1","customer":"ada","event":"order.placed","at":"2026-03-01T10:00:00Z","data":{"total":5}}';
  const events = parseEvents(order, 'e', new Set(['ada']));
  const [from, stopped] = [parseInstant('2026-03-01T00:00:00Z'), parseInstant('2026-03-02T00:00:00Z')];
  const [[before]] = [...simulateReaders({ customers, events, from, until: stopped }, [release])] as [
    readonly [ReturnType<typeof runAhead>],
  ];
  const [draft] = before.drafts;
  if (draft === undefined) throw new Error('nobody was simulated');
  const state = { ...draft.state, enrolments: [...draft.enrolments.values()], entries: draft.entries };
  const ctx = {
    release,
    playbookOf: () => release.playbooks[0] as (typeof release.playbooks)[number],
    armedFrom: () => from,
    isPaused: () => false,
  };
  const [now, until] = [parseInstant('2026-03-05T08:00:00Z'), parseInstant('2026-03-10T00:00:00Z')];
  const run = runAhead({ states: [state], handedAt: [], onTheirWay: [] }, { ctx, now, until });
  expect(linesOf(run).map(({ line }) => [new Date(line.at).toISOString(), line.do, line.step])).toEqual([
    ['2026-03-03T10:00:00.000Z', 'coupon', 'coupon-1'],
    ['2026-03-05T08:00:00.000Z', 'email', 'here'],
    ['2026-03-06T08:00:00.000Z', 'email', 'more'],
    ['2026-03-06T08:00:00.000Z', 'complete', undefined],
  ]);

  const position = { on: 'mail', step: 'here' } as const;
  const [enrolment] = state.enrolments;
  const [handing] = run.attempts;
  if (enrolment === undefined || handing === undefined) throw new Error('nothing was under way');
  const standing = { ...state, enrolments: [{ ...enrolment, position }] };
  const onTheirWay = [{ customer: 'ada', send: handing.send, handedAt: parseInstant('2026-03-05T07:59:00Z') }];
  const later = runAhead({ states: [standing], handedAt: [], onTheirWay }, { ctx, now, until });
  expect(linesOf(later).map(({ line }) => [new Date(line.at).toISOString(), line.do, line.step])).toEqual([
    ['2026-03-05T07:59:00.000Z', 'email', 'here'],
    ['2026-03-06T07:59:00.000Z', 'email', 'more'],
    ['2026-03-06T07:59:00.000Z', 'complete', undefined],
  ]);
});
