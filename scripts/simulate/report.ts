/** A simulation for people: the calendar, totals by playbook, how full the mailboxes get, and what the caps held back. */
import type { Totals } from '../../engine/simulate/tally.ts';
import type { CapDelays } from '../../engine/simulate/cap-tally.ts';
import type { Instant, Zone } from '../../engine/time/types.ts';
import { count } from '../import/words.ts';
import { bar, columns, many, rankingAfter, spanText, type Cell } from './columns.ts';
import { calendarText, fittingPeriod } from './calendar.ts';
import { dayAt, dayName, type Period } from './days.ts';

/** How to show it. */
export interface ReportOptions {
  readonly from: Instant;
  /** Exclusive. */
  readonly until: Instant;
  /** The company's. */
  readonly zone: Zone;
  /** null: whichever fits the time. */
  readonly by: Period | null;
  /** Characters of a line, 60 or more. */
  readonly width: number;
  /** Whether the company has caps. */
  readonly capped: boolean;
  /** What else a reader should know, one sentence each. */
  readonly notes: readonly string[];
  /** Paints a heading. */
  readonly heading: (text: string) => string;
}

/** The whole report. */
export function reportText(totals: Totals, options: ReportOptions): string {
  const { from, until, zone, by, width, heading, notes } = options;
  const span = { first: dayAt(from, zone), end: dayAt(until - 1, zone) + 1 };
  const mails = sum([...totals.playbooks.values()].map((playbook) => playbook.mails));
  const readers = totals.customers - (totals.perCustomer.get(0) ?? 0);
  const summary =
    `${dayName(span.first, true)} to ${dayName(span.end - 1, true)}, in ${zone.name}: ` +
    `${many(mails, 'mail')} to ${count(readers)} of ${many(totals.customers, 'customer')}.\n`;
  const sections: readonly (readonly [string, string])[] = [
    ['Mails', mails === 0 ? '' : calendarText(totals, span, by ?? fittingPeriod(span), width)],
    ['Playbooks', playbooksText(totals, width)],
    ['Mails to one customer in one week, Monday to Sunday', weeksText(totals, width)],
    ['The busiest customers', busiestText(totals, width)],
    ['Held back by the caps', options.capped ? capsText(totals) : '  The company has no caps.\n'],
  ];
  const body = sections
    .filter(([, text]) => text !== '')
    .map(([title, text]) => `\n${heading(title)}\n${text}`)
    .join('');
  return `${summary}${notes.map((note) => `${note}\n`).join('')}${body}`;
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}

function playbooksText({ playbooks }: Totals, width: number): string {
  const entries = [...playbooks];
  const isBegun = entries.some(([, of]) => of.before > 0);
  const head = ['', ...(isBegun ? ['at first'] : []), 'enrolled', 'mails', 'goal', 'left', 'done', 'under way'];
  const rows = entries.map(([name, of]): readonly Cell[] => [
    name,
    ...(isBegun ? [of.before] : []),
    of.enrolments,
    of.mails,
    of.goals,
    sum([...of.exits.values()]) + of.cancelled,
    of.completed,
    of.after,
  ]);
  const [first = '', ...lines] = columns(head, rows, '  ').split('\n');
  const details = entries.map(([, { skips, exits, steps }]) =>
    [...detail('skipped', skips, width), ...detail('left', exits, width), ...detail('also', steps, width)].join(''),
  );
  return `${first}\n${entries.map((_, index) => `${lines[index] ?? ''}\n${details[index] ?? ''}`).join('')}`;
}

function detail(what: string, counts: ReadonlyMap<string, number>, width: number): readonly string[] {
  return counts.size === 0 ? [] : [rankingAfter(`      ${what}: `, counts, width)];
}

function weeksText({ perWeek, perCustomer }: Totals, width: number): string {
  const rows = [...perWeek].sort(([a], [b]) => a - b);
  if (rows.length === 0) return '';
  const all = sum(rows.map(([, weeks]) => weeks));
  const most = Math.max(...rows.map(([, weeks]) => weeks));
  const barWidth = width >= 110 ? 40 : 24;
  const lines = columns(
    ['mails', 'weeks', 'share', ''],
    rows.map(([mails, weeks]) => [mails, weeks, percent(weeks / all), bar(weeks, most, barWidth)]),
    '  ',
  );
  const [half, tenth] = [quantile(perCustomer, 0.5), quantile(perCustomer, 0.9)];
  const top = Math.max(...perCustomer.keys());
  return `${lines}  In all, half of the customers get ${half} or fewer, nine in ten ${tenth} or fewer, and nobody more than ${top}.\n`;
}

function percent(share: number): string {
  return share > 0 && share < 0.01 ? '< 1 %' : `${Math.round(share * 100)} %`;
}

/** The value that so large a share of the counted ones do not exceed. */
function quantile(counts: ReadonlyMap<number, number>, share: number): number {
  const sorted = [...counts].sort(([a], [b]) => a - b);
  const all = sum(sorted.map(([, times]) => times));
  let passed = 0;
  for (const [value, times] of sorted) {
    passed += times;
    if (passed >= share * all) return value;
  }
  return 0;
}

function busiestText({ busiest }: Totals, width: number): string {
  if (busiest.length === 0) return '';
  const rows = busiest.map(({ customer, mails, week }): readonly Cell[] => [
    customer,
    mails,
    week.mails,
    dayName(week.monday, true),
  ]);
  const lines = columns(['', 'mails', 'in one week', 'week from'], rows, '  ').split('\n');
  const widest = Math.max(...lines.map((line) => line.length));
  const of = busiest.map(({ playbooks }, index) =>
    rankingAfter(`${(lines[index + 1] ?? '').padEnd(widest)}  `, playbooks, width),
  );
  return `${lines[0] ?? ''}\n${of.join('')}`;
}

function capsText({ caps }: Totals): string {
  if (caps.size === 0) return '  Nothing.\n';
  const rows = [...caps]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, of]: readonly [string, CapDelays]): readonly Cell[] => [
      name,
      of.delayed,
      of.delayed === 0 ? '' : spanText(of.delayMs / of.delayed),
      of.delayed === 0 ? '' : spanText(of.longestMs),
      of.skipped,
      of.other,
    ]);
  return columns(['', 'sent later', 'on average', 'at most', 'given up', 'not sent otherwise'], rows, '  ');
}
