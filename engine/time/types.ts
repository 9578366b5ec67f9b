/**
 * The vocabulary of time that every pure room shares. Values only; the rules are in the files beside this one.
 */

/** A moment: whole milliseconds since 1970-01-01T00:00:00Z. */
export type Instant = number;

/** A time of day in whole minutes after local midnight, 0 to 1439 (as the end of a window also 1440). */
export type TimeOfDay = number;

/** A calendar day without a zone. Months and days count from 1. */
export interface LocalDate {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

/** A wall-clock reading without a zone; `ms` is milliseconds after midnight, 0 to 86,399,999. */
export interface LocalDateTime extends LocalDate {
  readonly ms: number;
}

/** An IANA zone. Made by `zone(name)` only, so a value of this type is always valid. */
export interface Zone {
  readonly name: string;
  /** Milliseconds to add to UTC to get local time at that instant. */
  offsetAt(at: Instant): number;
}

/**
 * A span as a playbook writes it. Months and days are calendar units in a zone, `ms` is exact.
 * One duration has one sign throughout.
 */
export interface Duration {
  readonly months: number;
  readonly days: number;
  readonly ms: number;
  /** As written, for messages. */
  readonly text: string;
}

/** ISO weekday: 1 is Monday, 7 is Sunday. */
export type Weekday = 1 | 2 | 3 | 4 | 5 | 6 | 7;

/** Hours in which mail may go out. Start inclusive, end exclusive; `until <= from` crosses midnight; equal means all day. */
export interface WeeklyWindow {
  readonly days: readonly Weekday[];
  readonly from: TimeOfDay;
  readonly until: TimeOfDay;
}

/** `any` is always open. A window that crosses midnight belongs to the day on which it opens. */
export type SendWindow = 'any' | WeeklyWindow;

/** Local days without non-transactional mail: `from` is the first, `until` the first day with mail again. */
export interface Blackout {
  readonly from: LocalDate;
  readonly until: LocalDate;
}

/** Where a 29 February falls in other years. */
export type LeapDay = 'feb-28' | 'mar-1' | 'skip';

/** When a date trigger fires, but for its anchor. docs/playbooks.md. */
export interface DateRule {
  /** `once` is the day itself; otherwise every so many months, counted from the anchor. */
  readonly every: 'once' | { readonly months: number };
  /** A birthday fires every year, and counts years since birth. */
  readonly birthday: boolean;
  readonly offset: Duration | null;
  readonly at: TimeOfDay;
  readonly leapDay: LeapDay;
}

/** A recurrence rule (RFC 5545) that begins on 1 January 1970, its weeks on Mondays. Lists are ascending; empty: not said. */
export interface Recurrence {
  readonly frequency: 'yearly' | 'monthly' | 'weekly' | 'daily';
  readonly interval: number;
  readonly byMonth: readonly number[];
  readonly byMonthDay: readonly number[];
  readonly byYearDay: readonly number[];
  /** Weeks as ISO 8601 counts them. */
  readonly byWeekNo: readonly number[];
  /** `nth` counts such weekdays of the month or year, from its end when negative; null: every one. */
  readonly byDay: readonly { readonly weekday: Weekday; readonly nth: number | null }[];
  readonly bySetPos: readonly number[];
  /** The last day on which it may occur. */
  readonly until: LocalDate | null;
}

/** When a schedule trigger fires, in the customer's zone. docs/playbooks.md. */
export interface ScheduleRule {
  readonly recurrence: Recurrence;
  readonly at: TimeOfDay;
}

/** One firing of a date or schedule trigger. */
export interface Occurrence {
  readonly at: Instant;
  /** `trigger.count`: 1 for `once`, years since birth for a birthday, of a schedule the number in its year, else n. */
  readonly count: number;
  /** `trigger.date`: the occurrence's own day, clamped, before `offset`. */
  readonly date: LocalDate;
}
