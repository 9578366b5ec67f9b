/** Entries that run at once: by an event, a trigger of time, a launch, a change from outside or a person. docs/playbooks.md. */
import type { Playbook } from '../playbook/types.ts';
import type { Instant } from '../time/types.ts';
import { advance } from './advance.ts';
import type { Draft } from './draft.ts';
import { enter, type EntryObstacle, type Start } from './entry.ts';
import { segmentStart, turnedSegments } from './segments.ts';
import type { Context } from './types.ts';

export { obstacleOf, type EntryObstacle, type Start } from './entry.ts';

/**
 * Enrols the customer and runs the playbook until it must wait, unless something forbids the entry. Gives what did; null
 * when somebody was enrolled.
 */
export function enrol(draft: Draft, playbook: Playbook, start: Start, ctx: Context): EntryObstacle | null {
  const entered = enter(draft, playbook, start, ctx);
  if (typeof entered === 'string') return entered;
  advance(draft, entered, playbook.first, start.at, ctx);
  return null;
}

/** Enrols by the segments that a change from outside has turned, one after the other. */
export function enrolTurned(draft: Draft, at: Instant, ctx: Context): void {
  for (const playbook of turnedSegments(draft, at, ctx)) enrol(draft, playbook, segmentStart(draft, playbook, at), ctx);
}
