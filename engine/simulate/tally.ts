/**
 * Totals of a simulation, reader by reader. What it keeps grows with days, playbooks and reasons, never with customers
 * or lines.
 */
import { DAY_MS } from '../time/calendar.ts';
import type { Instant, Zone } from '../time/types.ts';
import type { Line } from '../journey/types.ts';
import { openCapTally, type CapTotals } from './cap-tally.ts';
import type { ReaderRun } from './reader-run.ts';

/** What happened in one playbook. Maps are by reason or by kind of step. */
export interface PlaybookTotals {
  enrolments: number;
  mails: number;
  goals: number;
  completed: number;
  cancelled: number;
  readonly exits: Map<string, number>;
  readonly skips: Map<string, number>;
  /** Other steps that leave a line: `tag`, `set`, … */
  readonly steps: Map<string, number>;
  /** Under way at the beginning and in the end. */
  before: number;
  after: number;
}

/** A customer who gets many mails. */
export interface BusyCustomer {
  readonly customer: string;
  readonly mails: number;
  /** The fullest week: how many mails, and its Monday, in days after 1970-01-01. */
  readonly week: { readonly mails: number; readonly monday: number };
  readonly playbooks: ReadonlyMap<string, number>;
}

/** All totals. Days and weeks are those of the company's zone. */
export interface Totals {
  readonly customers: number;
  /** Customers by how many mails they get in all, those without any included. */
  readonly perCustomer: ReadonlyMap<number, number>;
  /** How often one customer gets so many mails in one week; weeks without a mail are left out. */
  readonly perWeek: ReadonlyMap<number, number>;
  /** Mails by day (after 1970-01-01) and playbook. */
  readonly days: ReadonlyMap<number, ReadonlyMap<string, number>>;
  readonly playbooks: ReadonlyMap<string, PlaybookTotals>;
  /** The most mails first; of as many, by id. */
  readonly busiest: readonly BusyCustomer[];
  readonly caps: CapTotals;
}

/** Takes readers as they come. */
export interface Tally {
  add(run: ReaderRun): void;
  totals(): Totals;
}

/** How to count. */
export interface TallyOptions {
  /** The company's zone: its days and weeks are counted. */
  readonly zone: Zone;
  /** Playbooks that are to be in the totals even if nothing happens in them, in their order. */
  readonly playbooks: readonly string[];
  /** So many of the busiest customers are kept. */
  readonly busiest: number;
}

/** Lines at which a mail goes out: a survey is one, too. */
const MAILS: ReadonlySet<string> = new Set(['email', 'survey']);

/** Whether at this line a mail goes out. */
export function isMail(line: Line): boolean {
  return MAILS.has(line.do);
}

/** The Monday of a day's week; both in days after 1970-01-01, which was a Thursday. */
export function mondayOf(day: number): number {
  return day - ((((day + 3) % 7) + 7) % 7);
}

/** Counts one more. */
export function countUp<K>(counts: Map<K, number>, key: K, by = 1): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}

/** Begins to count. */
export function openTally({ zone, playbooks: named, busiest: kept }: TallyOptions): Tally {
  const dayOf = (at: Instant): number => Math.floor((at + zone.offsetAt(at)) / DAY_MS);
  const perCustomer = new Map<number, number>();
  const perWeek = new Map<number, number>();
  const days = new Map<number, Map<string, number>>();
  const playbooks = new Map<string, PlaybookTotals>(named.map((name) => [name, nothing()]));
  const caps = openCapTally();
  let customers = 0;
  let busiest: BusyCustomer[] = [];

  const playbookOf = (name: string): PlaybookTotals => {
    const known = playbooks.get(name) ?? nothing();
    playbooks.set(name, known);
    return known;
  };
  const countMail = (line: Line): void => {
    const day = dayOf(line.at);
    const of = days.get(day) ?? new Map<string, number>();
    days.set(day, of);
    countUp(of, line.playbook);
  };
  const addCustomer = (id: string, lines: readonly Line[]): void => {
    customers += 1;
    for (const line of lines) {
      note(playbookOf(line.playbook), line);
      if (isMail(line)) countMail(line);
    }
    const busy = busyOf(id, lines.filter(isMail), dayOf);
    countUp(perCustomer, busy.mails);
    for (const mails of busy.weeks.values()) countUp(perWeek, mails);
    if (busy.mails > 0) busiest = keepBusiest(busiest, busy, kept);
  };
  return {
    add: ({ drafts, attempts }) => {
      for (const draft of drafts) {
        for (const { playbook } of draft.state.enrolments) playbookOf(playbook).before += 1;
        for (const { playbook } of draft.enrolments.values()) playbookOf(playbook).after += 1;
        addCustomer(
          draft.profile.id,
          draft.lines.map((ordered) => ordered.line),
        );
      }
      caps.add(attempts);
    },
    totals: () => ({ customers, perCustomer, perWeek, days, playbooks, busiest, caps: caps.totals() }),
  };
}

function nothing(): PlaybookTotals {
  const none = (): Map<string, number> => new Map();
  const counts = { enrolments: 0, mails: 0, goals: 0, completed: 0, cancelled: 0, before: 0, after: 0 };
  return { ...counts, exits: none(), skips: none(), steps: none() };
}

const COUNTED: Partial<Record<Line['do'], 'enrolments' | 'goals' | 'completed' | 'cancelled'>> = {
  enrol: 'enrolments',
  goal: 'goals',
  complete: 'completed',
  cancel: 'cancelled',
};

function note(totals: PlaybookTotals, line: Line): void {
  const counted = COUNTED[line.do];
  if (counted !== undefined) totals[counted] += 1;
  else if (isMail(line)) totals.mails += 1;
  else if (line.do === 'exit') countUp(totals.exits, line.reason ?? '');
  else if (line.do === 'skip') countUp(totals.skips, line.reason ?? '');
  else countUp(totals.steps, line.do);
}

type Busy = BusyCustomer & { readonly weeks: ReadonlyMap<number, number> };

function busyOf(customer: string, mails: readonly Line[], dayOf: (at: Instant) => number): Busy {
  const weeks = new Map<number, number>();
  const playbooks = new Map<string, number>();
  for (const { at, playbook } of mails) {
    countUp(weeks, mondayOf(dayOf(at)));
    countUp(playbooks, playbook);
  }
  let week = { mails: 0, monday: 0 };
  for (const [monday, count] of weeks) if (count > week.mails) week = { mails: count, monday };
  return { customer, mails: mails.length, week, playbooks, weeks };
}

function keepBusiest(busiest: BusyCustomer[], { weeks: _weeks, ...busy }: Busy, kept: number): BusyCustomer[] {
  const last = busiest.at(-1);
  if (busiest.length >= kept && last !== undefined && isBusier(last, busy) < 0) return busiest;
  return [...busiest, busy].sort(isBusier).slice(0, kept);
}

function isBusier(a: BusyCustomer, b: BusyCustomer): number {
  return b.mails - a.mails || b.week.mails - a.week.mails || (a.customer < b.customer ? -1 : 1);
}
