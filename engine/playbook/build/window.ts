import type { SendWindow, Weekday } from '../../time/types.ts';
import { weekdayOf } from '../schema/text.ts';
import type { SendWindowSource } from '../schema.ts';

const EVERY_DAY: readonly Weekday[] = [1, 2, 3, 4, 5, 6, 7];

type Days = Exclude<SendWindowSource, 'any'>['days'];

function buildDays(days: Days): readonly Weekday[] {
  if (days === undefined) return EVERY_DAY;
  const numbers = days.map((day) => (typeof day === 'number' ? day : weekdayOf(day))).filter((day) => day !== null);
  return [...new Set(numbers)].sort((a, b) => a - b);
}

/** A send window; days or hours that are left out are all. */
export function buildWindow(source: SendWindowSource): SendWindow {
  if (source === 'any') return 'any';
  const { from, until } = source.hours ?? { from: 0, until: 0 };
  return { days: buildDays(source.days), from, until };
}
