/** What an import says when it is over. */
import type { ImportResult } from '../../engine/ingest/file/import.ts';
import type { ImportKind } from '../../engine/ingest/file/fields.ts';
import { formatInstant } from '../../engine/time/text.ts';
import { harmless, jsonText } from '../support/terminal.ts';
import { count } from './words.ts';

/** An import, and the file it read. */
export interface ImportReport {
  readonly kind: ImportKind;
  readonly file: string;
  readonly result: ImportResult;
  /** False for standard input. */
  readonly resumable: boolean;
  /** Null when no line was set aside. */
  readonly rejects: string | null;
  readonly unusedColumns: readonly string[];
  readonly seconds: number;
}

/** For people. */
export function formatReport(report: ImportReport): string {
  const { result, kind, file } = report;
  const { end } = result;
  const lines: string[] = [];
  if (result.status === 'finished before' && end.finishedAt !== null) {
    lines.push(`${file} was imported already, on ${formatInstant(end.finishedAt)}; --restart imports it anew.`);
  }
  const known = result.duplicates > 0 ? `, of which ${count(result.duplicates)} were known before` : '';
  lines.push(`${count(end.accepted)} ${kind} taken in${known}${speedOf(report)}.`);
  if (result.filtered > 0) lines.push(`${count(result.filtered)} rows passed over by --where.`);
  if (report.rejects !== null) {
    lines.push(
      `${count(end.rejected)} ${end.rejected === 1 ? 'line' : 'lines'} set aside, with reasons, in ${report.rejects}`,
    );
  }
  for (const { name, because, nearest, lines: times } of result.noticed) {
    const hint = nearest === null ? '' : `; did you mean "${nearest}"?`;
    lines.push(`Note: ${name} (${count(times)} ${times === 1 ? 'line' : 'lines'}): ${because}${hint}`);
  }
  if (result.status === 'interrupted') {
    const next = report.resumable
      ? 'The same command goes on from there.'
      : 'Send all of it again: nothing counts twice.';
    lines.push(`Stopped after line ${count(end.linesDone)}. ${next}`);
  }
  return lines.map((line) => `${harmless(line)}\n`).join('');
}

/** For programs: one object. */
export function reportAsJson(report: ImportReport): string {
  const { result, kind, file, rejects, unusedColumns, seconds } = report;
  const { status, end, duplicates, filtered, resumedAtLine, noticed } = result;
  return `${jsonText({
    status,
    kind,
    file,
    lines: end.linesDone,
    accepted: end.accepted,
    duplicates,
    rejected: end.rejected,
    filtered,
    resumedAtLine,
    rejects,
    unusedColumns,
    noticed,
    seconds: Math.round(seconds * 10) / 10,
  })}\n`;
}

function speedOf({ result, seconds }: ImportReport): string {
  if (result.status === 'finished before') return '';
  const lines = result.end.linesDone - (result.resumedAtLine ?? 1) + 1;
  const speed = seconds > 0.5 ? `, ${count(Math.round(lines / seconds))} lines/s` : '';
  return ` in ${seconds.toFixed(1)} s${speed}`;
}
