/** Whether a trigger makes an enrolment, and its first steps. docs/playbooks.md. */
import { addDuration } from '../time/duration.ts';
import type { Instant } from '../time/types.ts';
import type { Json, Playbook } from '../playbook/types.ts';
import { advance } from './advance.ts';
import type { Draft } from './draft.ts';
import type { Context, Enrolment, Origin } from './types.ts';
import { scopeOf, zoneOf } from './view.ts';

/** Why nobody was enrolled; null when somebody was. */
export type EntryObstacle = 'taken' | 'not again' | 'already active' | 'audience';

/** What starts an enrolment. */
export interface Start {
  readonly entryKey: string;
  readonly at: Instant;
  readonly origin: Origin;
  readonly vars?: Readonly<Record<string, Json>>;
}

/** What forbids the entry, asked in the language's order: `again`, `if_active`, then the audience. */
export function obstacleOf(draft: Draft, playbook: Playbook, start: Start, ctx: Context): EntryObstacle | null {
  const record = draft.entries.get(playbook.name);
  if (record?.keys.has(start.entryKey) === true) return 'taken';
  if (record !== undefined && !mayEnterAgain(draft, playbook, record.lastStartedAt, start.at, ctx)) return 'not again';
  for (const enrolment of draft.enrolments.values()) {
    if (enrolment.playbook === playbook.name) return 'already active';
  }
  if (playbook.audience === null) return null;
  const scope = scopeOf(draft.profile, ctx.release, start.at, {
    origin: start.origin,
    ...(start.vars === undefined ? {} : { vars: start.vars }),
  });
  return playbook.audience.test(scope) ? null : 'audience';
}

function mayEnterAgain(draft: Draft, playbook: Playbook, last: Instant, at: Instant, ctx: Context): boolean {
  const { again } = playbook.entry;
  if (again === 'always') return true;
  if (again === 'never') return false;
  return at >= addDuration(last, again.after, zoneOf(draft.profile, ctx.release.company));
}

/** Enrols the customer and runs the playbook until it must wait, unless something forbids the entry. */
export function enrol(draft: Draft, playbook: Playbook, start: Start, ctx: Context): EntryObstacle | null {
  const obstacle = obstacleOf(draft, playbook, start, ctx);
  if (obstacle !== null) return obstacle;
  const enrolment: Enrolment = {
    id: null,
    playbook: playbook.name,
    version: playbook.version,
    entryKey: start.entryKey,
    startedAt: start.at,
    origin: start.origin,
    vars: start.vars ?? {},
    position: { on: 'time', step: playbook.first ?? '', dueAt: start.at, ready: true },
  };
  draft.addEnrolment(enrolment);
  draft.addLine({ at: start.at, playbook: playbook.name, do: 'enrol' });
  advance(draft, enrolment, playbook.first, start.at, ctx);
  return null;
}
