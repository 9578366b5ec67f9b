/** What a step does outside of its customer: decided here, put on record with the enrolment, carried out by others. */
import { addDuration } from '../time/duration.ts';
import type { Instant } from '../time/types.ts';
import type { Scope, Step } from '../playbook/types.ts';
import type { Draft } from './draft.ts';
import type { Effect, Enrolment } from './types.ts';

type TaskStep = Step & { readonly kind: 'task' };

/** Gives a person something to do. */
export function giveTask(draft: Draft, enrolment: Enrolment, step: TaskStep, at: Instant, scope: Scope): void {
  const dueAt = step.within === null ? null : addDuration(at, step.within, scope.zone);
  addEffect(draft, enrolment, at, scope, { step, dueAt });
}

function addEffect(draft: Draft, enrolment: Enrolment, at: Instant, scope: Scope, what: Effect['what']): void {
  const { playbook, entryKey } = enrolment;
  draft.addEffect({ playbook, entryKey, at, scope, locale: draft.profile.locale, what });
  draft.addLine({ at, playbook, step: what.step.id, do: what.step.kind }, entryKey);
}
