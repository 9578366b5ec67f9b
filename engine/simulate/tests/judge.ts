/** Compares the timeline that came with the one that a test expects. docs/testing-playbooks.md. */
import { startOfMoment } from '../../playbook/schema/moment.ts';
import type { Expectation, PlaybookTest } from '../../playbook/tests/types.ts';
import { align, type Pair } from './align.ts';
import { faultsOfWords, matches } from './match.ts';
import { whyMissing } from './miss.ts';
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

/** Judges what came. */
export function judge(test: PlaybookTest, lines: readonly TestLine[]): Verdict {
  const expected = test.expect ?? [];
  const kinds = new Set<TestLine['kind']>([...ALWAYS_LISTED, ...expected.map(({ kind }) => kind)]);
  const isListed = (line: TestLine): boolean => test.expect !== null && (test.expectAll || kinds.has(line.kind));
  const listed = lines.flatMap((line, index) => (isListed(line) ? [index] : []));
  const lineAt = (right: number): TestLine | undefined => lines[listed[right] ?? -1];
  const pairs = align(expected.length, listed.length, (left, right) => {
    const [one, other] = [expected[left], lineAt(right)];
    return one !== undefined && other !== undefined && matches(one, other);
  });
  const surplus = pairs.flatMap(({ left, right }) => (left === null && right !== null ? [lineAt(right)] : []));
  const free = surplus.filter((line) => line !== undefined);

  const rows: Row[] = [];
  let next = 0;
  const upTo = (end: number): void => {
    for (; next < end; next += 1) rows.push(asideOf(test, lines[next] as TestLine));
  };
  for (const [index, { left, right }] of pairs.entries()) {
    if (right !== null) upTo(listed[right] ?? 0);
    const one = left === null ? undefined : expected[left];
    const line = right === null ? undefined : lineAt(right);
    if (line !== undefined) {
      next += 1;
      rows.push(one === undefined ? surplusOf(test, line) : sameOf(test, one, line));
    } else if (one !== undefined) {
      upTo(placeOfMissing(one, lines, next, endOfAside(pairs, index, listed, lines.length)));
      rows.push({ is: 'missing', expected: one, note: whyMissing(test, one, lines, free) });
    }
  }
  upTo(lines.length);
  return { passed: rows.every(isRight), rows };
}

/** Where the next line stands that must be listed. */
function endOfAside(pairs: readonly Pair[], index: number, listed: readonly number[], end: number): number {
  const next = pairs.find((pair, other) => other > index && pair.right !== null)?.right ?? null;
  return next === null ? end : (listed[next] ?? end);
}

/** Before which of the lines aside a missing one is shown: the first that came after its time. */
function placeOfMissing({ at }: Expectation, lines: readonly TestLine[], from: number, until: number): number {
  if (at === null) return from;
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
