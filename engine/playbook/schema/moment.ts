/** Times of playbook tests: exact ones, and those on the wall clock of a customer. */
import { fromLocal, startOfDay, addDays } from '../../time/local.ts';
import { parseInstant, parseLocalDate, parseLocalDateTime, TimeSyntaxError } from '../../time/text.ts';
import type { Instant, LocalDate, LocalDateTime, Zone } from '../../time/types.ts';
import { text } from './text.ts';

/** A time as written: as precise as it was written. `widthMs` is a minute, a second or a millisecond. */
export type Moment =
  | { readonly day: LocalDate }
  | { readonly local: LocalDateTime; readonly widthMs: number }
  | { readonly at: Instant; readonly widthMs: number };

function parseMoment(written: string): Moment {
  if (/^\d{4}-\d\d-\d\d$/.test(written)) return { day: parseLocalDate(written) };
  const widthMs = /:\d\d:\d\d[.,]\d/.test(written) ? 1 : /\d\d:\d\d:\d\d/.test(written.slice(10, 19)) ? 1000 : 60_000;
  if (/(?:[Zz]|[+-]\d{2}(?::?\d{2})?)$/.test(written) && /\d:\d/.test(written))
    return { at: parseInstant(written), widthMs };
  try {
    return { local: parseLocalDateTime(written), widthMs };
  } catch (error) {
    if (!(error instanceof TimeSyntaxError) || !/is not a/.test(error.message)) throw error;
    throw new TimeSyntaxError(written, 'is no moment', 'a day and a time, such as "2026-03-02T10:15"');
  }
}

/** The instant that is meant by it in a zone; of a day, its start. */
export function startOfMoment(moment: Moment, zone: Zone): Instant {
  if ('day' in moment) return startOfDay(moment.day, zone);
  return 'at' in moment ? moment.at : fromLocal(moment.local, zone);
}

/** The first instant after what is meant by it: of a day its end, of 10:15 a minute later. */
export function endOfMoment(moment: Moment, zone: Zone): Instant {
  if ('day' in moment) return startOfDay(addDays(moment.day, 1), zone);
  return startOfMoment(moment, zone) + moment.widthMs;
}

export const moment = text('a day and a time', ['2026-03-02T10:15', '2026-03-02T10:15:00+01:00'], parseMoment);
