/** What the demonstration came to, read from the database. */
import type { Database } from '../../engine/store/database.ts';

/** Counts by playbook, and what must be nought. */
export interface DemoSummary {
  readonly playbooks: readonly {
    readonly name: string;
    readonly enrolments: number;
    readonly mails: number;
    readonly skipped: number;
  }[];
  readonly skips: readonly { readonly reason: string; readonly count: number }[];
  readonly unknown: number;
  readonly held: number;
}

/** Reads the counts. */
export async function readSummary(db: Database): Promise<DemoSummary> {
  const playbooks = await db.query<{ name: string; enrolments: number; mails: number; skipped: number }>(
    `select p.name, (select count(*) from enrolments e where e.playbook_id = p.id) as enrolments,
       count(s.id) filter (where s.status = 'sent') as mails,
       count(s.id) filter (where s.status = 'skipped') as skipped
     from playbooks p left join sends s on s.playbook_id = p.id
     group by p.id, p.name order by mails desc, p.name`,
  );
  const skips = await db.query<{ reason: string; count: number }>(
    `select coalesce(reason, '') as reason, count(*) from sends where status = 'skipped' group by 1 order by 2 desc, 1`,
  );
  const counts = await db.query<{ unknown: number; held: number }>(
    `select (select count(*) from sends where status = 'unknown') as unknown,
       (select count(*) from sends where held_at is not null)
       + (select count(*) from enrolments where held_at is not null)
       + (select count(*) from customers where held_at is not null) as held`,
  );
  const { unknown = 0, held = 0 } = counts.rows[0] ?? {};
  return { playbooks: playbooks.rows, skips: skips.rows, unknown, held };
}

/** The summary as a table for people. */
export function formatSummary(summary: DemoSummary, seconds: number): string {
  const width = Math.max(8, ...summary.playbooks.map(({ name }) => name.length));
  const row = (name: string, enrolments: string, mails: string, skipped: string): string =>
    `  ${name.padEnd(width)}  ${enrolments.padStart(10)}  ${mails.padStart(6)}  ${skipped.padStart(8)}\n`;
  const sum = (of: 'enrolments' | 'mails' | 'skipped'): number =>
    summary.playbooks.reduce((total, playbook) => total + playbook[of], 0);
  let text = row('playbook', 'enrolments', 'mails', 'skipped');
  for (const { name, enrolments, mails, skipped } of summary.playbooks) {
    text += row(name, String(enrolments), String(mails), String(skipped));
  }
  text += row('all', String(sum('enrolments')), String(sum('mails')), String(sum('skipped')));
  const why = summary.skips.map(({ reason, count }) => `${count} ${reason}`).join(', ');
  return `${text}\n  skipped: ${why === '' ? 'none' : why}\n  unknown ${summary.unknown}, held ${summary.held}; ${seconds.toFixed(1)} s\n`;
}
