/** What a release changes about playbooks: short ids, versions, from when triggers look forward, and mass work. */
import { triggerKey } from '../journey/trigger-key.ts';
import type { Playbook, Release } from '../playbook/types.ts';
import type { Instant } from '../time/types.ts';
import type { Queryable } from './database.ts';
import { dropRuns, hasTimers, planArming, planLaunches, type KnownPlaybook } from './release-runs.ts';

/** Playbooks by name: new or back again, with another text, gone. */
export interface PlaybookDifference {
  readonly added: readonly string[];
  readonly altered: readonly string[];
  readonly removed: readonly string[];
}

interface PlaybookRow {
  readonly [column: string]: unknown;
  readonly id: number;
  readonly name: string;
  readonly triggerHash: string;
  readonly live: boolean;
  /** SHA-256 of its file in the release before. */
  readonly version: string | null;
}

/** Makes the playbooks of `release` the live ones. `previousId` is the release that ran until now. */
export async function switchPlaybooks(
  tx: Queryable,
  release: Release,
  previousId: string | null,
  now: Instant,
): Promise<PlaybookDifference> {
  const before = await playbooksBefore(tx, previousId);
  const isLive = (playbook: Playbook): boolean => before.get(playbook.name)?.live === true;
  const isNewRule = (playbook: Playbook): boolean => !keepsRule(before.get(playbook.name), playbook);
  const ids = await storePlaybooks(tx, release, isNewRule, now);
  await storeVersions(tx, release, ids);

  const removed = [...before.values()].filter((row) => row.live && !release.byName.has(row.name));
  await retire(tx, removed);
  const known = release.playbooks.map((playbook) => ({ playbook, id: ids.get(playbook.name) ?? 0 }));
  await planRuns(tx, release, known, before, now);
  return {
    added: release.playbooks.filter((playbook) => !isLive(playbook)).map((playbook) => playbook.name),
    altered: release.playbooks
      .filter((playbook) => isLive(playbook) && before.get(playbook.name)?.version !== playbook.version)
      .map((playbook) => playbook.name),
    removed: removed.map((row) => row.name),
  };
}

async function playbooksBefore(tx: Queryable, previousId: string | null): Promise<ReadonlyMap<string, PlaybookRow>> {
  const { rows } = await tx.query<PlaybookRow>(
    `select p.id, p.name, p.trigger_hash as "triggerHash", p.live, f.hash as version
     from playbooks p left join release_files f on f.release_id = $1 and f.path = 'playbooks/' || p.name || '.yaml'`,
    [previousId],
  );
  return new Map(rows.map((row) => [row.name, row]));
}

/** The company's zone stands beside the rule: another zone re-dates timers, but is no new trigger. */
function hashOf(playbook: Playbook, release: Release): string {
  return `${triggerKey(playbook.trigger)} ${release.company.zone.name}`;
}

/** Whether a playbook goes on looking forward from where it did: it runs already, by the same rule. */
export function keepsRule(
  before: { readonly live: boolean; readonly triggerHash: string } | undefined,
  playbook: Playbook,
): boolean {
  return before?.live === true && ruleOf(before.triggerHash) === triggerKey(playbook.trigger);
}

function ruleOf(triggerHash: string): string {
  return triggerHash.split(' ')[0] ?? '';
}

async function storePlaybooks(
  tx: Queryable,
  release: Release,
  isNewRule: (playbook: Playbook) => boolean,
  now: Instant,
): Promise<ReadonlyMap<string, number>> {
  const { playbooks } = release;
  const { rows } = await tx.query<{ id: number; name: string }>(
    `insert into playbooks (name, trigger_hash, armed_from, live)
     select w.name, w.hash, to_timestamp($3::float8 / 1000), true
     from unnest($1::text[], $2::text[]) as w (name, hash)
     on conflict (name) do update set live = true, trigger_hash = excluded.trigger_hash,
       armed_from = case when playbooks.name = any($4) then excluded.armed_from else playbooks.armed_from end
     returning id, name`,
    [
      playbooks.map((playbook) => playbook.name),
      playbooks.map((playbook) => hashOf(playbook, release)),
      now,
      playbooks.filter(isNewRule).map((playbook) => playbook.name),
    ],
  );
  return new Map(rows.map((row) => [row.name, row.id]));
}

async function storeVersions(tx: Queryable, release: Release, ids: ReadonlyMap<string, number>): Promise<void> {
  await tx.query(
    `insert into playbook_versions (playbook_id, hash, release_id)
     select w.id, w.hash, $3 from unnest($1::int[], $2::text[]) as w (id, hash) on conflict (playbook_id, hash) do nothing`,
    [
      release.playbooks.map((playbook) => ids.get(playbook.name)),
      release.playbooks.map((playbook) => playbook.version),
      release.id,
    ],
  );
}

async function retire(tx: Queryable, removed: readonly PlaybookRow[]): Promise<void> {
  const ids = removed.map((row) => row.id);
  await tx.query('update playbooks set live = false where id = any($1)', [ids]);
  await dropRuns(tx, ids);
}

async function planRuns(
  tx: Queryable,
  release: Release,
  known: readonly KnownPlaybook[],
  before: ReadonlyMap<string, PlaybookRow>,
  now: Instant,
): Promise<void> {
  // What came due while a playbook was away starts nothing; nobody writes its timers until this commits.
  const back = known.filter(({ playbook }) => before.get(playbook.name)?.live === false).map(({ id }) => id);
  if (back.length > 0) await tx.query('delete from timers where playbook_id = any($1)', [back]);
  const timed = known.filter(({ playbook }) => hasTimers(playbook));
  const toArm = timed.filter(({ playbook }) => {
    const row = before.get(playbook.name);
    return row?.live !== true || row.triggerHash !== hashOf(playbook, release);
  });
  const untimed = known.filter(({ playbook }) => !hasTimers(playbook)).map(({ id }) => id);
  await dropRuns(tx, untimed, 'arm');
  await planArming(
    tx,
    toArm.map(({ id }) => id),
    now,
  );
  await planLaunches(tx, release, known, now);
}
