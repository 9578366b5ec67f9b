/** Times and dates as texts. Whatever is read here exists: no 31 February, no 24:30. */
import { DAY_MS, MINUTE_MS, daysInMonth, epochDay } from './calendar.ts';
import { TimeSyntaxError } from './syntax.ts';
import type { Instant, LocalDate, LocalDateTime, TimeOfDay } from './types.ts';

export { TimeSyntaxError } from './syntax.ts';

const DATE = String.raw`(\d{4})-(\d{2})-(\d{2})`;
const CLOCK = String.raw`(\d{2}):(\d{2})`;
const TIME_OF_DAY = new RegExp(`^${CLOCK}$`);
const LOCAL_DATE = new RegExp(`^${DATE}$`);
const LOCAL_DATE_TIME = new RegExp(String.raw`^${DATE}[ T]${CLOCK}(?::(\d{2})(?:\.(\d{1,3}))?)?$`);
const INSTANT = new RegExp(
  String.raw`^${DATE}[ Tt]${CLOCK}(?::(\d{2})(?:[.,](\d{1,9}))?)?(?:([Zz])|([+-])(\d{2})(?::?(\d{2}))?)$`,
);

const EXPECTED_TIME = 'a time of day from "00:00" to "23:59", such as "09:00"';
const EXPECTED_TIME_24 = 'a time of day from "00:00" to "24:00", such as "18:00"';
const EXPECTED_DATE = 'a day of the calendar as YYYY-MM-DD, such as "2026-12-24"';
const EXPECTED_LOCAL = 'a day and a time without an offset, such as "2026-12-24 09:00"';
const EXPECTED_INSTANT = 'ISO 8601 with an offset or Z, such as "2026-03-02T09:15:00Z" or "2026-03-02T10:15:00+01:00"';

/** Adds midnight at the day's end to what `parseTimeOfDay` accepts. */
export interface TimeOfDayOptions {
  /** Accept `24:00` (1440), for the end of a window. Default: false. */
  readonly endOfDay?: boolean;
}

/** Reads `HH:MM` as minutes after midnight. Throws TimeSyntaxError. */
export function parseTimeOfDay(text: string, options: TimeOfDayOptions = {}): TimeOfDay {
  const expected = options.endOfDay === true ? EXPECTED_TIME_24 : EXPECTED_TIME;
  if (options.endOfDay === true && text === '24:00') return 1440;
  const match = TIME_OF_DAY.exec(text);
  if (match === null) throw new TimeSyntaxError(text, 'is not a time of day', expected);
  return clockMs(text, match[1], match[2], expected) / MINUTE_MS;
}

/** Says a time of day as `HH:MM`; 1440 is `24:00`. */
export function formatTimeOfDay(at: TimeOfDay): string {
  return `${pad(Math.floor(at / 60), 2)}:${pad(at % 60, 2)}`;
}

/** Reads `YYYY-MM-DD`, years 0001 to 9999. Throws TimeSyntaxError, for days that do not exist as well. */
export function parseLocalDate(text: string): LocalDate {
  const match = LOCAL_DATE.exec(text);
  if (match === null) throw new TimeSyntaxError(text, 'is not a date', EXPECTED_DATE);
  return dateOf(text, match, EXPECTED_DATE);
}

/** Says a day as `YYYY-MM-DD`. */
export function formatLocalDate(date: LocalDate): string {
  return `${pad(date.year, 4)}-${pad(date.month, 2)}-${pad(date.day, 2)}`;
}

/** Reads `YYYY-MM-DD HH:MM[:SS[.mmm]]`, with a space or a T. Throws TimeSyntaxError. */
export function parseLocalDateTime(text: string): LocalDateTime {
  const match = LOCAL_DATE_TIME.exec(text);
  if (match === null) throw new TimeSyntaxError(text, 'is not a local date and time', EXPECTED_LOCAL);
  const [, , , , hour, minute, second, fraction] = match;
  const ms = clockMs(text, hour, minute, EXPECTED_LOCAL, second) + milliseconds(fraction);
  return { ...dateOf(text, match, EXPECTED_LOCAL), ms };
}

/**
 * Reads ISO 8601 with an offset (`Z`, `+01:00`, `+0100`, `+01`); seconds and fractions may be left out, and what is
 * finer than a millisecond is cut off. Throws TimeSyntaxError.
 */
export function parseInstant(text: string): Instant {
  const match = INSTANT.exec(text);
  if (match === null) throw new TimeSyntaxError(text, 'is not an instant', EXPECTED_INSTANT);
  const [, , , , hour, minute, second, fraction, , sign, offsetHour, offsetMinute] = match;
  const day = epochDay(dateOf(text, match, EXPECTED_INSTANT)) * DAY_MS;
  const ms = clockMs(text, hour, minute, EXPECTED_INSTANT, second) + milliseconds(fraction);
  const offset = sign === undefined ? 0 : clockMs(text, offsetHour, offsetMinute, EXPECTED_INSTANT);
  return day + ms - (sign === '-' ? -offset : offset);
}

/** Says an instant as `2026-03-02T09:15:00.000Z`. Throws a RangeError for what is no instant. */
export function formatInstant(at: Instant): string {
  return new Date(at).toISOString();
}

function dateOf(text: string, match: RegExpExecArray, expected: string): LocalDate {
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) {
    throw new TimeSyntaxError(text, 'names a day that does not exist', expected);
  }
  return { year, month, day };
}

function clockMs(
  text: string,
  hours: string | undefined,
  minutes: string | undefined,
  expected: string,
  seconds?: string,
): number {
  const [hour, minute, second] = [Number(hours), Number(minutes ?? 0), Number(seconds ?? 0)];
  if (hour > 23 || minute > 59 || second > 59) {
    throw new TimeSyntaxError(text, 'names a time that does not exist', expected);
  }
  return (hour * 60 + minute) * MINUTE_MS + second * 1000;
}

function milliseconds(fraction: string | undefined): number {
  return fraction === undefined ? 0 : Number(fraction.slice(0, 3).padEnd(3, '0'));
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, '0');
}
