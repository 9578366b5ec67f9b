/** The doctor's findings for people. */
import { recordText } from '../dkim/record.ts';
import { harmless, paint, type Terminal } from '../support/terminal.ts';
import type { Examination } from './examine.ts';
import type { Finding, Level } from './report.ts';

const MARKS: Readonly<Record<Level, { readonly word: string; readonly style: 'green' | 'yellow' | 'red' | 'dim' }>> = {
  ok: { word: 'ok', style: 'green' },
  warn: { word: 'warn', style: 'yellow' },
  fail: { word: 'FAIL', style: 'red' },
  skip: { word: '-', style: 'dim' },
};

/** How many findings are of that level. */
export function countOf(examination: Examination, level: Level): number {
  return examination.groups.flatMap(({ findings }) => findings).filter((finding) => finding.level === level).length;
}

/** All findings, each with what to do, and a sum. */
export function examinationText(terminal: Pick<Terminal, 'colour'>, examination: Examination): string {
  const all = examination.groups.flatMap(({ findings }) => findings);
  const width = Math.max(...all.map(({ check }) => check.length));
  const groups = examination.groups.map(
    ({ title, findings }) =>
      `${paint(terminal, 'bold', title)}\n${findings.map((finding) => findingText(terminal, finding, width)).join('')}`,
  );
  return `${groups.join('\n')}\n${sumOf(examination)}\n`;
}

function findingText(
  terminal: Pick<Terminal, 'colour'>,
  { check, level, seen, todo, records }: Finding,
  width: number,
): string {
  const { word, style } = MARKS[level];
  const line = `  ${paint(terminal, style, word.padEnd(4))}  ${check.padEnd(width)}  ${harmless(seen)}\n`;
  const indent = ' '.repeat(width + 10);
  const advice = todo === null ? '' : `${indent}→ ${harmless(todo)}\n`;
  const texts = records.map((record) => `\n${recordText(record).replaceAll(/^(?=.)/gm, indent)}\n`);
  return `${line}${advice}${texts.join('')}`;
}

function sumOf(examination: Examination): string {
  const [failures, warnings] = [countOf(examination, 'fail'), countOf(examination, 'warn')];
  if (failures === 0 && warnings === 0) return 'Nothing is wrong with what was looked at.';
  const parts = [
    ...(failures === 0 ? [] : [failures === 1 ? '1 thing does not work' : `${failures} things do not work`]),
    ...(warnings === 0 ? [] : [warnings === 1 ? '1 warning' : `${warnings} warnings`]),
  ];
  return `${parts.join(', ')}.`;
}
