/** Recurrence rules as playbooks write them (RFC 5545, section 3.3.10): read into data, with what makes no sense refused. */
import { parseLocalDate } from './text.ts';
import type { LocalDate, Recurrence, Weekday } from './types.ts';

/** What is wrong with a rule. `start` is where in the text, in UTF-16 units from 0. */
export interface RecurrenceMistake {
  readonly message: string;
  readonly fix: string | null;
  readonly start: number;
}

/** A rule that was read, or why it is none. */
export type ReadRecurrence =
  { readonly ok: true; readonly rule: Recurrence } | { readonly ok: false; readonly mistake: RecurrenceMistake };

interface Part {
  readonly name: string;
  readonly value: string;
  readonly nameStart: number;
  readonly valueStart: number;
}

/** Carries a mistake out of the reading; never leaves this file. */
class Refused extends Error {
  readonly mistake: RecurrenceMistake;
  constructor(start: number, message: string, fix: string | null = null) {
    super(message);
    this.mistake = { start, message, fix };
  }
}

const FREQUENCIES = { YEARLY: 'yearly', MONTHLY: 'monthly', WEEKLY: 'weekly', DAILY: 'daily' } as const;
type Frequency = Recurrence['frequency'];

/** A hundred years of each; a longer rhythm is a slip of the pen. */
const LONGEST: Readonly<Record<Frequency, number>> = { yearly: 100, monthly: 1_200, weekly: 5_200, daily: 36_500 };

const WEEKDAYS: Readonly<Record<string, Weekday>> = { MO: 1, TU: 2, WE: 3, TH: 4, FR: 5, SA: 6, SU: 7 };

const AT_SAYS = 'the time of day stands under `at:`';
/** Parts of RFC 5545 that mean nothing here, and what to write instead. */
const MEANINGLESS: Readonly<Record<string, readonly [message: string, fix: string]>> = {
  BYHOUR: [`a schedule has one time of day: ${AT_SAYS}`, 'leave it out, and write such as `at: "09:00"`'],
  BYMINUTE: [`a schedule has one time of day: ${AT_SAYS}`, 'leave it out, and write such as `at: "09:00"`'],
  BYSECOND: [`a schedule has one time of day: ${AT_SAYS}`, 'leave it out, and write such as `at: "09:00"`'],
  COUNT: ['COUNT would count from 1 January 1970, where every schedule begins', 'write such as UNTIL=20271231'],
  DTSTART: ['every schedule begins on 1 January 1970', 'leave it out'],
  TZID: ["a schedule is carried out in each customer's zone", 'leave it out'],
};

const NUMBERS = {
  BYMONTH: { from: 1, to: 12, negative: false, with: ['yearly', 'monthly', 'weekly', 'daily'] },
  BYMONTHDAY: { from: 1, to: 31, negative: true, with: ['yearly', 'monthly', 'daily'] },
  BYYEARDAY: { from: 1, to: 366, negative: true, with: ['yearly'] },
  BYWEEKNO: { from: 1, to: 53, negative: true, with: ['yearly'] },
  BYSETPOS: { from: 1, to: 366, negative: true, with: ['yearly', 'monthly', 'weekly', 'daily'] },
} as const satisfies Record<string, { from: number; to: number; negative: boolean; with: readonly Frequency[] }>;

const KNOWN: ReadonlySet<string> = new Set(['FREQ', 'INTERVAL', 'BYDAY', 'UNTIL', 'WKST', ...Object.keys(NUMBERS)]);

/** Reads a rule such as `FREQ=MONTHLY;BYDAY=-1FR`. Capital letters do not matter, and `RRULE:` may stand before it. */
export function readRecurrence(text: string): ReadRecurrence {
  try {
    return { ok: true, rule: ruleOf(partsOf(text)) };
  } catch (error) {
    if (error instanceof Refused) return { ok: false, mistake: error.mistake };
    throw error;
  }
}

function partsOf(text: string): ReadonlyMap<string, Part> {
  const parts = new Map<string, Part>();
  let start = /^\s*(?:RRULE:)?/i.exec(text)?.[0].length ?? 0;
  for (const written of text.slice(start).trimEnd().split(';')) {
    const match = /^([A-Za-z]+)=([^=\s]+)$/.exec(written);
    const [, name = '', value = ''] = match ?? [];
    if (match === null) {
      throw new Refused(start, `"${written}" is no part of a recurrence rule`, 'write such as FREQ=WEEKLY;BYDAY=MO');
    }
    const part = { name: name.toUpperCase(), value: value.toUpperCase(), nameStart: start };
    const meaningless = MEANINGLESS[part.name];
    if (meaningless !== undefined) throw new Refused(start, ...meaningless);
    if (!KNOWN.has(part.name)) {
      throw new Refused(start, `a recurrence rule has no part ${part.name}`, `there are ${[...KNOWN].join(', ')}`);
    }
    if (parts.has(part.name)) throw new Refused(start, `${part.name} stands twice`, 'keep one of the two');
    parts.set(part.name, { ...part, valueStart: start + name.length + 1 });
    start += written.length + 1;
  }
  return parts;
}

