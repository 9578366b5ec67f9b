/** Surveys in simulation: a mail that asks, a wait for the answer, its score. docs/playbooks.md. */
import { describe, expect, it } from '@jest/globals';
import { compileProject } from '../../engine/playbook/compile.ts';
import { customer, timelineOf, type Story } from './support.ts';

const NPS = `
  topic: news
  trigger: { event: app.opened }
  entry: { again: always }
  steps:
    - { survey: { email: mail, ask: nps, up_to: 2 days }, id: checkin, then: [ { tag: fan, if: vars.checkin.score >= 9 }, { tag: told } ], else: [ { tag: quiet } ] }
    - { tag: after, if: customer.satisfaction == vars.checkin.score }`;

const CASES: readonly (Story & { readonly rule: string; readonly lines: readonly string[] })[] = [
  {
    rule: 'answered: `then` at the event, with its score; not: `else` at the end; another survey is no answer',
    playbooks: { p: NPS },
    customers: [customer('ada'), customer('bob')],
    events: [
      '2026-03-02T10:00Z ada app.opened',
      '2026-03-02T10:00Z bob app.opened',
      '2026-03-02T11:00Z bob survey.answered {"survey":"csat","score":5}',
      '2026-03-03T09:00Z ada survey.answered {"survey":"nps","score":9}',
    ],
    lines: [
      '2026-03-02T10:00Z ada p enrol',
      '2026-03-02T10:00Z ada p.checkin survey',
      '2026-03-02T10:00Z bob p enrol',
      '2026-03-02T10:00Z bob p.checkin survey',
      '2026-03-03T09:00Z ada p.tag-1 tag',
      '2026-03-03T09:00Z ada p.tag-2 tag',
      '2026-03-03T09:00Z ada p.tag-4 tag',
      '2026-03-03T09:00Z ada p complete',
      '2026-03-04T10:00Z bob p.tag-3 tag',
      '2026-03-04T10:00Z bob p.tag-4 skip (condition)',
      '2026-03-04T10:00Z bob p complete',
    ],
  },
  {
    rule: 'the answer may name the step, counts at the very end of up_to, and may come without a score',
    playbooks: { p: NPS },
    events: ['2026-03-02T10:00Z ada app.opened', '2026-03-04T10:00Z ada survey.answered {"survey":"checkin"}'],
    lines: [
      '2026-03-02T10:00Z ada p enrol',
      '2026-03-02T10:00Z ada p.checkin survey',
      '2026-03-04T10:00Z ada p.tag-1 skip (condition)',
      '2026-03-04T10:00Z ada p.tag-2 tag',
      '2026-03-04T10:00Z ada p.tag-4 tag',
      '2026-03-04T10:00Z ada p complete',
    ],
  },
  {
    rule: 'the wait counts from the hand-over, after a send window',
    playbooks: { p: NPS.replace('  steps:', '  send_window: { hours: "09:00-18:00" }\n  steps:') },
    events: ['2026-03-02T20:00Z ada app.opened', '2026-03-05T08:00Z ada survey.answered {"survey":"nps","score":3}'],
    lines: [
      '2026-03-02T20:00Z ada p enrol',
      '2026-03-03T09:00Z ada p.checkin survey',
      '2026-03-05T08:00Z ada p.tag-1 skip (condition)',
      '2026-03-05T08:00Z ada p.tag-2 tag',
      '2026-03-05T08:00Z ada p.tag-4 tag',
      '2026-03-05T08:00Z ada p complete',
    ],
  },
  {
    rule: 'a skipped survey runs neither branch',
    playbooks: { p: NPS },
    customers: [{ ...customer('ada'), suppressed: true }],
    events: ['2026-03-02T10:00Z ada app.opened', '2026-03-02T11:00Z ada survey.answered {"survey":"nps","score":9}'],
    lines: [
      '2026-03-02T10:00Z ada p enrol',
      '2026-03-02T10:00Z ada p.checkin skip (suppressed)',
      '2026-03-02T10:00Z ada p.tag-4 tag',
      '2026-03-02T10:00Z ada p complete',
    ],
  },
];

describe('a survey', () => {
  it.each(CASES)('$rule', ({ lines, ...story }) => {
    expect(timelineOf(story)).toEqual(lines);
  });

  it('is checked by type: its score is a number, and there is nothing else of it', () => {
    const problemsOf = (condition: string): readonly string[] => {
      const playbook = {
        topic: 'news',
        trigger: { manual: true },
        steps: [
          { survey: { email: 'mail', ask: 'nps', up_to: '1 day' }, id: 'checkin' },
          { if: condition, then: [{ tag: 'x' }] },
        ],
      };
      const company = {
        company: { name: 'Sample', address: '1 Sample Street' },
        mail: { from: 'hello@sample.example' },
        topics: { news: { title: 'News' } },
      };
      const { problems } = compileProject([
        { path: 'perennial.yaml', text: JSON.stringify(company) },
        { path: 'playbooks/p.yaml', text: JSON.stringify(playbook) },
        { path: 'templates/mail.hbs', text: '' },
      ]);
      return problems.map(({ code, message }) => `${code}: ${message}`);
    };
    expect(problemsOf('vars.checkin.score > 8')).toEqual([]);
    expect(problemsOf('vars["checkin"].score == null')).toEqual([]);
    expect(problemsOf('vars.given.by_hand == "x"')).toEqual([]);
    expect(problemsOf('vars.checkin.score == "high"')).toEqual([expect.stringMatching(/^cel-type: /)]);
    expect(problemsOf('vars.checkin.scor > 8')).toEqual([
      'cel-unknown: there is no `vars.checkin.scor`; there is `vars.checkin.score`',
    ]);
  });
});
