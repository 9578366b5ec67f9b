/** What a running enrolment starts: entered at its step, and run right after it has come to a wait or its end. */
import { createHash } from 'node:crypto';
import type { Playbook, Step } from '../playbook/types.ts';
import type { Instant } from '../time/types.ts';
import type { Draft } from './draft.ts';
import { enter } from './entry.ts';
import { segmentStart, turnedSegments } from './segments.ts';
import type { Context, Enrolment, Origin } from './types.ts';

/** Enters the playbook that a `start` step names, subject to its own entry rules. */
export function startByStep(
  draft: Draft,
  starter: Enrolment,
  step: Step & { readonly kind: 'start' },
  at: Instant,
  ctx: Context,
): readonly Enrolment[] {
  const playbook = ctx.release.byName.get(step.playbook);
  // Taken out of the release since the starter began: a playbook that is removed starts nobody.
  if (playbook === undefined) return [];
  const origin = handedOn(starter.origin, playbook);
  const entered = enter(draft, playbook, { entryKey: startKey(starter, step.id), at, origin }, ctx);
  return typeof entered === 'string' ? [] : [entered];
}

/** Enters the playbooks whose segments the last step has turned. */
export function startBySegments(draft: Draft, at: Instant, ctx: Context): readonly Enrolment[] {
  return turnedSegments(draft, at, ctx).flatMap((playbook) => {
    const entered = enter(draft, playbook, segmentStart(draft, playbook, at), ctx);
    return typeof entered === 'string' ? [] : [entered];
  });
}

/** An enrolment comes to each of its steps once, so this is unique. Of chains of starts the length stays bounded. */
function startKey({ playbook, entryKey }: Enrolment, step: string): string {
  const isChain = entryKey.startsWith('start:');
  const of = isChain ? createHash('sha256').update(entryKey).digest('hex').slice(0, 32) : entryKey;
  return `start:${playbook}/${step}/${of}`;
}

/** What the started playbook could have been started by itself means the same there; everything else does not. */
function handedOn({ event, launch }: Origin, { trigger }: Playbook): Origin {
  if (event !== undefined && trigger.kind === 'event' && trigger.event === event.event) return { event };
  const takesLaunch = trigger.kind === 'launch' && (trigger.launch === 'any' || trigger.launch === launch);
  return launch !== undefined && takesLaunch ? { launch } : {};
}
