/** Reads what PostgreSQL writes for a `timestamptz`. */
import type { Instant } from '../time/types.ts';

const [DASH, SPACE, COLON, PLUS, DOT, ZERO] = [0x2d, 0x20, 0x3a, 0x2b, 0x2e, 0x30];

/**
 * The instant of `2026-03-02 09:30:00.123456+00`, as sessions in UTC have it, cut off to the millisecond. Every row has
 * several, and `Date.parse` takes three times as long; it reads the rest, such as years before 1000. NaN for what is no time: `infinity`.
 */
export function parseTimestamp(text: string): Instant {
  if (!isUsual(text)) return Date.parse(text.replace(' ', 'T').replace(/[+-]\d\d$/, '$&:00'));
  const year = two(text, 0) * 100 + two(text, 2);
  return Date.UTC(year, two(text, 5) - 1, two(text, 8), two(text, 11), two(text, 14), two(text, 17), millis(text));
}

/** In UTC, and of a year from 1000 to 9999: of the first hundred `Date.UTC` makes years of the last century. */
function isUsual(text: string): boolean {
  const end = text.length;
  return (
    end >= 22 &&
    text.charCodeAt(0) > ZERO &&
    text.charCodeAt(4) === DASH &&
    text.charCodeAt(10) === SPACE &&
    text.charCodeAt(16) === COLON &&
    text.charCodeAt(end - 3) === PLUS &&
    text.charCodeAt(end - 2) === ZERO &&
    text.charCodeAt(end - 1) === ZERO
  );
}

function two(text: string, at: number): number {
  return (text.charCodeAt(at) - ZERO) * 10 + text.charCodeAt(at + 1) - ZERO;
}

/** Up to six digits follow the seconds, of which PostgreSQL leaves out zeros at the end. */
function millis(text: string): number {
  if (text.charCodeAt(19) !== DOT) return 0;
  const end = text.length - 3;
  let ms = 0;
  for (let place = 20; place < 23; place += 1) ms = ms * 10 + (place < end ? text.charCodeAt(place) - ZERO : 0);
  return ms;
}
