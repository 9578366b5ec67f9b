/** `sending.warm_up`: how many mails a day takes. */
import type { Sending } from '../../playbook/types.ts';
import { addDays, daysBetween, localDate, startOfDay } from '../../time/local.ts';
import type { Instant, LocalDate, Zone } from '../../time/types.ts';

/** One day of a warm-up. */
export interface DayVolume {
  /** In the company's zone. */
  readonly day: LocalDate;
  readonly mails: number;
  /** The first instant of the next day. */
  readonly endsAt: Instant;
}

/** The volume of the day at `now`; null before the schedule and after it. */
export function volumeAt(warmUp: Sending['warmUp'], now: Instant, zone: Zone): DayVolume | null {
  if (warmUp === null) return null;
  const day = localDate(now, zone);
  const mails = warmUp.perDay[daysBetween(warmUp.from, day)];
  return mails === undefined ? null : { day, mails, endsAt: startOfDay(addDays(day, 1), zone) };
}
