/** Timelines for people: by day, of everybody in the company's zone, or of one customer in the customer's own. */
import type { Attempt, Line } from '../../engine/journey/types.ts';
import { normaliseAddress } from '../../engine/message/address.ts';
import { zoneOf } from '../../engine/journey/view.ts';
import type { Release } from '../../engine/playbook/types.ts';
import { linesOf, type ReaderRun } from '../../engine/simulate/reader-run.ts';
import { isMail } from '../../engine/simulate/tally.ts';
import type { Instant, Zone } from '../../engine/time/types.ts';
import { count } from '../import/words.ts';
import { many } from './columns.ts';
import { harmless } from '../support/terminal.ts';
import { clock, dayAt, dayName, weekdayName } from './days.ts';

/** Takes lines in their order and gives their text, then the totals. */
export interface Timeline {
  next(line: Line): string;
  end(): string;
}

/** Days, with what happens on them. */
export function openTimeline(zone: Zone): Timeline {
  const counts = { enrolled: 0, mails: 0, skipped: 0 };
  const customers = new Set<string>();
  let day: number | null = null;
  return {
    next: (line) => {
      customers.add(line.customer);
      if (line.do === 'enrol') counts.enrolled += 1;
      if (isMail(line)) counts.mails += 1;
      if (line.do === 'skip') counts.skipped += 1;
      const today = dayAt(line.at, zone);
      const heading = today === day ? '' : `${day === null ? '' : '\n'}${dayHeading(today)}\n`;
      day = today;
      const who = `${harmless(line.customer)}  ${line.playbook}`;
      return `${heading}  ${clock(line.at, zone)}  ${who}: ${wording(line)}\n`;
    },
    end: () => {
      if (day === null) return 'Nothing would happen in this time.\n';
      const { enrolled, mails, skipped } = counts;
      return (
        `\n${many(enrolled, 'enrolment')} of ${many(customers.size, 'customer')}, ${many(mails, 'mail')}, ` +
        `${count(skipped)} skipped. Times are in ${zone.name}.\n`
      );
    },
  };
}

function dayHeading(day: number): string {
  return `${weekdayName(day)} ${dayName(day, true)}`;
}

const WORDS: Partial<Record<Line['do'], string>> = {
  enrol: 'enrolled',
  complete: 'completed',
  goal: 'goal reached',
  exit: 'left',
  cancel: 'cancelled',
  skip: 'skipped',
};

function wording(line: Line): string {
  if (isMail(line)) return `mail ${line.template ?? line.step ?? ''}`;
  const word = WORDS[line.do];
  const step = line.step === undefined ? '' : word === undefined ? ` (${line.step})` : ` ${line.step}`;
  return `${word ?? line.do}${step}${line.reason === undefined ? '' : ` (${line.reason})`}`;
}

/** An entry of one customer's timeline. */
interface Entry {
  readonly at: Instant;
  readonly playbook: string;
  readonly text: string;
}

/** All that happens to one customer, and what waits for a window or a cap meanwhile. */
export function customerTimeline(
  runs: readonly ReaderRun[],
  idOrEmail: string,
  { release, from, until }: { readonly release: Release; readonly from: Instant; readonly until: Instant },
): string {
  const address = normaliseAddress(idOrEmail);
  const all = runs.flatMap((run) => run.drafts.map((draft) => ({ run, draft })));
  const found =
    all.find(({ draft }) => draft.profile.id === idOrEmail) ??
    all.find(({ draft: { profile } }) => profile.email !== null && normaliseAddress(profile.email) === address);
  if (found === undefined) return 'Nothing would happen in this time.\n';
  const { run } = found;
  const { profile } = found.draft;
  const zone = zoneOf(profile, release.company);
  const lines = linesOf(run)
    .map((ordered) => ordered.line)
    .filter(({ customer }) => customer === profile.id);
  const waits = run.attempts.flatMap((attempt) => waitOf(attempt, profile.id, zone));
  const entries = [...lines.map((line): Entry => ({ ...line, text: wording(line) })), ...waits];
  // Stable: what happens at one instant stays in its order, a wait after what led to it.
  entries.sort((a, b) => a.at - b.at);
  const others = run.drafts.map((one) => one.profile.id).filter((id) => id !== profile.id);
  const head = [
    `${profile.id}${profile.email === null ? '' : ` (${profile.email})`}, in ${zone.name}, ` +
      `${dayName(dayAt(from, zone), true)} to ${dayName(dayAt(until - 1, zone), true)}`,
    ...(others.length === 0 ? [] : [`Shares the address, and so the caps, with ${others.join(', ')}.`]),
    `${many(lines.filter(isMail).length, 'mail')}.`,
  ];
  return `${head.map((line) => `${harmless(line)}\n`).join('')}${entriesText(entries, zone)}`;
}

function waitOf({ profile, send, at, decision }: Attempt, customer: string, zone: Zone): readonly Entry[] {
  if (decision.do !== 'defer' || profile.id !== customer) return [];
  const day = dayAt(decision.dueAt, zone);
  const until = `${weekdayName(day)} ${dayName(day)} ${clock(decision.dueAt, zone)}`;
  const what = decision.because === 'cap' ? 'is held back by a cap' : 'waits for the send window';
  return [{ at, playbook: send.playbook, text: `${send.step} ${what} until ${until}` }];
}

function entriesText(entries: readonly Entry[], zone: Zone): string {
  if (entries.length === 0) return '\nNothing would happen in this time.\n';
  const width = Math.max(...entries.map(({ playbook }) => playbook.length));
  let text = '';
  let day: number | null = null;
  for (const { at, playbook, text: what } of entries) {
    const today = dayAt(at, zone);
    if (today !== day) text += `\n${dayHeading(today)}\n`;
    day = today;
    text += `  ${clock(at, zone)}  ${playbook.padEnd(width)}  ${harmless(what)}\n`;
  }
  return text;
}
