/** The calendar: what would go out by day, week or month, and in which playbooks. */
import { dateOfEpochDay } from '../../engine/time/calendar.ts';
import { countUp, type Totals } from '../../engine/simulate/tally.ts';
import { count } from '../import/words.ts';
import { bar, rankingAfter } from './columns.ts';
import { dayName, monthName, periodEnd, periodStart, weekdayName, type Period } from './days.ts';

/** The days that were simulated: the first, and the first after them. */
export interface Span {
  readonly first: number;
  readonly end: number;
}

const MOST_DAYS = 45;
const MOST_WEEK_DAYS = 190;
/** From so many on, periods in a row without mail are one line. */
const QUIET = 3;

/** Days for some weeks, weeks for half a year, months for more. */
export function fittingPeriod({ first, end }: Span): Period {
  if (end - first <= MOST_DAYS) return 'day';
  return end - first <= MOST_WEEK_DAYS ? 'week' : 'month';
}

interface Row {
  readonly start: number;
  readonly mails: number;
  readonly playbooks: ReadonlyMap<string, number>;
}

/** The calendar as lines of at most `width` characters. */
export function calendarText(totals: Pick<Totals, 'days'>, span: Span, period: Period, width: number): string {
  const rows = rowsOf(totals, span, period);
  const most = Math.max(0, ...rows.map((row) => row.mails));
  const countWidth = count(most).length;
  const barWidth = width >= 110 ? 24 : width >= 90 ? 16 : 10;
  const labelWidth = { day: 8, week: 17, month: 16 }[period];
  let text = '';
  let month = '';
  for (let index = 0; index < rows.length; index += 1) {
    const row = rows[index] as Row;
    const heading = monthName(dateOfEpochDay(row.start));
    if (period === 'day' && heading !== month) text += `${text === '' ? '' : '\n'}${heading}\n`;
    month = heading;
    const quiet = period === 'month' ? 1 : quietFrom(rows, index, period);
    if (quiet >= QUIET) {
      const last = rows[index + quiet - 1] as Row;
      text += `  ${dayName(row.start)} – ${dayName(periodEnd(last.start, period) - 1)}: nothing\n`;
      index += quiet - 1;
      continue;
    }
    const label = labelOf(row.start, period).padEnd(labelWidth);
    const start = `  ${label}  ${count(row.mails).padStart(countWidth)}  ${bar(row.mails, most, barWidth)}  `;
    text += rankingAfter(start, row.playbooks, width);
  }
  return text;
}

function rowsOf({ days }: Pick<Totals, 'days'>, { first, end }: Span, period: Period): readonly Row[] {
  const rows: Row[] = [];
  for (let start = periodStart(first, period); start < end; start = periodEnd(start, period)) {
    const playbooks = new Map<string, number>();
    for (let day = start; day < periodEnd(start, period); day += 1) {
      for (const [playbook, mails] of days.get(day) ?? []) countUp(playbooks, playbook, mails);
    }
    rows.push({ start, playbooks, mails: [...playbooks.values()].reduce((sum, mails) => sum + mails, 0) });
  }
  return rows;
}

/** How many periods from here on are without mail; days are counted within their month. */
function quietFrom(rows: readonly Row[], index: number, period: Period): number {
  const month = (row: Row): number => dateOfEpochDay(row.start).month;
  let quiet = 0;
  for (const row of rows.slice(index)) {
    if (row.mails > 0 || (period === 'day' && month(row) !== month(rows[index] as Row))) break;
    quiet += 1;
  }
  return quiet;
}

function labelOf(start: number, period: Period): string {
  switch (period) {
    case 'day':
      return `${weekdayName(start)} ${String(dateOfEpochDay(start).day).padStart(2)}`;
    case 'week':
      return `${dayName(start)} – ${dayName(periodEnd(start, period) - 1)}`;
    case 'month':
      return monthName(dateOfEpochDay(start));
  }
}
