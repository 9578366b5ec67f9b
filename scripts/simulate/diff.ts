/** `perennial simulate --diff`: what two revisions of the playbooks mean for the same customers. */
import { zoneOf } from '../../engine/journey/view.ts';
import type { Profile } from '../../engine/journey/types.ts';
import {
  namesBetween,
  openComparison,
  type ChangeCounts,
  type ChangeKind,
  type Comparison,
  type MailChange,
  type NameAfter,
} from '../../engine/simulate/compare.ts';
import type { Company } from '../../engine/playbook/types.ts';
import type { Instant, Zone } from '../../engine/time/types.ts';
import { DAY_MS, MINUTE_MS } from '../../engine/time/calendar.ts';
import { count } from '../import/words.ts';
import { harmless } from '../support/terminal.ts';
import { columns, many, spanText, type Cell } from './columns.ts';
import { clock, dayAt, dayName, weekdayName } from './days.ts';
import type { Looks, Write } from './output.ts';
import type { Progress } from './progress.ts';
import type { Source } from './source.ts';

/** The two sides, in words, and which of their files differ. */
export interface Sides {
  readonly before: string;
  readonly after: string;
  readonly files: readonly string[];
}

const KINDS: readonly ChangeKind[] = ['more', 'fewer', 'earlier', 'later'];
/** Of each step and each kind of change, so many customers are shown. */
const EXAMPLES = 2;
const MOST_EXAMPLES = 20;
/** Over a longer time, a day needs its year. */
const LONG_MS = 330 * DAY_MS;

interface Example {
  readonly change: MailChange;
  readonly zone: Zone;
}

/** Totals, then by playbook and step, then examples. The source runs every reader before and after. */
export async function writeDiff(
  source: Source,
  sides: Sides,
  { write, progress, looks }: { readonly write: Write; readonly progress: Progress; readonly looks: Looks },
): Promise<void> {
  const { company } = lastRelease(source);
  const comparing = openComparison(namesOf(source));
  const examples = new Map<string, Example[]>();
  for await (const [before, after] of source.readers) {
    if (before === undefined || after === undefined) continue;
    for (const change of comparing.add(before, after)) {
      const key = `${change.playbook} ${change.step} ${change.change}`;
      const known = examples.get(key) ?? [];
      if (known.length >= EXAMPLES) continue;
      examples.set(key, [...known, { change, zone: zoneOfCustomer(change.customer, after.drafts, company) }]);
    }
    progress.done(after.drafts.length);
  }
  progress.end();
  const totals = comparing.totals();
  const { from, until } = source;
  const { zone } = company;
  const span = `${dayName(dayAt(from, zone), true)} to ${dayName(dayAt(until - 1, zone), true)}, in ${zone.name}`;
  const files = sides.files.length === 0 ? 'No file differs.' : `Files that differ: ${sides.files.join(', ')}.`;
  await write(`${span}: ${many(totals.customers, 'customer')}.\nBefore: ${sides.before}. After: ${sides.after}.\n`);
  await write(
    `${harmless(files)}\n${source.notes
      .slice(0, 1)
      .map((note) => `${note}\n`)
      .join('')}`,
  );
  await write(
    `${totalsText(totals)}${stepsText(totals, looks)}${examplesText([...examples.values()].flat(), until - from > LONG_MS, looks)}`,
  );
}

