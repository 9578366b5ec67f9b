/** A timeline for people: by day, with times in the company's zone. */
import type { Line } from '../../engine/journey/types.ts';
import { toLocal } from '../../engine/time/local.ts';
import { formatLocalDate, formatTimeOfDay } from '../../engine/time/text.ts';
import { MINUTE_MS } from '../../engine/time/calendar.ts';
import type { Zone } from '../../engine/time/types.ts';

/** Days with what happens on them, then totals. Empty timelines say so. */
export function formatTimeline(lines: readonly Line[], zone: Zone): string {
  if (lines.length === 0) return 'Nothing would happen in this time.\n';
  const width = Math.max(...lines.map((line) => line.customer.length));
  let day = '';
  let text = '';
  for (const line of lines) {
    const local = toLocal(line.at, zone);
    const date = formatLocalDate(local);
    if (date !== day) text += `${day === '' ? '' : '\n'}${date}\n`;
    day = date;
    const time = formatTimeOfDay(Math.floor(local.ms / MINUTE_MS));
    text += `  ${time}  ${line.customer.padEnd(width)}  ${line.playbook}: ${wording(line)}\n`;
  }
  return `${text}\n${totals(lines)} Times are in ${zone.name}.\n`;
}

function wording(line: Line): string {
  const step = line.step ?? '';
  const reason = line.reason === undefined ? '' : ` (${line.reason})`;
  switch (line.do) {
    case 'email':
      return `mail ${line.template ?? step}`;
    case 'enrol':
      return 'enrolled';
    case 'skip':
      return `skipped ${step}${reason}`;
    case 'complete':
      return 'completed';
    case 'goal':
      return 'goal reached';
    case 'exit':
    case 'cancel':
      return `${line.do === 'exit' ? 'left' : 'cancelled'}${reason}`;
    case 'task':
    case 'set':
    case 'tag':
    case 'untag':
      return `${line.do} (${step})`;
  }
}

function totals(lines: readonly Line[]): string {
  const count = (kind: Line['do']): number => lines.filter((line) => line.do === kind).length;
  const customers = new Set(lines.map((line) => line.customer)).size;
  return `${count('enrol')} enrolments of ${customers} customers, ${count('email')} mails, ${count('skip')} skipped.`;
}
