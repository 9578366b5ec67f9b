/** Writing what a simulation gives, as it comes. */
import { openTally } from '../../engine/simulate/tally.ts';
import { linesOf, type ReaderRun } from '../../engine/simulate/reader-run.ts';
import type { Line } from '../../engine/journey/types.ts';
import type { Release } from '../../engine/playbook/types.ts';
import type { Period } from './days.ts';
import type { Progress } from './progress.ts';
import { reportText } from './report.ts';
import { openLineSorter } from './sorted-lines.ts';
import type { Source } from './source.ts';
import { customerTimeline, openTimeline } from './timeline.ts';

/** Takes text; resolves when there is room for more. */
export type Write = (text: string) => Promise<void>;

/** How to show things to people. */
export interface Looks {
  readonly width: number;
  readonly heading: (text: string) => string;
}

const BUSIEST = 5;

/** The calendar and the totals. */
export async function writeReport(
  source: Source,
  by: Period | null,
  { write, progress, looks }: { readonly write: Write; readonly progress: Progress; readonly looks: Looks },
): Promise<void> {
  const { company, playbooks } = releaseOf(source);
  const { zone } = company;
  const tally = openTally({ zone, playbooks: playbooks.map((playbook) => playbook.name), busiest: BUSIEST });
  for await (const [run] of source.readers) {
    if (run === undefined) continue;
    tally.add(run);
    progress.done(run.drafts.length);
  }
  progress.end();
  const { from, until, notes } = source;
  const capped = company.caps.length > 0;
  await write(reportText(tally.totals(), { from, until, zone, by, capped, notes, ...looks }));
}

/** One JSON object a line, in the order of the language. */
export async function writeJson(source: Source, write: Write, progress: Progress): Promise<void> {
  await writeSorted(source, write, progress, (line) => `${JSON.stringify(ordered(line))}\n`);
}

/** Every line for people, by day. */
export async function writeTimeline(source: Source, write: Write, progress: Progress): Promise<void> {
  const timeline = openTimeline(releaseOf(source).company.zone);
  await writeSorted(source, write, progress, (line) => timeline.next(line));
  await write(timeline.end());
}

async function writeSorted(
  source: Source,
  write: Write,
  progress: Progress,
  textOf: (line: Line) => string,
): Promise<void> {
  const sorter = openLineSorter();
  try {
    for await (const [run] of source.readers) {
      if (run === undefined) continue;
      await sorter.add(linesOf(run));
      progress.done(run.drafts.length);
    }
    progress.end();
    for await (const lines of sorter.sorted()) await write(lines.map(textOf).join(''));
  } finally {
    sorter.close();
  }
}

/** One customer's time, in the customer's zone. The source has this reader only. */
export async function writeCustomer(source: Source, idOrEmail: string, write: Write): Promise<void> {
  const runs: ReaderRun[] = [];
  for await (const [run] of source.readers) if (run !== undefined) runs.push(run);
  await write(customerTimeline(runs, idOrEmail, { ...source, release: releaseOf(source) }));
}

function releaseOf({ releases }: Source): Release {
  const [release] = releases;
  if (release === undefined) throw new Error('a simulation needs a release');
  return release;
}

/** The key order of docs/playbooks.md. */
function ordered(line: Line): Record<string, string> {
  return {
    at: new Date(line.at).toISOString(),
    customer: line.customer,
    playbook: line.playbook,
    ...(line.step === undefined ? {} : { step: line.step }),
    do: line.do,
    ...(line.template === undefined ? {} : { template: line.template }),
    ...(line.reason === undefined ? {} : { reason: line.reason }),
  };
}
