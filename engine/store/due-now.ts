/** What a chunk leaves to be done at once: whom to hint about. */
import { sendKey, type Draft } from '../journey/draft.ts';
import type { StoreContext } from './context.ts';
import { storedOf } from './stored.ts';

/** Customer ids with mail that may be claimed now, by lane. */
export interface MailDue {
  readonly transactional: readonly number[];
  readonly bulk: readonly number[];
}

/** Mail of these drafts that is due by `ctx.now`. Paused and held mail is not. */
export function mailDue(drafts: readonly Draft[], ctx: StoreContext): MailDue {
  const transactional = new Set<number>();
  const bulk = new Set<number>();
  for (const draft of drafts) {
    const stored = storedOf(draft);
    for (const send of draft.sends.values()) {
      if (send.dueAt > ctx.now || ctx.isPaused(send.playbook)) continue;
      if (stored.sends.get(sendKey(send))?.held === true) continue;
      (send.transactional ? transactional : bulk).add(stored.customerId);
    }
  }
  return { transactional: [...transactional], bulk: [...bulk] };
}

/** Customers whose enrolments have waits that are due by `ctx.now`. */
export function waitsDue(drafts: readonly Draft[], ctx: StoreContext): number[] {
  const due = drafts.filter((draft) =>
    [...draft.enrolments.values()].some(
      ({ position, playbook }) => position.on === 'time' && position.dueAt <= ctx.now && !ctx.isPaused(playbook),
    ),
  );
  return due.map((draft) => storedOf(draft).customerId);
}

/** Joins what several transactions left, each customer once. */
export function joinMailDue(parts: readonly MailDue[]): MailDue {
  return {
    transactional: [...new Set(parts.flatMap((part) => part.transactional))],
    bulk: [...new Set(parts.flatMap((part) => part.bulk))],
  };
}
