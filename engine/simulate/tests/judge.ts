/** Compares the timeline that came with the one that a test expects. docs/testing-playbooks.md. */
import { startOfMoment } from '../../playbook/schema/moment.ts';
import type { Expectation, PlaybookTest } from '../../playbook/tests/types.ts';
import type { Instant } from '../../time/types.ts';
import { align, type Pair } from './align.ts';
import { faultsOfWords, matches } from './match.ts';
import { nearestOf, whyMissing } from './miss.ts';
import type { TestLine } from './run.ts';

/** A line of both timelines, or of one of them. */
export type Row =
  /** Came as expected; with faults, but for what the mail says. */
  | { readonly is: 'same'; readonly line: TestLine; readonly faults: readonly string[] }
  /** Came, and need not be listed. */
  | { readonly is: 'aside'; readonly line: TestLine; readonly faults: readonly string[] }
  | { readonly is: 'missing'; readonly expected: Expectation; readonly note: string }
  | { readonly is: 'surplus'; readonly line: TestLine; readonly note: string | null };

/** A test's outcome. Rows are in the order in which they came, the missing where they were expected. */
export interface Verdict {
  readonly passed: boolean;
  readonly rows: readonly Row[];
}

/** Mails go to a customer, and a refusal means that a person's act did nothing: these are never left unsaid. */
const ALWAYS_LISTED: readonly TestLine['kind'][] = ['email', 'survey', 'refused'];

/** A line that came, that was expected, or both, beside each other; `index` is the line's place among all that came. */
interface Place {
  readonly expected: Expectation | null;
  readonly line: TestLine | null;
  readonly index: number | null;
}

/** Judges what came. */
export function judge(test: PlaybookTest, lines: readonly TestLine[]): Verdict {
  const places = placesOf(test, lines);
  const free = places.flatMap(({ expected, line }) => (expected === null && line !== null ? [line] : []));
  const rows: Row[] = [];
  let next = 0;
  const asidesUpTo = (end: number): void => {
    for (; next < end; next += 1) rows.push(asideOf(test, lines[next] as TestLine));
  };
  for (const [place, { expected, line, index }] of places.entries()) {
    if (line !== null && index !== null) {
      asidesUpTo(index);
      next += 1;
      rows.push(expected === null ? surplusOf(test, line) : sameOf(test, expected, line));
    } else if (expected !== null) {
      const end = places.slice(place).find((later) => later.index !== null)?.index ?? lines.length;
      asidesUpTo(placeOfMissing(expected, lines, next, end));
      rows.push({ is: 'missing', expected, note: whyMissing(test, expected, lines, free) });
    }
  }
  asidesUpTo(lines.length);
  return { passed: rows.every(isRight), rows };
}

/** Expected lines beside those that came and must be listed. */
function placesOf(test: PlaybookTest, lines: readonly TestLine[]): readonly Place[] {
  const expected = test.expect ?? [];
  const kinds = new Set<TestLine['kind']>([...ALWAYS_LISTED, ...expected.map(({ kind }) => kind)]);
  const isListed = ({ kind }: TestLine): boolean => test.expect !== null && (test.expectAll || kinds.has(kind));
  const listed = lines.flatMap((line, index) => (isListed(line) ? [{ line, index }] : []));
  const pairs = align(expected.length, listed.length, (left, right) => {
    const [one, other] = [expected[left], listed[right]];
    return one !== undefined && other !== undefined && matches(one, other.line);
  });
  const places = pairs.map(({ left, right }: Pair): Place => {
    const found = right === null ? undefined : listed[right];
    const wanted = left === null ? undefined : expected[left];
    return { expected: wanted ?? null, line: found?.line ?? null, index: found?.index ?? null };
  });
  return byTime(places);
}

function isPaired({ expected, line }: Place): boolean {
  return expected !== null && line !== null;
}

/** Where lines differ, what was expected stands before what came nearest to it, and all of it in the order of time. */
function byTime(places: readonly Place[]): readonly Place[] {
  const ordered: Place[] = [];
  for (let at = 0; at < places.length;) {
    const end = places.findIndex((place, index) => index >= at && isPaired(place));
    const run = places.slice(at, end < 0 ? places.length : end);
    const came = run.flatMap(({ line }) => (line === null ? [] : [line]));
    const keyed = run.map((place) => ({ place, at: place.line?.at ?? timeOfMissing(place.expected, came) }));
    keyed.sort((a, b) => a.at - b.at || Number(a.place.line !== null) - Number(b.place.line !== null));
    ordered.push(...keyed.map(({ place }) => place), ...places.slice(at + run.length, at + run.length + 1));
    at += run.length + 1;
  }
  return ordered;
}

function timeOfMissing(expected: Expectation | null, came: readonly TestLine[]): Instant {
  const [first] = came;
  if (expected === null) return Number.NEGATIVE_INFINITY;
  const nearest = nearestOf(expected, came);
  if (nearest !== null) return nearest.at;
  return expected.at === null || first === undefined
    ? Number.NEGATIVE_INFINITY
    : startOfMoment(expected.at, first.zone);
}

/** Before which of the lines aside a missing one is shown: the first that came after its time. */
function placeOfMissing(expected: Expectation, lines: readonly TestLine[], from: number, until: number): number {
  const { at } = expected;
  if (at === null) return from;
  const nearest = nearestOf(expected, lines.slice(until, until + 1));
  if (nearest !== null) return until;
  const later = lines.slice(from, until).findIndex((line) => line.at > startOfMoment(at, line.zone));
  return later < 0 ? until : from + later;
}

function isRight(row: Row): boolean {
  return (row.is === 'same' || row.is === 'aside') && row.faults.length === 0;
}

function isForbidden(test: PlaybookTest, line: TestLine): boolean {
  return test.not.some((expected) => matches(expected, line) && faultsOfWords(expected, line).length === 0);
}

function sameOf(test: PlaybookTest, expected: Expectation, line: TestLine): Row {
  if (isForbidden(test, line))
    return { is: 'surplus', line, note: 'is expected and must not come: the test says both' };
  return { is: 'same', line, faults: faultsOfWords(expected, line) };
}

function surplusOf(test: PlaybookTest, line: TestLine): Row {
  return { is: 'surplus', line, note: isForbidden(test, line) ? 'must not come' : 'not expected' };
}

function asideOf(test: PlaybookTest, line: TestLine): Row {
  if (isForbidden(test, line)) return { is: 'surplus', line, note: 'must not come' };
  return { is: 'aside', line, faults: faultsOfWords(null, line) };
}
