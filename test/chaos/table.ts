/** What was found, as a table that is also Markdown. */
import { RECOVERY_LIMIT_MS } from './scenario.ts';
import type { Row } from './runner.ts';

const HEADINGS = [
  'scenario',
  'queue',
  'faults',
  'mails',
  'lost',
  'unflagged copies',
  'unknown',
  'at most',
  'recovery',
  'verdict',
] as const;

/** A line for each row. */
export function tableOf(rows: readonly Row[]): string {
  const lines = [HEADINGS, ...rows.map(cells)];
  const widths = HEADINGS.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const written = lines.map(
    (line) => `| ${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`,
  );
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return `${[written[0], rule, ...written.slice(1)].join('\n')}\n`;
}

function cells({ scenario, backend, outcome, notHere, violations }: Row): readonly string[] {
  const verdict = notHere !== undefined ? 'NOT RUN' : violations.length === 0 ? 'holds' : 'BROKEN';
  const head = [scenario.title, backend === 'redis' ? 'Redis' : 'PostgreSQL'];
  if (outcome === null) return [...head, ...Array.from({ length: 7 }, () => ''), verdict];
  const { faults, mails, lost, copies, unknown, unknownBound, recoveryMs, recoveryLimitMs } = outcome;
  const limit = (recoveryLimitMs ?? RECOVERY_LIMIT_MS) / 1_000;
  const recovery = recoveryMs === null ? '–' : `${(recoveryMs / 1_000).toFixed(1)} s of ${limit} s`;
  return [...head, ...[faults, mails, lost, copies, unknown, unknownBound].map(String), recovery, verdict];
}