function ruleOf(parts: ReadonlyMap<string, Part>): Recurrence {
  const frequency = frequencyOf(parts.get('FREQ'));
  checkWeekStart(parts.get('WKST'));
  const numbers = (name: keyof typeof NUMBERS): readonly number[] => numbersOf(name, parts.get(name), frequency);
  const rule: Recurrence = {
    frequency,
    interval: intervalOf(parts.get('INTERVAL'), frequency),
    byMonth: numbers('BYMONTH'),
    byMonthDay: numbers('BYMONTHDAY'),
    byYearDay: numbers('BYYEARDAY'),
    byWeekNo: numbers('BYWEEKNO'),
    byDay: daysOf(parts.get('BYDAY'), frequency, parts.has('BYWEEKNO')),
    bySetPos: numbers('BYSETPOS'),
    until: untilOf(parts.get('UNTIL')),
  };
  const weekNo = parts.get('BYWEEKNO');
  if (weekNo !== undefined && rule.byDay.length === 0) {
    throw new Refused(weekNo.nameStart, 'BYWEEKNO names whole weeks', 'add the day, such as BYDAY=MO');
  }
  const position = parts.get('BYSETPOS');
  if (position !== undefined && ![...parts.keys()].some((name) => name.startsWith('BY') && name !== 'BYSETPOS')) {
    const fix = 'add them, such as BYDAY=MO,TU,WE,TH,FR';
    throw new Refused(position.nameStart, 'BYSETPOS picks among the days of other BY… parts, and there is none', fix);
  }
  return rule;
}

function frequencyOf(part: Part | undefined): Frequency {
  const known = Object.keys(FREQUENCIES).join(', ');
  if (part === undefined) throw new Refused(0, 'the rule says no frequency', 'begin with such as FREQ=WEEKLY');
  if (/^(?:HOUR|MINUTE|SECOND)LY$/.test(part.value)) {
    const message = `a schedule starts playbooks at most once a day, not ${part.value}`;
    throw new Refused(part.valueStart, message, 'write FREQ=DAILY');
  }
  const found = Object.entries(FREQUENCIES).find(([name]) => name === part.value)?.[1];
  if (found === undefined)
    throw new Refused(part.valueStart, `there is no frequency ${part.value}`, `expected ${known}`);
  return found;
}

function intervalOf(part: Part | undefined, frequency: Frequency): number {
  if (part === undefined) return 1;
  const interval = Number(part.value);
  const longest = LONGEST[frequency];
  if (/^\d+$/.test(part.value) && interval >= 1 && interval <= longest) return interval;
  const message = `INTERVAL=${part.value}: expected a whole number from 1 to ${longest}, which is a hundred years`;
  throw new Refused(part.valueStart, message);
}

function checkWeekStart(part: Part | undefined): void {
  if (part === undefined || part.value === 'MO') return;
  throw new Refused(part.nameStart, 'weeks are counted from Monday', 'leave WKST out');
}

function numbersOf(name: keyof typeof NUMBERS, part: Part | undefined, frequency: Frequency): readonly number[] {
  if (part === undefined) return [];
  const { from, to, negative, with: allowed } = NUMBERS[name];
  if (!allowed.some((one) => one === frequency)) {
    const fix = `leave it out, or write FREQ=${(allowed[0] ?? '').toUpperCase()}`;
    throw new Refused(part.nameStart, `${name} means nothing with FREQ=${frequency.toUpperCase()}`, fix);
  }
  const range = `${from} to ${to}${negative ? `, or -${to} to -${from} from the end` : ''}`;
  const found = itemsOf(part).map(({ item, start }) => {
    const number = Number(item);
    const size = negative ? Math.abs(number) : number;
    if (/^[+-]?\d+$/.test(item) && size >= from && size <= to) return number;
    throw new Refused(start, `${name}=${item}: expected whole numbers from ${range}`);
  });
  return [...new Set(found)].sort((a, b) => a - b);
}

function daysOf(part: Part | undefined, frequency: Frequency, hasWeekNo: boolean): Recurrence['byDay'] {
  if (part === undefined) return [];
  const days = itemsOf(part).map(({ item, start }) => {
    const [, written, name = ''] = /^([+-]?\d+)?([A-Z]{2})$/.exec(item) ?? [];
    const weekday = WEEKDAYS[name];
    if (weekday === undefined) {
      throw new Refused(
        start,
        `there is no day ${item}`,
        `expected ${Object.keys(WEEKDAYS).join(', ')}, or such as -1FR`,
      );
    }
    if (written === undefined) return { weekday, nth: null };
    const nth = Number(written);
    if ((frequency !== 'monthly' && frequency !== 'yearly') || hasWeekNo) {
      throw new Refused(start, `${item} counts days of a month or year`, `write ${name}, or FREQ=MONTHLY`);
    }
    if (nth === 0 || Math.abs(nth) > 53) throw new Refused(start, `BYDAY=${item}: expected 1 to 53 or -53 to -1`);
    return { weekday, nth };
  });
  return days.sort((a, b) => a.weekday - b.weekday || (a.nth ?? 0) - (b.nth ?? 0));
}

function untilOf(part: Part | undefined): LocalDate | null {
  if (part === undefined) return null;
  const [, year, month, day] = /^(\d{4})(\d\d)(\d\d)$/.exec(part.value) ?? [];
  const fix = 'write the last day, such as UNTIL=20271231';
  if (year === undefined) throw new Refused(part.valueStart, `UNTIL=${part.value}: expected a day without a time`, fix);
  try {
    return parseLocalDate(`${year}-${month}-${day}`);
  } catch (error) {
    throw new Refused(part.valueStart, `UNTIL=${part.value}: ${(error as Error).message}`, fix);
  }
}

function itemsOf({ value, valueStart }: Part): readonly { readonly item: string; readonly start: number }[] {
  let start = valueStart;
  return value.split(',').map((item) => {
    const found = { item, start };
    start += item.length + 1;
    return found;
  });
}
