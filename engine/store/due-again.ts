/** What outcomes leave to be done at once. */
import type { Draft } from '../journey/draft.ts';
import type { StoreContext } from './context.ts';
import { joinMailDue, mailDue, type MailDue } from './due-now.ts';
import type { Resolution } from './open-sends.ts';

/** Mail that the enrolments came to, and mail that is planned again for now. */
export function dueAgain(drafts: readonly Draft[], resolutions: readonly Resolution[], ctx: StoreContext): MailDue {
  const again = resolutions.filter(
    ({ of, status, dueAt, heldError }) =>
      status === 'planned' &&
      heldError === null &&
      (dueAt ?? of.send.dueAt) <= ctx.now &&
      !ctx.isPaused(of.send.playbook),
  );
  const inLane = (transactional: boolean): number[] =>
    again.filter(({ of }) => of.send.transactional === transactional).map(({ of }) => of.customerId);
  return joinMailDue([mailDue(drafts, ctx), { transactional: inLane(true), bulk: inLane(false) }]);
}
