/** How an enrolment ends before its steps have run out. */
import type { Instant } from '../time/types.ts';
import type { Draft } from './draft.ts';
import type { Enrolment } from './types.ts';

/** Ends an enrolment; a mail it still planned is cancelled. */
export function endEnrolment(
  draft: Draft,
  enrolment: Enrolment,
  end: { readonly how: 'exit' | 'goal' | 'cancel'; readonly at: Instant; readonly reason: string | null },
): void {
  for (const send of draft.sends.values()) {
    if (send.playbook !== enrolment.playbook || send.entryKey !== enrolment.entryKey) continue;
    draft.closeSend({ send, status: 'cancelled', reason: end.reason ?? end.how, at: end.at });
  }
  draft.moveEnrolment(enrolment, { on: 'ended', ...end });
  const reason = end.reason === null ? {} : { reason: end.reason };
  draft.addLine({ at: end.at, playbook: enrolment.playbook, do: end.how, ...reason }, enrolment.entryKey);
}
