/** The texts of the language that mean more than themselves: how they are written, and what they become. */
import { z } from 'zod';
import { parseDuration } from '../../time/duration.ts';
import { parseLocalDate, parseTimeOfDay, TimeSyntaxError } from '../../time/text.ts';
import type { Duration, Weekday } from '../../time/types.ts';
import type { DateRule } from '../../time/types.ts';
import { nearest } from '../nearest.ts';

/** A text that does not say what it should; the message names what was expected. */
export class TextError extends Error {
  readonly code = 'bad-text';
}

/** A leaf that is written as text and read by `parse`, which throws `TextError` or `TimeSyntaxError`. */
export function text<T>(what: string, examples: readonly string[], parse: (text: string) => T) {
  const expected = `expected ${what}, such as ${examples.map((example) => `"${example}"`).join(' or ')}`;
  return z
    .string({ error: expected })
    .meta({ examples: [...examples] })
    .transform((written, context): T => {
      try {
        return parse(written);
      } catch (error) {
        if (!(error instanceof TextError) && !(error instanceof TimeSyntaxError)) throw error;
        context.issues.push({ code: 'custom', message: error.message, input: written });
        return z.NEVER;
      }
    });
}

/** A text of one pattern. */
function matching(what: string, pattern: RegExp, examples: readonly string[], longest = 100) {
  const error = `expected ${what}, such as ${examples.map((example) => `"${example}"`).join(' or ')}`;
  return z
    .string({ error })
    .regex(pattern, { error })
    .max(longest, { error: `at most ${longest} characters` })
    .meta({ examples: [...examples] });
}

/** A plain text that says something, on one line. */
export function words(what: string, longest = 500) {
  const error = `expected ${what}`;
  return z
    .string({ error })
    .regex(/^(?=.*\S)[^\p{Cc}]*$/u, { error: `${error}, on one line and not empty` })
    .max(longest, { error: `at most ${longest} characters` });
}

export const CLEAN_NAME = /^[a-z0-9]+(?:[-_][a-z0-9]+)*$/;

export const cleanName = matching('a name of small letters, digits and hyphens', CLEAN_NAME, ['welcome-series']);
export const stepId = matching('a name of letters, digits, `-` and `_`', /^[A-Za-z0-9]+(?:[-_][A-Za-z0-9]+)*$/, [
  'second-reminder',
]);
export const identifier = matching(
  'a name of letters, digits and `_` that starts with a letter',
  /^[A-Za-z][A-Za-z0-9_]*$/,
  ['renewal_date'],
);
export const eventName = matching('the name of an event', /^\S(?:[^\p{Cc}]*\S)?$/u, ['order.placed'], 200);
export const templateName = matching(
  'the name of a template under templates/',
  /^[A-Za-z0-9_-]+(?:\/[A-Za-z0-9_-]+)*$/,
  ['welcome/hello'],
);
export const fieldName = matching('a field', /^(?:customer|event|launch)\.[A-Za-z][A-Za-z0-9_]*$/, [
  'customer.renewal_date',
]);
export const customerField = matching('a field of the customer', /^customer\.[A-Za-z][A-Za-z0-9_]*$/, [
  'customer.birthday',
]);

/** A condition's source. YAML reads a bare true or false as no text, and it is a fine condition. */
export const condition = z
  .union([z.string({ error: 'expected a condition, such as "customer.orders > 1"' }), z.boolean().transform(String)])
  .describe('A CEL condition over customer, event, launch, trigger, vars and now.');

const DURATIONS = ['3 days', '36 hours', 'P1M'];

function positive(written: string): Duration {
  const duration = parseDuration(written);
  if (duration.months > 0 || duration.days > 0 || duration.ms > 0) return duration;
  throw new TextError(`"${written}" is not a span of time ahead: expected more than nothing, such as "3 days"`);
}

export const duration = text('a duration', DURATIONS, positive);
export const offset = text('a duration, with a minus for earlier', ['-7 days', '2 hours'], parseDuration);
export const timeOfDay = text('a time of day', ['09:00'], (written) => parseTimeOfDay(written));
export const localDate = text('a date', ['2026-12-24'], parseLocalDate);

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
const LONG_DAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];

