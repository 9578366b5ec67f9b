/**
 * Coupon codes. The rules decide nothing about which code: whoever runs them gives it. In production an enrolment that
 * comes to such a step stands there until the store has reserved a code for it; a simulation takes a sample.
 */
import type { Instant } from '../time/types.ts';
import type { Step } from '../playbook/types.ts';
import type { Draft } from './draft.ts';
import type { Next } from './next.ts';
import type { Context, Enrolment } from './types.ts';

/** A code that everybody sees to be none: `ANNIVERSARY-0001` of the pool `anniversary`. */
export function sampleCode(pool: string): string {
  return `${pool.toUpperCase()}-0001`;
}

/** Takes the code that was given for this step, or waits at the step for one. */
export function takeCoupon(
  draft: Draft,
  enrolment: Enrolment,
  step: Step & { readonly kind: 'coupon' },
  at: Instant,
  ctx: Context,
): Next {
  const isSample = ctx.handsOverAtOnce === true || ctx.givesSampleCodes === true;
  const code = isSample ? sampleCode(step.pool) : draft.codeFor(enrolment, step.id);
  if (code === null) {
    draft.moveEnrolment(enrolment, { on: 'time', step: step.id, dueAt: at, ready: true });
    draft.awaitCode(enrolment);
    return 'stays';
  }
  draft.addLine({ at, playbook: enrolment.playbook, step: step.id, do: 'coupon' }, enrolment.entryKey);
  const holding: Enrolment = { ...enrolment, vars: { ...enrolment.vars, [step.as]: { code } } };
  return { to: step.next, enrolment: holding };
}
