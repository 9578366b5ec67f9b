/** What a step does outside of its customer: decided here, put on record with the enrolment, carried out by others. */
import { addDuration } from '../time/duration.ts';
import type { Instant } from '../time/types.ts';
import type { Scope, Step } from '../playbook/types.ts';
import type { Draft } from './draft.ts';
import type { Enrolment } from './types.ts';

/** A step that does something outside. */
export type EffectStep = Step & { readonly kind: 'task' | 'webhook' };

/** Gives a person something to do, or has another system called. */
export function addEffect(draft: Draft, enrolment: Enrolment, step: EffectStep, at: Instant, scope: Scope): void {
  const { playbook, entryKey } = enrolment;
  const common = { playbook, entryKey, at, scope, locale: draft.profile.locale };
  switch (step.kind) {
    case 'task': {
      const dueAt = step.within === null ? null : addDuration(at, step.within, scope.zone);
      draft.addEffect({ ...common, kind: 'task', step, dueAt });
      break;
    }
    case 'webhook':
      draft.addEffect({ ...common, kind: 'webhook', step });
      break;
  }
  draft.addLine({ at, playbook, step: step.id, do: step.kind }, entryKey);
}