/** A weekday by its English name, whole or its first three letters; null for any other word. */
export function weekdayOf(name: string): Weekday | null {
  const word = name.toLowerCase();
  const index = LONG_DAYS.findIndex((day) => day === word || day.slice(0, 3) === word);
  return index < 0 ? null : ((index + 1) as Weekday);
}

/** The weekday that a misspelt word may mean, as long or short as it is; null when none is near. */
export function nearestWeekday(name: string): string | null {
  return nearest(name, name.length <= 3 ? DAYS : LONG_DAYS);
}

function weekdayOrThrow(name: string, written: string): Weekday {
  const day = weekdayOf(name);
  if (day !== null) return day;
  const near = nearestWeekday(name);
  const advice = near === null ? 'expected such as "mon-fri", "sat, sun" or "any"' : `did you mean "${near}"?`;
  throw new TextError(`"${written}" names no weekdays: ${near === null ? '' : `there is no "${name}", `}${advice}`);
}

/** `any`, `mon-fri`, `sat, sun`, `fri-mon`: ascending, Monday first. */
function parseDays(written: string): readonly Weekday[] {
  if (written === 'any') return [1, 2, 3, 4, 5, 6, 7];
  const found = new Set<Weekday>();
  for (const part of written.split(',')) {
    const [from, until, more] = part.trim().split(/\s*-\s*/);
    if (from === undefined || more !== undefined)
      throw new TextError(`"${written}" names no weekdays: expected such as "mon-fri"`);
    const first = weekdayOrThrow(from, written);
    const last = until === undefined ? first : weekdayOrThrow(until, written);
    for (let day = first; ; day = ((day % 7) + 1) as Weekday) {
      found.add(day);
      if (day === last) break;
    }
  }
  return [...found].sort((a, b) => a - b);
}

export const weekdays = z.union([
  text('weekdays', ['mon-fri', 'sat, sun', 'any'], parseDays),
  z
    .array(z.enum(DAYS))
    .min(1, { error: 'expected at least one weekday' })
    .meta({ examples: [['mon', 'wed']] }),
]);

/** Hours of a send window in minutes after midnight. */
export interface Hours {
  readonly from: number;
  readonly until: number;
}

/** `09:00-18:00`, crossing midnight where the end is earlier; equal ends and `any` are all day. */
function parseHours(written: string): Hours {
  if (written === 'any') return { from: 0, until: 0 };
  const [from, until, more] = written.split(/\s*[-–]\s*/);
  if (from === undefined || until === undefined || more !== undefined) {
    throw new TextError(`"${written}" is no span of hours: expected such as "09:00-18:00" or "any"`);
  }
  return { from: parseTimeOfDay(from), until: parseTimeOfDay(until, { endOfDay: true }) };
}

export const hours = text('hours', ['09:00-18:00'], parseHours);

/** `once`, `month`, `year`, `3 months`, `2 years`. */
function parseEvery(written: string): DateRule['every'] {
  if (written === 'once') return 'once';
  const match = /^(?:(\d{1,4}) +)?(month|year)(s?)$/.exec(written);
  const count = Number(match?.[1] ?? 1);
  if (match === null || count < 1)
    throw new TextError(`"${written}" is no rhythm: expected "once", "month", "year", "3 months" or "2 years"`);
  return { months: match[2] === 'year' ? count * 12 : count };
}

export const every = text('a rhythm', ['year', '3 months', 'once'], parseEvery);

/** `never`, `always`, `after 90 days`. */
function parseAgain(written: string): 'never' | 'always' | { readonly after: Duration } {
  if (written === 'never' || written === 'always') return written;
  const match = /^after +(.+)$/.exec(written);
  if (match?.[1] === undefined)
    throw new TextError(`"${written}" is no rule: expected "never", "always" or "after 90 days"`);
  return { after: positive(match[1]) };
}

export const again = text('a rule', ['never', 'always', 'after 90 days'], parseAgain);
