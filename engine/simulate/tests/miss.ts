/** Why a line did not come, as far as the timeline shows it. */
import { endOfMoment, startOfMoment } from '../../playbook/schema/moment.ts';
import type { Expectation, PlaybookTest } from '../../playbook/tests/types.ts';
import { isAbout, matches } from './match.ts';
import type { TestLine } from './run.ts';

const UNITS = [
  [86_400_000, 'day', 'days'],
  [3_600_000, 'h', 'h'],
  [60_000, 'min', 'min'],
  [1_000, 's', 's'],
] as const;

/** A span in its two largest units: `3 days 1 h`, `20 min`. Milliseconds, not negative. */
export function spanInWords(spanMs: number): string {
  let rest = spanMs;
  const parts: string[] = [];
  for (const [unitMs, one, many] of UNITS) {
    const count = Math.floor(rest / unitMs);
    rest -= count * unitMs;
    if (count > 0) parts.push(`${count} ${count === 1 ? one : many}`);
  }
  return parts.slice(0, 2).join(' ') || 'less than a second';
}

/** The nearest thing that came instead. `free` are the lines that nothing else expected. */
export function whyMissing(
  test: PlaybookTest,
  expected: Expectation,
  lines: readonly TestLine[],
  free: readonly TestLine[],
): string {
  const nearest = nearestOf(expected, free);
  if (nearest !== null) {
    const missMs = missOnTheWall(expected, nearest);
    if (missMs === 0) return 'came, but in another place';
    return `came ${spanInWords(Math.abs(missMs))} ${missMs > 0 ? 'later' : 'earlier'}`;
  }
  const skipped = skippedInstead(expected, lines);
  if (skipped !== undefined) return `was skipped: ${skipped.reason ?? ''}`;
  const other = free.find((line) => matches({ ...expected, what: null, step: null, values: null }, line));
  if (expected.at !== null && other?.template != null) return `${other.template} came instead`;
  return ended(test, expected, lines) ?? 'did not come';
}

/** Of some lines the one that is what was expected and misses its time by the least; null when none is. */
export function nearestOf(expected: Expectation, lines: readonly TestLine[]): TestLine | null {
  const about = lines.filter((line) => isAbout(expected, line));
  return about.sort((a, b) => Math.abs(missOf(expected, a)) - Math.abs(missOf(expected, b)))[0] ?? null;
}

/** The same as the customer's clock shows it, unless it shows the same twice. */
function missOnTheWall(expected: Expectation, line: TestLine): number {
  const missMs = missOf(expected, line);
  const { zone, at } = line;
  return missMs + zone.offsetAt(at) - zone.offsetAt(at - missMs) || missMs;
}

/** By how much a line misses the expected time; negative when it is early. */
function missOf({ at }: Expectation, line: TestLine): number {
  if (at === null) return 0;
  const [start, end] = [startOfMoment(at, line.zone), endOfMoment(at, line.zone)];
  return line.at < start || line.at >= end ? line.at - start : 0;
}

function skippedInstead(expected: Expectation, lines: readonly TestLine[]): TestLine | undefined {
  return lines.find((line) => {
    if (line.kind !== 'skip' || line.step === null) return false;
    return isAbout({ ...expected, kind: 'skip', reason: null, subject: null, text: null }, line);
  });
}

/** Nobody entered, or all had ended. */
function ended(test: PlaybookTest, expected: Expectation, lines: readonly TestLine[]): string | null {
  const name = expected.playbook ?? (test.playbooks.size === 1 ? [...test.playbooks][0] : undefined);
  if (name === undefined || expected.kind === 'enrol' || expected.kind === 'refused') return null;
  const own = lines.filter(
    ({ playbook, customer }) => playbook === name && (expected.customer === null || customer === expected.customer),
  );
  if (!own.some(({ kind }) => kind === 'enrol')) return `nobody entered ${name}`;
  const end = own.findLast(({ kind }) => kind === 'exit' || kind === 'goal' || kind === 'complete');
  if (end?.kind === 'exit') return `the enrolment had ended: ${end.reason ?? ''}`;
  return end?.kind === 'goal' ? 'the enrolment had ended at its goal' : null;
}
