/** Whether somebody may enter a playbook, and the entry itself. docs/playbooks.md. */
import { addDuration } from '../time/duration.ts';
import type { Instant } from '../time/types.ts';
import type { Json, Playbook, Scope } from '../playbook/types.ts';
import { operandsOf } from '../playbook/operands.ts';
import { enrolmentKey, type Draft } from './draft.ts';
import { endEnrolment } from './end.ts';
import { compareAges } from './order.ts';
import type { Context, Enrolment, Origin, RefusalReason } from './types.ts';
import { scopeOf, zoneOf } from './view.ts';

/** Why nobody was enrolled. `taken`: this very occurrence has started one before. */
export type EntryObstacle = 'taken' | RefusalReason;

/** What starts an enrolment. */
export interface Start {
  readonly entryKey: string;
  readonly at: Instant;
  readonly origin: Origin;
  readonly vars?: Readonly<Record<string, Json>>;
}

/** What forbids the entry, asked in the language's order: `in_flight: drain`, `again`, `if_active`, then the audience. Null: nothing. */
export function obstacleOf(draft: Draft, playbook: Playbook, start: Start, ctx: Context): EntryObstacle | null {
  if (playbook.inFlight === 'drain') return 'draining';
  const record = draft.entries.get(playbook.name);
  if (record?.keys.has(start.entryKey) === true) return 'taken';
  if (record !== undefined && !mayEnterAgain(draft, playbook, record.lastStartedAt, start.at, ctx)) return 'not again';
  if (playbook.entry.ifActive === 'ignore' && activeIn(draft, playbook.name).length > 0) return 'already active';
  if (playbook.audience === null) return null;
  return playbook.audience.test(entryScope(draft, start, ctx)) ? null : 'audience';
}

function entryScope(draft: Draft, start: Start, ctx: Context): Scope {
  return scopeOf(draft.profile, ctx.release, start.at, {
    origin: start.origin,
    ...(start.vars === undefined ? {} : { vars: start.vars }),
  });
}

/**
 * For the record (docs/operations.md). A simulation keeps none, and must not pay for it. A schedule asks everyone each
 * time: whom its audience leaves out would be a row for each customer, written anew every day or week.
 */
function noteRefusal(draft: Draft, playbook: Playbook, start: Start, because: EntryObstacle, ctx: Context): void {
  if (because === 'taken' || ctx.handsOverAtOnce === true) return;
  const { entryKey, at } = start;
  const isAudience = because === 'audience' && playbook.audience !== null;
  if (isAudience && entryKey.startsWith('schedule:')) return;
  const values = isAudience ? operandsOf(playbook.audience, entryScope(draft, start, ctx)) : {};
  draft.noteRefusal({ playbook: playbook.name, entryKey, at, because, values });
}

function mayEnterAgain(draft: Draft, playbook: Playbook, last: Instant, at: Instant, ctx: Context): boolean {
  const { again } = playbook.entry;
  if (again === 'always') return true;
  if (again === 'never') return false;
  return at >= addDuration(last, again.after, zoneOf(draft.profile, ctx.release.company));
}

/** The active enrolments of a playbook, the older first. */
function activeIn(draft: Draft, playbook: string): readonly Enrolment[] {
  return [...draft.enrolments.values()]
    .filter((enrolment) => enrolment.playbook === playbook)
    .sort((a, b) => compareAges(draft.ageOf(a), draft.ageOf(b)));
}

/**
 * Enrols the customer at the playbook's first step, unless something forbids the entry. With `if_active: restart` those
 * under way end. Runs nothing yet.
 */
export function enter(draft: Draft, playbook: Playbook, start: Start, ctx: Context): Enrolment | EntryObstacle {
  const obstacle = obstacleOf(draft, playbook, start, ctx);
  if (obstacle !== null) {
    noteRefusal(draft, playbook, start, obstacle, ctx);
    return obstacle;
  }
  const { at } = start;
  if (playbook.entry.ifActive === 'restart') {
    for (const active of activeIn(draft, playbook.name)) {
      endEnrolment(draft, active, { how: 'exit', at, reason: 'restart' });
    }
  }
  const enrolment: Enrolment = {
    id: null,
    playbook: playbook.name,
    version: playbook.version,
    entryKey: start.entryKey,
    startedAt: at,
    origin: start.origin,
    vars: start.vars ?? {},
    position: { on: 'time', step: playbook.first ?? '', dueAt: at, ready: true },
  };
  draft.addEnrolment(enrolment);
  draft.addLine({ at, playbook: playbook.name, do: 'enrol' }, start.entryKey);
  return enrolment;
}

/** Whether an enrolment of this run has not ended since. */
export function isActive(draft: Draft, enrolment: Enrolment): boolean {
  return draft.enrolments.has(enrolmentKey(enrolment));
}
