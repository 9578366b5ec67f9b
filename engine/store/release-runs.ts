/** Mass work that a release brings: arming new triggers of time, and asking everyone at each launch. */
import { launchInstant } from '../journey/launch.ts';
import type { Playbook, Release } from '../playbook/types.ts';
import { formatInstant } from '../time/text.ts';
import type { Instant } from '../time/types.ts';
import type { Queryable } from './database.ts';

/** A playbook of the release with its short id. */
export interface KnownPlaybook {
  readonly id: number;
  readonly playbook: Playbook;
}

const WITH_TIMERS: ReadonlySet<Playbook['trigger']['kind']> = new Set(['date', 'inactive', 'schedule', 'segment']);

/** Timers, or known answers of a segment, exist for these; all other triggers need no arming. */
export function hasTimers(playbook: Playbook): boolean {
  return WITH_TIMERS.has(playbook.trigger.kind);
}

/**
 * Plans one run that arms the timers of every customer there is, in place of an unfinished one: that one has
 * handled customers by the old rule.
 */
export async function planArming(tx: Queryable, playbookIds: readonly number[], now: Instant): Promise<void> {
  if (playbookIds.length === 0) return;
  await tx.query(`delete from runs where kind = 'arm' and status <> 'done' and playbook_id = any($1)`, [playbookIds]);
  await tx.query(
    `insert into runs (kind, playbook_id, due_at) select 'arm', id, to_timestamp($2::float8 / 1000) from unnest($1::int[]) as id
     on conflict (kind, playbook_id, launch, due_at)
     do update set status = 'planned', cursor_id = 0, until_id = null`,
    [playbookIds, now],
  );
}

/**
 * Plans a run at the instant of each launch that is now or to come, and takes back the planned ones whose launch moved
 * or is gone. What is under way goes on; an instant that is past starts nothing.
 */
export async function planLaunches(
  tx: Queryable,
  release: Release,
  known: readonly KnownPlaybook[],
  now: Instant,
): Promise<void> {
  const instants = known.flatMap(({ id, playbook }) =>
    [...release.launches.values()].flatMap((launch) => {
      const at = launchInstant(playbook, launch, release.company);
      return at === null ? [] : [{ id, launch: launch.name, at }];
    }),
  );
  const rows = 'unnest($1::int[], $2::text[], $3::timestamptz[]) as w (playbook_id, launch, due_at)';
  const columns = (runs: typeof instants): readonly unknown[] => [
    runs.map((run) => run.id),
    runs.map((run) => run.launch),
    runs.map((run) => formatInstant(run.at)),
  ];
  await tx.query(
    `delete from runs r where r.kind = 'launch' and r.status = 'planned' and not exists (
       select 1 from ${rows} where w.playbook_id = r.playbook_id and w.launch = r.launch and w.due_at = r.due_at)`,
    columns(instants),
  );
  await tx.query(
    `insert into runs (kind, playbook_id, launch, due_at)
     select 'launch', w.playbook_id, w.launch, w.due_at from ${rows}
     on conflict (kind, playbook_id, launch, due_at) do nothing`,
    columns(instants.filter((run) => run.at >= now)),
  );
}

/** Takes back unfinished runs of playbooks that are gone, or of one kind that they no longer need. */
export async function dropRuns(
  tx: Queryable,
  playbookIds: readonly number[],
  kind: 'arm' | 'launch' | null = null,
): Promise<void> {
  if (playbookIds.length === 0) return;
  await tx.query(
    `delete from runs where status <> 'done' and playbook_id = any($1) and ($2::text is null or kind = $2)`,
    [playbookIds, kind],
  );
}
