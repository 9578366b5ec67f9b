/** An answer to "why?" as text: the sentence, what shows it, and what can be done. */
import type { Answer, Deployment, Evidence, NextStep } from '../../engine/why/answer.ts';
import { commitText } from '../support/commit.ts';
import { harmless, paint, table, type Terminal } from '../support/terminal.ts';
import { localTime } from '../support/times.ts';

/** Enough of a release's id to tell it from others. */
const SHORT_ID = 12;

/** The whole answer. */
export function answerText({ answer, evidence, next }: Answer, terminal: Terminal): string {
  const facts = evidence.map((one) => evidenceText(one, terminal)).join('');
  return `${paint(terminal, 'bold', harmless(answer))}\n${facts === '' ? '' : `\n${facts}`}${nextText(next)}`;
}

function evidenceText({ text, quote, release }: Evidence, terminal: Terminal): string {
  const lines = [
    `  - ${harmless(text)}\n`,
    ...(quote === undefined || quote === null
      ? []
      : [`      ${paint(terminal, 'dim', `${quote.file}:${quote.line}`)}  ${harmless(quote.text)}\n`]),
    ...(release === undefined || release === null
      ? []
      : [`      ${paint(terminal, 'dim', releaseText(release, terminal))}\n`]),
  ];
  return lines.join('');
}

function releaseText({ releaseId, at, by, gitCommit }: Deployment, terminal: Terminal): string {
  const commit = gitCommit === null ? '' : `, ${commitText(gitCommit)}`;
  const when = `${localTime(at, terminal.zone)} (${terminal.zone.name})`;
  return `release ${releaseId.slice(0, SHORT_ID)}, deployed ${when} by ${harmless(by)}${commit}`;
}

function nextText(next: readonly NextStep[]): string {
  if (next.length === 0) return '';
  return `\nNext:\n${table(
    next.map(({ command, why }) => [command, why]),
    '  ',
  )}`;
}
