/** The names by which customers and events are known. */
import { parseInstant } from '../time/text.ts';
import type { Instant } from '../time/types.ts';
import { EXPECTED, reads } from './declared.ts';
import { MAX_KEY_LENGTH } from './limits.ts';
import { unexpected, type InputProblem } from './problem.ts';

// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

const EXPECTED_KEY = `a text of 1 to ${MAX_KEY_LENGTH} characters without control characters or space around it`;

/** Checks a customer's id, an event's id or an event's name. */
export function checkKey(value: unknown, path: string): InputProblem | null {
  if (value === undefined || value === null || value === '') {
    return unexpected('missing', path, value === '' ? value : undefined, EXPECTED_KEY);
  }
  if (typeof value !== 'string') return unexpected('wrong-type', path, value, EXPECTED_KEY);
  const fits = value.length <= MAX_KEY_LENGTH && !CONTROL.test(value) && value.trim() === value;
  return fits ? null : unexpected('invalid', path, value, EXPECTED_KEY);
}

/** Checks a text that will stand in a header of a mail, such as a name. */
export function checkOneLine(value: unknown, path: string): InputProblem | null {
  if (value === null) return null;
  if (typeof value !== 'string') return unexpected('wrong-type', path, value, 'a text');
  return CONTROL.test(value)
    ? unexpected('invalid', path, value, 'a text without line breaks or control characters')
    : null;
}

/** Nothing that a shop knows of its customers is older; it bounds how many partitions events can fill. */
const EARLIEST: Instant = Date.UTC(1970, 0, 1);

/** Checks an event's own time: ISO 8601 with an offset, since 1970. */
export function checkEventTime(value: unknown, path: string): InputProblem | null {
  if (value === undefined || value === null) return unexpected('missing', path, undefined, EXPECTED.datetime);
  if (typeof value !== 'string') return unexpected('wrong-type', path, value, EXPECTED.datetime);
  if (!reads(parseInstant, value)) return unexpected('invalid', path, value, EXPECTED.datetime);
  return parseInstant(value) < EARLIEST ? unexpected('invalid', path, value, 'a time since 1970') : null;
}