/** One JSON object for each mail that differs: by customer, as they come. */
export async function writeDiffJson(source: Source, write: Write, progress: Progress): Promise<void> {
  const comparing = openComparison(namesOf(source));
  const instant = (at: Instant | null): string | null => (at === null ? null : new Date(at).toISOString());
  for await (const [before, after] of source.readers) {
    if (before === undefined || after === undefined) continue;
    const changes = comparing.add(before, after);
    const rows = changes.map((change) => ({
      ...change,
      before: instant(change.before),
      after: instant(change.after),
    }));
    if (rows.length > 0) await write(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    progress.done(after.drafts.length);
  }
}

function namesOf({ releases: [before, after] }: Source): NameAfter {
  if (before === undefined || after === undefined) throw new Error('a comparison needs two releases');
  return namesBetween(before, after);
}

function lastRelease({ releases }: Source): { readonly company: Company } {
  const release = releases.at(-1);
  if (release === undefined) throw new Error('a comparison needs two releases');
  return release;
}

function zoneOfCustomer(customer: string, drafts: readonly { readonly profile: Profile }[], company: Company): Zone {
  const profile = drafts.find((draft) => draft.profile.id === customer)?.profile;
  return profile === undefined ? company.zone : zoneOf(profile, company);
}

function totalsText({ all, concerned, customers }: Comparison): string {
  if (concerned === 0) return `\nEverybody gets the same ${many(all.after, 'mail')} at the same times.\n`;
  const words: Readonly<Record<ChangeKind, string>> = {
    more: 'only after',
    fewer: 'only before',
    earlier: 'earlier than before',
    later: 'later than before',
  };
  const rows: readonly (readonly Cell[])[] = [
    ['before', all.before, ''],
    ['after', all.after, ''],
    ['  unchanged', all.same, ''],
    ...KINDS.map((kind): readonly Cell[] => [
      `  ${words[kind]}`,
      all.mails[kind],
      all.customers[kind] === 0 ? '' : `to ${many(all.customers[kind], 'customer')}`,
    ]),
  ];
  return `\nSomething changes for ${count(concerned)} of ${many(customers, 'customer')}.\n${columns(['', 'mails', ''], rows, '  ')}`;
}

function stepsText({ steps }: Comparison, { heading }: Looks): string {
  const changed = [...steps].filter(([, counts]) => KINDS.some((kind) => counts.mails[kind] > 0));
  if (changed.length === 0) return '';
  changed.sort(([a], [b]) => (a < b ? -1 : 1));
  const kinds = KINDS.filter((kind) => changed.some(([, { mails }]) => mails[kind] > 0));
  const rows = changed.map(([key, counts]): readonly Cell[] => {
    const [playbook = '', step = ''] = key.split(' ');
    return [playbook, step, counts.before, counts.after, ...kinds.map((kind) => counts.mails[kind]), moved(counts)];
  });
  const head = ['', '', 'before', 'after', ...kinds, 'on average'];
  return `\n${heading('By playbook and step')}\n${columns(head, rows, '  ')}`;
}

function moved({ mails, movedMs }: ChangeCounts): string {
  const both = mails.earlier + mails.later;
  if (both === 0) return '';
  const averageMs = movedMs / both;
  if (Math.abs(averageMs) < MINUTE_MS / 2) return 'as before';
  return `${spanText(Math.abs(averageMs))} ${averageMs < 0 ? 'earlier' : 'later'}`;
}

function examplesText(examples: readonly Example[], withYear: boolean, { heading }: Looks): string {
  if (examples.length === 0) return '';
  const shown = examples.slice(0, MOST_EXAMPLES);
  const rows = shown.map(({ change, zone }): readonly Cell[] => [
    change.customer,
    `${change.playbook} ${change.step}`,
    whenText(change.before, zone, withYear),
    '→',
    whenText(change.after, zone, withYear),
    change.before === null || change.after === null
      ? ''
      : `${spanText(Math.abs(change.after - change.before))} ${change.change}`,
  ]);
  const rest = examples.length - shown.length;
  const more = rest === 0 ? '' : `  and others; --json shows all, --customer ID those of one customer\n`;
  const head = ['', '', 'before', '', 'after', ''];
  return `\n${heading("Examples, in the customers' own time")}\n${columns(head, rows, '  ')}${more}`;
}

function whenText(at: Instant | null, zone: Zone, withYear: boolean): string {
  if (at === null) return 'not at all';
  const day = dayAt(at, zone);
  return `${weekdayName(day)} ${dayName(day, withYear)} ${clock(at, zone)}`;
}
