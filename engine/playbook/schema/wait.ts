import { z } from 'zod';
import { parseDuration } from '../../time/duration.ts';
import { parseLocalDate, parseTimeOfDay } from '../../time/text.ts';
import type { Duration, LocalDate, TimeOfDay, Weekday } from '../../time/types.ts';
import { fieldName, nearestWeekday, offset, text, TextError, timeOfDay, weekdayOf } from './text.ts';

/** A wait as written on one line. */
export type WaitText =
  | { readonly kind: 'for'; readonly duration: Duration }
  | { readonly kind: 'time'; readonly at: TimeOfDay; readonly weekday: Weekday | null }
  | { readonly kind: 'day'; readonly date: LocalDate; readonly at: TimeOfDay }
  | { readonly kind: 'field'; readonly until: string };

const FORMS =
  '"3 days", "until 09:00", "until monday 09:00", "until 2026-12-24 09:00" or "until customer.renewal_date"';

function parseUntil(written: string, when: string): WaitText {
  if (/^(customer|event|launch)\.\w+$/.test(when)) return { kind: 'field', until: when };
  const [first, second, more] = when.split(/[ T]+/);
  if (first === undefined || more !== undefined) throw new TextError(`"${written}" is no wait: expected ${FORMS}`);
  if (second === undefined && /^\d\d?:/.test(first)) return { kind: 'time', at: parseTimeOfDay(first), weekday: null };
  const weekday = weekdayOf(first);
  const isDate = /^\d{4}-/.test(first);
  if (weekday === null && !isDate) {
    const near = nearestWeekday(first);
    const advice = near === null ? `expected ${FORMS}` : `there is no "${first}", did you mean "${near}"?`;
    throw new TextError(`"${written}" is no wait: ${advice}`);
  }
  if (second === undefined) throw new TextError(`"${written}" names no time: expected such as "until ${first} 09:00"`);
  const at = parseTimeOfDay(second);
  return weekday === null ? { kind: 'day', date: parseLocalDate(first), at } : { kind: 'time', at, weekday };
}

function parseWait(written: string): WaitText {
  const until = /^until +(.+)$/.exec(written.trim());
  if (until?.[1] !== undefined) return parseUntil(written, until[1]);
  const duration = parseDuration(written);
  if (duration.months <= 0 && duration.days <= 0 && duration.ms <= 0) {
    throw new TextError(`"${written}" is no time to wait: expected more than nothing, such as "3 days"`);
  }
  return { kind: 'for', duration };
}

/** The value of a `wait` step. */
export const wait = z.union([
  text('a wait', ['3 days', 'until 09:00', 'until monday 09:00', 'until 2026-12-24 09:00'], parseWait),
  z.strictObject({
    until: fieldName.describe('A date or datetime of the customer, event or launch; read once, when the wait begins.'),
    offset: offset.optional().describe('Moves the moment: `-7 days` is a week before.'),
    at: timeOfDay
      .optional()
      .describe('Local time of that day. Without it a datetime is taken as it is, a date at midnight.'),
    if_past: z
      .enum(['continue', 'exit'])
      .optional()
      .describe('What to do when it is past or missing. Default: continue.'),
  }),
]);
