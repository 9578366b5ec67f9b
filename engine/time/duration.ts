/** Durations as playbooks write them. docs/playbooks.md: minutes and hours are exact, days and longer are calendar units. */
import { DAY_MS, MINUTE_MS, epochDay } from './calendar.ts';
import { addDays, addMonths, fromLocalMs, toLocal } from './local.ts';
import { TimeSyntaxError } from './syntax.ts';
import type { Duration, Instant, Zone } from './types.ts';

export { TimeSyntaxError } from './syntax.ts';

const HOUR_MS = 60 * MINUTE_MS;
/** The longest duration, in years: a customer's lifetime, and far from where dates end. */
const MAX_YEARS = 100;
const DAYS_PER_YEAR = 365.25;

const EXPECTED =
  'a whole number of minutes, hours, days, weeks, months or years such as "3 days", or ISO 8601 such as "P1M" or "PT90M"';
const EXPECTED_RANGE = `at most ${MAX_YEARS} years`;

const PLAIN = /^(-?)(\d{1,9}) +(minute|hour|day|week|month|year)s?$/;
const ISO =
  /^(-?)P(?=[\dT])(?:(\d{1,9})Y)?(?:(\d{1,9})M)?(?:(\d{1,9})W)?(?:(\d{1,9})D)?(?:T(?=\d)(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9}(?:\.\d{1,3})?)S)?)?$/;

type Units = Pick<Duration, 'months' | 'days' | 'ms'>;
type PlainUnit = 'minute' | 'hour' | 'day' | 'week' | 'month' | 'year';

const PLAIN_UNITS: Readonly<Record<PlainUnit, Units>> = {
  minute: { months: 0, days: 0, ms: MINUTE_MS },
  hour: { months: 0, days: 0, ms: HOUR_MS },
  day: { months: 0, days: 1, ms: 0 },
  week: { months: 0, days: 7, ms: 0 },
  month: { months: 1, days: 0, ms: 0 },
  year: { months: 12, days: 0, ms: 0 },
};

/** Adding 0 turns -0 into 0, which tests for equality tell apart. */
function scale(units: Units, factor: number): Units {
  return { months: units.months * factor + 0, days: units.days * factor + 0, ms: units.ms * factor + 0 };
}

/** `parts`: years, months, weeks, days, hours, minutes, seconds. */
function parseIso(parts: readonly (string | undefined)[]): Units {
  const number = (index: number): number => Number(parts[index] ?? 0);
  return {
    months: number(0) * 12 + number(1),
    days: number(2) * 7 + number(3),
    ms: number(4) * HOUR_MS + number(5) * MINUTE_MS + Math.round(number(6) * 1000),
  };
}

/**
 * Reads `3 days`, `-1 week` (minutes to years, in whole numbers) or ISO 8601 `P1Y2M3W4DT5H6M7S`, `-P1D`.
 * Up to 100 years either way. Throws TimeSyntaxError.
 */
export function parseDuration(text: string): Duration {
  const plain = PLAIN.exec(text);
  const iso = plain === null ? ISO.exec(text) : null;
  const match = plain ?? iso;
  if (match === null) throw new TimeSyntaxError(text, 'is not a duration', EXPECTED);
  const units = plain === null ? parseIso(match.slice(2)) : scale(PLAIN_UNITS[match[3] as PlainUnit], Number(match[2]));
  const years = units.months / 12 + (units.days + units.ms / DAY_MS) / DAYS_PER_YEAR;
  if (years > MAX_YEARS) throw new TimeSyntaxError(text, 'is too long', EXPECTED_RANGE);
  return { ...scale(units, match[1] === '-' ? -1 : 1), text };
}

/** The same span in the other direction. */
export function negate(d: Duration): Duration {
  return { ...scale(d, -1), text: d.text.startsWith('-') ? d.text.slice(1) : `-${d.text}` };
}

/**
 * `times` durations after an instant, counted from that instant: months first (clamped to the month's end), then days,
 * then the wall clock is read as an instant, then exact milliseconds. A duration of minutes and hours only never
 * looks at the wall clock. Throws a RangeError beyond what instants can hold.
 */
export function addDuration(at: Instant, d: Duration, zone: Zone, times = 1): Instant {
  const exactMs = d.ms * times;
  if ((d.months === 0 && d.days === 0) || times === 0) return at + exactMs;
  const local = toLocal(at, zone);
  const date = addDays(addMonths(local, d.months * times), d.days * times);
  return fromLocalMs(epochDay(date) * DAY_MS + local.ms, zone) + exactMs;
}

function plural(count: number, unit: PlainUnit): string {
  return `${count} ${unit}${Math.abs(count) === 1 ? '' : 's'}`;
}

function formatIso(d: Units): string {
  const [months, days, ms] = [Math.abs(d.months), Math.abs(d.days), Math.abs(d.ms)];
  const part = (count: number, unit: string): string => (count === 0 ? '' : `${count}${unit}`);
  const date = part(Math.floor(months / 12), 'Y') + part(months % 12, 'M') + part(days, 'D');
  const minutes = Math.floor((ms % HOUR_MS) / MINUTE_MS);
  const time = part(Math.floor(ms / HOUR_MS), 'H') + part(minutes, 'M') + part((ms % MINUTE_MS) / 1000, 'S');
  const sign = d.months < 0 || d.days < 0 || d.ms < 0 ? '-' : '';
  return `${sign}P${date}${time === '' ? '' : `T${time}`}`;
}

/** Says a duration in its largest fitting unit (`2 weeks`), or in ISO 8601 when it needs several. `parseDuration` reads it back. */
export function formatDuration(d: Duration): string {
  const { months, days, ms } = d;
  if (days === 0 && ms === 0 && months !== 0) {
    return months % 12 === 0 ? plural(months / 12, 'year') : plural(months, 'month');
  }
  if (months === 0 && ms === 0 && days !== 0) return days % 7 === 0 ? plural(days / 7, 'week') : plural(days, 'day');
  if (months === 0 && days === 0 && ms % MINUTE_MS === 0) {
    return ms % HOUR_MS === 0 && ms !== 0 ? plural(ms / HOUR_MS, 'hour') : plural(ms / MINUTE_MS, 'minute');
  }
  return formatIso(d);
}
