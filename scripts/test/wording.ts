/** Lines of a test as people read them. */
import type { Row } from '../../engine/simulate/tests/judge.ts';
import type { TestLine } from '../../engine/simulate/tests/run.ts';
import type { Moment } from '../../engine/playbook/schema/moment.ts';
import { startOfMoment } from '../../engine/playbook/schema/moment.ts';
import type { Expectation } from '../../engine/playbook/tests/types.ts';
import { fromLocal, toLocal, weekday } from '../../engine/time/local.ts';
import { formatLocalDate } from '../../engine/time/text.ts';
import type { Instant, Zone } from '../../engine/time/types.ts';
import { localTime } from '../support/times.ts';

const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

/** `Mon 2026-03-02 10:15`, with seconds where there are some, and with the offset where the clock reads so twice. */
export function clockTime(at: Instant, zone: Zone): string {
  const local = toLocal(at, zone);
  const isSecond = fromLocal(local, zone) !== at;
  const seconds = Math.floor((local.ms % 60_000) / 1000);
  return [
    WEEKDAYS[weekday(local) - 1] ?? '',
    ` ${localTime(at, zone)}`,
    seconds === 0 ? '' : `:${String(seconds).padStart(2, '0')}`,
    isSecond ? offsetText(zone.offsetAt(at)) : '',
  ].join('');
}

function offsetText(offsetMs: number): string {
  const minutes = Math.abs(offsetMs) / 60_000;
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  return `${offsetMs < 0 ? '-' : '+'}${two(minutes / 60)}:${two(minutes % 60)}`;
}

/** When a line is expected; empty when that does not matter. */
export function expectedTime(at: Moment | null, zone: Zone): string {
  if (at === null) return '';
  if (!('day' in at)) return clockTime(startOfMoment(at, zone), zone);
  return `${WEEKDAYS[weekday(at.day) - 1] ?? ''} ${formatLocalDate(at.day)}`;
}

/** What a line that came is about. */
export function lineText({ kind, step, template, reason }: TestLine): string {
  switch (kind) {
    case 'email':
    case 'survey':
      return template ?? '';
    case 'webhook':
      return step?.kind === kind ? step.url : '';
    case 'coupon':
      return step?.kind === kind ? step.pool : '';
    case 'skip':
      return `${step?.id ?? ''} (${reason ?? ''})`;
    case 'set':
      return step?.kind === 'set' ? JSON.stringify(step.values) : '';
    case 'tag':
    case 'untag':
      return step?.kind === kind ? step.tag : '';
    case 'exit':
    case 'refused':
      return reason ?? '';
    case 'goal':
    case 'enrol':
    case 'complete':
      return '';
    case 'task':
      return step?.id ?? '';
  }
}

/** What an expected line is about. */
export function expectationText({ what, values, reason, step }: Expectation): string {
  const name = what ?? (values === null ? '' : JSON.stringify(values));
  const where = step === null ? '' : ` at ${step}`;
  return `${name}${where}${reason === null ? '' : ` (${reason})`}`.trim();
}

/** The line or expectation that a row is about. */
export function subjectOf(row: Row): TestLine | Expectation {
  return row.is === 'missing' ? row.expected : row.line;
}
