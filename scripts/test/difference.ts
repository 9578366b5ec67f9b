/** Two timelines side by side: what a test expected, and what came. */
import type { PlaybookTest } from '../../engine/playbook/tests/types.ts';
import type { Row } from '../../engine/simulate/tests/judge.ts';
import { zone } from '../../engine/time/zone.ts';
import type { Zone } from '../../engine/time/types.ts';
import { harmless, paint, table, type Terminal } from '../support/terminal.ts';
import { clockTime, expectationText, expectedTime, lineText, subjectOf } from './wording.ts';

/** So many lines around a difference are shown. */
const AROUND = 3;
/** No more differences than these are shown. */
const MOST_ROWS = 60;

const MARKS = { same: ' ', aside: '·', missing: '-', surplus: '+' } as const;
const STYLES = { same: null, aside: 'dim', missing: 'red', surplus: 'green' } as const;

/** How the lines of one test are shown. */
interface Manner {
  readonly zoneOf: (customer: string | null) => Zone;
  readonly showsCustomer: boolean;
  readonly showsPlaybook: boolean;
}

function mannerOf(test: PlaybookTest, fallback: Zone): Manner {
  const zones = new Map(test.customers.map(({ id, timezone }) => [id, timezone === null ? null : zone(timezone)]));
  const [first] = test.customers;
  return {
    zoneOf: (customer) => zones.get(customer ?? first?.id ?? '') ?? fallback,
    showsCustomer: test.customers.length > 1,
    showsPlaybook: test.playbooks.size > 1,
  };
}

function isWrong(row: Row): boolean {
  return row.is === 'missing' || row.is === 'surplus' || row.faults.length > 0;
}

/** The rows near a difference; a null stands for a gap. */
function nearDifferences(rows: readonly Row[]): readonly (Row | null)[] {
  const wrong = rows.flatMap((row, index) => (isWrong(row) ? [index] : []));
  const isNear = new Set(wrong.flatMap((at) => Array.from({ length: 2 * AROUND + 1 }, (_, i) => at - AROUND + i)));
  const shown: (Row | null)[] = [];
  for (const [index, row] of rows.entries()) {
    if (isNear.has(index)) shown.push(row);
    else if (shown.at(-1) !== null) shown.push(null);
  }
  return shown;
}

function cellsOf(row: Row, manner: Manner): readonly string[] {
  const { kind, customer, playbook } = subjectOf(row);
  const time =
    row.is === 'missing'
      ? expectedTime(row.expected.at, manner.zoneOf(customer))
      : clockTime(row.line.at, row.line.zone);
  const what = row.is === 'missing' ? expectationText(row.expected) : lineText(row.line);
  const note = row.is === 'missing' || row.is === 'surplus' ? row.note : null;
  return [
    MARKS[row.is],
    time,
    ...(manner.showsCustomer ? [customer ?? ''] : []),
    ...(manner.showsPlaybook ? [playbook ?? ''] : []),
    kind,
    what,
    note === null ? '' : `← ${note}`,
  ];
}

/**
 * The difference as text with aligned columns, on the clocks of the customers; `fallback` is the company's zone.
 * Lines that came as expected stand around it, and with a dot those that need not be listed.
 */
export function formatDifference(
  terminal: Pick<Terminal, 'colour'>,
  test: PlaybookTest,
  rows: readonly Row[],
  fallback: Zone,
): string {
  const manner = mannerOf(test, fallback);
  const near = nearDifferences(rows);
  const shown = near.slice(0, MOST_ROWS);
  const text = table(shown.map((row) => (row === null ? ['', '⋮'] : cellsOf(row, manner))));
  const lines = text.split('\n').slice(0, shown.length);
  const painted = shown.flatMap((row, index) => {
    const line = lines[index] ?? '';
    const style = row === null ? 'dim' : STYLES[row.is];
    const faults = row === null || !('faults' in row) ? [] : row.faults;
    return [
      style === null ? line : paint(terminal, style, line),
      ...faults.map((fault) => paint(terminal, 'red', `!    ${harmless(fault)}`)),
    ];
  });
  const more = near.length > shown.length ? [`and ${near.length - shown.length} lines more`] : [];
  return [legend(terminal, test, manner), ...painted, ...more].map((line) => `      ${line}\n`).join('');
}

function legend(terminal: Pick<Terminal, 'colour'>, { customers }: PlaybookTest, { zoneOf }: Manner): string {
  const names = new Set(customers.map(({ id }) => zoneOf(id).name));
  const [only] = names;
  const times = names.size === 1 ? `in ${only ?? ''}` : "on each customer's clock";
  return `${paint(terminal, 'red', '- expected')}  ${paint(terminal, 'green', '+ came')}  (times ${times})`;
}
