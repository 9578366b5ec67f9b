/** Who would enter in the days to come if the files were deployed now: the rules of the engine, run ahead in memory. */
import type { Database } from '../../engine/store/database.ts';
import type { ReleaseCache } from '../../engine/store/context.ts';
import type { Release } from '../../engine/playbook/types.ts';
import { linesOf } from '../../engine/simulate/reader-run.ts';
import { localDate } from '../../engine/time/local.ts';
import { formatLocalDate } from '../../engine/time/text.ts';
import type { Instant } from '../../engine/time/types.ts';
import { withLive } from '../simulate/live.ts';
import type { Progress } from '../simulate/progress.ts';

/** Entries by playbook and day of the company's zone. */
export interface Entries {
  readonly from: Instant;
  readonly until: Instant;
  readonly days: number;
  /** All customers for whom anything goes on were asked. */
  readonly customers: number;
  readonly playbooks: readonly {
    readonly playbook: string;
    readonly total: number;
    readonly byDay: Readonly<Record<string, number>>;
  }[];
}

/** Runs every customer ahead, some hundred at a time, in one snapshot of the database. Nothing is written. */
export async function entriesAhead(
  context: { readonly db: Database; readonly cache: ReleaseCache },
  release: Release,
  days: number,
  progress: Progress,
): Promise<Entries> {
  return withLive(context, { days, only: null }, [release], async ({ from, until, customers, readers }) => {
    progress.total = customers;
    const counts = new Map<string, Map<string, number>>();
    for await (const [run] of readers) {
      if (run === undefined) continue;
      for (const { line } of linesOf(run)) {
        if (line.do !== 'enrol') continue;
        const day = formatLocalDate(localDate(line.at, release.company.zone));
        const ofPlaybook = counts.get(line.playbook) ?? new Map<string, number>();
        counts.set(line.playbook, ofPlaybook.set(day, (ofPlaybook.get(day) ?? 0) + 1));
      }
      progress.done(run.drafts.length);
    }
    const playbooks = [...counts].map(([playbook, byDay]) => ({
      playbook,
      total: [...byDay.values()].reduce((sum, one) => sum + one, 0),
      byDay: Object.fromEntries([...byDay].sort(([a], [b]) => (a < b ? -1 : 1))),
    }));
    return { from, until, days, customers, playbooks: playbooks.sort((a, b) => (a.playbook < b.playbook ? -1 : 1)) };
  });
}
