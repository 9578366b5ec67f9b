/** Results of tests for people and for programs. */
import type { Row } from '../../engine/simulate/tests/judge.ts';
import { formatInstant } from '../../engine/time/text.ts';
import type { Zone } from '../../engine/time/types.ts';
import { count } from '../check/format.ts';
import { harmless, paint, type Terminal } from '../support/terminal.ts';
import { formatDifference } from './difference.ts';
import type { TestResult } from './run.ts';
import { expectationText, lineText, subjectOf } from './wording.ts';

/** How many tests there were, and how they ended; `tookMs` is all of it, the checking too. */
export interface Totals {
  readonly tests: number;
  readonly passed: number;
  readonly failed: number;
  /** Files that have mistakes, so that their tests did not run. */
  readonly unusable: number;
  readonly tookMs: number;
}

/** Results by file, in the order of the files. */
export function byFile(results: readonly TestResult[]): ReadonlyMap<string, readonly TestResult[]> {
  const files = new Map<string, TestResult[]>();
  for (const result of results) {
    const own = files.get(result.test.file);
    if (own === undefined) files.set(result.test.file, [result]);
    else own.push(result);
  }
  return files;
}

/** One line for each file, and the failures with their differences. `zone` is the company's. */
export function formatResults(terminal: Pick<Terminal, 'colour'>, results: readonly TestResult[], zone: Zone): string {
  const parts = [...byFile(results)].map(([file, own]) => {
    const failed = own.filter(({ passed }) => !passed);
    if (failed.length === 0) return `${paint(terminal, 'green', 'pass')}  ${file}  ${count(own.length, 'test')}\n`;
    const head = `${paint(terminal, 'red', 'FAIL')}  ${file}  ${failed.length} of ${count(own.length, 'test')}\n`;
    return `${head}\n${failed.map((result) => `${formatFailure(terminal, result, zone)}\n`).join('')}`;
  });
  return parts.join('');
}

/** A failed test with its place and its difference. */
export function formatFailure(terminal: Pick<Terminal, 'colour'>, result: TestResult, zone: Zone): string {
  const { test, rows, error } = result;
  const head = `  ${paint(terminal, 'bold', harmless(test.name))}  (${test.file}:${test.line})\n`;
  const stopped = error === null ? '' : `      ${paint(terminal, 'red', `! it stopped: ${harmless(error)}`)}\n`;
  return `${head}${stopped}${error === null ? formatDifference(terminal, test, rows, zone) : ''}`;
}

/** The last line. */
export function formatTotals(terminal: Pick<Terminal, 'colour'>, totals: Totals): string {
  const { tests, passed, failed, unusable, tookMs } = totals;
  const parts = [
    `${count(tests, 'test')}: ${passed} passed`,
    ...(failed === 0 ? [] : [`${failed} failed`]),
    ...(unusable === 0 ? [] : [`${count(unusable, 'file')} not run because of mistakes`]),
  ];
  const text = `${parts.join(', ')} (${(tookMs / 1000).toFixed(2)} s)`;
  return `${paint(terminal, failed + unusable === 0 ? 'green' : 'red', text)}\n`;
}

function jsonRow(row: Row): object {
  const { kind, customer, playbook } = subjectOf(row);
  const time = row.is === 'missing' ? {} : { at: formatInstant(row.line.at) };
  const what = row.is === 'missing' ? expectationText(row.expected) : lineText(row.line);
  const said = row.is === 'missing' || row.is === 'surplus' ? { note: row.note } : { faults: row.faults };
  return { is: row.is, ...time, customer, playbook, do: kind, what, ...said };
}

/** One object a line: each test, then the totals. */
export function jsonResults(results: readonly TestResult[], totals: Totals): string {
  const lines = results.map(({ test, passed, rows, error, tookMs }) => ({
    file: test.file,
    line: test.line,
    playbook: test.playbook,
    name: test.name,
    passed,
    tookMs: Math.round(tookMs * 100) / 100,
    ...(error === null ? {} : { error }),
    ...(passed ? {} : { rows: rows.map(jsonRow) }),
  }));
  return [...lines, { ...totals, tookMs: Math.round(totals.tookMs) }]
    .map((line) => `${JSON.stringify(line)}\n`)
    .join('');
}
